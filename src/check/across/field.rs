//! Paths with wildcards, as tables of fields write them.
//!
//! Keys with dots between them; `key[]` is each item of the list under `key`, `*` any key, and a leading `**.` any
//! depth.

use crate::value::{Kind, Node, Pointer, pointer::Step};

/// Where a pattern leads in an object.
pub fn find(root: &Node, pattern: &str) -> Vec<Pointer> {
    let mut found = Vec::new();
    match pattern.strip_prefix("**.") {
        Some(rest) => everywhere(root, &Pointer::root(), &mut |node, at| {
            below(node, rest, at, &mut found);
        }),
        None => below(root, pattern, &Pointer::root(), &mut found),
    }
    found
}

fn below(node: &Node, pattern: &str, at: &Pointer, found: &mut Vec<Pointer>) {
    let (step, rest) = match pattern.split_once('.') {
        Some((step, rest)) => (step, Some(rest)),
        None => (pattern, None),
    };
    let (key, is_list) = match step.strip_suffix("[]") {
        Some(key) => (key, true),
        None => (step, false),
    };
    let Some(map) = node.as_map() else { return };
    for (name, value) in map.iter().filter(|(name, _)| key == "*" || *name == key) {
        let at = at.key(name);
        let items = value.as_list().filter(|_| is_list);
        match (items, rest) {
            (Some(items), Some(rest)) => {
                for (index, item) in items.iter().enumerate() {
                    below(item, rest, &at.index(index), found);
                }
            }
            (None, Some(rest)) if !is_list => below(value, rest, &at, found),
            (_, None) if !matches!(value.kind, Kind::Null) => found.push(at),
            _ => {}
        }
    }
}

/// Shows every value of a tree, with its place.
pub fn everywhere(node: &Node, at: &Pointer, see: &mut impl FnMut(&Node, &Pointer)) {
    see(node, at);
    match &node.kind {
        Kind::Map(map) => {
            for (key, value) in map.iter() {
                everywhere(value, &at.key(key), see);
            }
        }
        Kind::List(items) => {
            for (index, item) in items.iter().enumerate() {
                everywhere(item, &at.step(Step::Index(index)), see);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn patterns_lead_through_maps_and_lists() {
        let node = Node::from_json(json!({
            "spec": {"a": {"x": 1}, "b": {"x": null}, "list": [{"x": 1}, {"y": {"x": 2}}]}
        }));
        let at = |pattern: &str| -> Vec<String> {
            find(&node, pattern)
                .iter()
                .map(Pointer::to_string)
                .collect()
        };
        assert_eq!(at("spec.a.x"), ["/spec/a/x"]);
        assert_eq!(at("spec.*.x"), ["/spec/a/x"]);
        assert_eq!(at("spec.list[].x"), ["/spec/list/0/x"]);
        assert_eq!(at("**.y.x"), ["/spec/list/1/y/x"]);
        assert_eq!(at("spec.list"), ["/spec/list"]);
        assert_eq!(at("spec.a[].x"), Vec::<String>::new());
    }
}
