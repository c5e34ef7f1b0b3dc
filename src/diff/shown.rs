//! What the formats for people have in common.

use super::model::{FieldChange, FieldDiff, FileChange, Summary, Value};
use super::secret::HIDDEN;
use manifest::diagnostic::printable::printable;
use manifest::value::{Kind, Node};
use manifest::{scalar, write};

/// Whether a line is new, gone, or stands around a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Added,
    Removed,
    Around,
    /// The head of a hunk.
    Hunk,
}

/// One line of a difference, without its mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub mark: Mark,
    pub text: String,
}

/// A field's path.
pub fn path(field: &FieldDiff) -> String {
    if field.path.is_empty() {
        return "(the whole document)".to_owned();
    }
    printable(&field.path)
}

/// The lines of a field's change.
pub fn lines(field: &FieldDiff) -> Vec<Line> {
    match &field.change {
        FieldChange::Added(value) => marked(Mark::Added, value_lines(value)),
        FieldChange::Removed(value) => marked(Mark::Removed, value_lines(value)),
        FieldChange::Changed {
            lines: Some(hunks), ..
        } => hunk_lines(hunks),
        FieldChange::Changed { old, new, .. } => both(value_lines(old), value_lines(new)),
        FieldChange::Reordered { old, new } => both(vec![names(old)], vec![names(new)]),
    }
}

/// Whether a field's values are such that they may stand on the line of its path: no lists, no maps.
pub fn is_plain(field: &FieldDiff) -> bool {
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

/// Removed lines, then added ones.
fn both(old: Vec<String>, new: Vec<String>) -> Vec<Line> {
    let mut lines = marked(Mark::Removed, old);
    lines.extend(marked(Mark::Added, new));
    lines
}

fn marked(mark: Mark, lines: Vec<String>) -> Vec<Line> {
    lines.into_iter().map(|text| Line { mark, text }).collect()
}

/// The lines of a whole object that is on one side only.
pub fn object_lines(mark: Mark, node: &Node) -> Vec<Line> {
    marked(mark, node_lines(node))
}

/// The lines of a unified diff's hunks.
pub fn hunk_lines(hunks: &str) -> Vec<Line> {
    let line = |line: &str| {
        let (mark, text) = match line.split_at_checked(1) {
            Some(("+", rest)) => (Mark::Added, rest),
            Some(("-", rest)) => (Mark::Removed, rest),
            Some(("@", _)) => (Mark::Hunk, line),
            Some((" ", rest)) => (Mark::Around, rest),
            _ => (Mark::Around, line),
        };
        Line {
            mark,
            text: printable(text),
        }
    };
    hunks.split_terminator('\n').map(line).collect()
}

/// A value as YAML lines.
pub fn value_lines(value: &Value) -> Vec<String> {
    match value {
        Value::Hidden => vec![HIDDEN.to_owned()],
        Value::Shown(node) => node_lines(node),
    }
}

fn node_lines(node: &Node) -> Vec<String> {
    let text = match &node.kind {
        Kind::String(text) if !has_several_lines(text) => scalar::string(text),
        // A block literal needs a key to hang below; bare lines say the same here.
        Kind::String(text) => text.clone(),
        _ => write::document(node),
    };
    text.trim_end_matches('\n')
        .split('\n')
        .map(printable)
        .collect()
}

/// Whether a text is shown line by line. One whose only line end is its last is shown as a string, quotes
/// and all, or nobody would see that line end.
pub fn has_several_lines(text: &str) -> bool {
    text.trim_end_matches('\n').contains('\n')
}

/// Names in a row.
pub fn names(names: &[String]) -> String {
    printable(&names.join(", "))
}

/// A summary in words: `2 objects changed, 1 added; 3 fields`.
pub fn summary(summary: &Summary) -> String {
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

/// The word for what became of an opaque file.
pub fn file_change(change: FileChange) -> &'static str {
    match change {
        FileChange::Added => "added",
        FileChange::Removed => "removed",
        FileChange::Changed => "changed",
    }
}
