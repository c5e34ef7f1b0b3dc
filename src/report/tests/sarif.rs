//! Checks that the output is valid SARIF, with a validator that is written by hand from the specification,
//! Static Analysis Results Interchange Format 2.1.0 with errata 01. It is stricter than the published schema:
//! it refuses unknown keys, and values that the section doesn't allow.

use crate::codes;
use crate::config::codes::CONFIG_INVALID_VALUE;
use crate::tree::codes::TREE_EDITED;
use crd_validate::codes::SCHEMA_VALUE;
use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

/// The type of a value.
enum Is {
    /// An object with these keys.
    Object(&'static [Key]),
    /// A list with at least this many entries of this type, without duplicates.
    List(usize, &'static Is),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A text that is not empty.
    Text,
    /// A line or a column, from 1.
    Count,
    /// An index or an id, from 0.
    Index,
    /// A URI reference (RFC 3986) in which everything is encoded that must be.
    Uri,
}

/// A key, whether it is required, and its type.
type Key = (&'static str, bool, Is);

const MUST: bool = true;
const MAY: bool = false;

/// 3.10.4, 3.27.10, 3.50.3.
const LEVEL: Is = Is::Word(&["none", "note", "warning", "error"]);

/// 3.11 message, 3.12 multiformatMessageString.
const MESSAGE: Is = Is::Object(&[("text", MUST, Is::Text), ("markdown", MAY, Is::Text)]);

/// 3.30 region.
const REGION: Is = Is::Object(&[
    ("startLine", MUST, Is::Count),
    ("startColumn", MAY, Is::Count),
    ("endLine", MAY, Is::Count),
    ("endColumn", MAY, Is::Count),
]);

/// 3.29 physicalLocation, 3.4 artifactLocation.
const PHYSICAL: Is = Is::Object(&[
    (
        "artifactLocation",
        MUST,
        Is::Object(&[
            ("uri", MUST, Is::Uri),
            ("uriBaseId", MAY, Is::Word(&["%SRCROOT%"])),
        ]),
    ),
    ("region", MUST, REGION),
]);

/// 3.28 location, 3.33 logicalLocation.
const LOCATION: Is = Is::Object(&[
    ("id", MAY, Is::Index),
    ("message", MAY, MESSAGE),
    ("physicalLocation", MAY, PHYSICAL),
    (
        "logicalLocations",
        MAY,
        Is::List(
            1,
            &Is::Object(&[
                ("name", MUST, Is::Text),
                ("fullyQualifiedName", MUST, Is::Text),
                ("kind", MUST, Is::Word(&["resource"])),
            ]),
        ),
    ),
]);

/// 3.27 result.
const RESULT: Is = Is::Object(&[
    ("ruleId", MUST, Is::Text),
    ("ruleIndex", MUST, Is::Index),
    ("level", MUST, LEVEL),
    ("message", MUST, MESSAGE),
    ("locations", MUST, Is::List(0, &LOCATION)),
    ("relatedLocations", MAY, Is::List(1, &LOCATION)),
    (
        "partialFingerprints",
        MUST,
        Is::Object(&[("gatewayctl/v1", MUST, Is::Text)]),
    ),
]);

/// 3.49 reportingDescriptor, 3.50 reportingConfiguration.
const RULE: Is = Is::Object(&[
    ("id", MUST, Is::Text),
    ("shortDescription", MUST, MESSAGE),
    ("fullDescription", MUST, MESSAGE),
    ("help", MUST, MESSAGE),
    (
        "defaultConfiguration",
        MUST,
        Is::Object(&[("level", MUST, LEVEL)]),
    ),
]);

/// 3.19 toolComponent.
const DRIVER: Is = Is::Object(&[
    ("name", MUST, Is::Word(&["gatewayctl"])),
    ("semanticVersion", MUST, Is::Text),
    ("rules", MUST, Is::List(0, &RULE)),
]);

/// 3.13 sarifLog, 3.14 run, 3.18 tool.
const LOG: Is = Is::Object(&[
    ("$schema", MUST, Is::Uri),
    ("version", MUST, Is::Word(&["2.1.0"])),
    (
        "runs",
        MUST,
        Is::List(
            1,
            &Is::Object(&[
                ("tool", MUST, Is::Object(&[("driver", MUST, DRIVER)])),
                (
                    "originalUriBaseIds",
                    MUST,
                    Is::Object(&[(
                        "%SRCROOT%",
                        MUST,
                        Is::Object(&[("description", MUST, MESSAGE)]),
                    )]),
                ),
                (
                    "columnKind",
                    MUST,
                    Is::Word(&["utf16CodeUnits", "unicodeCodePoints"]),
                ),
                ("results", MUST, Is::List(0, &RESULT)),
            ]),
        ),
    ),
]);

fn judge(value: &Value, is: &Is, at: &str) {
    match is {
        Is::Object(keys) => {
            let object = value
                .as_object()
                .unwrap_or_else(|| panic!("{at}: no object"));
            for key in object.keys() {
                assert!(keys.iter().any(|it| it.0 == key), "{at}: {key} is unknown");
            }
            for (key, must, is) in *keys {
                match object.get(*key) {
                    Some(value) => judge(value, is, &format!("{at}.{key}")),
                    None => assert!(!must, "{at}: no {key}"),
                }
            }
        }
        Is::List(least, is) => {
            let list = value.as_array().unwrap_or_else(|| panic!("{at}: no list"));
            assert!(list.len() >= *least, "{at}: too short");
            let distinct: BTreeSet<String> = list.iter().map(Value::to_string).collect();
            assert_eq!(distinct.len(), list.len(), "{at}: the same twice");
            for (index, value) in list.iter().enumerate() {
                judge(value, is, &format!("{at}[{index}]"));
            }
        }
        Is::Word(words) => assert!(
            value.as_str().is_some_and(|word| words.contains(&word)),
            "{at}: {value}"
        ),
        Is::Text => assert!(
            value.as_str().is_some_and(|text| !text.trim().is_empty()),
            "{at}: {value}"
        ),
        Is::Count => assert!(value.as_u64().is_some_and(|it| it > 0), "{at}: {value}"),
        Is::Index => assert!(value.is_u64(), "{at}: {value}"),
        Is::Uri => {
            let uri = value.as_str().unwrap_or_default();
            let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~/%".contains(c);
            let (scheme, rest) = uri.split_once(':').unwrap_or(("https", uri));
            assert!(["https", "file"].contains(&scheme), "{at}: {uri}");
            assert!(!rest.is_empty() && rest.chars().all(allowed), "{at}: {uri}");
        }
    }
}

/// Checks that a table of keys can't express.
fn judge_result(result: &Value, rules: &Value) {
    // 3.27.6: the index names the rule.
    let index = result["ruleIndex"].as_u64().expect("an index") as usize;
    assert_eq!(rules[index]["id"], result["ruleId"]);
    // 3.11.5: single braces would be placeholders; 3.11.6: brackets and parentheses would be a link.
    let text = result["message"]["text"].as_str().expect("a text");
    assert!(
        !text
            .replace("{{", "")
            .replace("}}", "")
            .contains(['{', '}']),
        "{text}"
    );
    assert!(!text.replace("\\](", "").contains("]("), "{text}");
    let places = ["locations", "relatedLocations"].map(|key| result[key].as_array());
    for place in places.into_iter().flatten().flatten() {
        let region = &place["physicalLocation"]["region"];
        let at = |line, column| (region[line].as_u64(), region[column].as_u64());
        // 3.30.5 to 3.30.8: the end is not before the start.
        if region.get("endLine").is_some() {
            assert!(at("endLine", "endColumn") >= at("startLine", "startColumn"));
        }
    }
}

fn sarif(run: &Run) -> Value {
    let text = run.show(Format::Sarif);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
    let log: Value = serde_json::from_str(&text).expect("JSON");
    judge(&log, &LOG, "log");
    let run = &log["runs"][0];
    let results = run["results"].as_array().expect("results");
    for result in results {
        judge_result(result, &run["tool"]["driver"]["rules"]);
    }
    let prints: BTreeSet<&str> = results.iter().map(fingerprint).collect();
    assert_eq!(prints.len(), results.len(), "fingerprints are distinct");
    log
}

fn fingerprint(result: &Value) -> &str {
    let print = &result["partialFingerprints"]["gatewayctl/v1"];
    print.as_str().expect("a fingerprint")
}

/// The fingerprints of a run, in the order of its results.
fn fingerprints(run: &Run) -> Vec<String> {
    let log = sarif(run);
    let results = log["runs"][0]["results"].as_array().expect("results");
    results
        .iter()
        .map(|it| fingerprint(it).to_owned())
        .collect()
}

#[test]
fn the_sarif_report_has_every_place() {
    let log = sarif(&full());
    let mut text = format!("{log:#}");
    text = text.replace(env!("CARGO_PKG_VERSION"), "[VERSION]");
    snapshot!(text);
}

#[test]
fn findings_without_a_place_are_sarif_too() {
    let mut run = Run::default();
    let found = |message: &str| Diagnostic::new(TREE_EDITED, message);
    let mut object = found("once an object, but no place");
    object.object = gateway();
    let file = found("a file").in_file("/etc/a b.yaml");
    run.findings = vec![found("a thing"), object, file];
    let log = sarif(&run);
    let results = &log["runs"][0]["results"];
    assert_eq!(results[0]["locations"], serde_json::json!([]));
    assert!(results[1]["locations"][0].get("physicalLocation").is_none());
    assert_eq!(
        results[2]["locations"][0]["physicalLocation"],
        serde_json::json!({
            "artifactLocation": { "uri": "file:///etc/a%20b.yaml" },
            "region": { "startLine": 1 },
        })
    );
    sarif(&Run::default());
}

#[test]
fn braces_brackets_and_paths_are_escaped() {
    let mut run = Run::default();
    let file = run.file("a:b/é {0}.yaml", "x: 1\n");
    let finding = Diagnostic::new(SCHEMA_VALUE, "`${VAR}` [x](0) \u{1b}")
        .at(run.find(file, "1"))
        .related(run.find(file, "x"), "{0}");
    run.findings = vec![finding];
    let log = sarif(&run);
    let result = &log["runs"][0]["results"][0];
    assert_eq!(result["message"]["text"], "`${{VAR}}` [x\\](0) \u{1b}");
    let related = &result["relatedLocations"][0];
    assert_eq!(related["message"]["text"], "{{0}}");
    let place = &related["physicalLocation"]["artifactLocation"];
    assert_eq!(place["uri"], "a%3Ab/%C3%A9%20%7B0%7D.yaml");
}

#[test]
fn every_code_is_a_rule_with_its_page() {
    let found = |code: &manifest::diagnostic::Code| Diagnostic::new(*code, "found");
    let run = Run {
        findings: codes::all().iter().map(found).collect(),
        ..Run::default()
    };
    let log = sarif(&run);
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array();
    let rules = rules.expect("rules");
    assert_eq!(rules.len(), codes::all().len());
    for rule in rules {
        let meaning = rule["fullDescription"]["text"].as_str().expect("a text");
        // GitHub takes 1,024 characters.
        assert!((80..=1024).contains(&meaning.chars().count()), "{meaning}");
        assert!(
            !meaning.contains("```") && !meaning.contains("# "),
            "{meaning}"
        );
    }
}

#[test]
fn fingerprints_do_not_depend_on_lines_and_are_unique() {
    let run = |text: &str, words: &[&str]| {
        let mut run = Run::default();
        let file = run.file("cluster.toml", text);
        let finding = |words: &&str| {
            let start = text.find(words).expect("words of the file");
            Diagnostic::new(CONFIG_INVALID_VALUE, *words).at(Span::new(
                file,
                start,
                start + words.len(),
            ))
        };
        run.findings = words.iter().map(finding).collect();
        fingerprints(&run)
    };
    let before = run("a = [1, 2]\nb = 3\n", &["1", "2", "3"]);
    let (first, _) = before[0].split_once(':').expect("a number");
    assert_eq!(before[1], format!("{first}:2"));
    assert_eq!(first.len(), 64);
    let after = run("# more\n\n  a = [1, 2]\nb = 3\n", &["1", "2", "3"]);
    assert_eq!(before, after, "lines moved");
    let fixed = run("b = 3\n", &["3"]);
    assert_eq!(fixed[0], before[2], "another finding was fixed");
    let changed = run("a = [1, 2]\nb = 33\n", &["1", "2", "33"]);
    assert_eq!(before[..2], changed[..2]);
    assert_ne!(before[2], changed[2], "the line has changed");
}
