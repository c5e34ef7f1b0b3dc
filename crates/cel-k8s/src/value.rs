//! The values of expressions.

use std::cmp::Ordering;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use smol_str::SmolStr;

use super::functions::format::Format;
use super::functions::quantity::Quantity;
use super::functions::url::Url;
use super::list::List;

/// A value. Copies are cheap, because large values are shared.
#[derive(Clone, Debug)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An unsigned integer.
    Uint(u64),
    /// A floating-point number.
    Double(f64),
    /// A string.
    String(SmolStr),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// A list.
    List(List),
    /// A map or an object, ordered by key.
    Map(Arc<[(Key, Value)]>),
    /// A duration, in nanoseconds.
    Duration(i64),
    /// A timestamp, in nanoseconds since 1970-01-01T00:00:00Z.
    Timestamp(i128),
    /// A type, by its name.
    Type(&'static str),
    /// An optional value.
    Optional(Option<Arc<Value>>),
    /// An IP address.
    Ip(IpAddr),
    /// A CIDR.
    Cidr(IpNet),
    /// A URL.
    Url(Arc<Url>),
    /// A Kubernetes quantity.
    Quantity(Quantity),
    /// A named string format.
    Format(&'static Format),
    /// A semantic version.
    Semver(Arc<semver::Version>),
    /// A string that doesn't have the form of its type, such as a date of another format. Every use of it is an error.
    Invalid,
    /// A value that is not known yet, because Flux fills it in or it is encrypted.
    Unknown,
}

/// A key of a map. Integers that fit are [`Key::Int`], so that `1` and `1u` are the same key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An unsigned integer that doesn't fit into an `i64`.
    Uint(u64),
    /// A string.
    String(SmolStr),
}

impl Key {
    /// The key as a value.
    pub(crate) fn value(&self) -> Value {
        match self {
            Key::Bool(value) => Value::Bool(*value),
            Key::Int(value) => Value::Int(*value),
            Key::Uint(value) => Value::Uint(*value),
            Key::String(text) => Value::String(text.clone()),
        }
    }

    /// Converts a value to a key; `None` if it can't be one.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // tested to be whole
    pub(crate) fn of(value: &Value) -> Option<Key> {
        Some(match value {
            Value::Bool(value) => Key::Bool(*value),
            Value::Int(value) => Key::Int(*value),
            Value::Uint(value) => i64::try_from(*value).map_or(Key::Uint(*value), Key::Int),
            Value::Double(value) if value.fract() == 0.0 && value.abs() < 9e15 => {
                Key::Int(*value as i64)
            }
            Value::String(text) => Key::String(text.clone()),
            _ => return None,
        })
    }
}

impl Value {
    /// A string.
    pub fn string(text: impl Into<SmolStr>) -> Self {
        Value::String(text.into())
    }

    /// A list.
    pub fn list(items: Vec<Value>) -> Self {
        Value::List(items.into())
    }

    /// A map. If two keys are equal, the first one counts.
    pub fn map(mut entries: Vec<(Key, Value)>) -> Self {
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        entries.dedup_by(|(later, _), (first, _)| later == first);
        Value::Map(entries.into())
    }

    /// An optional that has a value.
    pub fn some(value: Value) -> Self {
        Value::Optional(Some(Arc::new(value)))
    }

    /// The value of a field of a map or object.
    pub fn field(&self, name: &str) -> Option<&Value> {
        let Value::Map(entries) = self else {
            return None;
        };
        let at = entries.binary_search_by(|(key, _)| match key {
            Key::String(text) => text.as_str().cmp(name),
            _ => Ordering::Less,
        });
        entries.get(at.ok()?).map(|(_, value)| value)
    }

    /// The value of a key of a map.
    pub(crate) fn entry(&self, key: &Key) -> Option<&Value> {
        let Value::Map(entries) = self else {
            return None;
        };
        let at = entries.binary_search_by(|(there, _)| there.cmp(key));
        entries.get(at.ok()?).map(|(_, value)| value)
    }

    /// The name of the value's type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null_type",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Uint(_) => "uint",
            Value::Double(_) => "double",
            Value::String(_) => "string",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "list",
            Value::Map(_) => "map",
            Value::Duration(_) => "google.protobuf.Duration",
            Value::Timestamp(_) => "google.protobuf.Timestamp",
            Value::Type(_) => "type",
            Value::Optional(_) => "optional_type",
            Value::Ip(_) => "net.IP",
            Value::Cidr(_) => "net.CIDR",
            Value::Url(_) => "kubernetes.URL",
            Value::Quantity(_) => "kubernetes.Quantity",
            Value::Format(_) => "kubernetes.NamedFormat",
            Value::Semver(_) => "kubernetes.Semver",
            Value::Invalid => "error",
            Value::Unknown => "unknown",
        }
    }

    /// Whether it is the zero value of its type (`optional.ofNonZeroValue`).
    pub(crate) fn is_zero(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Bool(value) => !value,
            Value::Int(value) | Value::Duration(value) => *value == 0,
            Value::Uint(value) => *value == 0,
            Value::Double(value) => *value == 0.0,
            Value::String(text) => text.is_empty(),
            Value::Bytes(bytes) => bytes.is_empty(),
            Value::List(items) => items.is_empty(),
            Value::Map(entries) => entries.is_empty(),
            Value::Optional(value) => value.is_none(),
            _ => false,
        }
    }
}

/// The names of types that an expression can contain.
pub(crate) const TYPES: &[&str] = &[
    "null_type",
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "list",
    "map",
    "type",
    "optional_type",
    "google.protobuf.Duration",
    "google.protobuf.Timestamp",
    "net.IP",
    "net.CIDR",
    "kubernetes.URL",
    "kubernetes.Quantity",
    "kubernetes.NamedFormat",
    "kubernetes.Semver",
];
