use super::*;
use serde_json::json;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Thing {
    port: Option<Spanned<u16>>,
    name: Option<String>,
    parts: Vec<Part>,
}

#[derive(Debug, Deserialize)]
struct Part {
    id: u8,
}

#[test]
fn every_mistake_is_found_and_the_rest_is_read() {
    let node = Node::from_json(json!({
        "port": "x", "nmae": "a", "name": "b", "parts": [{"id": 1}, {"id": "x"}, {}]
    }));
    let (thing, problems) = decode::<Thing>(&node);
    let thing = thing.expect("the rest is read");
    assert_eq!(thing.name.as_deref(), Some("b"));
    assert_eq!(thing.parts.len(), 1);
    assert_eq!(thing.parts[0].id, 1);
    assert!(thing.port.is_none());
    let mut at: Vec<String> = problems.iter().map(|p| p.pointer.to_string()).collect();
    at.sort();
    assert_eq!(at, ["/nmae", "/parts/1/id", "/parts/2", "/port"]);
}

#[test]
fn a_tree_is_deserialized_unchanged() {
    let tree = json!({"a": [1, -2, 2.5, true, null, "x"], "b": {"c": {}}});
    let node = Node::from_json(tree.clone());
    let (back, problems) = decode::<Node>(&node);
    assert!(problems.is_empty());
    assert_eq!(back.map(|node| node.to_json()), Some(tree));
}
