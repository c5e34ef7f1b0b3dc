//! Our own schemas as JSON Schema, so that other tools can check against the same facts.

use crd_validate::schema::KindSchema;
use crd_validate::schema::node::{Additional, NodeId, Type};
use crd_validate::structure::integer_range;
use serde_json::{Map, Value, json};

/// The schema of a kind. Fields that every object has are added; `metadata` is not checked further.
pub fn of_kind(schema: &KindSchema<'_>) -> Value {
    let mut whole = expand(schema, schema.version.root);
    if let Some(properties) = whole["properties"].as_object_mut() {
        properties.insert("apiVersion".to_owned(), json!({"type": "string"}));
        properties.insert("kind".to_owned(), json!({"type": "string"}));
        properties.insert("metadata".to_owned(), json!({"type": "object"}));
    }
    whole
}

/// A node and everything below it, in the keywords of JSON Schema.
fn expand(schema: &KindSchema<'_>, id: NodeId) -> Value {
    let node = schema.node(id);
    let below = |id: NodeId| expand(schema, id);
    let all = |ids: &[NodeId]| Value::from(ids.iter().map(|id| below(*id)).collect::<Vec<_>>());
    let Ok(Value::Object(mut keywords)) = serde_json::to_value(node) else {
        return json!({});
    };
    keywords.retain(|keyword, _| !keyword.starts_with("x-") && keyword != "nullable");
    if !node.properties.is_empty() {
        let properties = node.properties.iter();
        let properties: Map<_, _> = properties
            .map(|(name, id)| (name.clone(), below(*id)))
            .collect();
        keywords.insert("properties".to_owned(), properties.into());
    }
    match node.additional_properties {
        Some(Additional::Schema(id)) => {
            keywords.insert("additionalProperties".to_owned(), below(id));
        }
        None if node.type_ == Some(Type::Object) && !node.is_open() && !node.embedded_resource => {
            keywords.insert("additionalProperties".to_owned(), false.into());
        }
        _ => {}
    }
    if let Some(items) = node.items {
        keywords.insert("items".to_owned(), below(items));
    }
    for (keyword, ids) in [
        ("allOf", &node.all_of),
        ("anyOf", &node.any_of),
        ("oneOf", &node.one_of),
    ] {
        if !ids.is_empty() {
            keywords.insert(keyword.to_owned(), all(ids));
        }
    }
    if let Some(not) = node.not {
        keywords.insert("not".to_owned(), below(not));
    }
    // In CRDs these keywords are flags beside a bound, and in JSON Schema they are the bound itself.
    for (flag, bound) in [
        ("exclusiveMinimum", "minimum"),
        ("exclusiveMaximum", "maximum"),
    ] {
        if keywords.remove(flag) == Some(Value::Bool(true))
            && let Some(value) = keywords.remove(bound)
        {
            keywords.insert(flag.to_owned(), value);
        }
    }
    if let Some((least, greatest)) = integer_range(node) {
        keywords.entry("minimum").or_insert(json!(least));
        keywords.entry("maximum").or_insert(json!(greatest));
    }
    if node.int_or_string {
        keywords.insert("type".to_owned(), json!(["integer", "string"]));
    } else if node.nullable
        && let Some(one) = keywords.get("type").cloned()
    {
        keywords.insert("type".to_owned(), json!([one, "null"]));
    }
    Value::Object(keywords)
}
