//! Looks for names in all texts of an object.

use manifest::value::pointer::Step;
use manifest::value::{Kind, Node, Pointer};

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

/// Calls `with` for each key and each string below a node, with the path of the entry; `at` is the path of the node.
pub(super) fn each_text_or_key<'n>(
    node: &'n Node,
    at: &mut Pointer,
    with: &mut impl FnMut(&Pointer, &'n str),
) {
    match &node.kind {
        Kind::String(text) => with(at, text),
        Kind::Map(map) => {
            for (key, value) in map.iter() {
                at.push(Step::Key(key.to_owned()));
                with(at, key);
                each_text_or_key(value, at, with);
                at.pop();
            }
        }
        Kind::List(items) => {
            for (nth, value) in items.iter().enumerate() {
                at.push(Step::Index(nth));
                each_text_or_key(value, at, with);
                at.pop();
            }
        }
        _ => {}
    }
}

/// Calls `with` for each string below a node, with its path; `at` is the path of the node.
pub(super) fn each_text<'n>(
    node: &'n Node,
    at: &mut Pointer,
    with: &mut impl FnMut(&Pointer, &'n str),
) {
    match &node.kind {
        Kind::String(text) => with(at, text),
        Kind::Map(map) => {
            for (key, value) in map.iter() {
                at.push(Step::Key(key.to_owned()));
                each_text(value, at, with);
                at.pop();
            }
        }
        Kind::List(items) => {
            for (nth, value) in items.iter().enumerate() {
                at.push(Step::Index(nth));
                each_text(value, at, with);
                at.pop();
            }
        }
        _ => {}
    }
}
