//! Kubernetes parses YAML 1.1, where `on` is true and `12:30` is 750. Another parser for it, PyYAML, must therefore
//! read the intended values from every file. Without PyYAML these tests are skipped, and say so, but not in CI.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crd_validate::schema::Catalogue;
use gatewayctl::compile::{World, compile};
use gatewayctl::render::files::{Inputs, Output};
use manifest::value::Node;
use manifest::write;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::trees;

/// A root that contains only the configuration.
struct Bare;

impl Inputs for Bare {
    fn read(&self, _: &str) -> Option<String> {
        None
    }
    fn read_output(&self, _: &str) -> Output {
        Output::Nothing
    }
}

impl World for Bare {
    fn list(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// A Python with PyYAML: `$PYTHON`, else `python3`.
fn python() -> Option<String> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let answer = Command::new(&python).args(["-c", "import yaml"]).output();
    if answer.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "{python} has no PyYAML, which CI must have (pip install pyyaml)"
    );
    eprintln!("skipped: {python} has no PyYAML (pip install pyyaml)");
    None
}

/// Compares all cases with what PyYAML reads.
fn compare(cases: &[Value]) {
    let Some(python) = python() else { return };
    let mut child = Command::new(python)
        .arg("-X")
        .arg("utf8")
        .arg(trees::path("tests/it/yaml_1_1.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python runs");
    let input = serde_json::to_vec(cases).expect("JSON");
    let mut stdin = child.stdin.take().expect("it was piped");
    stdin.write_all(&input).expect("Python reads");
    drop(stdin);
    let output = child.wait_with_output().expect("Python ends");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    print!("{said}");
}

fn case(name: &str, meant: Value) -> Value {
    json!({"name": name, "yaml": write::document(&Node::from_json(meant.clone())), "meant": [meant]})
}

/// A string as a value, as a key, and in lists, at several depths.
fn everywhere(text: &str) -> Value {
    json!({
        "value": text,
        text: [text, {text: {text: [[text]]}}],
        "last": {"below": text},
    })
}

#[test]
fn every_file_reads_back_as_what_was_meant() {
    let catalogue = Catalogue::embedded();
    let mut cases = Vec::new();
    for tree in trees::all() {
        let compiled = compile("cluster.toml", &tree.config, &Bare, &catalogue);
        assert!(!compiled.has_errors());
        let folder = trees::path(&format!("snapshots/{}", tree.name));
        for file in compiled.files.iter().filter(|it| it.kind.has_objects()) {
            let meant: Vec<Value> = file.objects.iter().map(Node::to_json).collect();
            assert!(!meant.is_empty());
            // The stored file is read; the snapshot tests check that it equals the rendered one.
            let yaml = std::fs::read_to_string(folder.join(&file.path)).expect("a snapshot");
            cases.push(json!({"name": format!("{}/{}", tree.name, file.path), "yaml": yaml, "meant": meant}));
        }
    }
    assert!(!cases.is_empty());
    compare(&cases);
}

/// Strings that YAML 1.1 reads as other types, that end a scalar, or that editors and terminals change.
#[rustfmt::skip]
const HOSTILE: &[&str] = &[
    "", " ", "  a", "a ", "\t", "\n", "\n\n", "a\n", "a\n\n", "\na", " a\nb", "a \nb", "a\tb\nc", "a\r\nb", "\r",
    "on", "On", "OFF", "yes", "No", "y", "N", "true", "False", "TRUE", "null", "Null", "~", "none",
    "0", "-0", "+1", "12:30", "1:2:3", "-190:20:30", "190:20:30.15", "1_000", "1_000.5", "0o7", "010", "0b10", "0x1F", "1e3", "1.0e+3", "1e-3", ".5", "5.",
    ".inf", "-.Inf", ".nan", "NaN", "Infinity", "685.230_15e+03",
    "2026-01-01", "2026-1-1", "2026-01-01T00:00:00Z", "2026-01-01 10:00:00.1 -5", "1.9.0", "1.10", "v1.9.0", "10.10.30.26", "10.10.30.0/24", "fd00::1", "::", "::1",
    "=", "<<", "-", "?", ":", "- a", "? a", ": a", "a: b", "a:", ":a", "a #b", "#a", "a#b", "-a", "--", "---", "...", "--- a", "a\n---\nb", "a\n...\nb",
    "&a", "*a", "!a", "!!str a", "%a", "@a", "`a", "|", ">", "|-", "a|b", "{", "}", "{}", "[", "]", "[]", ",", "a, b", "{{ a }}", "{% a %}", "{a", "a}",
    "'", "\"", "''", "\"\"", "it's", "\"a\"", "'a'", "\\", "\\n", "a\\", "${A}", "${A/./-}", "$${A}", "*", "*.example.com", "?", "!",
    "\u{0}", "\u{7}", "\u{1b}[31m", "\u{7f}", "\u{80}", "\u{85}", "a\u{85}b", "\u{a0}", "\u{ad}", "\u{2028}", "a\u{2028}b", "a\nb\u{2029}c", "\u{200b}", "\u{202e}abc", "\u{feff}", "\u{feff}a", "a\n\u{feff}b",
    "\u{fffd}", "\u{fffe}", "\u{ffff}", "\u{e000}", "\u{f0000}", "\u{f0000}0\u{f0001}", "\u{10ffff}", "é", "e\u{301}", "日本語", "🚪", "a\n日本語\n",
];

#[test]
fn hostile_texts_come_back() {
    let cases: Vec<Value> = HOSTILE
        .iter()
        .map(|text| case(&format!("{text:?}"), everywhere(text)))
        .collect();
    compare(&cases);
}

#[test]
fn generated_texts_come_back() {
    let pieces = proptest::sample::select(HOSTILE);
    let joined = proptest::collection::vec(pieces, 1..6).prop_map(|pieces| pieces.concat());
    let texts = prop_oneof![
        joined,
        any::<String>(),
        "[ -~]{0,40}",
        "[ -~\n]{0,80}",
        "[-+0-9_.:eExob]{1,12}",
        "[ -~]{100,300}",
    ];
    // The strings are the same in every run, so that failures can be reproduced.
    let mut runner = TestRunner::deterministic();
    let cases: Vec<Value> = (0..2000)
        .map(|at| {
            let text = texts.new_tree(&mut runner).expect("a text").current();
            case(&format!("text {at}, {text:?}"), everywhere(&text))
        })
        .collect();
    compare(&cases);
}

#[test]
fn numbers_come_back() {
    let numbers = json!([
        0,
        -1,
        1,
        80,
        1_000_000,
        i64::MIN,
        u64::MAX,
        0.5,
        -0.5,
        1.0,
        1e3,
        1e16,
        1.5e16,
        1e-7,
        1.25e300,
        -2e-300,
        f64::MAX,
        f64::MIN_POSITIVE
    ]);
    compare(&[case("numbers", numbers)]);
}
