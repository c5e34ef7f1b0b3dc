//! The JSON Schema of `cluster.toml`, for editors.

use serde_json::Value;

/// The schema as JSON Schema draft 2020-12. Tables are closed, and descriptions contain the user reference.
pub fn json_schema() -> Value {
    let mut schema = schemars::schema_for!(super::Cluster).to_value();
    if let Some(map) = schema.as_object_mut() {
        map.insert("title".to_owned(), "cluster.toml of gatewayctl".into());
    }
    strip_nulls(&mut schema);
    schema
}

/// TOML has no null: changes `"type": ["string", "null"]` to `"string"`, and removes `null` alternatives.
fn strip_nulls(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    map.insert("type".to_owned(), only);
                }
            }
            map.retain(|key, value| !(key == "default" && value.is_null()));
            if let Some(Value::Array(words)) = map.get_mut("enum") {
                words.retain(|word| !word.is_null());
            }
            if let Some(Value::Array(any)) = map.get_mut("anyOf") {
                any.retain(|part| part.get("type").is_none_or(|name| name != "null"));
            }
            map.values_mut().for_each(strip_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_nulls),
        _ => {}
    }
}
