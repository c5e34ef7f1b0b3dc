//! Compares with the answers of a real API server, and prints a table with a row for each set of cases. The cases are
//! in the folder that `GATEWAYCTL_SHARED` names, else in `../shared`; without it the test is skipped, and says so.
//! `LISTED=1000` lists more disagreements of each set, and `SETS=metadata` asks only about sets with this in their names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crd_validate::codes;
use crd_validate::schema::import::Keep;
use crd_validate::schema::{Catalogue, Lookup, Selection, Set, files, lock::Lock};
use crd_validate::{Passes, Request, kind};
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::value::{Node, Pointer, pointer::Step};
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
/// The fields are those inside a value of the wrong type, which the API server also calls unknown, and those in
/// branches of combinations that it tried. `core-kinds` has what the API server checks in its own code.
const DISAGREEMENTS: &[(&str, usize, usize)] = &[
    ("apply-mutated-gateway.jsonl", 0, 21),
    ("apply-mutated-real-documents.jsonl", 0, 3),
    ("apply-scratch.jsonl", 0, 8),
    ("core-kinds.jsonl", 0, 4),
    ("envoy-gateway-v1.9.0.jsonl", 0, 0),
    ("gateway-api-v1.6.1-experimental.jsonl", 0, 0),
    ("gateway-api-v1.6.1-standard.jsonl", 0, 0),
    ("metadata.jsonl", 0, 6),
    ("mutated-gateway-v1.5.1-envoy-v1.8.3.jsonl", 0, 2),
    ("mutated-gateway-v1.6.1-envoy-v1.9.0.jsonl", 0, 4),
    ("mutated-real-documents.jsonl", 0, 0),
    ("own-crds.jsonl", 0, 15),
    ("real-documents.jsonl", 0, 0),
    ("rules-by-hand.jsonl", 0, 0),
    ("rules-v1.6.1-v1.9.0.jsonl", 0, 0),
    ("scratch-gateway-v1.5.1-envoy-v1.8.3.jsonl", 0, 4),
    ("scratch-gateway-v1.6.1-envoy-v1.9.0.jsonl", 0, 10),
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

/// Which findings an answer is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    /// Only unknown fields, because nothing else is looked at if there are any.
    UnknownFields,
    /// Only what the patch of server-side apply can't hold: unknown fields, wrong types and keys of lists.
    Patch,
    /// All.
    Everything,
}

impl About {
    fn includes(self, finding: &Diagnostic) -> bool {
        match self {
            About::UnknownFields => finding.code == codes::SCHEMA_UNKNOWN_FIELD,
            About::Patch => [
                codes::SCHEMA_UNKNOWN_FIELD,
                codes::SCHEMA_TYPE,
                codes::SCHEMA_LIST_KEY,
            ]
            .contains(&finding.code),
            About::Everything => true,
        }
    }
}

/// The fields that the API server names.
fn said(case: &Value, object: &Node) -> (BTreeSet<String>, About) {
    let message = match case["ssa_message"].as_str() {
        Some(message) => message,
        None => case["message"].as_str().unwrap_or_default(),
    };
    if let Some((_, errors)) = message
        .split_once("failed to create typed patch object")
        .and_then(|(_, rest)| rest.split_once("): "))
    {
        let lines = errors.strip_prefix("errors:\n").unwrap_or(errors).lines();
        let named = lines.filter_map(|line| of_patch(line.trim(), object));
        return (named.collect(), About::Patch);
    }
    let unknown: BTreeSet<String> = message
        .split("unknown field \"")
        .skip(1)
        .filter_map(|rest| rest.split_once('"'))
        .map(|(field, _)| normal(field))
        .collect();
    if !unknown.is_empty() {
        return (unknown, About::UnknownFields);
    }
    let causes = case["causes"].as_array().map_or(&[][..], Vec::as_slice);
    let text = |cause: &Value, key: &str| cause[key].as_str().unwrap_or_default().to_owned();
    let rules_not_run = |cause: &Value| text(cause, "message").contains("rules were not checked");
    let fields = causes.iter().filter(|cause| !rules_not_run(cause));
    let fields = fields.map(|cause| match text(cause, "field").as_str() {
        "<nil>" => normal(in_message(&text(cause, "message"))),
        field => normal(field),
    });
    let fields: BTreeSet<String> = fields.collect();
    // A combination of schemas is named, and then what is wrong inside of its best branch.
    let combinations = causes.iter().map(|cause| text(cause, "message"));
    let combinations: BTreeSet<String> = combinations
        .filter(|message| message.contains("must validate"))
        .map(|message| normal(in_message(&message)))
        .collect();
    let has_inside = |field: &String| {
        combinations.contains(field)
            && fields
                .iter()
                .any(|other| other.starts_with(&format!("{field}.")))
    };
    let named = fields.iter().filter(|field| !has_inside(field)).cloned();
    (named.collect(), About::Everything)
}

