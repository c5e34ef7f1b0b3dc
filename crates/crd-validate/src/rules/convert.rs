//! Converts an object to CEL values, according to its schema.
//!
//! The schema decides the type (as apiextensions-apiserver's `UnstructuredToVal`): `1` is a double for `type:
//! number`, and a string with `format: duration` is a duration. Names of fields are escaped, keys of maps are not.

use std::borrow::Cow;

use serde_json::Number;

use crate::schema::compiled::Compiled;
use crate::schema::defaults;
use crate::schema::node::{Additional, ListType, NodeId, Schema, Type};
use cel_k8s::list::{List, Merge};
use cel_k8s::value::{Key, Value};
use k8s_syntax::base64;
use k8s_syntax::time;
use manifest::value::placeholder::is_unsettled;
use manifest::value::variable;
use manifest::value::{Kind, Map, Node};

/// Converts the values of an object.
#[derive(Clone, Copy, Debug)]
pub struct Converter<'a> {
    /// The schemas.
    pub compiled: &'a Compiled,
    /// Whether strings that look like SOPS's ciphertext are unknown.
    pub encrypted: bool,
}

/// The fields that rules can read whatever the schema says. Of `metadata`, only the names.
const IDENTITY: &[&str] = &["apiVersion", "kind", "metadata"];

impl Converter<'_> {
    /// Converts a whole object with its defaults. Rules can read its `apiVersion`, `kind`, `metadata.name` and
    /// `metadata.generateName` whatever the schema says, and nothing else of its metadata. The same holds for objects
    /// inside it (`x-kubernetes-embedded-resource`).
    pub fn object(self, object: &Node, root: NodeId) -> Value {
        match (self.value(object, root), &object.kind) {
            (Value::Map(entries), Kind::Map(object)) => self.identified(entries.to_vec(), object),
            (other, _) => other,
        }
    }

    fn identified(self, mut entries: Vec<(Key, Value)>, object: &Map) -> Value {
        let is_known = |key: &Key| matches!(key, Key::String(key) if IDENTITY.contains(&&**key));
        entries.retain(|(key, _)| !is_known(key));
        entries.extend(
            IDENTITY
                .iter()
                .filter_map(|key| Some((Key::String((*key).into()), self.identity(object, key)?))),
        );
        Value::map(entries)
    }

    /// Converts a field that identifies an object, in the same way as [`object`](Self::object); `None` for other
    /// fields.
    pub(crate) fn identity(self, object: &Map, key: &str) -> Option<Value> {
        let node = object.get(key).filter(|_| IDENTITY.contains(&key))?;
        if key != "metadata" {
            return Some(self.dynamic(node));
        }
        let names = ["name", "generateName"].iter().filter_map(|name| {
            let node = node.get(name)?;
            Some((Key::String((*name).into()), self.dynamic(node)))
        });
        Some(Value::map(names.collect()))
    }

    /// Converts a value with a schema, including defaults.
    pub fn value(self, node: &Node, id: NodeId) -> Value {
        let schema = self.compiled.node(id);
        match (&node.kind, schema.type_) {
            (Kind::String(text), _) if self.is_unsettled(text) => Value::Unknown,
            (Kind::String(text), Some(Type::String)) => text_of(text, schema.format.as_deref()),
            (Kind::Number(number), Some(Type::Number)) => double(number),
            (Kind::Number(number), Some(Type::Integer)) => whole(number),
            (Kind::Null, _) => Value::Null,
            (Kind::Bool(value), Some(Type::Boolean)) => Value::Bool(*value),
            (Kind::List(items), Some(Type::Array)) => match schema.items {
                Some(id) => {
                    let of_item = self.compiled.node(id);
                    let item = |item| self.value(&defaults::item(item, of_item), id);
                    let list: List = items.iter().map(item).collect();
                    Value::List(list.merged(merge(schema)))
                }
                None => self.dynamic(node),
            },
            (Kind::Map(map), Some(Type::Object)) => match self.map(map, schema) {
                Some(entries) if schema.embedded_resource => self.identified(entries, map),
                Some(entries) => Value::map(entries),
                None => Value::Unknown,
            },
            (_, None) => self.dynamic(node),
            // The type differs from that in the schema. The structure pass reports it, and rules can't use it.
            _ => Value::Unknown,
        }
    }

    /// Converts the fields in the schema; `None` if the map may have unknown keys.
    fn map(self, map: &Map, schema: &Schema) -> Option<Vec<(Key, Value)>> {
        if self.is_open(map, schema) {
            return None;
        }
        let mut entries = Vec::with_capacity(map.len());
        for field in defaults::fields(map, self.compiled, schema) {
            let Some(id) = field.id else { continue };
            let is_field = schema.properties.contains_key(field.key);
            let key = match is_field {
                true => escape(field.key),
                false => Some(Cow::Borrowed(field.key)),
            };
            if let Some(key) = key {
                let value = self.value(&field.value(), id);
                // To rules, a field that is null is not there.
                if is_field && matches!(value, Value::Null) {
                    continue;
                }
                entries.push((Key::String(key.as_ref().into()), value));
            }
        }
        Some(entries)
    }

    /// Whether a map may get more keys that are not known yet, because Flux fills in one of them.
    pub(crate) fn is_open(self, map: &Map, schema: &Schema) -> bool {
        matches!(schema.additional_properties, Some(Additional::Schema(_)))
            && defaults::fields(map, self.compiled, schema)
                .any(|field| variable::in_text(field.key))
    }

    /// Converts a value without a schema, or one that may be a number or a string.
    fn dynamic(self, node: &Node) -> Value {
        match &node.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(number) if number.is_f64() => double(number),
            Kind::Number(number) => whole(number),
            Kind::String(text) if self.is_unsettled(text) => Value::Unknown,
            Kind::String(text) => Value::string(text.as_str()),
            Kind::List(items) => Value::list(items.iter().map(|item| self.dynamic(item)).collect()),
            Kind::Map(map) => {
                let entries = map.iter();
                let entries =
                    entries.map(|(key, node)| (Key::String(key.into()), self.dynamic(node)));
                Value::map(entries.collect())
            }
        }
    }

    fn is_unsettled(self, text: &str) -> bool {
        is_unsettled(text, self.encrypted)
    }
}

