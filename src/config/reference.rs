//! The reference of `cluster.toml`: every key with its documentation, generated from the JSON Schema.

use serde_json::Value;

use super::schema::json_schema;
use super::values::is_variable;

/// The documentation of one key.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The path, with `NAME` in place of names that the user chooses: `gateways.NAME.address`.
    pub path: String,
    /// The type of the value, in a few words.
    pub takes: String,
    /// The documentation text, on one line.
    pub text: String,
}

/// Returns all keys, depth first, in the order of the types.
pub fn keys() -> Vec<Key> {
    let schema = json_schema();
    let mut keys = Vec::new();
    collect(&schema, &schema, "", &mut keys, 0);
    keys
}

/// The key with the tables of several clusters.
const CLUSTERS: &str = "clusters";

/// Finds the key at `path`. Where the reference has `NAME`, any name matches.
pub fn find(path: &str) -> Option<Key> {
    let of_cluster = path
        .strip_prefix(CLUSTERS)
        .and_then(|it| it.strip_prefix('.'));
    if let Some((_, path)) = of_cluster.and_then(|it| it.split_once('.')) {
        return find(path);
    }
    let asked: Vec<&str> = path.split('.').collect();
    keys().into_iter().find(|key| {
        let there: Vec<&str> = key.path.split('.').collect();
        there.len() == asked.len()
            && there
                .iter()
                .zip(&asked)
                .all(|(there, asked)| *there == "NAME" || there == asked)
    })
}

/// The maximum nesting of tables in the types, so that a cycle in the schema ends.
const DEEPEST: usize = 8;

fn collect(root: &Value, schema: &Value, path: &str, keys: &mut Vec<Key>, depth: usize) {
    let schema = table_of(root, schema);
    if depth > DEEPEST {
        return;
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        for (name, below) in properties {
            let path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            keys.push(Key {
                path: path.clone(),
                takes: takes(root, below),
                text: text_of(root, below),
            });
            // The table of a cluster has the same keys again.
            if path != CLUSTERS {
                collect(root, below, &path, keys, depth + 1);
            }
        }
    }
    if let Some(below @ Value::Object(_)) = schema.get("additionalProperties")
        && table_of(root, below).get("properties").is_some()
    {
        collect(root, below, &format!("{path}.NAME"), keys, depth + 1);
    }
}

fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|path| root.pointer(path.trim_start_matches('#')))
        .unwrap_or(schema)
}

/// Returns the schema itself, or the part of it that is a table: an alternative, or the entries of a list.
fn table_of<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let schema = resolve(root, schema);
    let parts = schema.get("anyOf").and_then(Value::as_array);
    let parts = parts.into_iter().flatten().chain(schema.get("items"));
    parts
        .map(|part| table_of(root, part))
        .find(|part| part.get("properties").is_some())
        .unwrap_or(schema)
}

fn text_of(root: &Value, schema: &Value) -> String {
    let of = |schema: &Value| {
        schema
            .get("description")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let text = of(schema)
        .or_else(|| of(resolve(root, schema)))
        .unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn takes(root: &Value, schema: &Value) -> String {
    let schema = resolve(root, schema);
    if let Some(words) = words_of(schema) {
        return words.join(", ");
    }
    if let Some(parts) = schema.get("anyOf").and_then(Value::as_array) {
        // Flux variables may stand everywhere.
        let has_words = parts.iter().any(|part| words_of(part).is_some());
        let told = parts
            .iter()
            .filter(|part| !(has_words && is_variable(part)));
        let mut names: Vec<String> = told.map(|part| takes(root, part)).collect();
        names.dedup();
        return names.join(" or ");
    }
    // Of several types, the first one is meant; the others are read as it.
    let kind = schema.get("type");
    let first = kind
        .and_then(Value::as_array)
        .and_then(|kinds| kinds.first());
    match first.or(kind).and_then(Value::as_str) {
        Some("array") => match schema.get("items") {
            Some(items) => format!("list of {}", takes(root, items)),
            None => "list".to_owned(),
        },
        Some("object") => match schema.get("additionalProperties") {
            Some(below @ Value::Object(_)) if schema.get("properties").is_none() => {
                let below = takes(root, below);
                format!("table of {below}s")
            }
            _ => "table".to_owned(),
        },
        Some(name) => name.to_owned(),
        None => "anything".to_owned(),
    }
}

/// The values of an enumeration, in quotes.
fn words_of(schema: &Value) -> Option<Vec<String>> {
    let quote = |word: &Value| {
        word.as_str()
            .map_or(word.to_string(), |word| format!("\"{word}\""))
    };
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return Some(words.iter().map(quote).collect());
    }
    let parts = schema.get("oneOf").and_then(Value::as_array)?;
    Some(
        parts
            .iter()
            .filter_map(|part| part.get("const"))
            .map(quote)
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_documented() {
        let keys = keys();
        assert!(keys.len() > 200, "{}", keys.len());
        for key in &keys {
            assert!(!key.text.is_empty(), "{} has no text", key.path);
        }
    }

    #[test]
    fn a_key_is_found_by_a_real_path() {
        let key = find("gateways.envoy-external.listeners.https.port").expect("a key");
        assert_eq!(key.path, "gateways.NAME.listeners.NAME.port");
        assert_eq!(key.takes, "integer or string");
        assert_eq!(
            find("proxy.kind").map(|key| key.takes).as_deref(),
            Some("\"Deployment\", \"DaemonSet\"")
        );
        assert_eq!(find("proxy.nothing"), None);
    }

    #[test]
    fn keys_of_tables_in_lists_and_of_optional_tables_are_included() {
        for path in [
            "client_traffic.tcp_keepalive.idle_time",
            "layout.schemas.host",
            "cilium.bgp.peers.asn",
        ] {
            assert!(find(path).is_some(), "{path}");
        }
        assert_eq!(
            find("client_traffic.proxy_protocol")
                .map(|key| key.takes)
                .as_deref(),
            Some("true, false, \"optional\"")
        );
    }
}