/// Whether a refusal names no field: the object could not be decoded, or its namespace doesn't exist.
fn names_no_field(case: &Value) -> bool {
    let message = case["message"].as_str().unwrap_or_default();
    let causes = case["causes"].as_array().map_or(0, Vec::len);
    let is_named = ["unknown field \"", "failed to create typed patch object"];
    causes == 0 && !is_named.iter().any(|part| message.contains(part))
}

/// A path as precise as the API server's, which doesn't name single labels, annotations and finalizers.
fn as_coarse(path: String) -> String {
    let coarse = [
        "metadata.labels",
        "metadata.annotations",
        "metadata.finalizers",
    ];
    let found = coarse
        .iter()
        .find_map(|part| Some(path.find(part)? + part.len()));
    found
        .and_then(|end| path.get(..end))
        .map_or(path.clone(), str::to_owned)
}

/// The path in an error of server-side apply: `.spec.ports[port=80,protocol="TCP"].name: expected string, got …`. An
/// item of a list is named by its keys; the path has its index instead.
fn of_patch(error: &str, object: &Node) -> Option<String> {
    let mut path: Vec<String> = Vec::new();
    let mut node = Some(object);
    let mut rest = error;
    loop {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[', ':']).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            path.push(name.to_owned());
            node = node.and_then(|node| node.get(name));
            rest = after;
        } else if let Some(after) = rest.strip_prefix('[') {
            let end = after.find("]")?;
            let (key, after) = (after.get(..end)?, after.get(end + 1..)?);
            let items = node.and_then(Node::as_list).unwrap_or_default();
            let index = match key.parse::<usize>() {
                Ok(index) => index,
                Err(_) => items.iter().position(|item| has_keys(item, key))?,
            };
            path.push(index.to_string());
            node = items.get(index);
            rest = after;
        } else {
            break;
        }
    }
    if let Some(item) = rest.strip_prefix(": element ") {
        path.push(item.split(':').next().unwrap_or_default().to_owned());
    }
    if let Some((_, key)) = rest.split_once("duplicate entries for key [") {
        let key = key.trim_end_matches(']');
        let items = node.and_then(Node::as_list).unwrap_or_default();
        let mut same = items
            .iter()
            .enumerate()
            .filter(|(_, item)| has_keys(item, key));
        if let Some((second, _)) = same.nth(1) {
            path.push(second.to_string());
        }
    }
    let words: Vec<String> = path.iter().map(|it| normal(it)).collect();
    Some(words.join("."))
}

/// Whether an item has the keys `a="b",c=1`, or is the value `="a"`.
fn has_keys(item: &Node, keys: &str) -> bool {
    keys.split(',').all(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or_default();
        let value: Value = serde_json::from_str(value).unwrap_or_default();
        let own = if key.is_empty() {
            Some(item)
        } else {
            item.get(key)
        };
        own.is_none_or(|own| own.to_json() == value)
    })
}

/// The path in the message of a cause without a field: `"PATH" must validate …`, `Checked value … in PATH`. Empty for
/// a rule on the object itself.
fn in_message(message: &str) -> &str {
    let is_combination = ["\" must validate", "\" must not validate"];
    let mut starts = is_combination
        .iter()
        .filter_map(|part| message.split_once(part));
    if let Some((before, _)) = starts.next() {
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
    /// The answers that are not about the object.
    passed: usize,
    verdicts: usize,
    refused: usize,
    paths: usize,
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
            "| {} | {by} | {} | {} | {:.2}% | {} | {} | {:.1}% |",
            name.trim_end_matches(".jsonl"),
            self.cases,
            self.verdicts,
            percent(self.verdicts, self.cases),
            self.refused,
            self.paths,
            percent(self.paths, self.refused),
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
        let (theirs, about) = said(&case, &object.node);
        if names_no_field(&case) {
            continue;
        }
        tally.refused += 1;
        let ours = found.iter().filter(|it| about.includes(it));
        let ours: BTreeSet<String> = ours.map(path_of).map(as_coarse).collect();
        let theirs: BTreeSet<String> = theirs.into_iter().map(as_coarse).collect();
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
    println!("| set | asked by | cases | same verdict | | refused | same fields | |");
    println!("|---|---|---|---|---|---|---|---|");
    table.iter().for_each(|row| println!("{row}"));
    assert!(more.is_empty(), "{}", more.join("\n"));
}