/// How a list is merged, which decides when it equals another one.
fn merge(schema: &Schema) -> Option<Merge> {
    match schema.list_type? {
        ListType::Atomic => None,
        ListType::Set => Some(Merge::Set),
        ListType::Map => {
            let keys = schema.list_map_keys.iter().filter_map(|key| escape(key));
            Some(Merge::Map(keys.map(|key| key.as_ref().into()).collect()))
        }
    }
}

fn text_of(text: &str, format: Option<&str>) -> Value {
    match format {
        // The server reads it in the alphabet of URLs, although it checks the standard alphabet.
        Some("byte") if text.contains(['+', '/']) => Value::Invalid,
        Some("byte") => {
            base64::decode(text).map_or(Value::Invalid, |bytes| Value::Bytes(bytes.into()))
        }
        Some("duration") => time::loose_duration(text).map_or(Value::Invalid, Value::Duration),
        Some("date" | "date-time") => point_in_time(text).map_or(Value::Invalid, Value::Timestamp),
        _ => Value::string(text),
    }
}

/// A date counts from its first moment, in UTC.
fn point_in_time(text: &str) -> Option<i128> {
    match time::date(text) {
        Some(date) => time::date_time(&format!("{date}T00:00:00Z")),
        None => time::date_time(text),
    }
}

fn double(number: &Number) -> Value {
    number.as_f64().map_or(Value::Unknown, Value::Double)
}

#[allow(clippy::cast_possible_truncation)] // tested to be whole and in range
fn whole(number: &Number) -> Value {
    match (number.as_i64(), number.as_f64()) {
        (Some(value), _) => Value::Int(value),
        (None, Some(float)) if float.fract() == 0.0 && float.abs() < 9.2e18 => {
            Value::Int(float as i64)
        }
        _ => Value::Unknown,
    }
}

/// Whether it is one of CEL's reserved words.
fn is_reserved(name: &str) -> bool {
    matches!(
        name,
        "true"
            | "false"
            | "null"
            | "in"
            | "as"
            | "break"
            | "const"
            | "continue"
            | "else"
            | "for"
            | "function"
            | "if"
            | "import"
            | "let"
            | "loop"
            | "package"
            | "namespace"
            | "return"
            | "var"
            | "void"
            | "while"
    )
}

/// The name of a field in rules; `None` if rules can't use it.
pub(crate) fn escape(name: &str) -> Option<Cow<'_, str>> {
    if is_reserved(name) {
        return Some(Cow::Owned(format!("__{name}__")));
    }
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts && name.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Some(Cow::Borrowed(name));
    }
    let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'/');
    if !starts || !name.bytes().all(is_part) {
        return None;
    }
    let text = name
        .replace("__", "__underscores__")
        .replace('.', "__dot__")
        .replace('-', "__dash__")
        .replace('/', "__slash__");
    Some(Cow::Owned(text))
}
