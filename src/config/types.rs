//! The types of value that keys of `cluster.toml` take.

mod namespaces;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

use manifest::diagnostic::{Span, Spanned};
use manifest::value::{Entry, Kind, Map, Node, variable};

pub use namespaces::Namespaces;

/// A string with its source position.
pub type Text = Spanned<String>;

/// Reads a string, or a number where a string with that number is meant: `threshold = 200`.
///
/// # Errors
/// If it is neither.
pub fn text_or_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Text>, D::Error> {
    match written_text(Node::deserialize(deserializer)?) {
        Some(text) => Ok(Some(text)),
        None => Err(de::Error::custom("expected a string or a number")),
    }
}

/// The text of a string, or a number as text.
fn written_text(node: Node) -> Option<Text> {
    let text = match &node.kind {
        Kind::Number(number) => number.to_string(),
        _ => return text_of(node),
    };
    Some(Spanned::new(text, node.span))
}

/// The schema of what [`text_or_number`] reads.
#[derive(Debug)]
pub struct TextOrNumber;

impl JsonSchema for TextOrNumber {
    fn schema_name() -> Cow<'static, str> {
        "TextOrNumber".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "number"]})
    }
}

/// One string or a list of strings; empty if the key is not given.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// The strings, in the order in which they are written.
    pub items: Vec<Text>,
    /// The position of the whole value. It distinguishes an empty list (`[]`) from a missing key.
    pub span: Option<Span>,
}

impl Texts {
    /// Whether the key was given at all.
    pub fn is_given(&self) -> bool {
        self.span.is_some() || !self.items.is_empty()
    }
}

impl std::ops::Deref for Texts {
    type Target = [Text];
    fn deref(&self) -> &[Text] {
        &self.items
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = Node::deserialize(deserializer)?;
        let span = node.span;
        let items = match node.kind {
            Kind::List(items) => items.into_iter().map(text_of).collect(),
            kind => text_of(Node { kind, span }).map(|text| vec![text]),
        };
        match items {
            Some(items) => Ok(Texts { items, span }),
            None => Err(de::Error::custom("expected a string or a list of strings")),
        }
    }
}

fn text_of(node: Node) -> Option<Text> {
    match node.kind {
        Kind::String(text) => Some(Spanned::new(text, node.span)),
        _ => None,
    }
}

/// Writes a list, or nothing if the key is not given.
impl Serialize for Texts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_given() {
            serializer.collect_seq(&self.items)
        } else {
            serializer.serialize_none()
        }
    }
}

impl JsonSchema for Texts {
    fn schema_name() -> Cow<'static, str> {
        "Texts".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
    }
}

/// A whole number, or a Flux variable (`"${REPLICAS}"`) that will be replaced by one.
#[derive(Clone, Debug, PartialEq)]
pub enum Count {
    /// A number.
    Number(i64),
    /// A string that contains a Flux variable.
    Variable(String),
}

impl Serialize for Count {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Count::Number(number) => serializer.serialize_i64(*number),
            Count::Variable(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Node::deserialize(deserializer)?.kind {
            Kind::Number(number) if number.is_i64() => {
                Ok(Count::Number(number.as_i64().unwrap_or_default()))
            }
            Kind::String(text) if variable::in_text(&text) => Ok(Count::Variable(text)),
            _ => Err(de::Error::custom(
                "expected a whole number, or a string with a Flux variable such as \"${REPLICAS}\"",
            )),
        }
    }
}

impl JsonSchema for Count {
    fn schema_name() -> Cow<'static, str> {
        "Count".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "\\$\\{"}]})
    }
}

/// Keys and their strings, in the order in which they are written: labels, annotations.
#[derive(Clone, Debug, Default)]
pub struct Pairs(pub Vec<(Text, Text)>);

