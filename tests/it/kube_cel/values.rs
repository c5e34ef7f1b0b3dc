//! Which values the rules are evaluated on: random ones, and those in the rendered trees.

use std::collections::BTreeSet;
use std::path::Path;

use cel_k8s::Value;
use cel_k8s::lex::{Token, lex};
use cel_k8s::value::Key;
use crd_validate::rules::convert::Converter;
use crd_validate::schema::KindSchema;
use crd_validate::schema::defaults;
use crd_validate::schema::node::{NodeId, Schema};
use manifest::Object;
use manifest::diagnostic::Sources;
use manifest::value::{Kind, Node};
use proptest::test_runner::{RngAlgorithm, TestRng};

use crate::common;
use crate::common::random::Random;

/// The maximum length of strings that are made for a number in a rule.
const LONGEST: u64 = 300;

/// The nodes of a schema that have rules, each once.
pub fn nodes_with_rules(schema: &KindSchema<'_>) -> BTreeSet<NodeId> {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![schema.version.root];
    while let Some(id) = waiting.pop() {
        if seen.insert(id) {
            waiting.extend(schema.node(id).inside());
        }
    }
    seen.retain(|id| !schema.node(*id).rules.is_empty());
    seen
}

/// Random values for a node, which are the same for the same seed.
///
/// The strings, lengths and names of fields in the node's rules occur more often than others, so that most rules are
/// true for some of the values and false for others.
pub fn random(schema: &KindSchema<'_>, id: NodeId, seed: u64, count: usize) -> Vec<Value> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let (texts, names) = words(schema.node(id));
    let mut random = Random::new(&mut rng, *schema).often(texts, names);
    let values = (0..count).map(|_| Node::from_json(random.well_typed(id)));
    let values: Vec<Node> = values.collect();
    let converted = values.iter().map(|node| converted(schema, node, id));
    converted.collect()
}

/// The strings and the names in the rules of a node. A string also occurs inside a path, and a number as the length
/// of a string, exactly and exceeded by one; letters of two bytes tell lengths in bytes from those in characters.
fn words(node: &Schema) -> (Vec<String>, BTreeSet<String>) {
    let (mut texts, mut names) = (Vec::new(), BTreeSet::new());
    let tokens = node
        .rules
        .iter()
        .flat_map(|rule| lex(&rule.rule).expect("a rule"));
    for token in tokens {
        match token {
            Token::String(text) => texts.extend([format!("/a{text}"), format!("{text}a"), text]),
            Token::Int(number) if (1..LONGEST).contains(&number) => {
                let length = usize::try_from(number).expect("a short length");
                texts.extend([
                    "a".repeat(length + 1),
                    "é".repeat(length),
                    "é".repeat(length + 1),
                ]);
            }
            Token::Name(name) => {
                names.insert(name.trim_matches('_').to_owned());
            }
            _ => {}
        }
    }
    (texts, names)
}

/// Every object of the rendered trees in `snapshots`.
pub fn rendered_objects() -> Vec<Object> {
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots");
    let files = common::files(&snapshots).into_iter();
    let manifests = files.filter(|(path, _)| path.ends_with(".yaml"));
    let documents = manifests.flat_map(|(path, bytes)| {
        let mut sources = Sources::default();
        let id = sources.add(path, String::from_utf8(bytes).expect("UTF-8"));
        manifest::read(&sources, id).0
    });
    documents
        .map(|document| Object::new(document.node, "snapshot.yaml"))
        .collect()
}

/// The values in an object that have rules, with their nodes.
pub fn in_object(schema: &KindSchema<'_>, object: &Node) -> Vec<(NodeId, Value)> {
    let mut found = Vec::new();
    let object = defaults::object(object, schema.version);
    collect(schema, &object, schema.version.root, &mut found);
    found
}

fn collect(schema: &KindSchema<'_>, node: &Node, id: NodeId, found: &mut Vec<(NodeId, Value)>) {
    let of_node = schema.node(id);
    if !of_node.rules.is_empty() {
        found.push((id, converted(schema, node, id)));
    }
    match &node.kind {
        Kind::Map(map) => {
            for field in defaults::fields(map, schema.compiled, of_node) {
                if let Some(id) = field.id {
                    collect(schema, &field.value(), id, found);
                }
            }
        }
        Kind::List(items) => {
            for (item, id) in items.iter().zip(std::iter::repeat(of_node.items)) {
                if let Some(id) = id {
                    collect(schema, item, id, found);
                }
            }
        }
        _ => {}
    }
}

/// Converts a value as rules see it, but without what is not known yet: `kube-cel` has no such values.
fn converted(schema: &KindSchema<'_>, node: &Node, id: NodeId) -> Value {
    let converter = Converter {
        compiled: schema.compiled,
        encrypted: false,
    };
    let value = match id == schema.version.root {
        true => converter.object(node, id),
        false => converter.value(node, id),
    };
    known(&value)
}

fn known(value: &Value) -> Value {
    let is_known = |value: &&Value| !matches!(value, Value::Unknown | Value::Invalid);
    match value {
        Value::List(items) => Value::list(items.iter().filter(is_known).map(known).collect()),
        Value::Map(entries) => {
            let entries = entries.iter().filter(|(_, value)| is_known(&value));
            Value::map(
                entries
                    .map(|(key, value): &(Key, Value)| (key.clone(), known(value)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}
