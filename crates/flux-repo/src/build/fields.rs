//! Finds and changes the fields that a field specification names (kustomize's `api/filters/fieldspec`).

use super::field_specs::FieldSpec;
use super::resource::{Gvk, get_mut};
use manifest::value::{Kind, Map, Node};

/// What is created if a field is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Create {
    /// Nothing, whatever the specification says.
    Never,
    /// An empty map.
    Map,
    /// An empty string.
    Text,
}

/// Whether a value is null.
pub(super) fn is_blank(node: &Node) -> bool {
    matches!(node.kind, Kind::Null)
}

/// The steps of a path like `spec/template`; a slash after a backslash belongs to the step.
pub(super) fn steps(path: &str) -> Vec<String> {
    split_path(path, '/')
}

/// Splits a path at a mark, but not where a backslash is before the mark (kyaml's `PathSplitter`).
pub(super) fn split_path(path: &str, mark: char) -> Vec<String> {
    let mut parts = path.split(mark);
    let mut steps: Vec<String> = Vec::new();
    let first = parts.next().unwrap_or_default();
    let first = match first {
        "" => parts.next().unwrap_or_default(),
        first => first,
    };
    steps.push(first.to_owned());
    for part in parts {
        match steps.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push(mark);
                last.push_str(part);
            }
            _ => steps.push(part.to_owned()),
        }
    }
    steps
}

/// Whether a specification is for an object.
pub(super) fn fits(spec: &FieldSpec, object: &Gvk<'_>) -> bool {
    object.is_selected(&spec.gvk())
}

/// Calls `set` for each value at the end of the path. Lists on the way are entered without a step.
///
/// # Errors
/// If there is a text or a number on the way, or if `set` fails.
pub(super) fn each(
    node: &mut Node,
    path: &[String],
    create: Create,
    set: &mut dyn FnMut(&mut Node) -> Result<(), String>,
) -> Result<(), String> {
    let Some((step, rest)) = path.split_first() else {
        return set(node);
    };
    match &mut node.kind {
        Kind::Null => Ok(()),
        Kind::List(items) => {
            for item in items {
                each(item, path, create, set)?;
            }
            Ok(())
        }
        Kind::Map(map) => {
            let (name, is_list) = match step.strip_suffix("[]") {
                Some(name) => (name, true),
                None => (step.as_str(), false),
            };
            if create != Create::Never && !is_list {
                make(map, name, rest.is_empty() && create == Create::Text);
            }
            match map.get_mut(name) {
                Some(below) => each(below, rest, create, set),
                None => Ok(()),
            }
        }
        _ => Err(format!("there is neither a map nor a list before {step:?}")),
    }
}

/// Creates a field that is missing or null.
fn make(map: &mut Map, name: &str, is_text: bool) {
    if map.get(name).is_none_or(is_blank) {
        let value = match is_text {
            true => Node::string(""),
            false => Node::map(),
        };
        super::resource::set_value(map, name, value);
    }
}

/// The text of `kind` and such in a map.
pub(super) fn text<'n>(node: &'n Node, key: &str) -> &'n str {
    node.get(key).and_then(Node::as_str).unwrap_or_default()
}

/// The items of a list in a map.
pub(super) fn items<'n>(node: &'n Node, key: &str) -> &'n [Node] {
    let list = node.get(key).and_then(Node::as_list);
    list.unwrap_or_default()
}

/// The items of a list, for changes.
pub(super) fn get_items_mut(node: &mut Node) -> &mut [Node] {
    match &mut node.kind {
        Kind::List(items) => items,
        _ => &mut [],
    }
}

/// Sets a string at a key of a map, with a place.
pub(super) fn set_text(node: &mut Node, key: &str, value: &Node) {
    if let Some(map) = node.as_map_mut() {
        super::resource::set_value(map, key, value.clone());
    }
}

/// Appends to a list in a map, which is created if it is missing.
pub(super) fn append(node: &mut Node, key: &str, items: Vec<Node>) {
    if items.is_empty() {
        return;
    }
    match get_mut(node, key).map(|there| &mut there.kind) {
        Some(Kind::List(list)) => list.extend(items),
        _ => set_text(node, key, &Node::new(Kind::List(items), None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_may_contain_slashes() {
        assert_eq!(steps("a/b\\/c/d"), ["a", "b/c", "d"]);
        assert_eq!(steps("/a"), ["a"]);
        assert_eq!(split_path("a.b\\.c", '.'), ["a", "b.c"]);
    }

    #[test]
    fn lists_are_entered_and_fields_created() {
        let change = |value: serde_json::Value, path: &str, create| {
            let mut node = Node::from_json(value);
            let done = each(&mut node, &steps(path), create, &mut |value| {
                *value = Node::string("x");
                Ok(())
            });
            done.map(|()| node.to_json())
        };
        assert_eq!(
            change(json!({"a": [{"b": 1}, {"c": 2}]}), "a/b", Create::Never),
            Ok(json!({"a": [{"b": "x"}, {"c": 2}]}))
        );
        assert_eq!(
            change(json!({"a": null}), "a/b", Create::Text),
            Ok(json!({"a": {"b": "x"}}))
        );
        assert_eq!(change(json!({}), "a[]/b", Create::Map), Ok(json!({})));
        assert!(change(json!({"a": "text"}), "a/b", Create::Never).is_err());
    }
}
