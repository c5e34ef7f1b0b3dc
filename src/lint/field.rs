//! Paths with wildcards, for tables of fields.
//!
//! A path has keys separated by dots. `key[]` stands for each item of the list at `key`, `*` for any key, and a
//! leading `**.` for any depth.

use manifest::value::{Kind, Node, Pointer, pointer::Step};

/// The paths in an object that match a pattern.
pub(super) fn find(root: &Node, pattern: &str) -> Vec<Pointer> {
    let mut found = Vec::new();
    let mut see = |at: &[At<'_>]| found.push(pointer(at));
    match pattern.strip_prefix("**.") {
        Some(rest) => everywhere(root, rest, &mut Vec::new(), &mut see),
        None => below(root, pattern, &mut Vec::new(), &mut see),
    }
    found
}

/// Calls `see` for each path below a node that matches a pattern.
fn below<'a>(node: &'a Node, pattern: &str, at: &mut Vec<At<'a>>, see: &mut impl FnMut(&[At<'a>])) {
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
        at.push(At::Key(name));
        let items = value.as_list().filter(|_| is_list);
        match (items, rest) {
            (Some(items), Some(rest)) => {
                for (nth, item) in items.iter().enumerate() {
                    at.push(At::Item(nth));
                    below(item, rest, at, see);
                    at.pop();
                }
            }
            (None, Some(rest)) if !is_list => below(value, rest, at, see),
            (_, None) if !matches!(value.kind, Kind::Null) => see(at),
            _ => {}
        }
        at.pop();
    }
}

/// A step of a path.
enum At<'a> {
    Key(&'a str),
    Item(usize),
}

fn pointer(at: &[At<'_>]) -> Pointer {
    let mut pointer = Pointer::root();
    for step in at {
        pointer.push(match step {
            At::Key(key) => Step::Key((*key).to_owned()),
            At::Item(nth) => Step::Index(*nth),
        });
    }
    pointer
}

/// Calls `see` for each path that matches a pattern, starting at any map of a tree.
fn everywhere<'a>(
    node: &'a Node,
    pattern: &str,
    at: &mut Vec<At<'a>>,
    see: &mut impl FnMut(&[At<'a>]),
) {
    let is_deep = |node: &Node| matches!(node.kind, Kind::Map(_) | Kind::List(_));
    match &node.kind {
        Kind::Map(map) => {
            for (key, value) in map.iter().filter(|(_, value)| is_deep(value)) {
                at.push(At::Key(key));
                everywhere(value, pattern, at, see);
                at.pop();
            }
            below(node, pattern, at, see);
        }
        Kind::List(items) => {
            for (nth, item) in items.iter().enumerate().filter(|(_, item)| is_deep(item)) {
                at.push(At::Item(nth));
                everywhere(item, pattern, at, see);
                at.pop();
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
