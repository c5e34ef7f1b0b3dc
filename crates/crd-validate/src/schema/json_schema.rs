//! Converts the JSON Schema of a kind to a CRD, for kinds of which only such a schema can be had.
//!
//! Public catalogues publish them for editors. They have the structure of a kind, but neither rules nor reliable defaults, so
//! only the structure is kept.

use serde_json::{Map, Value, json};

/// A kind: group, version, and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindName {
    /// The API group; empty for the core group.
    pub group: String,
    /// The version.
    pub version: String,
    /// The kind.
    pub kind: String,
}

impl KindName {
    /// Parses `GROUP/VERSION/KIND`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/').map(str::to_owned);
        let (group, version, kind) = (parts.next()?, parts.next()?, parts.next()?);
        let is_whole = parts.next().is_none() && [&version, &kind].iter().all(|it| !it.is_empty());
        is_whole.then_some(KindName {
            group,
            version,
            kind,
        })
    }

    /// The kind that a schema names itself (`x-kubernetes-group-version-kind`).
    pub fn in_schema(schema: &Value) -> Option<Self> {
        let named = schema.get("x-kubernetes-group-version-kind")?;
        let named = named
            .as_array()
            .and_then(|all| all.first())
            .unwrap_or(named);
        let text = |key: &str| named.get(key).and_then(Value::as_str).map(str::to_owned);
        Some(KindName {
            group: text("group")?,
            version: text("version")?,
            kind: text("kind")?,
        })
    }
}

/// Whether a document is the JSON Schema of a kind.
pub fn is_kind(document: &Value) -> bool {
    let properties = document.get("properties").and_then(Value::as_object);
    properties.is_some_and(|it| it.contains_key("apiVersion") && it.contains_key("kind"))
}

/// The CRD of a kind with the structure in its JSON Schema.
pub fn to_crd(schema: &Value, name: &KindName) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "spec": {
            "group": name.group,
            "names": {"kind": name.kind, "plural": format!("{}s", name.kind.to_lowercase())},
            "scope": "Namespaced",
            "versions": [{
                "name": name.version,
                "served": true,
                "storage": true,
                "schema": {"openAPIV3Schema": structure(schema)},
            }],
        },
    })
}

/// The keywords that are kept as they are.
const KEPT: [&str; 18] = [
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "nullable",
    "pattern",
    "required",
    "x-kubernetes-int-or-string",
    "x-kubernetes-preserve-unknown-fields",
];

/// A schema with the keywords of structural schemas.
fn structure(schema: &Value) -> Value {
    let open = || json!({"x-kubernetes-preserve-unknown-fields": true});
    let Some(given) = schema.as_object() else {
        return open();
    };
    if is_int_or_string(given) {
        return json!({"x-kubernetes-int-or-string": true});
    }
    let Some(kind) = kind_of(given) else {
        return open();
    };
    let mut made = Map::new();
    made.insert("type".to_owned(), json!(kind));
    if given.get("type").is_some_and(Value::is_array) {
        made.insert("nullable".to_owned(), json!(true));
    }
    // In later drafts, these two are numbers, which structural schemas don't have.
    let fits = |key: &str, value: &Value| !key.starts_with("exclusive") || value.is_boolean();
    for key in KEPT {
        if let Some(value) = given.get(key).filter(|value| fits(key, value)) {
            made.insert(key.to_owned(), value.clone());
        }
    }
    let fields = given.get("properties").and_then(Value::as_object);
    if let Some(fields) = fields {
        let fields: Map<String, Value> = fields
            .iter()
            .map(|(name, field)| (name.clone(), structure(field)))
            .collect();
        made.insert("properties".to_owned(), Value::Object(fields));
    } else if let Some(values) = given
        .get("additionalProperties")
        .filter(|it| it.is_object())
    {
        made.insert("additionalProperties".to_owned(), structure(values));
    } else if kind == "object" {
        made.insert(
            "x-kubernetes-preserve-unknown-fields".to_owned(),
            json!(true),
        );
    }
    if kind == "array" {
        let items = given.get("items").map_or_else(open, structure);
        made.insert("items".to_owned(), items);
    }
    Value::Object(made)
}

fn kind_of(schema: &Map<String, Value>) -> Option<&str> {
    match schema.get("type")? {
        Value::String(kind) => Some(kind),
        Value::Array(kinds) => {
            let mut kinds = kinds
                .iter()
                .filter_map(Value::as_str)
                .filter(|it| *it != "null");
            let first = kinds.next()?;
            kinds.next().is_none().then_some(first)
        }
        _ => None,
    }
}

fn is_int_or_string(schema: &Map<String, Value>) -> bool {
    let alternatives = ["oneOf", "anyOf"]
        .iter()
        .find_map(|key| schema.get(*key)?.as_array());
    let listed = alternatives.map(|all| {
        all.iter()
            .filter_map(|it| it.get("type")?.as_str())
            .collect()
    });
    let together = || {
        let kinds = schema.get("type")?.as_array()?;
        Some(
            kinds
                .iter()
                .filter_map(Value::as_str)
                .filter(|it| *it != "null")
                .collect(),
        )
    };
    let mut kinds: Vec<&str> = listed.or_else(together).unwrap_or_default();
    kinds.sort_unstable();
    kinds == ["integer", "string"]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_structure_of_a_json_schema_is_kept() {
        let schema = json!({
            "type": "object",
            "properties": {
                "apiVersion": {"type": "string"},
                "kind": {"type": "string"},
                "spec": {
                    "type": ["object", "null"],
                    "additionalProperties": false,
                    "description": "of others",
                    "required": ["size"],
                    "properties": {
                        "size": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
                        "list": {"type": "array", "items": {"type": "string", "default": "a"}},
                        "other": {"$ref": "#/definitions/other"},
                    },
                },
            },
        });
        assert!(is_kind(&schema) && !is_kind(&json!({"type": "object"})));
        assert_eq!(
            structure(&schema)["properties"]["spec"],
            json!({
                "type": "object",
                "nullable": true,
                "required": ["size"],
                "properties": {
                    "size": {"x-kubernetes-int-or-string": true},
                    "list": {"type": "array", "items": {"type": "string"}},
                    "other": {"x-kubernetes-preserve-unknown-fields": true},
                },
            })
        );
    }

    #[test]
    fn a_kind_is_named_by_group_version_and_name() {
        let name = KindName::parse("example.com/v1/Widget");
        assert_eq!(name.map(|it| it.kind).as_deref(), Some("Widget"));
        assert_eq!(KindName::parse("v1/Widget"), None);
    }
}
