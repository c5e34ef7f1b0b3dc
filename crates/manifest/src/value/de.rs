//! Deserializes serde types from a [`Node`], with source positions, and reports all mistakes in one run.
//! serde stops at its first error. Therefore [`decode`] starts again without the value that failed, until
//! nothing fails any more: each pass finds one mistake, and the rest is decoded with defaults. Unknown keys
//! of a struct are collected in the same pass, because they stop nothing.

mod node;
mod spanned;

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

use super::map::Entry;
use super::node::{Kind, Node};
use super::pointer::{Pointer, Step};
use crate::diagnostic::Span;
use spanned::{Part, SpannedParts};

/// The newtype name with which [`Spanned`] requests its position.
pub(super) const SPANNED: &str = "$gatewayctl::Spanned";

/// The maximum number of mistakes that [`decode`] collects before it gives up.
const MOST_PROBLEMS: usize = 100;

/// A mistake in a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Mistake {
    /// A key that the struct doesn't have, with the keys that it has.
    UnknownKey(String, &'static [&'static str]),
    /// A value that the enumeration doesn't have, with the values that it has.
    UnknownWord(String, &'static [&'static str]),
    /// A required key is missing.
    Missing(&'static str),
    /// A value of the wrong type: the found and the expected type.
    Type(String, String),
    /// Another mistake, described by a message.
    Other(String),
}

/// A mistake with its position.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The mistake.
    pub wrong: Mistake,
    /// The position of the value, or of the key if the key is wrong.
    pub span: Option<Span>,
    /// The pointer to the value.
    pub pointer: Pointer,
}

/// Decodes a tree. Returns everything that could be decoded, and all mistakes.
/// The value is `None` only if the root itself can't be decoded, or if there are more than a hundred
/// mistakes.
pub fn decode<T: for<'de> Deserialize<'de>>(node: &Node) -> (Option<T>, Vec<Problem>) {
    let context = Context::default();
    let mut problems = Vec::new();
    let value = loop {
        context.unknown.borrow_mut().clear();
        match T::deserialize(NodeDeserializer::new(node, &context)) {
            Ok(value) => break Some(value),
            Err(error) => {
                let failed = error.pointer.unwrap_or_default();
                let already = match &error.wrong {
                    Mistake::Missing(key) => context.left_out.borrow().contains(&failed.key(*key)),
                    _ => false,
                };
                if !already {
                    problems.push(Problem {
                        wrong: error.wrong,
                        span: error.span,
                        pointer: failed.clone(),
                    });
                }
                let root = failed.steps().is_empty();
                context.left_out.borrow_mut().insert(failed);
                if root || problems.len() >= MOST_PROBLEMS {
                    break None;
                }
            }
        }
    };
    problems.append(&mut context.unknown.borrow_mut());
    problems.sort_by_key(|problem| problem.span.map(|span| span.start));
    (value, problems)
}

#[derive(Default)]
struct Context {
    left_out: RefCell<HashSet<Pointer>>,
    unknown: RefCell<Vec<Problem>>,
}

/// A serde error with a position.
#[derive(Debug)]
pub struct Error {
    wrong: Mistake,
    span: Option<Span>,
    pointer: Option<Pointer>,
}

impl Error {
    fn new(wrong: Mistake) -> Self {
        Error {
            wrong,
            span: None,
            pointer: None,
        }
    }

    fn at(mut self, span: Option<Span>, pointer: &Pointer) -> Self {
        if self.pointer.is_none() {
            self.span = span;
            self.pointer = Some(pointer.clone());
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.wrong)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Error::new(Mistake::Other(message.to_string()))
    }
    fn invalid_type(found: de::Unexpected, expected: &dyn de::Expected) -> Self {
        Error::new(Mistake::Type(found.to_string(), expected.to_string()))
    }
    fn unknown_variant(found: &str, expected: &'static [&'static str]) -> Self {
        Error::new(Mistake::UnknownWord(found.to_owned(), expected))
    }
    fn unknown_field(found: &str, expected: &'static [&'static str]) -> Self {
        Error::new(Mistake::UnknownKey(found.to_owned(), expected))
    }
    fn missing_field(field: &'static str) -> Self {
        Error::new(Mistake::Missing(field))
    }
}

#[derive(Clone)]
struct NodeDeserializer<'de> {
    node: &'de Node,
    path: Pointer,
    context: &'de Context,
}

impl<'de> NodeDeserializer<'de> {
    fn new(node: &'de Node, context: &'de Context) -> Self {
        NodeDeserializer {
            node,
            path: Pointer::root(),
            context,
        }
    }

