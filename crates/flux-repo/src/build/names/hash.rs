//! The hash of the content in the names of generated objects (kustomize's `api/hasher`).

use sha2::{Digest, Sha256};

use super::super::resource::Resource;
use manifest::value::{Kind, Node};

/// The length of a hash.
const LENGTH: usize = 10;

/// Adds the hash to the names of generated objects.
pub(in super::super) fn add_hashes(resources: &mut [Resource]) {
    for resource in resources.iter_mut().filter(|one| one.needs_hash) {
        resource.remember();
        let name = format!("{}-{}", resource.object.name(), hash(&resource.object.node));
        if let Some(metadata) = resource.metadata_mut()
            && let Some(node) = metadata.get_mut("name")
        {
            node.kind = Kind::String(name);
        }
    }
}

/// The hash of a ConfigMap or Secret: of its data, its kind and its type, but not of its name, since kustomize looks
/// for the name in the wrong place.
fn hash(object: &Node) -> String {
    let is_secret = object.get("kind").and_then(Node::as_str) == Some("Secret");
    let (kind, other) = match is_secret {
        true => ("Secret", "stringData"),
        false => ("ConfigMap", "binaryData"),
    };
    let mut fields = vec![
        ("data", json_or_empty(object.get("data"))),
        ("kind", format!("{kind:?}")),
        ("name", "\"\"".to_owned()),
    ];
    if let Some(more) = object.get(other).filter(|more| more.as_map().is_some()) {
        fields.push((other, json(more)));
    }
    if is_secret {
        fields.push(("type", json_or_empty(object.get("type"))));
    }
    fields.sort_unstable();
    let fields: Vec<String> = fields
        .into_iter()
        .map(|(key, value)| format!("\"{key}\":{value}"))
        .collect();
    let digest = Sha256::digest(format!("{{{}}}", fields.join(",")));
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.take(LENGTH).map(letter).collect()
}

/// A hexadecimal digit, with letters in place of the digits and vowels that could make a word.
fn letter(digit: u8) -> char {
    match char::from_digit(u32::from(digit), 16) {
        Some('0') => 'g',
        Some('1') => 'h',
        Some('3') => 'k',
        Some('a') => 'm',
        Some('e') => 't',
        Some(other) => other,
        None => 'g',
    }
}

fn json_or_empty(node: Option<&Node>) -> String {
    node.map_or_else(|| "\"\"".to_owned(), json)
}

/// JSON as Go writes it: keys are sorted, and the characters of HTML are escaped.
fn json(node: &Node) -> String {
    match &node.kind {
        Kind::Map(map) => {
            let mut entries: Vec<(&str, &Node)> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            let entries = entries.into_iter();
            let entries: Vec<String> = entries
                .map(|(key, value)| format!("{}:{}", quoted(key), json(value)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
        Kind::List(items) => {
            let items: Vec<String> = items.iter().map(json).collect();
            format!("[{}]", items.join(","))
        }
        Kind::String(text) => quoted(text),
        Kind::Number(number) => number.to_string(),
        Kind::Bool(value) => value.to_string(),
        Kind::Null => "null".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_hash_is_that_of_kustomize() {
        let map = json!({"kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"a": "x<y"}});
        let secret = json!({"kind": "Secret", "type": "Opaque", "data": {"a": "eA=="}});
        assert_eq!(hash(&Node::from_json(map)), "g55d2dbb44");
        assert_eq!(hash(&Node::from_json(secret)), "gdtmf8gmt4");
    }
}
