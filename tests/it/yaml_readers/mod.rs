//! Compares our YAML parser with kustomize's: what we accept must have the structure, the keys and the strings that
//! kustomize reads.

mod readers;
mod texts;

use std::collections::BTreeMap;
use std::path::PathBuf;

use manifest::diagnostic::Sources;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use readers::Readers;
use serde_json::Value;

/// Our documents of a text, or the first error.
fn ours(text: &str) -> Result<Vec<Value>, String> {
    let mut sources = Sources::default();
    let source = sources.add("a.yaml", text);
    let (documents, problems) = manifest::read(&sources, source);
    match problems.first() {
        Some(problem) => Err(problem.message.clone()),
        None => Ok(documents
            .iter()
            .map(|document| document.node.to_json())
            .collect()),
    }
}

/// Whether two results differ. The type of an unquoted scalar doesn't matter here.
fn differ(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            ours.len() != theirs.len()
                || ours
                    .iter()
                    .any(|(key, value)| theirs.get(key).is_none_or(|other| differ(value, other)))
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() != theirs.len()
                || ours
                    .iter()
                    .zip(theirs)
                    .any(|(ours, theirs)| differ(ours, theirs))
        }
        (Value::String(ours), Value::String(theirs)) => ours != theirs && !is_date(ours),
        (ours, theirs) => {
            ours.is_object() || ours.is_array() || theirs.is_object() || theirs.is_array()
        }
    }
}

/// Whether a string is a date: kustomize writes unquoted dates in another form.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() == 3
        && parts[0].len() == 4
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// Whether kustomize refuses a document for a reason that only matters in objects: its keys, or JSON escapes.
fn matters_in_objects_only(error: &str, ours: &[Value]) -> bool {
    (error.contains("map[interface {}]") || error.contains("escape c"))
        && ours
            .iter()
            .all(|it| it.get("apiVersion").is_none() || it.get("kind").is_none())
}

/// The difference between our result for a text and kustomize's for resources.
fn fault(readers: &mut Readers, text: &str) -> Option<String> {
    let Ok(ours) = ours(text) else { return None };
    // Neither of the two treats other values as objects; `validate` reports them.
    if !ours.iter().all(|it| it.is_object() || it.is_array()) {
        return None;
    }
    match readers.read(text).resources.result() {
        Err(error) if matters_in_objects_only(error, &ours) => None,
        Err(error) => {
            let first = error.lines().next().unwrap_or_default();
            Some(format!("kustomize refuses it: {first}"))
        }
        Ok(theirs) if are_same(&ours, theirs) => None,
        Ok(_) => Some("kustomize reads something else".to_owned()),
    }
}

/// Whether two results have the same documents.
fn are_same(ours: &[Value], theirs: &[Value]) -> bool {
    ours.len() == theirs.len()
        && ours
            .iter()
            .zip(theirs)
            .all(|(ours, theirs)| !differ(ours, theirs))
}

/// The shortest text that still has a difference.
fn shortest(readers: &mut Readers, text: &str, kind: &str) -> String {
    let mut text = text.to_owned();
    loop {
        let before = text.len();
        for length in [40, 20, 10, 5, 3, 2, 1] {
            let mut at = 0;
            while let Some((start, _)) = text.char_indices().nth(at) {
                let end = text[start..]
                    .char_indices()
                    .nth(length)
                    .map_or(text.len(), |(end, _)| start + end);
                let mut shorter = text.clone();
                shorter.replace_range(start..end, "");
                if fault(readers, &shorter).is_some_and(|it| it == kind) {
                    text = shorter;
                } else {
                    at += 1;
                }
            }
        }
        if text.len() == before {
            return text;
        }
    }
}

/// The number of generated texts; `TEXTS=100000` tests more.
fn count() -> usize {
    let wanted = std::env::var("TEXTS").ok();
    wanted.map_or(4000, |it| it.parse().expect("a number of texts"))
}