    fn visit<V: Visitor<'de>>(
        &self,
        visitor: V,
        fields: Option<&'static [&'static str]>,
    ) -> Result<V::Value, Error> {
        match &self.node.kind {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool(value) => visitor.visit_bool(*value),
            Kind::Number(number) => {
                if let Some(value) = number.as_u64() {
                    visitor.visit_u64(value)
                } else if let Some(value) = number.as_i64() {
                    visitor.visit_i64(value)
                } else {
                    visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN))
                }
            }
            Kind::String(text) => visitor.visit_borrowed_str(text),
            Kind::List(items) => visitor.visit_seq(Items {
                of: self,
                items: items.iter().enumerate(),
            }),
            Kind::Map(map) => visitor.visit_map(Entries {
                of: self,
                entries: Box::new(map.entries()),
                fields,
                value: None,
            }),
        }
        .map_err(|error| error.at(self.node.span, &self.path))
    }

    fn below(&self, node: &'de Node, step: Step) -> Self {
        NodeDeserializer {
            node,
            path: self.path.step(step),
            context: self.context,
        }
    }
}

impl<'de> Deserializer<'de> for NodeDeserializer<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.visit(visitor, None)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.visit(visitor, Some(fields))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node.kind {
            Kind::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == SPANNED {
            visitor.visit_seq(SpannedParts::new(self.node.span, Part::Node(self)))
        } else {
            visitor.visit_newtype_struct(self)
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let (span, path) = (self.node.span, self.path.clone());
        match &self.node.kind {
            Kind::String(word) => visitor.visit_enum(word.as_str().into_deserializer()),
            _ => Err(Error::new(Mistake::Type(
                found(self.node),
                "a word".to_owned(),
            ))),
        }
        .map_err(|error: Error| error.at(span, &path))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// Describes a value for an error.
pub fn found(node: &Node) -> String {
    match &node.kind {
        Kind::Null => "nothing".to_owned(),
        Kind::Bool(value) => format!("boolean `{value}`"),
        Kind::Number(number) if number.is_f64() => format!("floating point `{number}`"),
        Kind::Number(number) => format!("integer `{number}`"),
        Kind::String(text) => format!("string {text:?}"),
        Kind::List(_) => "sequence".to_owned(),
        Kind::Map(_) => "map".to_owned(),
    }
}

struct Items<'a, 'de> {
    of: &'a NodeDeserializer<'de>,
    items: std::iter::Enumerate<std::slice::Iter<'de, Node>>,
}

impl<'de> de::SeqAccess<'de> for Items<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        for (index, node) in self.items.by_ref() {
            let below = self.of.below(node, Step::Index(index));
            if !self.of.context.left_out.borrow().contains(&below.path) {
                let path = below.path.clone();
                let item = seed.deserialize(below).map(Some);
                return item.map_err(|error| error.at(node.span, &path));
            }
        }
        Ok(None)
    }
}

struct Entries<'a, 'de> {
    of: &'a NodeDeserializer<'de>,
    entries: Box<dyn Iterator<Item = (&'de str, &'de Entry)> + 'de>,
    fields: Option<&'static [&'static str]>,
    value: Option<NodeDeserializer<'de>>,
}

impl<'de> de::MapAccess<'de> for Entries<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        for (key, entry) in self.entries.by_ref() {
            let below = self.of.below(&entry.value, Step::Key(key.to_owned()));
            if self.of.context.left_out.borrow().contains(&below.path) {
                continue;
            }
            if let Some(fields) = self.fields
                && !fields.contains(&key)
            {
                self.of.context.unknown.borrow_mut().push(Problem {
                    wrong: Mistake::UnknownKey(key.to_owned(), fields),
                    span: entry.key_span.or(entry.value.span),
                    pointer: below.path,
                });
                continue;
            }
            let path = below.path.clone();
            self.value = Some(below);
            let key = KeyDeserializer {
                key,
                span: entry.key_span,
            };
            return seed
                .deserialize(key)
                .map(Some)
                .map_err(|error| error.at(entry.key_span, &path));
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match self.value.take() {
            Some(value) => {
                let (span, path) = (value.node.span, value.path.clone());
                seed.deserialize(value)
                    .map_err(|error| error.at(span, &path))
            }
            None => Err(de::Error::custom("a value without a key")),
        }
    }
}

struct KeyDeserializer<'de> {
    key: &'de str,
    span: Option<Span>,
}

impl<'de> Deserializer<'de> for KeyDeserializer<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.key)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == SPANNED {
            visitor.visit_seq(SpannedParts::new(self.span, Part::Key(self.key)))
        } else {
            visitor.visit_newtype_struct(self)
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self.key.into_deserializer())
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct option identifier ignored_any
    }
}

#[cfg(test)]
mod tests;
