//! The namespace's kustomization: our entries are added, everybody else's stay.

use crate::diagnostic::Sources;
use crate::manifest::{read, scalar};
use crate::value::{Kind, Node};

/// The text with `resources` added that it doesn't list yet; `None` where it can't be done without
/// touching more (a list in brackets, a list that is none).
pub fn add(text: &str, tree: &Node, resources: &[String]) -> Option<String> {
    let changed = with_lines(text, tree, resources)?;
    // The text may be no map, one in braces, or a stream: lines that are added to such a text say something else.
    let mut sources = Sources::default();
    let id = sources.add("changed", changed.as_str());
    let is_read = read::parse(&changed, id, 0).is_ok_and(|read| is_with(&read, tree, resources));
    is_read.then_some(changed)
}

/// Whether a tree is the other one, with these resources listed too.
fn is_with(changed: &Node, tree: &Node, resources: &[String]) -> bool {
    let listed = |tree: &Node| -> Vec<Node> {
        let items = tree.get("resources").and_then(Node::as_list);
        items.unwrap_or_default().to_vec()
    };
    let others = |tree: &Node| -> Vec<(String, Node)> {
        let entries = tree.as_map().into_iter().flat_map(|map| map.iter());
        let others = entries.filter(|(key, _)| *key != "resources");
        others
            .map(|(key, node)| (key.to_owned(), node.clone()))
            .collect()
    };
    let (before, after) = (listed(tree), listed(changed));
    let has = |resource: &String| {
        let mut items = after.iter().filter_map(Node::as_str);
        items.any(|item| same(item, resource))
    };
    let is_map = matches!(tree.kind, Kind::Map(_) | Kind::Null);
    is_map
        && others(tree) == others(changed)
        && after.starts_with(&before)
        && resources.iter().all(has)
}

fn with_lines(text: &str, tree: &Node, resources: &[String]) -> Option<String> {
    let listed = tree.get("resources");
    let has = |resource: &str| {
        let items = listed.and_then(Node::as_list).unwrap_or_default();
        items
            .iter()
            .filter_map(Node::as_str)
            .any(|item| same(item, resource))
    };
    let missing: Vec<&String> = resources.iter().filter(|resource| !has(resource)).collect();
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
        Some(Kind::List(items)) => {
            let last = items.last()?.span?.range();
            let start = text.get(..last.start)?.rfind('\n').map_or(0, |at| at + 1);
            let line = text.get(start..last.start)?;
            let indent = line
                .strip_suffix("- ")
                .filter(|indent| indent.trim().is_empty())?;
            let end = text
                .get(last.end..)?
                .find('\n')
                .map_or(text.len(), |at| last.end + at + 1);
            (end, indent)
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

fn push(text: &mut String, indent: &str, resources: &[&String]) {
    for resource in resources {
        text.push_str(&format!("{indent}- {}\n", scalar::string(resource)));
    }
}

/// `./a` and `a` are one path.
fn same(a: &str, b: &str) -> bool {
    a.trim_start_matches("./").trim_end_matches('/')
        == b.trim_start_matches("./").trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Sources;
    use crate::manifest::read;

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
    }

    #[test]
    fn everything_else_stays_as_it_was() {
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
        // Lines behind these would break them, or would not be theirs.
        for text in ["a text", "{namespace: network}\n", "a: b\n...\n", "- a\n"] {
            assert_eq!(added(text), None, "{text}");
        }
        assert_eq!(added("resources: [./a.yaml]\n"), None);
        assert_eq!(added("resources: 3\n"), None);
    }
}
