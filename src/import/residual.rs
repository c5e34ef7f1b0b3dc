//! The difference between two objects as values to merge and paths to remove, as small as possible.

use manifest::value::pointer::Step;
use manifest::value::{Kind, Map, Node, Pointer};

/// The difference from a rendered object to the wanted one.
#[derive(Clone, Debug, Default)]
pub struct Residual {
    /// Values to merge: maps are merged, everything else is replaced.
    pub over: Map,
    /// Paths to remove.
    pub remove: Vec<Pointer>,
}

impl Residual {
    /// Whether there is no difference.
    pub fn is_empty(&self) -> bool {
        self.over.is_empty() && self.remove.is_empty()
    }

    /// The difference that turns `rendered` into `wanted`.
    pub fn between(rendered: &Node, wanted: &Node) -> Residual {
        let mut residual = Residual::default();
        if let (Kind::Map(rendered), Kind::Map(wanted)) = (&rendered.kind, &wanted.kind) {
            residual.over = maps(rendered, wanted, &mut Pointer::root(), &mut residual.remove);
        }
        residual
    }

    /// Removes and returns the values below `path`.
    pub fn take(&mut self, path: &[&str]) -> Option<Node> {
        take(&mut self.over, path)
    }
}

fn take(map: &mut Map, path: &[&str]) -> Option<Node> {
    let (first, rest) = path.split_first()?;
    if rest.is_empty() {
        return map.remove(first).map(|entry| entry.value);
    }
    let below = map.get_mut(first)?.as_map_mut()?;
    let taken = take(below, rest);
    if below.is_empty() {
        map.remove(first);
    }
    taken
}

fn maps(rendered: &Map, wanted: &Map, at: &mut Pointer, remove: &mut Vec<Pointer>) -> Map {
    let mut over = Map::default();
    // In the order of the merged map: existing keys keep their places, new ones come last.
    let there = rendered
        .iter()
        .filter_map(|(key, _)| Some((key, wanted.get(key)?)));
    let new = wanted.iter().filter(|(key, _)| !rendered.contains_key(key));
    for (key, value) in there.chain(new) {
        at.push(Step::Key(key.to_owned()));
        match (rendered.get(key).map(|node| &node.kind), &value.kind) {
            (Some(Kind::Map(below)), Kind::Map(wanted)) => {
                let below = maps(below, wanted, at, remove);
                if !below.is_empty() {
                    over.insert(key, Node::new(Kind::Map(below), None));
                }
            }
            (Some(there), wanted) if there == wanted => {}
            _ => {
                over.insert(key, Node::from_json(value.to_json()));
            }
        }
        at.pop();
    }
    for (key, _) in rendered.iter().filter(|(key, _)| !wanted.contains_key(key)) {
        remove.push(at.key(key));
    }
    over
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifest::value::merge;
    use serde_json::json;

    #[test]
    fn it_is_as_small_as_can_be_and_makes_one_of_the_other() {
        let rendered =
            Node::from_json(json!({"a": {"b": 1, "c": [1], "x": {"y": 1}}, "d": 2, "e": {}}));
        let wanted = Node::from_json(
            json!({"a": {"b": 1, "c": [2], "x": {}}, "e": {"f": {}}, "d": {"g": 3}}),
        );
        let residual = Residual::between(&rendered, &wanted);
        let over = Node::new(Kind::Map(residual.over.clone()), None);
        assert_eq!(
            over.to_json(),
            json!({"a": {"c": [2]}, "e": {"f": {}}, "d": {"g": 3}})
        );
        let mut made = rendered;
        merge::merge(&mut made, over);
        for pointer in &residual.remove {
            assert!(merge::remove(&mut made, pointer));
        }
        assert_eq!(made, wanted);
    }
}
