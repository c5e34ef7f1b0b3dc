//! Paths with wildcards, as tables of fields write them.
//!
//! Keys with dots between them; `key[]` is each item of the list under `key`, `*` any key, and a leading `**.` any
//! depth.

use crate::value::{Kind, Node, Pointer, pointer::Step};

/// Where a pattern leads in an object.
pub fn find(root: &Node, pattern: &str) -> Vec<Pointer> {
    let mut found = Vec::new();
    match pattern.strip_prefix("**.") {
        Some(rest) => everywhere(root, &mut Pointer::root(), &mut |node, at| {
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

/// Shows every map of a tree, with its place.
fn everywhere(node: &Node, at: &mut Pointer, see: &mut impl FnMut(&Node, &Pointer)) {
    let mut inside = |step: Step, below: &Node, see: &mut _| {
        at.push(step);
        everywhere(below, at, see);
        at.pop();
    };
    match &node.kind {
        Kind::Map(map) => {
            for (key, value) in map.iter() {
                if matches!(value.kind, Kind::Map(_) | Kind::List(_)) {
                    inside(Step::Key(key.to_owned()), value, see);
                }
            }
            see(node, at);
        }
        Kind::List(items) => {
            for (index, item) in items.iter().enumerate() {
                inside(Step::Index(index), item, see);
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
