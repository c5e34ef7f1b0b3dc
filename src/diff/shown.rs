//! Functions that the output formats for people share.

use super::model::{FieldChange, FieldDiff, FileChange, Summary, Value};
use super::secret::HIDDEN;
use manifest::diagnostic::printable::printable;
use manifest::value::{Kind, Node};
use manifest::{scalar, write};

/// Whether a line was added, was removed, or is context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Added,
    Removed,
    Context,
    /// The head of a hunk.
    Hunk,
}

/// A line of a diff, without its mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub mark: Mark,
    pub text: String,
}

/// The path of a field.
pub(super) fn path(field: &FieldDiff) -> String {
    if field.path.is_empty() {
        return "(the whole document)".to_owned();
    }
    printable(&field.path)
}

/// The lines that show the change of a field.
pub(super) fn lines(field: &FieldDiff) -> Vec<Line> {
    match &field.change {
        FieldChange::Added(value) => marked(Mark::Added, value_lines(value)),
        FieldChange::Removed(value) => marked(Mark::Removed, value_lines(value)),
        FieldChange::Changed {
            lines: Some(hunks), ..
        } => hunk_lines(hunks),
        FieldChange::Changed { old, new, .. } => {
            removed_and_added(value_lines(old), value_lines(new))
        }
        FieldChange::Reordered { old, new } => {
            removed_and_added(vec![names(old)], vec![names(new)])
        }
    }
}

/// Whether the values of a field can be shown on the same line as its path, because they are neither lists
/// nor maps.
pub(super) fn is_plain(field: &FieldDiff) -> bool {
    let plain = |value: &Value| match value {
        Value::Hidden => true,
        Value::Shown(node) => match &node.kind {
            Kind::Map(map) => map.is_empty(),
            Kind::List(items) => items.is_empty(),
            _ => true,
        },
    };
    match &field.change {
        FieldChange::Added(value) | FieldChange::Removed(value) => plain(value),
        FieldChange::Changed { old, new, lines } => lines.is_none() && plain(old) && plain(new),
        FieldChange::Reordered { .. } => true,
    }
}

/// Removed lines, followed by added ones.
fn removed_and_added(old: Vec<String>, new: Vec<String>) -> Vec<Line> {
    let mut lines = marked(Mark::Removed, old);
    lines.extend(marked(Mark::Added, new));
    lines
}

fn marked(mark: Mark, lines: Vec<String>) -> Vec<Line> {
    lines.into_iter().map(|text| Line { mark, text }).collect()
}

/// The lines of a whole object that is only on one side.
pub(super) fn object_lines(mark: Mark, node: &Node) -> Vec<Line> {
    marked(mark, node_lines(node))
}

/// The lines in the hunks of a unified diff.
pub(super) fn hunk_lines(hunks: &str) -> Vec<Line> {
    let line = |line: &str| {
        let (mark, text) = match line.split_at_checked(1) {
            Some(("+", rest)) => (Mark::Added, rest),
            Some(("-", rest)) => (Mark::Removed, rest),
            Some(("@", _)) => (Mark::Hunk, line),
            Some((" ", rest)) => (Mark::Context, rest),
            _ => (Mark::Context, line),
        };
        Line {
            mark,
            text: printable(text),
        }
    };
    hunks.split_terminator('\n').map(line).collect()
}

/// A value as lines of YAML.
pub(super) fn value_lines(value: &Value) -> Vec<String> {
    match value {
        Value::Hidden => vec![HIDDEN.to_owned()],
        Value::Shown(node) => node_lines(node),
    }
}

fn node_lines(node: &Node) -> Vec<String> {
    let text = match &node.kind {
        Kind::String(text) if !has_several_lines(text) => scalar::string(text),
        // A block literal would need a key, so the text is shown as it is.
        Kind::String(text) => text.clone(),
        _ => write::document(node),
    };
    text.trim_end_matches('\n')
        .split('\n')
        .map(printable)
        .collect()
}

/// Whether a string is shown line by line. If its only line feed is at the end, it is shown as a quoted
/// string, because otherwise the line feed would be invisible.
pub(super) fn has_several_lines(text: &str) -> bool {
    text.trim_end_matches('\n').contains('\n')
}

/// Joins names with commas.
pub(super) fn names(names: &[String]) -> String {
    printable(&names.join(", "))
}

/// The summary as text: `2 objects changed, 1 added (3 fields)`.
pub(super) fn summary(summary: &Summary) -> String {
    let counted = [
        (summary.added, "added"),
        (summary.removed, "removed"),
        (summary.changed, "changed"),
        (summary.moved, "moved"),
    ];
    let mut parts = Vec::new();
    for (count, verb) in counted.into_iter().filter(|(count, _)| *count > 0) {
        let noun = match (parts.is_empty(), count) {
            (false, _) => String::new(),
            (true, 1) => " object".to_owned(),
            (true, _) => " objects".to_owned(),
        };
        parts.push(format!("{count}{noun} {verb}"));
    }
    if summary.files > 0 {
        let plural = if summary.files == 1 { "" } else { "s" };
        parts.push(format!("{} other file{plural}", summary.files));
    }
    if parts.is_empty() {
        return "no difference".to_owned();
    }
    let fields = match summary.fields {
        0 => String::new(),
        1 => " (1 field)".to_owned(),
        fields => format!(" ({fields} fields)"),
    };
    parts.join(", ") + &fields
}

/// The word for the change of an opaque file.
pub(super) fn file_change(change: FileChange) -> &'static str {
    match change {
        FileChange::Added => "added",
        FileChange::Removed => "removed",
        FileChange::Changed => "changed",
    }
}
