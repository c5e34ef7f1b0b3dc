//! A value of a tree.

use std::hash::{Hash, Hasher};

use serde_json::Number;

use super::map::Map;
use super::pointer::{Pointer, Step};
use crate::diagnostic::Span;

/// A value with its source position.
#[derive(Clone, Debug)]
pub struct Node {
    /// The value.
    pub kind: Kind,
    /// The source position; `None` if the value was not read from a source.
    pub span: Option<Span>,
}

/// The kinds of value, which are those of JSON.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `null`, which in the values of templates represents a missing setting.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer or a floating-point number.
    Number(Number),
    /// A string.
    String(String),
    /// A list.
    List(Vec<Node>),
    /// A map with strings as keys, in order.
    Map(Map),
}

/// Nodes are equal if their values are; source positions are ignored.
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
            // Integers are compared as integers, because floats can't distinguish integers above 2^53.
            (Kind::Number(a), Kind::Number(b)) if !a.is_f64() && !b.is_f64() => a == b,
            (Kind::Number(a), Kind::Number(b)) => a.as_f64() == b.as_f64(),
            (Kind::String(a), Kind::String(b)) => a == b,
            (Kind::List(a), Kind::List(b)) => a == b,
            (Kind::Map(a), Kind::Map(b)) => a == b,
            _ => false,
        }
    }
}

/// Equal nodes have equal hashes, so numbers are hashed as floats.
impl Hash for Node {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(&self.kind).hash(state);
        match &self.kind {
            Kind::Null => {}
            Kind::Bool(value) => value.hash(state),
            // Adding zero turns -0.0 into 0.0, because both are equal.
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
    /// Creates a node with a source position.
    pub fn new(kind: Kind, span: Option<Span>) -> Self {
        Node { kind, span }
    }

    /// Whether a string in it, or in what is inside it, satisfies a condition. Keys don't count.
    pub fn any_string(&self, is_it: &mut impl FnMut(&str) -> bool) -> bool {
        match &self.kind {
            Kind::String(text) => is_it(text),
            Kind::List(items) => items.iter().any(|item| item.any_string(is_it)),
            Kind::Map(map) => map.iter().any(|(_, value)| value.any_string(is_it)),
            _ => false,
        }
    }

    /// The same tree with other values in place of its strings, at their places. Keys stay.
    #[must_use]
    pub fn with_strings(&self, filled: &impl Fn(&str) -> Kind) -> Node {
        let kind = match &self.kind {
            Kind::String(text) => filled(text),
            Kind::List(items) => {
                Kind::List(items.iter().map(|item| item.with_strings(filled)).collect())
            }
            Kind::Map(map) => {
                let entries = map.iter();
                let entries =
                    entries.map(|(key, value)| (key.to_owned(), value.with_strings(filled)));
                Kind::Map(entries.collect::<Map>())
            }
            other => other.clone(),
        };
        Node::new(kind, self.span)
    }

    /// Creates a string without a source position.
    pub fn string(text: impl Into<String>) -> Self {
        Node::new(Kind::String(text.into()), None)
    }

    /// Creates an empty map without a source position.
    pub fn map() -> Self {
        Node::new(Kind::Map(Map::default()), None)
    }

    /// The text, if the node is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The map, if the node is a map.
    pub fn as_map(&self) -> Option<&Map> {
        match &self.kind {
            Kind::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The map for changes, if the node is a map.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match &mut self.kind {
            Kind::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The items, if the node is a list.
    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            _ => None,
        }
    }

    /// The number, if the node is an integer.
    pub fn as_i64(&self) -> Option<i64> {
        match &self.kind {
            Kind::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// The value, if the node is a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match &self.kind {
            Kind::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The value of `key`, if the node is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key)
    }

    /// The value at the end of `path`, a sequence of keys.
    pub fn path(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The value at `pointer`.
    pub fn at(&self, pointer: &Pointer) -> Option<&Node> {
        pointer
            .steps()
            .iter()
            .try_fold(self, |node, step| node.step(step))
    }

    /// The value after one step.
    pub fn step(&self, step: &Step) -> Option<&Node> {
        match (&self.kind, step) {
            (Kind::Map(map), Step::Key(key)) => map.get(key),
            (Kind::List(items), Step::Index(index)) => items.get(*index),
            _ => None,
        }
    }

    /// The source position of the value at `pointer`, or of its nearest parent that has one.
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

    /// The span of this node, or else the first one of a key or a value in it.
    pub fn first_span(&self) -> Option<Span> {
        let below = || match &self.kind {
            Kind::Map(map) => map
                .entries()
                .find_map(|(_, entry)| entry.key_span.or_else(|| entry.value.first_span())),
            Kind::List(items) => items.iter().find_map(Node::first_span),
            _ => None,
        };
        self.span.or_else(below)
    }

    /// The name of the type in JSON Schema.
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

    /// Converts to `serde_json`, without source positions.
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

    /// Converts from `serde_json`, without source positions.
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
