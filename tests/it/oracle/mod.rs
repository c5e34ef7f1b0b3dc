//! Compares with the answers of a real API server, and prints a table with a row for each set of cases. The cases are
//! in the folder that `GATEWAYCTL_SHARED` names, else in `../shared`; without it the test is skipped, and says so.
//! `LISTED=1000` lists more disagreements of each set, and `SETS=metadata` asks only about sets with this in their names.

mod answer;
mod named;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use answer::{Answer, Sameness};
use crd_validate::schema::import::Keep;
use crd_validate::schema::{Catalogue, Lookup, Selection, Set, files, lock::Lock};
use crd_validate::{Passes, Request, kind};
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::value::Node;
use serde_json::Value;

/// The maximum number of disagreements that are listed for a set.
fn most_listed() -> usize {
    let wanted = std::env::var("LISTED").ok();
    wanted.map_or(40, |it| it.parse().expect("a number of disagreements"))
}

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
/// The fields are those inside a value of the wrong type in `status`, which is not looked at on creation, and of rules on
/// `-0`, which Go doesn't take for an integer.
const DISAGREEMENTS: &[(&str, usize, usize)] = &[
    ("apply-mutated-gateway.jsonl", 0, 0),
    ("apply-mutated-real-documents.jsonl", 0, 0),
    ("apply-scratch.jsonl", 0, 0),
    ("core-kinds.jsonl", 0, 0),
    ("envoy-gateway-v1.9.0.jsonl", 0, 0),
    ("gateway-api-v1.6.1-experimental.jsonl", 0, 0),
    ("gateway-api-v1.6.1-standard.jsonl", 0, 0),
    ("metadata.jsonl", 0, 0),
    ("mutated-gateway-v1.5.1-envoy-v1.8.3.jsonl", 0, 0),
    ("mutated-gateway-v1.6.1-envoy-v1.9.0.jsonl", 0, 0),
    ("mutated-real-documents.jsonl", 0, 0),
    ("own-crds.jsonl", 0, 0),
    ("real-documents.jsonl", 0, 0),
    ("rules-by-hand.jsonl", 0, 0),
    ("rules-v1.6.1-v1.9.0.jsonl", 0, 0),
    ("scratch-gateway-v1.5.1-envoy-v1.8.3.jsonl", 0, 0),
    ("scratch-gateway-v1.6.1-envoy-v1.9.0.jsonl", 0, 2),
];

fn shared() -> Option<PathBuf> {
    let given = std::env::var_os("GATEWAYCTL_SHARED").map(PathBuf::from);
    let folder =
        given.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    if !folder.join("oracle").is_dir() {
        eprintln!("skipped: no {}", folder.join("oracle").display());
        return None;
    }
    Some(folder)
}

