//! Agreement with what a real API server answered. The cases stand beside the project, in the folder that
//! `GATEWAYCTL_SHARED` names, else `../shared`; without it the tests say so and pass.

use std::path::PathBuf;

use serde_json::Value;

use super::Structure;
use crate::diagnostic::{Code, Diagnostic};
use crate::manifest::Object;
use crate::schema::{Catalogue, Lookup, Selection};
use crate::value::{Node, Pointer, pointer::Step};

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

/// The fields at fault that only the structure pass can find: not CEL's, which a later pass does, and not
/// metadata's.
fn structural_fields(case: &Value) -> Vec<String> {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let message = text(case, "message");
    let unknown = message.split("unknown field \"").skip(1);
    let unknown = unknown.filter_map(|rest| rest.split_once('"'));
    let causes = case["causes"].as_array().cloned().unwrap_or_default();
    let wrong = causes.iter().filter(|cause| {
        text(cause, "reason") != "FieldValueInvalid" || text(cause, "message").contains(" in body ")
    });
    unknown
        .map(|(field, _)| field.to_owned())
        .chain(wrong.map(|cause| text(cause, "field")))
        .filter(|field| !field.starts_with("metadata"))
        .collect()
}

#[derive(Default)]
struct Tally {
    accepted: usize,
    agreed: usize,
    refused: usize,
    found: usize,
    fields: usize,
    fields_found: usize,
    beyond: usize,
    without_schema: usize,
}

/// All fields that the API server complains of.
fn all_fields(case: &Value) -> Vec<String> {
    let causes = case["causes"].as_array().cloned().unwrap_or_default();
    let fields = causes.iter().filter_map(|cause| cause["field"].as_str());
    fields.map(str::to_owned).collect()
}

/// A finding's field as the API server's structural checks write it: keys with dots unbracketed.
fn dotted(finding: &Diagnostic) -> String {
    let pointer = finding.pointer.as_deref().and_then(Pointer::parse);
    let mut text = String::new();
    for step in pointer.unwrap_or_default().steps() {
        match step {
            Step::Index(index) => text.push_str(&format!("[{index}]")),
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => text.push_str(&format!(".{key}")),
        }
    }
    text
}

#[test]
fn what_the_api_server_accepts_is_accepted() {
    let Some(folder) = shared() else { return };
    let catalogue = Catalogue::embedded();
    let mut false_alarms = Vec::new();
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the oracle's folder")
        .map(|entry| entry.expect("a file").path())
        .collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut selection = Selection::newest(&catalogue);
        let channel = if name.contains("standard") {
            "standard"
        } else {
            "experimental"
        };
        selection
            .declare(
                &catalogue,
                "gateway-api",
                "1.6.1",
                Some(channel),
                "the oracle",
            )
            .expect("the oracle's version");
        let structure = Structure::new(&catalogue);
        let mut tally = Tally::default();
        let mut missed = Vec::new();
        for line in std::fs::read_to_string(&path).expect("a text").lines() {
            let case: Value = serde_json::from_str(line).expect("a case");
            let Some(findings) = findings(&structure, &catalogue, &selection, &case) else {
                tally.without_schema += 1;
                continue;
            };
            if case["accepted"] == true {
                tally.accepted += 1;
                tally.agreed += usize::from(findings.is_empty());
                false_alarms.extend(findings.into_iter().map(|it| it.message));
                continue;
            }
            let wanted = structural_fields(&case);
            if wanted.is_empty() {
                continue;
            }
            tally.refused += 1;
            tally.found += usize::from(!findings.is_empty());
            let fields: Vec<String> = findings.iter().map(dotted).collect();
            let is_decoding = case["causes"].as_array().is_none_or(Vec::is_empty);
            if !is_decoding {
                // Where a field is unknown the API server looks no further. Of a value that stands in a list
                // three times it complains once.
                let all = all_fields(&case);
                let beyond = findings.iter().filter(|finding| {
                    finding.code != Code::SchemaListKey && !all.contains(&dotted(finding))
                });
                tally.beyond += beyond.count();
            }
            for field in wanted {
                tally.fields += 1;
                if fields.contains(&field) {
                    tally.fields_found += 1;
                } else {
                    missed.push(format!("{field}: found {fields:?}"));
                }
            }
        }
        println!(
            "{name}: accepted {} of {}; refused for structure {} of {}, at the same field {} of {}, beyond it {}; no schema for {}",
            tally.agreed,
            tally.accepted,
            tally.found,
            tally.refused,
            tally.fields_found,
            tally.fields,
            tally.beyond,
            tally.without_schema
        );
        for message in missed.iter().take(25) {
            println!("  missed: {message:.300}");
        }
    }
    false_alarms.dedup();
    assert_eq!(false_alarms, Vec::<String>::new());
}

fn findings(
    structure: &Structure<'_>,
    catalogue: &Catalogue,
    selection: &Selection,
    case: &Value,
) -> Option<Vec<Diagnostic>> {
    let object = Object {
        node: Node::from_json(case["object"].clone()),
        origins: None,
        file: "case".to_owned(),
    };
    match catalogue.look_up(selection, object.group(), object.version(), object.kind()) {
        Lookup::Known(schema) => Some(structure.check(&object, &schema)),
        _ => None,
    }
}
