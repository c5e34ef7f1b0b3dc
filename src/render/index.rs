//! Edits the namespace's kustomization: adds and removes the entries of gatewayctl and keeps all others.

use std::ops::Range;

use manifest::diagnostic::Sources;
use manifest::value::{Kind, Node};
use manifest::{read, scalar};

/// Returns the text with the missing `resources` added, and its tree. Returns `None` if that would require
/// other changes (the list is written in brackets, or is not a list).
pub fn add(text: &str, tree: &Node, resources: &[String]) -> Option<(String, Node)> {
    let changed = with_lines(text, tree, resources)?;
    let before = items(tree);
    let is_listed =
        |after: &[Node], resource: &String| after.iter().any(|item| is_resource(item, resource));
    let after = read_as(&changed, tree, |after| {
        after.starts_with(before) && resources.iter().all(|one| is_listed(after, one))
    })?;
    Some((changed, after))
}

/// Parses a changed text and returns its tree if nothing but `resources` has changed and the items of
/// `resources` satisfy `fits`. This matters because the text may not have been a block map, but a map in
/// braces, a stream, or no map at all; inserting or deleting lines in such a text changes its meaning.
fn read_as(text: &str, tree: &Node, fits: impl Fn(&[Node]) -> bool) -> Option<Node> {
    let mut sources = Sources::default();
    let id = sources.add("changed", text);
    let changed = read::parse(text, id, 0).ok()?;
    let others = |tree: &Node| -> Vec<(String, Node)> {
        let entries = tree.as_map().into_iter().flat_map(|map| map.iter());
        let others = entries.filter(|(key, _)| *key != "resources");
        others
            .map(|(key, node)| (key.to_owned(), node.clone()))
            .collect()
    };
    let is_same = matches!(tree.kind, Kind::Map(_) | Kind::Null)
        && others(tree) == others(&changed)
        && fits(items(&changed));
    is_same.then_some(changed)
}

fn with_lines(text: &str, tree: &Node, resources: &[String]) -> Option<String> {
    let listed = tree.get("resources");
    let missing: Vec<&String> = resources
        .iter()
        .filter(|resource| !items(tree).iter().any(|item| is_resource(item, resource)))
        .collect();
    if missing.is_empty() {
        return Some(text.to_owned());
    }
    let (at, indent) = match listed.map(|node| &node.kind) {
        None => {
            let mut text = text.to_owned();
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text.push_str("resources:\n");
            push(&mut text, "  ", &missing);
            return Some(text);
        }
        Some(Kind::List(items)) if !items.is_empty() => {
            let line = line_of(text, items.last()?)?;
            (line.end, indent(text, items.last()?)?)
        }
        Some(Kind::List(_) | Kind::Null) => {
            let (heading, rest) = heading(text, text.len())?;
            let mut changed = text.get(..heading.start)?.to_owned();
            changed.push_str(&format!("resources:{rest}\n"));
            push(&mut changed, "  ", &missing);
            changed.push_str(text.get(heading.end..)?);
            return Some(changed);
        }
        Some(_) => return None,
    };
    let mut changed = text.get(..at)?.to_owned();
    if !changed.ends_with('\n') {
        changed.push('\n');
    }
    push(&mut changed, indent, &missing);
    changed.push_str(text.get(at..)?);
    Some(changed)
}

/// Returns the text without the given entries of `resources`, and its tree; `None` if that would require
/// other changes.
pub fn remove(text: &str, tree: &Node, resources: &[String]) -> Option<(String, Node)> {
    let changed = without_lines(text, tree, resources)?;
    let is_ours = |item: &&Node| resources.iter().any(|resource| is_resource(item, resource));
    let left = items(tree).iter().filter(|item| !is_ours(item));
    let after = read_as(&changed, tree, |after| after.iter().eq(left.clone()))?;
    Some((changed, after))
}

fn without_lines(text: &str, tree: &Node, resources: &[String]) -> Option<String> {
    let items = items(tree);
    let is_ours = |item: &&Node| resources.iter().any(|resource| is_resource(item, resource));
    let ours: Vec<&Node> = items.iter().filter(is_ours).collect();
    if ours.is_empty() {
        return Some(text.to_owned());
    }
    let mut changed = text.to_owned();
    for item in ours.iter().rev() {
        indent(text, item)?;
        changed.replace_range(line_of(text, item)?, "");
    }
    if ours.len() == items.len() {
        // A key without a value would not be a list.
        let first = line_of(text, items.first()?)?.start;
        let (heading, rest) = heading(text, first)?;
        changed.replace_range(heading, &format!("resources: []{rest}\n"));
    }
    Some(changed)
}

/// Whether the kustomization lists no resources.
pub fn is_empty(tree: &Node) -> bool {
    items(tree).is_empty()
}

/// Whether the kustomization lists no other resources than these.
pub fn lists_only(tree: &Node, resources: &[String]) -> bool {
    let is_one = |item: &Node| resources.iter().any(|resource| is_resource(item, resource));
    items(tree).iter().all(is_one)
}

fn items(tree: &Node) -> &[Node] {
    let listed = tree.get("resources").and_then(Node::as_list);
    listed.unwrap_or_default()
}

fn is_resource(item: &Node, resource: &str) -> bool {
    item.as_str().is_some_and(|item| same_path(item, resource))
}

