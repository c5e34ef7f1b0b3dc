//! An object and its schema to a value of the rules' language.
//!
//! The schema says what a value is (apiextensions-apiserver's `UnstructuredToVal`): `1` under `type: number`
//! is a double, a string with `format: duration` a duration. Fields go by escaped names, keys of maps don't.

use std::borrow::Cow;

use serde_json::Number;

use super::cel::functions::time::{parse_duration, parse_timestamp};
use super::cel::value::{Key, Value};
use crate::schema::compiled::Compiled;
use crate::schema::node::{Additional, NodeId, Schema, Type};
use crate::value::variable;
use crate::value::{Kind, Map, Node};

/// Converts an object's values.
#[derive(Clone, Copy, Debug)]
pub struct Converter<'a> {
    /// The schemas.
    pub compiled: &'a Compiled,
    /// Whether texts that start as SOPS's cipher are unknown.
    pub encrypted: bool,
}

impl Converter<'_> {
    /// The whole object. Its `apiVersion`, `kind`, `metadata.name` and `metadata.generateName` can be read
    /// whatever the schema says, and nothing else of its metadata. So it is with objects inside it
    /// (`x-kubernetes-embedded-resource`).
    pub fn object(self, object: &Node, root: NodeId) -> Value {
        self.identified(self.value(object, root), object)
    }

    fn identified(self, value: Value, object: &Node) -> Value {
        let mut entries = match value {
            Value::Map(entries) => entries.to_vec(),
            other => return other,
        };
        let is_meta = |key: &Key| matches!(key, Key::String(text) if matches!(&**text, "apiVersion" | "kind" | "metadata"));
        entries.retain(|(key, _)| !is_meta(key));
        let texts = |of: &Node, names: &[&str]| -> Vec<(Key, Value)> {
            let present = names.iter().filter_map(|name| Some((*name, of.get(name)?)));
            present
                .map(|(name, node)| (Key::String(name.into()), self.dynamic(node)))
                .collect()
        };
        entries.extend(texts(object, &["apiVersion", "kind"]));
        if let Some(metadata) = object.get("metadata") {
            let names = texts(metadata, &["name", "generateName"]);
            entries.push((Key::String("metadata".into()), Value::map(names)));
        }
        Value::map(entries)
    }

    /// A value of a schema.
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
                Some(id) => Value::list(items.iter().map(|item| self.value(item, id)).collect()),
                None => self.dynamic(node),
            },
            (Kind::Map(map), Some(Type::Object)) if schema.embedded_resource => {
                self.identified(self.map(map, schema), node)
            }
            (Kind::Map(map), Some(Type::Object)) => self.map(map, schema),
            (_, None) => self.dynamic(node),
            // Another type than the schema has: a finding of the structure pass, and nothing for rules.
            _ => Value::Unknown,
        }
    }

    fn map(self, map: &Map, schema: &Schema) -> Value {
        let further = match schema.additional_properties {
            Some(Additional::Schema(id)) => Some(id),
            _ => None,
        };
        // A key that Flux fills in may be any: the map is open.
        if further.is_some() && map.iter().any(|(key, _)| variable::in_text(key)) {
            return Value::Unknown;
        }
        let entries = map.iter().filter_map(|(key, node)| {
            Some(match (schema.properties.get(key), further) {
                (Some(id), _) => {
                    let key = Key::String(escape(key)?.as_ref().into());
                    (key, self.value(node, *id))
                }
                (None, further) => (Key::String(key.into()), self.value(node, further?)),
            })
        });
        Value::map(entries.collect())
    }

    /// A value that no schema describes, or one that may be a number or text.
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
        variable::in_text(text) || (self.encrypted && text.starts_with("ENC["))
    }
}

fn text_of(text: &str, format: Option<&str>) -> Value {
    match format {
        Some("byte") => base64(text).map_or(Value::Unknown, |bytes| Value::Bytes(bytes.into())),
        Some("duration") => parse_duration(text).map_or(Value::Unknown, Value::Duration),
        Some("date" | "date-time") => {
            parse_timestamp(text).map_or(Value::Unknown, Value::Timestamp)
        }
        _ => Value::string(text),
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

/// The bytes of base64 with padding.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).ok()?);
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}

/// CEL's reserved words.
const RESERVED: &[&str] = &[
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// A field's name as rules write it; `None` where they can't.
pub fn escape(name: &str) -> Option<Cow<'_, str>> {
    if RESERVED.contains(&name) {
        return Some(Cow::Owned(format!("__{name}__")));
    }
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'/');
    if !starts || !name.bytes().all(is_part) {
        return None;
    }
    if !name.contains("__") && !name.contains(['.', '-', '/']) {
        return Some(Cow::Borrowed(name));
    }
    let text = name
        .replace("__", "__underscores__")
        .replace('.', "__dot__")
        .replace('-', "__dash__")
        .replace('/', "__slash__");
    Some(Cow::Owned(text))
}