/// The catalogue with the CRD of the set `own-crds`, which has every format, keyword and function.
fn catalogue(shared: &Path) -> Catalogue {
    let mut catalogue = Catalogue::embedded();
    let path = shared.join("crds/example/v1/things.example.com.yaml");
    let Ok(text) = std::fs::read_to_string(&path) else {
        return catalogue;
    };
    let input = files::Input {
        path: path.to_string_lossy().into_owned(),
        text,
        set: Some(Set::own()),
    };
    let imported = files::import(&[input], Lock::default(), Keep::Facts).expect("an import");
    assert!(imported.problems.is_empty(), "{:?}", imported.problems);
    let mut files = imported.files.into_iter();
    let (listed, list) = (
        files.next().expect("a schema"),
        files.next_back().expect("the list"),
    );
    let list = Lock::parse(&String::from_utf8(list.1).expect("text")).expect("a list");
    let locked = list.get(&listed.0).expect("the schema's entry");
    let text = String::from_utf8(listed.1).expect("text");
    catalogue.add(locked, text).expect("a schema");
    catalogue
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

/// What was sent to the API server: the sets `apply-*` were applied, the objects of the others were created.
fn request(file: &str) -> Request {
    match file.starts_with("apply-") {
        true => Request::Apply,
        false => Request::Create,
    }
}

/// Whether the answer is about how the object was sent and not about the object: as JSON with escapes for characters
/// beyond U+FFFF, which the API server's YAML reader doesn't know. Flux doesn't write such escapes.
fn is_about_the_encoding(case: &Value) -> bool {
    let message = case["ssa_message"].as_str().unwrap_or_default();
    message.contains("found invalid Unicode character escape code")
}

#[derive(Default)]
struct Tally {
    cases: usize,
    /// The answers that are not about the object.
    passed: usize,
    verdicts: usize,
    refused: usize,
    paths: usize,
    /// Those of `paths` that tell a mistake in another place, or more than it.
    alike: usize,
    slowest: (Duration, String),
    listed: Vec<String>,
}

impl Tally {
    /// The row of the table.
    fn row(&self, name: &str) -> String {
        let percent = |part: usize, all: usize| 100.0 * part as f64 / all.max(1) as f64;
        let by = match request(name) {
            Request::Apply => "apply",
            Request::Create => "create",
        };
        format!(
            "| {} | {by} | {} | {} | {:.2}% | {} | {} | {:.1}% | {} |",
            name.trim_end_matches(".jsonl"),
            self.cases,
            self.verdicts,
            percent(self.verdicts, self.cases),
            self.refused,
            self.paths,
            percent(self.paths, self.refused),
            self.alike,
        )
    }
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
    let passes = Passes::new(catalogue).answering(request(&name));
    let mut tally = Tally::default();
    let text = std::fs::read_to_string(path).expect("a file of cases");
    for (line, text) in text.lines().enumerate() {
        let case: Value = serde_json::from_str(text).expect("a case");
        if is_about_the_encoding(&case) {
            tally.passed += 1;
            continue;
        }
        let object = Object::new(Node::from_json(case["object"].clone()), "case");
        let start = Instant::now();
        let found = findings(&passes, catalogue, &selection, &object);
        let took = start.elapsed();
        tally.cases += 1;
        let accepted = match request(&name) {
            Request::Apply => case["ssa_accepted"] == true,
            Request::Create => case["accepted"] == true,
        };
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
                match request(&name) {
                    Request::Apply => case["ssa_message"].to_string(),
                    Request::Create => case["message"].to_string(),
                }
            };
            tally
                .listed
                .push(format!("verdict {what}: {theirs:.300}; ours {ours:?}"));
        }
        if accepted {
            continue;
        }
        let answer = Answer::read(&case, &object.node);
        if answer.names_no_field() {
            continue;
        }
        tally.refused += 1;
        match answer.compare(&object, &found) {
            Sameness::Same => tally.paths += 1,
            Sameness::Alike => {
                tally.paths += 1;
                tally.alike += 1;
            }
            Sameness::Other(theirs, ours) => tally.listed.push(format!(
                "paths {what}: only theirs {theirs:?}, only ours {ours:?}"
            )),
        }
    }
    tally
}

#[test]
fn answers_agree_with_those_of_the_api_server() {
    let Some(shared) = shared() else { return };
    let catalogue = catalogue(&shared);
    let mut files: Vec<PathBuf> = std::fs::read_dir(shared.join("oracle"))
        .expect("the oracle's folder")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|it| it == "jsonl"))
        .collect();
    if let Ok(wanted) = std::env::var("SETS") {
        files.retain(|file| file.to_string_lossy().contains(&wanted));
    }
    files.sort();
    let (mut more, mut table) = (Vec::new(), Vec::new());
    for file in files {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let tally = tally(&file, &catalogue);
        println!(
            "{name}: slowest case {:.1} ms ({})",
            tally.slowest.0.as_secs_f64() * 1000.0,
            tally.slowest.1
        );
        for line in tally.listed.iter().take(most_listed()) {
            println!("  {line}");
        }
        table.push(tally.row(&name));
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
    println!(
        "| set | asked by | cases | same verdict | | refused | same fields | | of these, told elsewhere or more |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    table.iter().for_each(|row| println!("{row}"));
    assert!(more.is_empty(), "{}", more.join("\n"));
}
