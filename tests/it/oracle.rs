//! Compares with the answers of a real API server. The cases are in the folder that `GATEWAYCTL_SHARED` names, else
//! in `../shared`; without it the test is skipped, and says so.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crd_validate::codes;
use crd_validate::schema::{Catalogue, Lookup, Selection};
use crd_validate::{Passes, kind};
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::value::{Node, Pointer, pointer::Step};
use serde_json::Value;

/// The maximum number of disagreements that are listed for a file.
const MOST_LISTED: usize = 40;

/// The versions that the API server had, besides the only version of every other project. A set of cases with other
/// versions says so in its name.
const DECLARED: &[(&str, &str, &str)] = &[
    ("gateway-api", "1.6.1", "v1.5.1"),
    ("envoy-gateway", "1.9.0", "envoy-v1.8.3"),
    ("keda", "2.20.2", ""),
    ("cilium", "1.18.2", ""),
    ("cert-manager", "1.21.1", ""),
    ("external-dns", "0.22.0", ""),
    ("grafana-operator", "5.24.0", ""),
    ("helm-controller", "1.6.3", ""),
    ("kustomize-controller", "1.9.4", ""),
    ("source-controller", "1.9.1", ""),
];

/// The maximum number of disagreements of a file: in the verdict, and in the fields of a refusal.
///
/// The fields are those inside a value of the wrong type, which the API server also calls unknown, and those in
/// branches of combinations that it tried. The answers in `apply-*` are those to server-side apply, which refuses a
/// null that a create request drops. `core-kinds` and `metadata` have what the API server checks in its own code,
/// parts of which are not checked here yet.
const DISAGREEMENTS: &[(&str, usize, usize)] = &[
    ("apply-mutated-gateway.jsonl", 5, 30),
    ("apply-mutated-real-documents.jsonl", 11, 22),
    ("apply-scratch.jsonl", 4, 30),
    ("core-kinds.jsonl", 45, 140),
    ("envoy-gateway-v1.9.0.jsonl", 0, 0),
    ("gateway-api-v1.6.1-experimental.jsonl", 0, 0),
    ("gateway-api-v1.6.1-standard.jsonl", 0, 0),
    ("metadata.jsonl", 46, 112),
    ("mutated-gateway-v1.5.1-envoy-v1.8.3.jsonl", 0, 2),
    ("mutated-gateway-v1.6.1-envoy-v1.9.0.jsonl", 0, 6),
    ("mutated-real-documents.jsonl", 0, 3),
    ("real-documents.jsonl", 0, 0),
    ("rules-by-hand.jsonl", 0, 0),
    ("rules-v1.6.1-v1.9.0.jsonl", 0, 0),
    ("scratch-gateway-v1.5.1-envoy-v1.8.3.jsonl", 0, 8),
    ("scratch-gateway-v1.6.1-envoy-v1.9.0.jsonl", 0, 34),
];

fn shared() -> Option<PathBuf> {
    let given = std::env::var_os("GATEWAYCTL_SHARED").map(PathBuf::from);
    let folder = given
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"))
        .join("oracle");
    if !folder.is_dir() {
        eprintln!("skipped: no {}", folder.display());
        return None;
    }
    Some(folder)
}

fn selection(catalogue: &Catalogue, file: &str) -> Selection {
    let mut selection = Selection::newest(catalogue);
    for (project, version, other) in DECLARED {
        let is_other = !other.is_empty() && file.contains(other);
        let version = match other.rsplit_once('v') {
            Some((_, other)) if is_other => other,
            _ => version,
        };
        let channel = match *project {
            "gateway-api" if file.contains("standard") => Some("standard"),
            "gateway-api" => Some("experimental"),
            _ => None,
        };
        selection
            .declare(catalogue, project, version, channel, "the oracle")
            .expect("the oracle's version");
    }
    selection
}

/// A path without differences in notation: brackets and quotes around keys.
fn normal(path: &str) -> String {
    path.replace("[\"", ".")
        .replace(['[', ']', '"'], ".")
        .split('.')
        .filter(|it| !it.is_empty())
        .collect::<Vec<_>>()
        .join(".")
}

fn path_of(finding: &Diagnostic) -> String {
    let pointer = finding.pointer.as_deref().and_then(Pointer::parse);
    let steps = pointer.unwrap_or_default();
    let words = steps.steps().iter().map(|step| match step {
        Step::Index(index) => index.to_string(),
        Step::Key(key) => normal(key),
    });
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(".")
}

/// The fields that the API server names. If any is unknown, it only names unknown fields.
fn said(case: &Value) -> (BTreeSet<String>, bool) {
    let message = case["message"].as_str().unwrap_or_default();
    let unknown: BTreeSet<String> = message
        .split("unknown field \"")
        .skip(1)
        .filter_map(|rest| rest.split_once('"'))
        .map(|(field, _)| normal(field))
        .collect();
    if !unknown.is_empty() {
        return (unknown, true);
    }
    let causes = case["causes"].as_array().map_or(&[][..], Vec::as_slice);
    let text = |cause: &Value, key: &str| cause[key].as_str().unwrap_or_default().to_owned();
    let rules_not_run = |cause: &Value| text(cause, "message").contains("rules were not checked");
    let fields = causes.iter().filter(|cause| !rules_not_run(cause));
    let fields = fields.map(|cause| match text(cause, "field").as_str() {
        "<nil>" => normal(in_message(&text(cause, "message"))),
        field => normal(field),
    });
    (fields.collect(), false)
}

