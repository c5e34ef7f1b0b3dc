//! Reads fields of an object by their path.

use manifest::value::Node;

/// The string at `path`. `None` if it is empty, because the controller treats an empty string as the default.
pub fn text<'a>(node: &'a Node, path: &[&str]) -> Option<&'a str> {
    node.path(path)?.as_str().filter(|text| !text.is_empty())
}

/// The list at `path`; empty if there is none.
pub fn list<'a>(node: &'a Node, path: &[&str]) -> &'a [Node] {
    node.path(path).and_then(Node::as_list).unwrap_or_default()
}

/// The integer at `path`.
pub fn int(node: &Node, path: &[&str]) -> Option<i64> {
    node.path(path)?.as_i64()
}

/// The boolean at `path`.
pub fn flag(node: &Node, path: &[&str]) -> Option<bool> {
    node.path(path)?.as_bool()
}

/// Whether there is a value other than `null`.
pub fn has(node: &Node, path: &[&str]) -> bool {
    node.path(path)
        .is_some_and(|node| !matches!(node.kind, manifest::value::Kind::Null))
}
