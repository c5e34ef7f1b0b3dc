//! Merges overlays over an object after its template was rendered.

use crate::config::codes;
use crate::config::types::Overlay;
use crate::model::names;
use manifest::diagnostic::Diagnostic;
use manifest::value::merge::{merge, remove};
use manifest::value::pointer::Step;
use manifest::value::{Kind, Map, Node, Pointer};

/// Merges labels, annotations, `object`, `spec` and further parts over an object, removes what `remove`
/// names, and puts the keys of `metadata` into their usual order.
pub fn lay_over(
    mut node: Node,
    overlay: Overlay,
    parts: Vec<(Pointer, Node)>,
    problems: &mut Vec<Diagnostic>,
) -> Node {
    names::check_pairs("labels", &overlay.labels, true, problems);
    names::check_pairs("annotations", &overlay.annotations, false, problems);
    let mut over = Map::default();
    let mut metadata = Map::default();
    for (key, pairs) in [
        ("labels", &overlay.labels),
        ("annotations", &overlay.annotations),
    ] {
        if !pairs.0.is_empty() {
            metadata.insert(key, Node::new(Kind::Map(pairs.to_map()), None));
        }
    }
    if !metadata.is_empty() {
        over.insert("metadata", Node::new(Kind::Map(metadata), None));
    }
    if let Some(object) = overlay.object {
        merge(&mut node, object);
    }
    if let Some(spec) = overlay.spec {
        over.insert("spec", spec);
    }
    merge(&mut node, Node::new(Kind::Map(over), None));
    for (pointer, part) in parts {
        merge_at(&mut node, pointer.steps(), part);
    }
    for text in overlay.remove.iter() {
        let pointer = Pointer::parse(text).map(|pointer| pointer.resolve_in(&node));
        if !pointer.is_some_and(|pointer| remove(&mut node, &pointer)) {
            problems.push(
                Diagnostic::new(codes::CONFIG_UNKNOWN_REFERENCE, format!("{:?} doesn't exist in the object", text.value))
                    .at(text.span)
                    .why("the field to remove may have another name, and it would stay in the object")
                    .help("write a JSON pointer such as `/spec/http3`; `gatewayctl render --stdout` shows the object"),
            );
        }
    }
    if let Some(metadata) = node
        .as_map_mut()
        .and_then(|map| map.get_mut("metadata"))
        .and_then(Node::as_map_mut)
    {
        let mut ordered = Map::default();
        for key in ["name", "namespace", "labels", "annotations"] {
            if let Some(entry) = metadata.remove(key) {
                ordered.insert_entry(key.to_owned(), entry);
            }
        }
        for (key, entry) in std::mem::take(metadata).into_entries() {
            ordered.insert_entry(key, entry);
        }
        *metadata = ordered;
    }
    node
}

/// Merges `part` at the position that the steps lead to. Missing maps on the way are created.
fn merge_at(node: &mut Node, steps: &[Step], part: Node) {
    let Some((step, rest)) = steps.split_first() else {
        return merge(node, part);
    };
    match (&mut node.kind, step) {
        (Kind::List(items), Step::Index(index)) => {
            if let Some(item) = items.get_mut(*index) {
                merge_at(item, rest, part);
            }
        }
        (Kind::Map(map), Step::Key(key)) => {
            if !map.contains_key(key) {
                map.insert(key.clone(), Node::map());
            }
            if let Some(below) = map.get_mut(key) {
                merge_at(below, rest, part);
            }
        }
        _ => {}
    }
}
