//! The output of a diff for a comment on a pull request.

use super::model::{Change, Diff, FieldChange, FieldDiff, FileDiff, ObjectDiff};
use super::picture::picture;
use super::shown::{self, Line, Mark};
use envoy_gateway::exposure::Direction;
use manifest::diagnostic::printable::printable;

/// The maximum size in bytes. GitHub allows 65,536 characters, and the comment may contain other text, too.
pub const LONGEST: usize = 60_000;

/// The first line, by which a program finds the comment of an earlier run and replaces it.
pub const MARKER: &str = "<!-- gatewayctl diff -->";

/// The maximum size of the table, in bytes.
const LONGEST_TABLE: usize = 15_000;

/// The bytes that are reserved for the text at the end.
const CLOSING: usize = 300;

/// The diff as GitHub's Markdown: a heading, a table, and a collapsible section for each object. If the text
/// would be longer than [`LONGEST`], the rest is left out, and a line says so.
/// The content of objects can't end a code block, a table cell or a tag, and it can't mention users.
pub fn markdown(diff: &Diff) -> String {
    let summary = shown::summary(&diff.summary());
    let mut text = format!("{MARKER}\n### gatewayctl diff: {summary}\n");
    if diff.is_empty() {
        return text;
    }
    exposure(&mut text, diff);
    text.push_str(&picture(&diff.exposure));
    let rows = diff
        .objects
        .iter()
        .map(object_row)
        .chain(diff.files.iter().map(file_row));
    table(&mut text, rows);
    let blocks = diff
        .objects
        .iter()
        .map(object_block)
        .chain(diff.files.iter().map(file_block));
    let mut left_out = 0;
    for block in blocks {
        match block.fit(LONGEST.saturating_sub(text.len() + CLOSING)) {
            Some(block) if left_out == 0 => text.push_str(&block),
            _ => left_out += 1,
        }
    }
    if left_out > 0 {
        let noun = if left_out == 1 { "part" } else { "parts" };
        text.push_str(&format!(
            "\n*{left_out} more {noun} left out because of the size limit of comments. `gatewayctl diff` shows all.*\n"
        ));
    }
    text
}

/// The maximum size of the section about exposure, in bytes.
const LONGEST_EXPOSURE: usize = 10_000;

fn exposure(text: &mut String, diff: &Diff) {
    if diff.exposure.is_empty() {
        return;
    }
    text.push_str("\n**Exposure**\n\n");
    let mut left_out = 0;
    for change in &diff.exposure {
        let word = match change.direction {
            Direction::Wider => "**wider**",
            Direction::Other => "changed",
            Direction::Narrower => "narrower",
        };
        let row = format!("- {word}: {}\n", code(&change.message()));
        match left_out == 0 && text.len() + row.len() <= LONGEST_EXPOSURE {
            true => text.push_str(&row),
            false => left_out += 1,
        }
    }
    if left_out > 0 {
        text.push_str(&format!("- and {left_out} more\n"));
    }
}

fn table(text: &mut String, rows: impl Iterator<Item = String>) {
    text.push_str("\n| | object | file | fields |\n|---|---|---|---|\n");
    let (mut left_out, start) = (0, text.len());
    for row in rows {
        if left_out == 0 && text.len() - start + row.len() <= LONGEST_TABLE {
            text.push_str(&row);
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        text.push_str(&format!("| … | {left_out} more | | |\n"));
    }
}

fn object_row(object: &ObjectDiff) -> String {
    let fields = match object.fields.len() {
        0 => String::new(),
        count => count.to_string(),
    };
    let file = match &object.change {
        Change::Moved { from, to } => format!("{} → {}", code(from), code(to)),
        _ => code(object.file()),
    };
    format!(
        "| {} | {} | {file} | {fields} |\n",
        change(object),
        object.name().map_or(String::new(), |name| code(&name))
    )
}

fn file_row(file: &FileDiff) -> String {
    format!(
        "| {} | | {} | |\n",
        shown::file_change(file.change),
        code(&file.path)
    )
}

fn change(object: &ObjectDiff) -> &'static str {
    match object.change {
        Change::Added { .. } => "added",
        Change::Removed { .. } => "removed",
        Change::Changed { .. } => "changed",
        Change::Moved { .. } => "moved",
    }
}

