//! Looks for names in all texts of an object.

use manifest::value::{Kind, Node};

/// Whether a key or a text below a node satisfies a condition.
pub(super) fn any_text(node: &Node, is_it: &mut impl FnMut(&str) -> bool) -> bool {
    match &node.kind {
        Kind::String(text) => is_it(text),
        Kind::Map(map) => map
            .iter()
            .any(|(key, value)| is_it(key) || any_text(value, is_it)),
        Kind::List(items) => items.iter().any(|item| any_text(item, is_it)),
        _ => false,
    }
}
