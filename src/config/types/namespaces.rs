//! The namespaces whose routes a listener accepts.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};

use super::{Pairs, Text, text_of};
use manifest::diagnostic::Spanned;
use manifest::value::{Kind, Node};

/// The namespaces whose routes a listener accepts.
#[derive(Clone, Debug)]
pub enum Namespaces {
    /// `"Same"` or `"All"`.
    From(Text),
    /// Namespaces by name.
    Names(Vec<Text>),
    /// Namespaces by label.
    Labels(Pairs),
}

impl<'de> Deserialize<'de> for Namespaces {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = Node::deserialize(deserializer)?;
        let wrong = || {
            de::Error::custom(
                "expected \"Same\", \"All\", a namespace's name, a list of names, or a table of labels",
            )
        };
        match node.kind {
            Kind::String(text) if text == "Same" || text == "All" => {
                Ok(Namespaces::From(Spanned::new(text, node.span)))
            }
            Kind::String(text) => Ok(Namespaces::Names(vec![Spanned::new(text, node.span)])),
            Kind::List(items) => items
                .into_iter()
                .map(text_of)
                .collect::<Option<_>>()
                .map(Namespaces::Names)
                .ok_or_else(wrong),
            Kind::Map(map) => map
                .into_entries()
                .map(|(key, entry)| {
                    Some((Spanned::new(key, entry.key_span), text_of(entry.value)?))
                })
                .collect::<Option<_>>()
                .map(|pairs| Namespaces::Labels(Pairs(pairs)))
                .ok_or_else(wrong),
            _ => Err(wrong()),
        }
    }
}

/// Writes the Gateway API's `from` and, if there is one, its `selector`.
impl Serialize for Namespaces {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        match self {
            Namespaces::From(from) => map.serialize_entry("from", from)?,
            Namespaces::Names(names) => {
                map.serialize_entry("from", "Selector")?;
                map.serialize_entry("selector", &NamesSelector(names))?;
            }
            Namespaces::Labels(labels) => {
                map.serialize_entry("from", "Selector")?;
                map.serialize_entry("selector", &MatchLabels(labels))?;
            }
        }
        map.end()
    }
}

struct MatchLabels<'a>(&'a Pairs);

impl Serialize for MatchLabels<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([("matchLabels", self.0)])
    }
}

/// The label that Kubernetes sets on every namespace.
const NAMESPACE_LABEL: &str = "kubernetes.io/metadata.name";

struct NamesSelector<'a>(&'a [Text]);

impl Serialize for NamesSelector<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct In<'a> {
            key: &'static str,
            operator: &'static str,
            values: &'a [Text],
        }
        match self.0 {
            [one] => {
                let key = Spanned::unwritten(NAMESPACE_LABEL.to_owned());
                serializer.collect_map([("matchLabels", Pairs(vec![(key, one.clone())]))])
            }
            values => {
                let expression = In {
                    key: NAMESPACE_LABEL,
                    operator: "In",
                    values,
                };
                serializer.collect_map([("matchExpressions", [expression])])
            }
        }
    }
}

impl JsonSchema for Namespaces {
    fn schema_name() -> Cow<'static, str> {
        "Namespaces".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}},
            {"type": "object", "additionalProperties": {"type": "string"}}
        ]})
    }
}