/// The path in the message of a cause without a field: `"PATH" must validate …`, `Checked value … in PATH`. Empty for
/// a rule on the object itself.
fn in_message(message: &str) -> &str {
    if let Some((before, _)) = message.split_once("\" must validate") {
        return before.rsplit_once('"').map_or("", |(_, path)| path);
    }
    if message.contains("Checked value must be of type") {
        return message.rsplit_once(" in ").map_or("", |(_, path)| path);
    }
    ""
}

#[derive(Default)]
struct Tally {
    cases: usize,
    verdicts: usize,
    refused: usize,
    paths: usize,
    slowest: (Duration, String),
    listed: Vec<String>,
}

fn findings(
    passes: &Passes<'_>,
    catalogue: &Catalogue,
    selection: &Selection,
    object: &Object,
) -> Vec<Diagnostic> {
    let lookup = catalogue.look_up(selection, object.group(), object.version(), object.kind());
    let mut found: Vec<Diagnostic> = kind::check(object, &lookup).into_iter().collect();
    if let Lookup::Known(schema) = lookup {
        found.extend(passes.check(object, &schema));
    }
    found.retain(Diagnostic::is_error);
    found
}

fn tally(path: &Path, catalogue: &Catalogue) -> Tally {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let selection = selection(catalogue, &name);
    let passes = Passes::new(catalogue);
    let mut tally = Tally::default();
    let text = std::fs::read_to_string(path).expect("a file of cases");
    for (line, text) in text.lines().enumerate() {
        let case: Value = serde_json::from_str(text).expect("a case");
        let object = Object::new(Node::from_json(case["object"].clone()), "case");
        let start = Instant::now();
        let found = findings(&passes, catalogue, &selection, &object);
        let took = start.elapsed();
        tally.cases += 1;
        let accepted = case["accepted"] == true;
        let what = format!("{}: {} {}", line + 1, object.kind(), object.name());
        if took > tally.slowest.0 {
            tally.slowest = (took, what.clone());
        }
        if accepted == found.is_empty() {
            tally.verdicts += 1;
        } else {
            let ours: Vec<&str> = found.iter().map(|it| it.message.as_str()).collect();
            let theirs = if accepted {
                "accepted".to_owned()
            } else {
                case["message"].to_string()
            };
            tally
                .listed
                .push(format!("verdict {what}: {theirs:.300}; ours {ours:?}"));
        }
        if accepted {
            continue;
        }
        tally.refused += 1;
        let (theirs, is_decoding) = said(&case);
        let ours = found
            .iter()
            .filter(|it| !is_decoding || it.code == codes::SCHEMA_UNKNOWN_FIELD);
        let ours: BTreeSet<String> = ours.map(path_of).collect();
        if ours == theirs {
            tally.paths += 1;
        } else {
            let only_theirs: Vec<_> = theirs.difference(&ours).collect();
            let only_ours: Vec<_> = ours.difference(&theirs).collect();
            tally.listed.push(format!(
                "paths {what}: only theirs {only_theirs:?}, only ours {only_ours:?}"
            ));
        }
    }
    tally
}

#[test]
fn answers_agree_with_those_of_the_api_server() {
    let Some(folder) = shared() else { return };
    let catalogue = Catalogue::embedded();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the oracle's folder")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|it| it == "jsonl"))
        .collect();
    files.sort();
    let mut more = Vec::new();
    for file in files {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let tally = tally(&file, &catalogue);
        println!(
            "{name}: verdicts {}/{}, paths of refusals {}/{} ({:.1}%), slowest case {:.1} ms ({})",
            tally.verdicts,
            tally.cases,
            tally.paths,
            tally.refused,
            100.0 * tally.paths as f64 / tally.refused.max(1) as f64,
            tally.slowest.0.as_secs_f64() * 1000.0,
            tally.slowest.1
        );
        for line in tally.listed.iter().take(MOST_LISTED) {
            println!("  {line}");
        }
        let (verdicts, paths) = (tally.cases - tally.verdicts, tally.refused - tally.paths);
        match DISAGREEMENTS.iter().find(|(known, _, _)| name == *known) {
            None => println!("  no bound is kept for {name}: {verdicts}, {paths}"),
            Some((_, most_verdicts, most_paths)) => {
                if verdicts > *most_verdicts || paths > *most_paths {
                    more.push(format!(
                        "{name}: {verdicts} verdicts and {paths} paths differ, {most_verdicts} and {most_paths} before"
                    ));
                }
            }
        }
    }
    assert!(more.is_empty(), "{}", more.join("\n"));
}
