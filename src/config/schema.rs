//! The JSON Schema of `cluster.toml`, for editors.

use serde_json::{Map, Value, json};

use super::values;

/// The schema as JSON Schema draft 2020-12. Tables are closed, and descriptions contain the user reference.
pub fn json_schema() -> Value {
    let mut schema = schemars::schema_for!(super::Cluster).to_value();
    if let Some(map) = schema.as_object_mut() {
        map.insert("title".to_owned(), "cluster.toml of gatewayctl".into());
    }
    describe_clusters(&mut schema);
    strip_nulls(&mut schema);
    values::describe(&mut schema);
    schema
}

/// The schema for editors. A mistake in it is reported once, at its place: where values of several types are possible, the
/// type decides what holds for them, because of alternatives (`anyOf`) an editor only knows that none fits.
pub fn for_editors() -> Value {
    let mut schema = json_schema();
    let whole = schema.clone();
    add_defaults(&mut schema, &whole);
    merge_types(&mut schema, &whole);
    schema
}

/// Adds the defaults that the documentation gives as a single value: `Default: 301.`
fn add_defaults(schema: &mut Value, whole: &Value) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::Object(properties)) = map.get_mut("properties") {
                let siblings: Vec<String> = properties.keys().cloned().collect();
                for key in properties.values_mut() {
                    let found = default_of(key, whole);
                    let is_key = |text: &str| siblings.iter().any(|key| key == text);
                    let found = found.filter(|it| !it.as_str().is_some_and(is_key));
                    if let (Some(found), Some(map)) = (found, key.as_object_mut()) {
                        map.entry("default").or_insert(found);
                    }
                }
            }
            map.values_mut().for_each(|it| add_defaults(it, whole));
        }
        Value::Array(items) => items.iter_mut().for_each(|it| add_defaults(it, whole)),
        _ => {}
    }
}

/// The default in the documentation of a key; `None` if it is a sentence, or names another key.
fn default_of(key: &Value, whole: &Value) -> Option<Value> {
    let text = key.get("description")?.as_str()?;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, after) = text.split_once("Default: ")?;
    let first = after.split(';').next()?.split(". ").next()?;
    let first = first.strip_suffix('.').unwrap_or(first);
    let written = match first.strip_prefix('`') {
        Some(quoted) => quoted.strip_suffix('`')?,
        None => first.parse::<i64>().ok().map(|_| first)?,
    };
    // `chart.version` is another key.
    let mut path = written.split('.');
    let top = path.next()?;
    let is_key = path.next().is_some() && whole.pointer(&format!("/properties/{top}")).is_some();
    if is_key || written.contains(['`', ' ']) {
        return None;
    }
    let types = types_of(key, whole);
    let takes = |name: &str| types.iter().any(|it| it == name);
    match written {
        "true" | "false" if takes("boolean") => Some(json!(written == "true")),
        _ if takes("integer") && written.parse::<i64>().is_ok() => {
            written.parse::<i64>().ok().map(|number| json!(number))
        }
        _ if takes("string") => Some(json!(written)),
        _ => None,
    }
}

fn resolved<'a>(schema: &'a Value, whole: &'a Value) -> &'a Value {
    let place = schema.get("$ref").and_then(Value::as_str);
    let found = place.and_then(|place| whole.pointer(place.trim_start_matches('#')));
    found.unwrap_or(schema)
}

/// The types of the values that a schema takes.
fn types_of(schema: &Value, whole: &Value) -> Vec<String> {
    let schema = resolved(schema, whole);
    let kind = schema.get("type");
    let kinds = kind.and_then(Value::as_array).map_or_else(
        || kind.into_iter().collect::<Vec<_>>(),
        |kinds| kinds.iter().collect(),
    );
    let own = kinds.into_iter().filter_map(Value::as_str);
    let words = schema.get("enum").and_then(Value::as_array);
    let words = words.into_iter().flatten();
    let words = words.filter_map(|word| word.is_string().then_some("string"));
    let own = own.chain(words).map(str::to_owned);
    let parts = ["anyOf", "oneOf"]
        .into_iter()
        .filter_map(|name| schema.get(name));
    let parts = parts.filter_map(Value::as_array).flatten();
    own.chain(parts.flat_map(|part| types_of(part, whole)))
        .collect()
}

/// Makes one schema of alternatives whose types differ. What a keyword says of one type doesn't concern the others.
fn merge_types(schema: &mut Value, whole: &Value) {
    match schema {
        Value::Object(map) => {
            if let Some(merged) = merged(map, whole) {
                map.remove("anyOf");
                for (key, value) in merged {
                    map.entry(key).or_insert(value);
                }
            }
            map.values_mut().for_each(|it| merge_types(it, whole));
        }
        Value::Array(items) => items.iter_mut().for_each(|it| merge_types(it, whole)),
        _ => {}
    }
}

/// The keywords of the alternatives together; `None` if two are for the same type, or one has more than keywords of a type.
fn merged(map: &Map<String, Value>, whole: &Value) -> Option<Map<String, Value>> {
    const OF_SEVERAL_TYPES: [&str; 6] = ["enum", "const", "anyOf", "oneOf", "allOf", "$ref"];
    let parts = map.get("anyOf")?.as_array()?;
    let mut types: Vec<Value> = Vec::new();
    let mut all = Map::new();
    for part in parts {
        let part = resolved(part, whole).as_object()?;
        if OF_SEVERAL_TYPES.iter().any(|key| part.contains_key(*key)) {
            return None;
        }
        let of_part = match part.get("type")? {
            Value::Array(several) => several.clone(),
            one => vec![one.clone()],
        };
        if of_part.iter().any(|one| types.contains(one)) {
            return None;
        }
        types.extend(of_part);
        for (key, value) in part.iter().filter(|(key, _)| *key != "type") {
            all.entry(key).or_insert_with(|| value.clone());
        }
    }
    all.insert("type".to_owned(), Value::Array(types));
    Some(all)
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
