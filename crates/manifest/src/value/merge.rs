//! Merges an overlay over a tree, such as a `spec` table over the rendered object.

use super::node::{Kind, Node};
use super::pointer::{Pointer, Step};

/// Merges `overlay` over `base`.
/// Maps are merged key by key in the order of the base, with new keys last. Everything else, including
/// lists, is replaced. Values from the overlay keep their source positions.
pub fn merge(base: &mut Node, overlay: Node) {
    match (&mut base.kind, overlay) {
        (
            Kind::Map(below),
            Node {
                kind: Kind::Map(above),
                ..
            },
        ) => {
            for (key, mut entry) in above.into_entries() {
                match below.get_mut(&key) {
                    Some(value) => merge(value, entry.value),
                    None => {
                        entry.value.span = entry.value.span.or(entry.key_span);
                        below.insert_entry(key, entry);
                    }
                }
            }
        }
        (_, overlay) => *base = overlay,
    }
}

/// Removes the value at `pointer` from `base`. Returns false if there is none.
pub fn remove(base: &mut Node, pointer: &Pointer) -> bool {
    let Some((last, above)) = pointer.steps().split_last() else {
        return false;
    };
    let mut node = base;
    for step in above {
        let below = match (&mut node.kind, step) {
            (Kind::Map(map), Step::Key(key)) => map.get_mut(key),
            (Kind::List(items), Step::Index(index)) => items.get_mut(*index),
            _ => None,
        };
        let Some(below) = below else { return false };
        node = below;
    }
    match (&mut node.kind, last) {
        (Kind::Map(map), Step::Key(key)) => map.remove(key).is_some(),
        (Kind::List(items), Step::Index(index)) if *index < items.len() => {
            items.remove(*index);
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn merged(base: serde_json::Value, overlay: serde_json::Value) -> serde_json::Value {
        let mut base = Node::from_json(base);
        merge(&mut base, Node::from_json(overlay));
        base.to_json()
    }

    #[test]
    fn maps_merge_and_lists_are_replaced() {
        let base = json!({"a": {"b": 1, "c": [1, 2]}, "d": "x"});
        let over = json!({"a": {"c": [3], "e": true}, "f": null});
        let want = json!({"a": {"b": 1, "c": [3], "e": true}, "d": "x", "f": null});
        assert_eq!(merged(base, over), want);
        assert_eq!(merged(json!({"a": 1}), json!([2])), json!([2]));
    }

    #[test]
    fn a_pointer_removes_its_value() {
        let mut node = Node::from_json(json!({"a": [{"b": 1}, 2]}));
        assert!(remove(
            &mut node,
            &Pointer::root().key("a").index(0).key("b")
        ));
        assert!(remove(&mut node, &Pointer::root().key("a").index(1)));
        assert!(!remove(&mut node, &Pointer::root().key("x").key("y")));
        assert_eq!(node.to_json(), json!({"a": [{}]}));
    }
}
