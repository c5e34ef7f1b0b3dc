use super::*;
use serde_json::{Value, json};

fn list(value: &Value) -> Vec<Node> {
    value
        .as_array()
        .expect("a list")
        .iter()
        .cloned()
        .map(Node::from_json)
        .collect()
}

/// Formats each pair as `label:old>new`, and the order.
fn shown(field: &str, keys: Option<&[&str]>, old: &Value, new: &Value) -> (String, Option<String>) {
    let keys = keys.map(|keys| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>());
    let aligned = align(field, keys.as_deref(), &list(old), &list(new));
    let place = |at: Option<usize>| at.map_or("-".to_owned(), |at| at.to_string());
    let pairs = aligned
        .pairs
        .iter()
        .map(|pair| format!("{}:{}>{}", pair.label, place(pair.old), place(pair.new)));
    (
        pairs.collect::<Vec<_>>().join(" "),
        aligned.reordered.map(|(_, new)| new.join(" ")),
    )
}

#[test]
fn entries_with_a_name_are_matched_by_it() {
    let old = json!([{"name": "http"}, {"name": "https"}, {"name": "ssh"}]);
    let new = json!([{"name": "https"}, {"name": "tls"}, {"name": "http"}]);
    let want = (
        "https:1>0 tls:->1 http:0>2 ssh:2>-".to_owned(),
        Some("https http".to_owned()),
    );
    assert_eq!(shown("listeners", None, &old, &new), want);
}

#[test]
fn the_keys_of_the_schema_come_first() {
    let old = json!([{"name": "a", "port": 1}, {"name": "b", "port": 2}]);
    let new = json!([{"name": "a", "port": 2}, {"name": "b", "port": 1}]);
    assert_eq!(shown("x", Some(&["port"]), &old, &new).0, "2:1>0 1:0>1");
    assert_eq!(shown("x", None, &old, &new).0, "a:0>0 b:1>1");
}

#[test]
fn references_are_matched_by_all_keys_that_identify_them() {
    let old =
        json!([{"name": "gw", "sectionName": "http"}, {"name": "gw", "sectionName": "https"}]);
    let new = json!([{"name": "gw", "sectionName": "https"}]);
    assert_eq!(
        shown("parentRefs", None, &old, &new).0,
        "gw/https:1>0 gw/http:0>-"
    );
}

#[test]
fn distinct_scalars_are_a_set_with_an_order() {
    let (pairs, order) = shown(
        "resources",
        None,
        &json!(["a", "b", 1]),
        &json!([1, "a", "c"]),
    );
    assert_eq!(
        (pairs.as_str(), order.as_deref()),
        (":2>0 :0>1 :->2 :1>-", Some("1 a"))
    );
}

#[test]
fn other_lists_are_aligned_whichever_side_is_which() {
    let old = json!([{"x": 1}, {"x": 2}, {"x": 3}]);
    let new = json!([{"x": 0}, {"x": 1}, {"x": 2}, {"x": 4}]);
    assert_eq!(
        shown("rules", None, &old, &new).0,
        "0:->0 1:0>1 2:1>2 3:2>3"
    );
    assert_eq!(
        shown("rules", None, &new, &old).0,
        "0:1>0 1:2>1 2:3>2 0:0>-"
    );
    let (pairs, order) = shown("rules", None, &old, &json!([{"x": 3}, {"x": 1}, {"x": 2}]));
    assert_eq!((pairs.as_str(), order.as_deref()), ("", Some("#2 #0 #1")));
}