/// A collapsible section.
struct Block {
    summary: String,
    lines: Vec<String>,
}

impl Block {
    /// The section in at most `room` bytes, with fewer lines if necessary; `None` if no line fits.
    fn fit(&self, room: usize) -> Option<String> {
        if self.lines.is_empty() {
            let text = format!("\n- {}\n", self.summary);
            return (text.len() <= room).then_some(text);
        }
        // A fence must be longer than any run of backticks in its content (CommonMark 0.31, 4.5).
        let longest = self
            .lines
            .iter()
            .map(|line| backticks(line))
            .max()
            .unwrap_or_default();
        let fence = "`".repeat(longest.max(2) + 1);
        let head = format!(
            "\n<details><summary>{}</summary>\n\n{fence}diff\n",
            self.summary
        );
        let tail = format!("{fence}\n\n</details>\n");
        const CUT: &str = "\n*This part was cut.*\n";
        let room = room.checked_sub(head.len() + tail.len() + CUT.len())?;
        let mut body = String::new();
        for line in &self.lines {
            if body.len() + line.len() + 1 > room {
                let tail =
                    tail.replace("\n</details>", &format!("{}\n</details>", CUT.trim_start()));
                return (!body.is_empty()).then(|| format!("{head}{body}{tail}"));
            }
            body.push_str(line);
            body.push('\n');
        }
        Some(format!("{head}{body}{tail}"))
    }
}

/// The length of the longest run of backticks.
fn backticks(line: &str) -> usize {
    line.split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default()
}

fn object_block(object: &ObjectDiff) -> Block {
    let mark = match object.change {
        Change::Removed { .. } => Mark::Removed,
        _ => Mark::Added,
    };
    let content = object
        .content
        .iter()
        .flat_map(|content| shown::object_lines(mark, content));
    let lines = content
        .map(|line| diff_line(&line))
        .chain(object.fields.iter().flat_map(field_lines));
    Block {
        summary: format!("{}: {}", code(&object.title()), change(object)),
        lines: lines.collect(),
    }
}

fn file_block(file: &FileDiff) -> Block {
    let lines = file
        .lines
        .as_deref()
        .map(shown::hunk_lines)
        .unwrap_or_default();
    Block {
        summary: format!("{}: {}", code(&file.path), shown::file_change(file.change)),
        lines: lines.iter().map(diff_line).collect(),
    }
}

/// The path of a field as the head of a hunk, and the lines of its change.
fn field_lines(field: &FieldDiff) -> Vec<String> {
    let what = match &field.change {
        FieldChange::Added(_) => " added",
        FieldChange::Removed(_) => " removed",
        FieldChange::Changed { .. } => "",
        FieldChange::Reordered { .. } => " reordered",
    };
    let mut lines = vec![format!("@@ {} @@{what}", shown::path(field))];
    // The hunk heads inside a string would look like fields.
    let hunks = shown::lines(field)
        .into_iter()
        .filter(|line| line.mark != Mark::Hunk);
    lines.extend(hunks.map(|line| diff_line(&line)));
    lines
}

fn diff_line(line: &Line) -> String {
    let mark = match line.mark {
        Mark::Added => "+ ",
        Mark::Removed => "- ",
        Mark::Context => "  ",
        Mark::Hunk => "",
    };
    format!("{mark}{}", line.text).trim_end().to_owned()
}

/// Formats text as code that neither Markdown nor HTML interprets. Everything but letters, digits and a few
/// safe characters is written as a character reference, which is never markup (CommonMark 0.31, 2.5). GitHub
/// creates no mentions or links inside a `code` tag.
fn code(text: &str) -> String {
    let mut safe = String::from("<code>");
    for c in printable(text).trim_end().chars() {
        match c {
            c if c.is_alphanumeric() || matches!(c, ' ' | '/' | '.' | '-') => safe.push(c),
            c => safe.push_str(&format!("&#{};", u32::from(c))),
        }
    }
    safe + "</code>"
}
