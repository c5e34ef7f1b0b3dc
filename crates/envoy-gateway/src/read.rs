//! Short ways into an object's tree.

use manifest::value::Node;

/// The text that `path` leads to; `None` where it is empty too, as the controller takes both for the default.
pub fn text<'a>(node: &'a Node, path: &[&str]) -> Option<&'a str> {
    node.path(path)?.as_str().filter(|text| !text.is_empty())
}

/// The list that `path` leads to; empty where there is none.
pub fn list<'a>(node: &'a Node, path: &[&str]) -> &'a [Node] {
    node.path(path).and_then(Node::as_list).unwrap_or_default()
}

/// The whole number that `path` leads to.
pub fn int(node: &Node, path: &[&str]) -> Option<i64> {
    node.path(path)?.as_i64()
}

/// The truth value that `path` leads to.
pub fn flag(node: &Node, path: &[&str]) -> Option<bool> {
    node.path(path)?.as_bool()
}

/// Whether something stands there, `null` aside.
pub fn has(node: &Node, path: &[&str]) -> bool {
    node.path(path)
        .is_some_and(|node| !matches!(node.kind, manifest::value::Kind::Null))
}
