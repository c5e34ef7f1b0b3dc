//! A value with its path. The path is a list of steps to the root, so that nothing is allocated for values that are
//! valid.

use manifest::value::{Kind, Map, Node, Pointer};

/// A value that may be missing, and where it is.
#[derive(Clone, Copy)]
pub(super) struct Place<'n, 'p> {
    node: Option<&'n Node>,
    step: Step<'n>,
    above: Option<&'p Place<'n, 'p>>,
}

#[derive(Clone, Copy)]
enum Step<'n> {
    Root,
    Key(&'n str),
    Index(usize),
}

impl<'n, 'p> Place<'n, 'p> {
    pub(super) fn root(node: &'n Node) -> Self {
        Place {
            node: Some(node),
            step: Step::Root,
            above: None,
        }
    }

    /// A field; missing if this is not a map.
    pub(super) fn get<'s>(&'s self, key: &'s str) -> Place<'s, 's> {
        Place {
            node: self.node.and_then(|node| node.get(key)),
            step: Step::Key(key),
            above: Some(self),
        }
    }

    /// The items of a list; none if this is not a list.
    pub(super) fn items<'s>(&'s self) -> impl Iterator<Item = Place<'s, 's>> {
        let items = self.node.and_then(Node::as_list).unwrap_or_default();
        items.iter().enumerate().map(move |(index, item)| Place {
            node: Some(item),
            step: Step::Index(index),
            above: Some(self),
        })
    }

    /// The entries of a map; none if this is not a map.
    pub(super) fn entries<'s>(&'s self) -> impl Iterator<Item = (&'s str, Place<'s, 's>)> {
        let map = self.node.and_then(Node::as_map);
        map.into_iter()
            .flat_map(Map::iter)
            .map(move |(key, value)| {
                let place = Place {
                    node: Some(value),
                    step: Step::Key(key),
                    above: Some(self),
                };
                (key, place)
            })
    }

    /// The number of items or entries.
    pub(super) fn len(&self) -> usize {
        match self.node.map(|node| &node.kind) {
            Some(Kind::List(items)) => items.len(),
            Some(Kind::Map(map)) => map.len(),
            _ => 0,
        }
    }

    pub(super) fn node(&self) -> Option<&'n Node> {
        self.node
    }

    pub(super) fn text(&self) -> Option<&'n str> {
        self.node.and_then(Node::as_str)
    }

    /// The text; empty if it is missing.
    pub(super) fn text_or_empty(&self) -> &'n str {
        self.text().unwrap_or_default()
    }

    pub(super) fn number(&self) -> Option<i64> {
        match &self.node?.kind {
            Kind::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    pub(super) fn is_true(&self) -> bool {
        self.node.and_then(Node::as_bool) == Some(true)
    }

    /// Whether it is missing or null.
    pub(super) fn is_null(&self) -> bool {
        self.node.is_none_or(|node| matches!(node.kind, Kind::Null))
    }

    /// Whether it is missing, null, or the zero value of its type: an empty text, list or map, or 0.
    pub(super) fn is_empty(&self) -> bool {
        match self.node.map(|node| &node.kind) {
            None | Some(Kind::Null) => true,
            Some(Kind::String(text)) => text.is_empty(),
            Some(Kind::List(items)) => items.is_empty(),
            Some(Kind::Map(map)) => map.is_empty(),
            Some(Kind::Number(number)) => number.as_i64() == Some(0),
            Some(Kind::Bool(_)) => false,
        }
    }

    pub(super) fn pointer(&self) -> Pointer {
        let above = || self.above.map(Place::pointer).unwrap_or_default();
        match self.step {
            Step::Root => Pointer::root(),
            Step::Key(key) => above().key(key),
            Step::Index(index) => above().index(index),
        }
    }
}
