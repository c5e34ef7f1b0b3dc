//! The JSON Schema of `cluster.toml`, for editors.

use serde_json::{Value, json};

/// The schema as JSON Schema draft 2020-12. Tables are closed, and descriptions contain the user reference.
pub fn json_schema() -> Value {
    let mut schema = schemars::schema_for!(super::Cluster).to_value();
    if let Some(map) = schema.as_object_mut() {
        map.insert("title".to_owned(), "cluster.toml of gatewayctl".into());
    }
    describe_clusters(&mut schema);
    strip_nulls(&mut schema);
    schema
}

/// The tables of clusters have the keys of the whole file, without further clusters.
fn describe_clusters(schema: &mut Value) {
    const CLUSTERS: &str = "clusters";
    let Some(mut properties) = schema.get("properties").cloned() else {
        return;
    };
    if let Some(properties) = properties.as_object_mut() {
        properties.remove(CLUSTERS);
    }
    let table = json!({
        "type": "object",
        "description": "What differs for this cluster.",
        "properties": properties,
        "additionalProperties": false,
    });
    if let Some(defs) = schema.get_mut("$defs").and_then(Value::as_object_mut) {
        defs.insert("ClusterTable".to_owned(), table);
    }
    let clusters = schema.pointer_mut("/properties/clusters");
    if let Some(clusters) = clusters.and_then(Value::as_object_mut) {
        let table = json!({"$ref": "#/$defs/ClusterTable"});
        clusters.insert("additionalProperties".to_owned(), table);
    }
}

/// TOML has no null: changes `"type": ["string", "null"]` to `"string"`, and removes `null` alternatives. If a single one is
/// left, it is the schema itself, so that an editor reports a mistake in it once, at its place.
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
            let is_single = |any: &&Vec<Value>| any.len() == 1;
            let any = map.get("anyOf").and_then(Value::as_array);
            if let Some([Value::Object(only)]) = any.filter(is_single).map(Vec::as_slice) {
                let only = only.clone();
                map.remove("anyOf");
                for (key, value) in only {
                    map.entry(key).or_insert(value);
                }
            }
            map.values_mut().for_each(strip_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_nulls),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::json_schema;
    use serde_json::Value;

    #[test]
    fn nothing_is_a_choice_of_one() {
        fn single(value: &Value) -> bool {
            match value {
                Value::Object(map) => {
                    let any = map.get("anyOf").and_then(Value::as_array);
                    any.is_some_and(|any| any.len() < 2) || map.values().any(single)
                }
                Value::Array(items) => items.iter().any(single),
                _ => false,
            }
        }
        let schema = json_schema();
        assert!(!single(&schema));
        assert_eq!(schema["properties"]["ssh"]["$ref"], "#/$defs/Stream");
    }
}