impl Pairs {
    /// Converts to a map that keeps the source positions.
    pub fn to_map(&self) -> Map {
        let mut map = Map::default();
        for (key, value) in &self.0 {
            let entry = Entry {
                key_span: key.span,
                value: Node::new(Kind::String(value.value.clone()), value.span),
            };
            map.insert_entry(key.value.clone(), entry);
        }
        map
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_any(Many("a table of strings", std::marker::PhantomData))
            .map(|pairs: Vec<(Text, PairValue)>| {
                Pairs(
                    pairs
                        .into_iter()
                        .map(|(key, value)| (key, value.0))
                        .collect(),
                )
            })
    }
}

/// The value of a label or an annotation. Kubernetes only takes strings, so `true` and `1` can only mean `"true"` and
/// `"1"`.
struct PairValue(Text);

impl<'de> Deserialize<'de> for PairValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = Node::deserialize(deserializer)?;
        let text = match &node.kind {
            Kind::Bool(value) => Some(Spanned::new(value.to_string(), node.span)),
            _ => written_text(node),
        };
        text.map(PairValue)
            .ok_or_else(|| de::Error::custom("expected a string"))
    }
}

/// Writes a map, or nothing if there are no entries.
impl Serialize for Pairs {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_empty() {
            serializer.serialize_none()
        } else {
            serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
        }
    }
}

impl JsonSchema for Pairs {
    fn schema_name() -> Cow<'static, str> {
        "Pairs".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}})
    }
}

/// Tables under names that the user chooses, in the order in which they are written.
#[derive(Clone, Debug)]
pub struct Named<T>(pub Vec<(Text, T)>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Named(Vec::new())
    }
}

impl<T> std::ops::Deref for Named<T> {
    type Target = [(Text, T)];
    fn deref(&self) -> &[(Text, T)] {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_any(Many("a table of tables", std::marker::PhantomData))
            .map(Named)
    }
}

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Named{}", T::schema_name()).into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<T>();
        json_schema!({"type": "object", "additionalProperties": table})
    }
}

struct Many<T>(&'static str, std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Many<T> {
    type Value = Vec<(Text, T)>;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.0)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            all.push(entry);
        }
        Ok(all)
    }
}

/// `true`, `false`, or a table of settings, which means `true`.
#[derive(Clone, Debug)]
pub enum Toggle<T> {
    /// On or off, without settings.
    Flag(Spanned<bool>),
    /// On, with settings.
    Table(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Toggle<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = Toggle<T>;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("true, false or a table")
            }
            fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Toggle::Flag(Spanned::unwritten(value)))
            }
            fn visit_map<A: de::MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
                T::deserialize(de::value::MapAccessDeserializer::new(entries)).map(Toggle::Table)
            }
        }
        deserializer.deserialize_any(Either(std::marker::PhantomData))
    }
}

impl<T: Default> Toggle<T> {
    /// The settings; `None` if it is off.
    pub fn settings(&self) -> Option<T>
    where
        T: Clone,
    {
        match self {
            Toggle::Flag(flag) => flag.value.then(T::default),
            Toggle::Table(table) => Some(table.clone()),
        }
    }
}

/// Writes the table of settings, or nothing if it is off.
impl<T: Serialize + Default + Clone> Serialize for Toggle<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.settings().serialize(serializer)
    }
}

impl<T: JsonSchema> JsonSchema for Toggle<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Toggle{}", T::schema_name()).into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<T>();
        json_schema!({"anyOf": [{"type": "boolean"}, table]})
    }
}

/// What is merged over an object after its template was rendered.
#[derive(Clone, Debug, Default)]
pub struct Overlay {
    /// Added to the object's labels.
    pub labels: Pairs,
    /// Added to the object's annotations.
    pub annotations: Pairs,
    /// Merged over the object's `spec`.
    pub spec: Option<Node>,
    /// Merged over the whole object.
    pub object: Option<Node>,
    /// JSON pointers of fields that are removed at the end.
    pub remove: Texts,
}
