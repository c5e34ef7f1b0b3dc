//! Checks random objects for every schema of the catalogue: checking always ends, gives the same result each time,
//! and agrees with an independent JSON Schema validator on what JSON Schema can express.
//!
//! `PROPTEST_CASES=100000 cargo test --test it fuzz::` runs longer.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, Mutex};

use crd_validate::codes;
use crd_validate::schema::defaults::settle;
use crd_validate::schema::{Catalogue, KindSchema, Lookup, Selection};
use crd_validate::structure::Structure;
use crd_validate::{Passes, Request};
use k8s_syntax::format;
use manifest::diagnostic::{Diagnostic, Sources};
use manifest::value::Node;
use manifest::{Object, read, write};
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence};
use serde_json::Value;

use crate::common::json_schema;
use crate::common::random::Random;

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::embedded);

/// A random object, with the index of its kind in the catalogue and its version.
#[derive(Clone, Debug)]
struct Case {
    entry: usize,
    version: String,
    object: Value,
}

impl Case {
    /// Calls `then` with the object's schema.
    fn with<T>(&self, then: impl FnOnce(&KindSchema<'_>) -> T) -> T {
        with(self.entry, &self.version, then)
    }
}

/// Calls `then` with the schema of a version of a kind, by its index in the catalogue.
pub fn with<T>(entry: usize, version: &str, then: impl FnOnce(&KindSchema<'_>) -> T) -> T {
    let entry = &CATALOGUE.entries()[entry];
    let set = &entry.set;
    let mut selection = Selection::newest(&CATALOGUE);
    selection
        .declare(
            &CATALOGUE,
            &set.project,
            set.version.as_str(),
            set.channel.as_deref(),
            "the test",
        )
        .expect("a set of the catalogue");
    match CATALOGUE.look_up(&selection, &entry.group, version, &entry.kind) {
        Lookup::Known(schema) => then(&schema),
        other => panic!("{other:?}"),
    }
}

fn case() -> impl Strategy<Value = Case> {
    let kinds = (0..CATALOGUE.entries().len()).prop_flat_map(|entry| {
        let served = &CATALOGUE.entries()[entry].served;
        let versions: Vec<String> = served.iter().map(ToString::to_string).collect();
        (Just(entry), proptest::sample::select(versions))
    });
    kinds.prop_perturb(|(entry, version), mut rng| {
        let object = with(entry, &version, |schema| {
            Random::new(&mut rng, *schema).object()
        });
        Case {
            entry,
            version,
            object,
        }
    })
}

fn object(node: Node) -> Object {
    Object::new(node, "random.yaml")
}

/// An object with its numbers as a reader of YAML has them: those with a fraction of zero are integers (`1.0` is 1).
fn with_whole_numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) => {
            let float = number.as_f64().filter(|_| number.is_f64());
            let whole = float.filter(|it| it.fract() == 0.0 && it.abs() < 9.2e18);
            whole.map_or_else(|| value.clone(), |it| Value::from(it as i64))
        }
        Value::Array(items) => items.iter().map(with_whole_numbers).collect(),
        Value::Object(map) => {
            let entries = map.iter();
            entries
                .map(|(key, value)| (key.clone(), with_whole_numbers(value)))
                .collect()
        }
        other => other.clone(),
    }
}

/// The text of findings, without their places.
fn said(found: &[Diagnostic]) -> Vec<String> {
    let line = |one: &Diagnostic| format!("{} {:?} {}", one.code, one.pointer, one.message);
    found.iter().map(line).collect()
}

/// The validators so far, by catalogue entry and version.
type Judges = Mutex<HashMap<(usize, String), Arc<jsonschema::Validator>>>;

/// An independent validator for the same schema, created once for each kind.
fn judge(case: &Case) -> Arc<jsonschema::Validator> {
    static MADE: LazyLock<Judges> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().expect("no test panics with it");
    let make = || {
        let schema = case.with(json_schema::of_kind);
        let mut options = jsonschema::options()
            .with_pattern_options(jsonschema::PatternOptions::regex())
            .should_validate_formats(true);
        for name in format::names() {
            options = options.with_format(name, move |text: &str| {
                format::violated(name, text).is_none()
            });
        }
        Arc::new(options.build(&schema).expect("a JSON Schema"))
    };
    made.entry((case.entry, case.version.clone()))
        .or_insert_with(make)
        .clone()
}

proptest! {
    #![proptest_config(Config {
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..Config::default()
    })]

    #[test]
    fn checking_ends_and_says_the_same_each_time(case in case()) {
        let node = Node::from_json(case.object.clone());
        case.with(|schema| {
            let passes = Passes::new(&CATALOGUE);
            let first = said(&passes.check(&object(node.clone()), schema));
            assert_eq!(&first, &said(&passes.check(&object(node.clone()), schema)));
            assert_eq!(&first, &said(&Passes::new(&CATALOGUE).check(&object(node.clone()), schema)));

            let mut sources = Sources::default();
            let id = sources.add("random.yaml", write::document(&node));
            let (documents, problems) = read::read(&sources, id);
            assert!(problems.is_empty(), "{problems:?}");
            let read: Vec<Node> = documents.into_iter().map(|document| document.node).collect();
            let whole = object(Node::from_json(with_whole_numbers(&case.object)));
            assert_eq!(said(&passes.check(&whole, schema)), said(&passes.check(&object(read[0].clone()), schema)));
        });
    }

    #[test]
    fn structure_is_judged_as_json_schema_has_it(case in case()) {
        let node = Node::from_json(case.object.clone());
        let (ours, settled) = case.with(|schema| {
            // A null that is not allowed is dropped on creation, as by `settle`, and refused by server-side apply.
            let found = Structure::new(&CATALOGUE).check(&object(node.clone()), schema, Request::Create);
            // Kubernetes' list keys, the rules for metadata, and the status that is dropped on creation can't be
            // expressed in JSON Schema.
            let drops_status = schema.version.status;
            let is_elsewhere = |at: &str| at.starts_with("/metadata") || (drops_status && at.starts_with("/status"));
            let found: Vec<Diagnostic> = found
                .into_iter()
                .filter(|one| one.code != codes::SCHEMA_LIST_KEY)
                .filter(|one| !one.pointer.as_deref().is_some_and(is_elsewhere))
                .collect();
            let mut settled = settle(&node, schema.compiled, schema.version);
            if drops_status && let Some(map) = settled.as_map_mut() {
                map.remove("status");
            }
            (said(&found), settled.to_json())
        });
        let judge = judge(&case);
        let theirs: BTreeSet<String> = judge.iter_errors(&settled).map(|one| format!("{} {one}", one.instance_path())).collect();
        prop_assert_eq!(ours.is_empty(), theirs.is_empty(), "\nours {:#?}\ntheirs {:#?}\n{:#}", ours, theirs, settled);
    }
}