#[test]
fn what_we_read_is_what_kustomize_reads() {
    let Some(mut readers) = Readers::start() else {
        return;
    };
    let texts = texts::texts();
    let mut runner = TestRunner::deterministic();
    let (mut read, mut refused_alone, mut faults) = (0, 0, BTreeMap::new());
    let mut otherwise_in_kustomizations = 0;
    for _ in 0..count() {
        let text = texts.new_tree(&mut runner).expect("a text").current();
        if let Ok(ours) = ours(&text) {
            read += 1;
            let answer = readers.read(&text);
            let theirs = answer.kustomization.result();
            let is_one = ours.len() == 1 && ours[0].is_object();
            if is_one && !theirs.is_ok_and(|theirs| are_same(&ours, theirs)) {
                otherwise_in_kustomizations += 1;
            }
        } else if readers.read(&text).resources.result().is_ok() {
            refused_alone += 1;
        }
        if let Some(kind) = fault(&mut readers, &text) {
            let shortest = shortest(&mut readers, &text, &kind);
            *faults.entry((kind, shortest)).or_insert(0) += 1;
        }
    }
    println!(
        "{} texts: {read} read, {refused_alone} refused that kustomize reads, {} read otherwise than by kustomize",
        count(),
        faults.len()
    );
    println!("{otherwise_in_kustomizations} would be read otherwise in a kustomization.yaml");
    for ((kind, text), times) in &faults {
        let (ours, theirs) = (ours(text), readers.read(text));
        println!(
            "{times:5} {kind}: {text:?}: {ours:?} / {:?}",
            theirs.resources.result()
        );
    }
    assert!(faults.is_empty(), "{} faults", faults.len());
    assert!(
        read > count() / 20,
        "too few texts are YAML to say anything: {read}"
    );
}

#[test]
fn what_people_write_is_refused_by_no_reader() {
    let Some(mut readers) = Readers::start() else {
        return;
    };
    for text in texts::MANIFESTS {
        let ours = ours(text).unwrap_or_else(|problem| panic!("{problem}: {text}"));
        let answer = readers.read(text);
        if text.contains("\\/") {
            // JSON that few write: kustomize doesn't support the escape, and the document is not an object.
            assert!(answer.resources.result().is_err(), "{text}");
            continue;
        }
        let theirs = answer
            .resources
            .result()
            .unwrap_or_else(|error| panic!("{error}: {text}"));
        assert!(are_same(&ours, theirs), "{text}");
    }
}

/// The folder that `GATEWAYCTL_SHARED` names, else `../shared`.
fn peculiarities() -> Option<PathBuf> {
    let given = std::env::var_os("GATEWAYCTL_SHARED").map(PathBuf::from);
    let shared =
        given.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    let folder = shared.join("cases/yaml");
    if !folder.join("answers.jsonl").is_file() {
        eprintln!("skipped: no {}", folder.display());
        return None;
    }
    Some(folder)
}

/// The documents of a recorded answer; `None` if there was an error.
fn recorded<'a>(answer: &'a Value, documents: &str, errors: &[&str]) -> Option<&'a [Value]> {
    let failed = errors.iter().any(|key| answer[*key].as_str() != Some(""));
    let documents = answer[documents].as_array().map_or(&[][..], Vec::as_slice);
    (!failed).then_some(documents)
}

#[test]
fn recorded_answers_have_our_structure() {
    let Some(folder) = peculiarities() else {
        return;
    };
    let answers = std::fs::read_to_string(folder.join("answers.jsonl")).expect("answers");
    let (mut all, mut same, mut of_kubernetes) = (0, 0, 0);
    let mut otherwise = Vec::new();
    for line in answers.lines() {
        let answer: Value = serde_json::from_str(line).expect("JSON");
        let file = answer["file"].as_str().expect("a file");
        let text = std::fs::read_to_string(folder.join(file)).expect("a case");
        let ours = ours(&text);
        let kustomize = recorded(&answer, "kyaml", &["kerr"]);
        let kubernetes = recorded(&answer, "docs", &["err", "strict"]);
        all += 1;
        same += usize::from(ours.as_deref().ok() == kustomize);
        of_kubernetes += usize::from(ours.as_deref().ok() == kubernetes);
        let has_other_structure = match (&ours, kustomize) {
            (Err(_), _) => false,
            (Ok(_), None) => true,
            (Ok(ours), Some(theirs)) => !are_same(ours, theirs),
        };
        if has_other_structure {
            otherwise.push(format!("{file}: {ours:?} / {kustomize:?}"));
        }
    }
    println!(
        "{all} peculiarities: {same} are to us what they are to kustomize, {of_kubernetes} what they are to \
         sigs.k8s.io/yaml, values included"
    );
    assert!(
        otherwise.is_empty(),
        "another structure:\n{}",
        otherwise.join("\n")
    );
}
