//! Reports an import, as text and as JSON.

use std::fmt::Write;

use serde_json::{Value as Json, json};

use super::{Fate, Import};
use crate::diff::json::field;
use crate::diff::model::{FieldChange, FieldDiff, Value};

/// The name of the JSON format. Keys are added to it, never renamed or dropped.
pub const FORMAT: &str = "gatewayctl/import/v1";

/// How many characters of a value are shown in a difference.
const LONGEST_SHOWN: usize = 60;

/// The import as JSON:
///
/// - `schema`: [`FORMAT`]; `config`: the file that was written, as given.
/// - `objects`: how many there were; `generated`: how many are rendered as they were, `in_full` of them written out
///   completely; `kept`: how many stay in their files.
/// - `different`: those that would be rendered differently (`change`: `changed`), and those that would be rendered and
///   didn't exist (`added`), each with `object`, `file` and `fields`, as in `diff`.
/// - `kept_objects`: each with `object`, `file` and `why`.
/// - `dropped_comments`: each with `file`, `line`, `text`. `notes`: what is not supported. `lines`: those of `config`, and
///   of the `yaml` that it replaces. `clusters`: the names of those that were imported into one file; empty for one. `findings`: the number of `errors` and `warnings` of `validate`.
pub fn json(import: &Import, clusters: &[String], config: &str) -> Json {
    let object = |object: &manifest::diagnostic::ObjectRef| {
        json!({
            "apiVersion": object.api_version, "kind": object.kind,
            "namespace": object.namespace, "name": object.name,
        })
    };
    let mut different = Vec::new();
    let mut kept = Vec::new();
    for one in &import.outcomes {
        match &one.fate {
            Fate::Different(fields) => different.push(json!({
                "change": "changed", "object": object(&one.object), "file": one.file,
                "fields": fields.iter().map(field).collect::<Vec<_>>(),
            })),
            Fate::Kept(why) => {
                kept.push(json!({"object": object(&one.object), "file": one.file, "why": why}))
            }
            Fate::Generated { .. } => {}
        }
    }
    different.extend(import.added.iter().map(|(file, added)| {
        json!({"change": "added", "object": object(added), "file": file, "fields": []})
    }));
    let comments = import.dropped.iter();
    let comments =
        comments.map(|(file, line, text)| json!({"file": file, "line": line, "text": text}));
    let diagnostics = &import.compiled.diagnostics;
    json!({
        "schema": FORMAT,
        "config": config,
        "clusters": clusters,
        "objects": import.outcomes.len(),
        "generated": import.count(|fate| matches!(fate, Fate::Generated { .. })),
        "in_full": import.count(|fate| matches!(fate, Fate::Generated { in_full: true })),
        "kept": kept.len(),
        "different": different,
        "kept_objects": kept,
        "dropped_comments": comments.collect::<Vec<_>>(),
        "notes": import.notes,
        "lines": {"config": import.config.lines().count(), "yaml": import.lines},
        "findings": {
            "errors": diagnostics.iter().filter(|one| one.is_error()).count(),
            "warnings": diagnostics
                .iter()
                .filter(|one| one.severity == manifest::diagnostic::Severity::Warning)
                .count(),
        },
    })
}

/// The import as text, without the findings of `validate`.
pub fn human(import: &Import) -> String {
    let mut text = String::new();
    let generated = import.count(|fate| matches!(fate, Fate::Generated { .. }));
    let full = import.count(|fate| matches!(fate, Fate::Generated { in_full: true }));
    let kept = import.count(|fate| matches!(fate, Fate::Kept(_)));
    let changed = import.count(|fate| matches!(fate, Fate::Different(_))) + import.added.len();
    let of_these = if full > 0 {
        format!(" ({full} written out completely)")
    } else {
        String::new()
    };
    // Writing to a string can't fail, here and below.
    let _ = writeln!(
        text,
        "{} objects: {generated} generated{of_these}, {kept} kept, {changed} different; {} lines replace {} lines of YAML",
        import.outcomes.len(),
        import.config.lines().count(),
        import.lines,
    );
    let name = |object: &manifest::diagnostic::ObjectRef| match object.name.as_str() {
        "" => object.kind.clone(),
        name => format!("{} {name}", object.kind),
    };
    section(
        &mut text,
        "different, field by field (as it is → as it would be rendered)",
        import.outcomes.iter().filter_map(|one| {
            let Fate::Different(fields) = &one.fate else {
                return None;
            };
            let fields: String = fields
                .iter()
                .map(|field| format!("\n      {}", shown(field)))
                .collect();
            Some(format!("{}: {}{fields}", one.file, name(&one.object)))
        }),
    );
    section(
        &mut text,
        "rendered, but didn't exist before",
        import
            .added
            .iter()
            .map(|(file, object)| format!("{file}: {}", name(object))),
    );
    section(
        &mut text,
        "written out completely in cluster.toml, because there is no table for it and its file has rendered objects",
        import
            .outcomes
            .iter()
            .filter(|one| matches!(one.fate, Fate::Generated { in_full: true }))
            .map(|one| format!("{}: {}", one.file, name(&one.object))),
    );
    section(
        &mut text,
        "kept in their files",
        import.outcomes.iter().filter_map(|one| {
            let Fate::Kept(why) = &one.fate else {
                return None;
            };
            Some(format!("{}: {}: {why}", one.file, name(&one.object)))
        }),
    );
    section(
        &mut text,
        "comments that the rendered files won't have",
        import
            .dropped
            .iter()
            .map(|(file, line, comment)| format!("{file}:{line}: # {comment}")),
    );
    section(&mut text, "notes", import.notes.iter().cloned());
    text
}

fn section(text: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let mut lines = lines.peekable();
    if lines.peek().is_none() {
        return;
    }
    let _ = writeln!(text, "{title}:");
    for line in lines {
        let _ = writeln!(text, "  {line}");
    }
}

/// A field that differs, as one line.
fn shown(field: &FieldDiff) -> String {
    let value = |value: &Value| match value {
        Value::Hidden => "(hidden)".to_owned(),
        Value::Shown(node) => {
            let text = node.to_json().to_string();
            let cut: String = text.chars().take(LONGEST_SHOWN).collect();
            if cut.len() < text.len() {
                cut + "…"
            } else {
                text
            }
        }
    };
    let path = &field.path;
    match &field.change {
        FieldChange::Added(new) => format!("+ {path}  {}", value(new)),
        FieldChange::Removed(old) => format!("- {path}  {}", value(old)),
        FieldChange::Changed { old, new, .. } => {
            format!("~ {path}  {} → {}", value(old), value(new))
        }
        FieldChange::Reordered { old, new } => {
            format!("~ {path}  {} → {}", old.join(", "), new.join(", "))
        }
    }
}
