//! A value, the place that it came from, and what it holds.

use indexmap::IndexMap;
use serde_json::Number;

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

/// A map, in the order written.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: IndexMap<String, Entry>,
}

/// What a key of a [`Map`] leads to.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where the key was written.
    pub key_span: Option<Span>,
    /// The value.
    pub value: Node,
}

impl Map {
    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries.get(key).map(|entry| &entry.value)
    }

    /// The value under `key`, to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries.get_mut(key).map(|entry| &mut entry.value)
    }

    /// The entry under `key`.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// Puts `value` under `key`: in its old place where the key is there already, else last.
    pub fn insert(&mut self, key: impl Into<String>, value: Node) -> Option<Entry> {
        self.insert_entry(
            key.into(),
            Entry {
                key_span: None,
                value,
            },
        )
    }

    /// As [`insert`](Self::insert), with the place of the key.
    pub fn insert_entry(&mut self, key: String, entry: Entry) -> Option<Entry> {
        self.entries.insert(key, entry)
    }

    /// Takes the value under `key` out; the others keep their order.
    pub fn remove(&mut self, key: &str) -> Option<Entry> {
        self.entries.shift_remove(key)
    }

    /// Whether `key` is there.
    pub fn contains_key(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Keys and values, in the order written.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Node)> + ExactSizeIterator {
        self.entries
            .iter()
            .map(|(key, entry)| (key.as_str(), &entry.value))
    }

    /// Keys and entries, in the order written.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries
            .iter()
            .map(|(key, entry)| (key.as_str(), entry))
    }

    /// Keys and values, to change the values.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Node)> {
        self.entries
            .iter_mut()
            .map(|(key, entry)| (key.as_str(), &mut entry.value))
    }

    /// Keys and entries, by value.
    pub fn into_entries(self) -> impl Iterator<Item = (String, Entry)> {
        self.entries.into_iter()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<K: Into<String>> FromIterator<(K, Node)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, Node)>>(iter: I) -> Self {
        let mut map = Map::default();
        for (key, value) in iter {
            map.insert(key, value);
        }
        map
    }
}

/// Maps are equal where the same keys lead to equal values: order and places don't count.
impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .all(|(key, value)| other.get(key).is_some_and(|there| there == value))
    }
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
