//! A value, the place that it came from, and what it holds.

use std::hash::{Hash, Hasher};

use serde_json::Number;

use super::map::Map;
use super::pointer::{Pointer, Step};
use crate::diagnostic::Span;

/// One value of a tree.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it was written; `None` where nobody wrote it.
    pub span: Option<Span>,
}

/// The kinds of value, which are JSON's.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `null`; in what templates see, a setting that was not given.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole or fractional number.
    Number(Number),
    /// Text.
    String(String),
    /// A list.
    List(Vec<Node>),
    /// A map with text for keys, in the order written.
    Map(Map),
}

/// Nodes are equal where their values are: places don't count.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Kind::Null, Kind::Null) => true,
            (Kind::Bool(a), Kind::Bool(b)) => a == b,
            // Whole numbers are compared whole: as fractions, those past 2^53 run together.
            (Kind::Number(a), Kind::Number(b)) if !a.is_f64() && !b.is_f64() => a == b,
            (Kind::Number(a), Kind::Number(b)) => a.as_f64() == b.as_f64(),
            (Kind::String(a), Kind::String(b)) => a == b,
            (Kind::List(a), Kind::List(b)) => a == b,
            (Kind::Map(a), Kind::Map(b)) => a == b,
            _ => false,
        }
    }
}

/// What is equal has the same hash: a number counts as the fraction nearest to it.
impl Hash for Node {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(&self.kind).hash(state);
        match &self.kind {
            Kind::Null => {}
            Kind::Bool(value) => value.hash(state),
            // Nought has two signs, which are equal.
            Kind::Number(number) => (number.as_f64().unwrap_or_default() + 0.0)
                .to_bits()
                .hash(state),
            Kind::String(text) => text.hash(state),
            Kind::List(items) => items.hash(state),
            Kind::Map(map) => map.hash(state),
        }
    }
}

impl Node {
    /// A value at a place.
    pub fn new(kind: Kind, span: Option<Span>) -> Self {
        Node { kind, span }
    }

    /// Text that nobody wrote.
    pub fn string(text: impl Into<String>) -> Self {
        Node::new(Kind::String(text.into()), None)
    }

    /// An empty map that nobody wrote.
    pub fn map() -> Self {
        Node::new(Kind::Map(Map::default()), None)
    }

    /// The text, of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The map, of a map.
    pub fn as_map(&self) -> Option<&Map> {
        match &self.kind {
            Kind::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The map, of a map, to change.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match &mut self.kind {
            Kind::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The items, of a list.
    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            _ => None,
        }
    }

    /// The whole number, of a number that is one.
    pub fn as_i64(&self) -> Option<i64> {
        match &self.kind {
            Kind::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// The truth value, of one.
    pub fn as_bool(&self) -> Option<bool> {
        match &self.kind {
            Kind::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The value under `key`, of a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key)
    }

    /// The value that `path` leads to, key by key.
    pub fn path(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The value that `pointer` leads to.
    pub fn at(&self, pointer: &Pointer) -> Option<&Node> {
        pointer
            .steps()
            .iter()
            .try_fold(self, |node, step| node.step(step))
    }

    /// The value one step down.
    pub fn step(&self, step: &Step) -> Option<&Node> {
        match (&self.kind, step) {
            (Kind::Map(map), Step::Key(key)) => map.get(key),
            (Kind::List(items), Step::Index(index)) => items.get(*index),
            _ => None,
        }
    }

    /// The place of what `pointer` leads to, or of the nearest thing above it that has one.
    pub fn nearest_span(&self, pointer: &Pointer) -> Option<Span> {
        let mut found = self.span;
        let mut node = self;
        for step in pointer.steps() {
            let Some(below) = node.step(step) else { break };
            node = below;
            found = node.span.or(found);
        }
        found
    }

    /// The kind's name as JSON Schema says it.
    pub fn type_name(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "null",
            Kind::Bool(_) => "boolean",
            Kind::Number(number) if number.is_f64() => "number",
            Kind::Number(_) => "integer",
            Kind::String(_) => "string",
            Kind::List(_) => "array",
            Kind::Map(_) => "object",
        }
    }

    /// The tree without places, as `serde_json` has it.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(number) => Value::Number(number.clone()),
            Kind::String(text) => Value::String(text.clone()),
            Kind::List(items) => items.iter().map(Node::to_json).collect(),
            Kind::Map(map) => Value::Object(
                map.iter()
                    .map(|(key, value)| (key.to_owned(), value.to_json()))
                    .collect(),
            ),
        }
    }

    /// A tree without places, from `serde_json`'s.
    pub fn from_json(value: serde_json::Value) -> Node {
        use serde_json::Value;
        let kind = match value {
            Value::Null => Kind::Null,
            Value::Bool(value) => Kind::Bool(value),
            Value::Number(number) => Kind::Number(number),
            Value::String(text) => Kind::String(text),
            Value::Array(items) => Kind::List(items.into_iter().map(Node::from_json).collect()),
            Value::Object(map) => Kind::Map(
                map.into_iter()
                    .map(|(key, value)| (key, Node::from_json(value)))
                    .collect(),
            ),
        };
        Node::new(kind, None)
    }
}
