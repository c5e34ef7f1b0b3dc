//! The output of a diff for a terminal.

use super::model::{Change, Diff, FieldChange, FieldDiff, FileChange, FileDiff, ObjectDiff};
use super::secret::HIDDEN;
use super::shown::{self, Line, Mark};
use envoy_gateway::exposure::Direction;
use manifest::diagnostic::printable::printable;

/// The maximum number of characters of two values that are shown on one line.
const ONE_LINE: usize = 100;

/// The diff as text, by file, object and field. The last line is a summary.
/// `colour` adds ANSI escapes. The content of objects can't add escapes of its own.
pub fn text(diff: &Diff, colour: bool) -> String {
    let mut out = Out {
        text: String::new(),
        colour,
    };
    out.exposure(diff);
    let mut file = None;
    for object in &diff.objects {
        if file != Some(object.file()) {
            file = Some(object.file());
            out.line(0, Paint::Strong, &printable(object.file()));
        }
        out.object(object);
    }
    diff.files.iter().for_each(|file| out.file(file));
    if !diff.is_empty() {
        out.text.push('\n');
    }
    out.line(0, Paint::Strong, &shown::summary(&diff.summary()));
    out.text
}

#[derive(Clone, Copy)]
enum Paint {
    Plain,
    Strong,
    Red,
    Green,
    Yellow,
    Cyan,
}

impl Paint {
    /// The parameters of the ANSI escape.
    fn code(self) -> &'static str {
        match self {
            Paint::Plain => "",
            Paint::Strong => "1",
            Paint::Red => "31",
            Paint::Green => "32",
            Paint::Yellow => "33",
            Paint::Cyan => "36",
        }
    }
}

struct Out {
    text: String,
    colour: bool,
}

impl Out {
    fn line(&mut self, indent: usize, paint: Paint, text: &str) {
        self.text.extend(std::iter::repeat_n(' ', indent));
        if self.colour && !matches!(paint, Paint::Plain) {
            self.text
                .push_str(&format!("\u{1b}[{}m{text}\u{1b}[0m", paint.code()));
        } else {
            self.text.push_str(text);
        }
        self.text.push('\n');
    }

    fn exposure(&mut self, diff: &Diff) {
        if diff.exposure.is_empty() {
            return;
        }
        self.line(0, Paint::Strong, "exposure");
        for change in &diff.exposure {
            let (paint, mark) = match change.direction {
                Direction::Wider => (Paint::Red, '!'),
                Direction::Other => (Paint::Yellow, '~'),
                Direction::Narrower => (Paint::Green, '-'),
            };
            let text = format!("{mark} {}: {}", change.kind.as_str(), change.message());
            self.line(2, paint, &printable(&text));
        }
        self.text.push('\n');
    }

    fn object(&mut self, object: &ObjectDiff) {
        let name = printable(&object.title());
        let (paint, mark, more) = match &object.change {
            Change::Added { .. } => (Paint::Green, '+', String::new()),
            Change::Removed { .. } => (Paint::Red, '-', String::new()),
            Change::Changed { .. } => (Paint::Yellow, '~', String::new()),
            Change::Moved { from, .. } => (
                Paint::Cyan,
                '>',
                format!("  moved from {}", printable(from)),
            ),
        };
        self.line(2, paint, &format!("{mark} {}{more}", name.trim_end()));
        if let Some(content) = &object.content {
            let mark = if mark == '+' {
                Mark::Added
            } else {
                Mark::Removed
            };
            self.lines(4, &shown::object_lines(mark, content));
        }
        object.fields.iter().for_each(|field| self.field(field));
    }

    fn field(&mut self, field: &FieldDiff) {
        let path = shown::path(field);
        let (paint, mark) = match &field.change {
            FieldChange::Added(_) => (Paint::Green, '+'),
            FieldChange::Removed(_) => (Paint::Red, '-'),
            FieldChange::Changed { .. } => (Paint::Yellow, '~'),
            FieldChange::Reordered { .. } => (Paint::Cyan, '='),
        };
        let lines = shown::lines(field);
        let length: usize = lines.iter().map(|line| line.text.chars().count()).sum();
        let short = shown::is_plain(field) && length <= ONE_LINE;
        let reordered = if mark == '=' { "reordered: " } else { "" };
        match lines.as_slice() {
            [line] if short => {
                self.line(6, paint, &format!("{mark} {path}  {}", line.text));
            }
            [old, new] if short && (old.mark, new.mark) == (Mark::Removed, Mark::Added) => {
                self.line(
                    6,
                    paint,
                    &format!("{mark} {path}  {reordered}{} → {}", old.text, new.text),
                );
            }
            lines => {
                self.line(6, paint, format!("{mark} {path}  {reordered}").trim_end());
                self.lines(8, lines);
            }
        }
    }

    fn file(&mut self, file: &FileDiff) {
        let (paint, mark) = match file.change {
            FileChange::Added => (Paint::Green, '+'),
            FileChange::Removed => (Paint::Red, '-'),
            FileChange::Changed => (Paint::Yellow, '~'),
        };
        self.line(0, paint, &format!("{mark} {}", printable(&file.path)));
        match &file.lines {
            Some(lines) => self.lines(2, &shown::hunk_lines(lines)),
            None if file.hidden => self.line(2, Paint::Plain, HIDDEN),
            None => self.line(2, Paint::Plain, "(not text, or empty)"),
        }
    }

    fn lines(&mut self, indent: usize, lines: &[Line]) {
        for Line { mark, text } in lines {
            let (paint, mark) = match mark {
                Mark::Added => (Paint::Green, "+ "),
                Mark::Removed => (Paint::Red, "- "),
                Mark::Context => (Paint::Plain, "  "),
                Mark::Hunk => (Paint::Cyan, ""),
            };
            self.line(indent, paint, format!("{mark}{text}").trim_end());
        }
    }
}
