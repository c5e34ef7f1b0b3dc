//! Compares our YAML parser with kustomize's and kubectl's: `read_as` must read every value as they do, and what we accept
//! otherwise must have the structure, the keys and the strings that kustomize reads.

mod readers;
mod texts;

use std::collections::BTreeMap;
use std::path::PathBuf;

use manifest::Reader;
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

/// Our documents of a text as a reader reads them; `None` if it refuses the text.
fn ours_as(reader: Reader, text: &str) -> Option<Vec<Value>> {
    let mut sources = Sources::default();
    let source = sources.add("a.yaml", text);
    let documents = manifest::read_as(reader, &sources, source).ok()?;
    Some(documents.iter().map(|it| it.node.to_json()).collect())
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
fn recorded_answers_are_ours() {
    let Some(folder) = peculiarities() else {
        return;
    };
    let answers = std::fs::read_to_string(folder.join("answers.jsonl")).expect("answers");
    let (mut all, mut otherwise) = (0, Vec::new());
    for line in answers.lines() {
        let answer: Value = serde_json::from_str(line).expect("JSON");
        let file = answer["file"].as_str().expect("a file");
        let text = std::fs::read_to_string(folder.join(file)).expect("a case");
        all += 1;
        for (reader, theirs) in [
            (Reader::Kustomize, recorded(&answer, "kyaml", &["kerr"])),
            (
                Reader::Kubectl,
                recorded(&answer, "docs", &["err", "strict"]),
            ),
        ] {
            let ours = ours_as(reader, &text);
            if ours.as_deref() != theirs {
                otherwise.push(format!("{file}: {reader:?} {ours:?} / {theirs:?}"));
            }
        }
    }
    println!(
        "{all} peculiarities, each as kustomize and as kubectl reads it: {} are read otherwise",
        otherwise.len()
    );
    assert!(otherwise.is_empty(), "{}", otherwise.join("\n"));
}

#[test]
fn readers_read_utf_16_but_only_its_first_document() {
    let Some(mut readers) = Readers::start() else {
        return;
    };
    let one = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: \"é🚪\"}\n";
    for order in ["le", "be"] {
        for text in [one.to_owned(), format!("{one}---\n{one}")] {
            let answer = readers.read_utf16(&text, order);
            for theirs in [&answer.resources, &answer.kustomization] {
                let theirs = theirs.result().unwrap_or_else(|error| panic!("{error}"));
                assert!(are_same(&ours(one).expect("an object"), theirs), "{order}");
            }
        }
    }
}

/// A document with the same values, as they are compared: Go writes large numbers without an exponent.
fn with_equal_numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) => number
            .as_i64()
            .map_or_else(|| Value::from(number.as_f64()), Value::from),
        Value::Array(items) => items.iter().map(with_equal_numbers).collect(),
        Value::Object(map) => {
            let entries = map.iter();
            let entries = entries.map(|(key, value)| (key.clone(), with_equal_numbers(value)));
            Value::Object(entries.collect())
        }
        other => other.clone(),
    }
}

#[test]
fn each_value_is_what_the_reader_reads() {
    let Some(mut readers) = Readers::start() else {
        return;
    };
    let (mut all, mut otherwise) = (0, Vec::new());
    for text in texts::peculiar() {
        let answer = readers.read(&text);
        for (reader, theirs) in [
            (Reader::Kustomize, &answer.resources),
            (Reader::Kubectl, &answer.kustomization),
        ] {
            // kubectl's library reads only the first document.
            if reader == Reader::Kubectl && text.contains("\n---") {
                continue;
            }
            all += 1;
            let written = theirs.applied().ok();
            let theirs = written.map(|it| it.iter().map(with_equal_numbers).collect::<Vec<_>>());
            let ours = ours_as(reader, &text);
            let ours = ours.map(|it| it.iter().map(with_equal_numbers).collect::<Vec<_>>());
            if ours != theirs {
                otherwise.push(format!("{reader:?} {text:?}: {ours:?} / {theirs:?}"));
            }
        }
    }
    println!("{all} readings: {} are otherwise", otherwise.len());
    assert!(
        all > 3500 && otherwise.is_empty(),
        "{}",
        otherwise.join("\n")
    );
}