/// The indentation before an item's dash; `None` if the item is not on a line of its own.
fn indent<'a>(text: &'a str, item: &Node) -> Option<&'a str> {
    let line = text.get(line_of(text, item)?.start..item.span?.range().start)?;
    let indent = line.strip_suffix("- ")?;
    indent.trim().is_empty().then_some(indent)
}

/// The bytes of the lines that an item is on, with the line end.
fn line_of(text: &str, item: &Node) -> Option<Range<usize>> {
    let item = item.span?.range();
    let start = text.get(..item.start)?.rfind('\n').map_or(0, |at| at + 1);
    let end = text.get(item.end..)?.find('\n');
    Some(start..end.map_or(text.len(), |at| item.end + at + 1))
}

/// Finds the last line before `end` that starts an empty `resources` list, and the comment at its end.
fn heading(text: &str, end: usize) -> Option<(Range<usize>, &str)> {
    let mut at = 0;
    let mut found = None;
    for line in text.get(..end)?.split_inclusive('\n') {
        if let Some(rest) = line.strip_prefix("resources:") {
            let rest = rest.trim_end();
            let value = rest
                .find(" #")
                .map_or(rest, |at| rest.get(..at).unwrap_or(rest));
            if matches!(value.trim(), "" | "[]" | "null" | "~") {
                let comment = rest.get(value.len()..).unwrap_or_default();
                found = Some((at..at + line.len(), comment));
            }
        }
        at += line.len();
    }
    found
}

fn push(text: &mut String, indent: &str, resources: &[&String]) {
    for resource in resources {
        text.push_str(&format!("{indent}- {}\n", scalar::string(resource)));
    }
}

/// Compares two paths; `./a` and `a` are the same.
fn same_path(a: &str, b: &str) -> bool {
    a.trim_start_matches("./").trim_end_matches('/')
        == b.trim_start_matches("./").trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifest::diagnostic::Sources;
    use manifest::read;

    fn added(text: &str) -> Option<String> {
        let mut sources = Sources::default();
        let id = sources.add("kustomization.yaml", text);
        let tree = read::parse(text, id, 0).expect("YAML");
        add(
            text,
            &tree,
            &[
                "./namespace.yaml".to_owned(),
                "./envoy-gateway/ks.yaml".to_owned(),
            ],
        )
        .map(|(text, _)| text)
    }

    #[test]
    fn other_lines_stay_unchanged() {
        let text = "# ours\nnamespace: network\nresources:\n  # first\n  - ./namespace.yaml\n  - ./echo/ks.yaml # demo\n  # - ./off/ks.yaml\ncomponents: []\n";
        let want = text.replace("# demo\n", "# demo\n  - ./envoy-gateway/ks.yaml\n");
        assert_eq!(added(text), Some(want.clone()));
        assert_eq!(added(&want), Some(want), "the second time nothing is added");
    }

    #[test]
    fn odd_files_are_handled() {
        let at_end = "resources:\n- namespace.yaml";
        assert_eq!(
            added(at_end).as_deref(),
            Some("resources:\n- namespace.yaml\n- ./envoy-gateway/ks.yaml\n")
        );
        let none = "namespace: network";
        assert_eq!(
            added(none).as_deref(),
            Some(
                "namespace: network\nresources:\n  - ./namespace.yaml\n  - ./envoy-gateway/ks.yaml\n"
            )
        );
        for empty in ["resources: [] # none\nx: y\n", "resources: # none\nx: y\n"] {
            let want =
                "resources: # none\n  - ./namespace.yaml\n  - ./envoy-gateway/ks.yaml\nx: y\n";
            assert_eq!(added(empty).as_deref(), Some(want));
        }
        // Lines at the end of these texts would make them invalid, or would not belong to the map.
        for text in ["a text", "{namespace: network}\n", "a: b\n...\n", "- a\n"] {
            assert_eq!(added(text), None, "{text}");
        }
        assert_eq!(added("resources: [./a.yaml]\n"), None);
        assert_eq!(added("resources: 3\n"), None);
    }

    fn removed(text: &str) -> Option<String> {
        let mut sources = Sources::default();
        let id = sources.add("kustomization.yaml", text);
        let tree = read::parse(text, id, 0).expect("YAML");
        let removed = remove(text, &tree, &["./envoy-gateway/ks.yaml".to_owned()]);
        removed.map(|(text, _)| text)
    }

    #[test]
    fn an_entry_is_removed_with_its_line_and_other_lines_stay() {
        let text = "# ours\nresources:\n  # first\n  - ./echo/ks.yaml # demo\n  - envoy-gateway/ks.yaml # it\n  # - ./off/ks.yaml\ncomponents: []\n";
        let want = text.replace("  - envoy-gateway/ks.yaml # it\n", "");
        assert_eq!(removed(text), Some(want.clone()));
        assert_eq!(removed(&want), Some(want));
        let last = "resources: # all\n  # first\n  - \"./envoy-gateway/ks.yaml\"";
        assert_eq!(
            removed(last).as_deref(),
            Some("resources: [] # all\n  # first\n")
        );
        assert_eq!(removed("resources: [./envoy-gateway/ks.yaml]\n"), None);
    }
}
