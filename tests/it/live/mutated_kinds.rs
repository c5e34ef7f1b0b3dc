//! Changes objects of Kubernetes' own kinds at random, and compares the API server's verdicts with ours.
//!
//! `CHANGED=5000` changes more objects.

use std::collections::BTreeMap;

use crd_validate::Passes;
use crd_validate::schema::{Catalogue, Selection};
use gatewayctl::cluster::verdict::{Verdict, verdicts};
use manifest::Object;
use manifest::value::Node;
use proptest::prelude::RngExt;
use proptest::test_runner::{RngAlgorithm, TestRng};
use serde_json::{Value, json};

use super::agreement::ours;
use super::apiserver::Cluster;
use super::talk::{apply_text, objects, with};

const OBJECTS: &str = include_str!("../kubernetes_kinds.yaml");

/// Texts that mean something for names, ports, networks, quantities and enumerations.
const TEXTS: &[&str] = &[
    "",
    " a",
    "-a",
    "..",
    "/",
    "0",
    "1",
    "1.5",
    "10.10.30.0/24",
    "10.10.30.26",
    "150%",
    "1Gi",
    "A",
    "Always",
    "Exists",
    "None",
    "TCP",
    "a,b",
    "a.b",
    "a//b",
    "a/b",
    "a_b",
    "example.com/a",
    "fd00::26",
    "http",
    "true",
    "é",
];

const NUMBERS: &[i64] = &[
    -1,
    0,
    1,
    2,
    101,
    3601,
    65_535,
    65_536,
    100_000,
    2_147_483_647,
];

/// The paths of all values in a value.
fn places(value: &Value, above: &str, all: &mut Vec<String>) {
    let parts: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    for (name, part) in parts {
        let place = format!("{above}/{name}");
        places(part, &place, all);
        all.push(place);
    }
}

fn one<'a, T>(rng: &mut TestRng, of: &'a [T]) -> &'a T {
    &of[rng.random_range(0..of.len())]
}

/// Changes one value behind the metadata.
fn change(rng: &mut TestRng, object: &mut Value) {
    let mut all = Vec::new();
    places(object, "", &mut all);
    all.retain(|place| {
        !["/apiVersion", "/kind", "/metadata", "/status"]
            .iter()
            .any(|it| place.starts_with(it))
    });
    if all.is_empty() {
        return;
    }
    let place = one(rng, &all).clone();
    let (above, name) = place.rsplit_once('/').expect("a path");
    let way = rng.random_range(0..6);
    let holder = object.pointer_mut(above).expect("the holder");
    match (way, holder) {
        (0, Value::Object(map)) => {
            map.remove(&name.replace("~1", "/").replace("~0", "~"));
        }
        (0, Value::Array(items)) => {
            items.remove(name.parse().expect("an index"));
        }
        (1, Value::Array(items)) if !items.is_empty() => {
            let copy = one(rng, items).clone();
            items.push(copy);
        }
        _ => {
            let value = object.pointer_mut(&place).expect("the value");
            *value = match (way, &*value) {
                (2, _) => Value::Null,
                (3, Value::Object(_)) => json!({}),
                (3, Value::Array(_)) => json!([]),
                (_, Value::Bool(flag)) => json!(!flag),
                (_, Value::Number(_)) => json!(one(rng, NUMBERS)),
                (_, Value::String(_)) => json!(one(rng, TEXTS)),
                (_, other) => other.clone(),
            };
        }
    }
}

fn changed(count: usize) -> Vec<Object> {
    let valid: Vec<Value> = objects("objects.yaml", OBJECTS)
        .iter()
        .filter(|object| object.kind() != "CustomResourceDefinition")
        .map(|object| object.node.to_json())
        .collect();
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[37; 32]);
    let mut all = Vec::new();
    for _ in 0..count {
        let mut object = one(&mut rng, &valid).clone();
        for _ in 0..rng.random_range(1..3) {
            change(&mut rng, &mut object);
        }
        all.push(Object::new(Node::from_json(object), "case"));
    }
    all
}

#[test]
fn the_server_and_validate_agree_on_changed_objects_of_its_own_kinds() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: apps}\n";
    apply_text(&cluster, namespace, "kubectl");
    let count = std::env::var("CHANGED").map_or(1000, |it| it.parse().expect("a number"));
    let objects = changed(count);
    let asked = with(&cluster, async |server| {
        verdicts(server, &objects, "default", "test", &|_, _| {}).await
    });
    let catalogue = Catalogue::embedded();
    let selection = Selection::newest(&catalogue);
    let passes = Passes::new(&catalogue);
    let (mut same, mut differ) = (0, Vec::new());
    let mut passed: BTreeMap<&str, usize> = BTreeMap::new();
    for (object, verdict) in objects.iter().zip(&asked.expect("verdicts").all) {
        let accepted = match verdict {
            Verdict::Accepted => true,
            Verdict::Refused(_) => false,
            Verdict::NotAsked(why) => {
                *passed.entry(why).or_default() += 1;
                continue;
            }
        };
        let found = ours(&passes, &catalogue, &selection, object).expect("a known kind");
        if accepted == found.is_empty() {
            same += 1;
            continue;
        }
        let messages: Vec<&str> = found.iter().map(|it| it.message.as_str()).collect();
        differ.push(format!(
            "{}: {verdict:?}; ours {messages:?}",
            object.identity()
        ));
    }
    let all = same + differ.len();
    println!("{same} of {all} agree; not compared: {passed:?}");
    differ.iter().for_each(|line| println!("  {line:.500}"));
    assert!(
        differ.len() * 100 <= all,
        "{} of {all} verdicts differ",
        differ.len()
    );
    assert!(all * 10 > count * 9, "only {all} were compared");
}
