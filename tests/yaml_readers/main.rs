//! Our reader of YAML beside kustomize's: what we read has the structure, the keys and the texts that kustomize reads,
//! or it is an error.

mod readers;
mod texts;

use gatewayctl::diagnostic::Sources;
use gatewayctl::manifest;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use readers::Readers;
use serde_json::Value;

/// Our documents of a text, or the first thing that is wrong with it.
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

/// How two readings of a value differ. What a scalar without quotes is, a text or a number or a boolean, is no
/// difference here.
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

/// Whether a text is a date: kustomize writes one without quotes in another way.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() == 3
        && parts[0].len() == 4
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// Whether kustomize refuses a document for its keys, which is told of objects only.
fn has_other_keys(error: &str, ours: &[Value]) -> bool {
    error.contains("map[interface {}]")
        && ours
            .iter()
            .all(|it| it.get("apiVersion").is_none() || it.get("kind").is_none())
}

/// What is wrong with our reading of a text, beside kustomize's of resources.
fn fault(readers: &mut Readers, text: &str) -> Option<String> {
    let Ok(ours) = ours(text) else { return None };
    // Neither takes anything else for an object: `validate` says so.
    if !ours.iter().all(|it| it.is_object() || it.is_array()) {
        return None;
    }
    let answer = readers.read(text);
    match answer.resources.result() {
        Err(error) if has_other_keys(error, &ours) => None,
        Err(error) => Some(format!(
            "kustomize refuses it: {}",
            error.lines().next().unwrap_or_default()
        )),
        Ok(theirs)
            if ours.len() != theirs.len()
                || ours
                    .iter()
                    .zip(theirs)
                    .any(|(ours, theirs)| differ(ours, theirs)) =>
        {
            Some("kustomize reads something else".to_owned())
        }
        Ok(_) => None,
    }
}

/// A text as short as it can be with some fault left.
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

#[test]
fn what_we_read_is_what_kustomize_reads() {
    let Some(mut readers) = Readers::start() else {
        return;
    };
    let count: usize = std::env::var("TEXTS")
        .ok()
        .and_then(|it| it.parse().ok())
        .unwrap_or(20_000);
    let texts = texts::texts();
    let mut runner = TestRunner::deterministic();
    let (mut read, mut refused_alone, mut faults) = (0, 0, std::collections::BTreeMap::new());
    for _ in 0..count {
        let text = texts.new_tree(&mut runner).expect("a text").current();
        if ours(&text).is_ok() {
            read += 1;
        } else if readers.read(&text).resources.result().is_ok() {
            refused_alone += 1;
            if std::env::var_os("SHOW").is_some() {
                println!("ALONE {:?} of {text:?}", ours(&text));
            }
        }
        if let Some(kind) = fault(&mut readers, &text) {
            let shortest = shortest(&mut readers, &text, &kind);
            *faults.entry((kind, shortest)).or_insert(0) += 1;
        }
    }
    println!("{count} texts: {read} read, {refused_alone} refused that kustomize reads");
    for ((kind, text), times) in &faults {
        println!(
            "{times:5} {kind}: {text:?}: {:?} / {:?}",
            ours(text),
            readers.read(text).resources.result()
        );
    }
    assert!(faults.is_empty(), "{} faults", faults.len());
}
