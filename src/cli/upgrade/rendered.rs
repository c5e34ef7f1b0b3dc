//! What an upgrade renders differently by itself.

use crate::compile::Compiled;
use crate::diff::{self, Change, FieldChange, File};

/// What is rendered differently, one line each.
pub(super) fn lines(before: &Compiled, after: &Compiled) -> Vec<String> {
    let files = |compiled: &Compiled| -> Vec<File> {
        let files = compiled.files.iter();
        let read = files.map(|it| File::read(it.path.clone(), it.text.clone().into_bytes()));
        read.collect()
    };
    let diff = diff::diff(&files(before), &files(after), None);
    let mut lines = Vec::new();
    for object in &diff.objects {
        let name = &object.identity;
        match &object.change {
            Change::Added { file } => lines.push(format!("{name}: new, in {file}")),
            Change::Removed { file } => lines.push(format!("{name}: removed from {file}")),
            Change::Moved { to, .. } => lines.push(format!("{name}: moved to {to}")),
            Change::Changed { .. } => {}
        }
        for field in &object.fields {
            lines.push(format!("{name}: {}{}", field.path, change(&field.change)));
        }
    }
    lines.extend(
        diff.files
            .iter()
            .map(|file| format!("{}: changed", file.path)),
    );
    lines
}

/// How a field changes, as the end of a line.
fn change(change: &FieldChange) -> String {
    let shown = |value: &diff::Value| match value {
        diff::Value::Shown(node) => node.to_json().to_string(),
        diff::Value::Hidden => "(hidden)".to_owned(),
    };
    match change {
        FieldChange::Added(value) => format!(": new, {}", shown(value)),
        FieldChange::Removed(value) => format!(": removed, was {}", shown(value)),
        FieldChange::Changed { old, new, .. } => format!(": {} becomes {}", shown(old), shown(new)),
        FieldChange::Reordered { .. } => ": in another order".to_owned(),
    }
}
