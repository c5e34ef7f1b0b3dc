//! The output of a diff as a page: what changes in exposure first, then each object.

use super::model::{Change, Diff, FieldChange, FieldDiff, FileDiff, ObjectDiff};
use super::shown::{self, Line, Mark};
use crate::page::escape::xml;
use crate::page::{Page, changes};

/// With more objects than this, they are folded.
const MOST_OPEN: usize = 12;

const TOOLS: &str = "<button type=\"button\" id=\"fold\">Unfold all</button>\n";

/// The diff as a page without external files. `notes` are told before everything else, such as that the diff is incomplete.
pub fn html(diff: &Diff, notes: &[String]) -> String {
    let title = format!("What changes: {}", shown::summary(&diff.summary()));
    let mut main = format!("<div class=\"text\">\n<h1>{}</h1>\n", xml(&title));
    for note in notes {
        main.push_str(&format!("<p>{}</p>\n", xml(note)));
    }
    if !diff.exposure.is_empty() {
        main.push_str("<h2>Exposure</h2>\n");
        main.push_str(&changes::list(&diff.exposure));
    }
    let is_open = diff.objects.len() + diff.files.len() <= MOST_OPEN;
    section(
        &mut main,
        "Objects",
        diff.objects.iter().map(object),
        is_open,
    );
    section(
        &mut main,
        "Other files",
        diff.files.iter().map(file),
        is_open,
    );
    main.push_str("</div>\n");
    Page::of_rows(title, "object, field, value", TOOLS, main)
}

/// An object or a file.
struct Part {
    word: &'static str,
    title: String,
    place: String,
    body: String,
}

fn section(main: &mut String, title: &str, parts: impl Iterator<Item = Part>, is_open: bool) {
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return;
    }
    main.push_str(&format!(
        "<section class=\"objects group\">\n<h2>{title}</h2>\n"
    ));
    let open = if is_open { " open" } else { "" };
    for part in parts {
        let Part {
            word,
            title,
            place,
            body,
        } = part;
        let (title, place) = (xml(&title), xml(&place));
        main.push_str(&format!(
            "<details class=\"item\"{open}><summary><span class=\"word {word}\">{word}</span><b>{title}</b><span class=\"faint\">{place}</span></summary>\n{body}</details>\n"
        ));
    }
    main.push_str("</section>\n");
}

fn object(object: &ObjectDiff) -> Part {
    let (word, mark) = match object.change {
        Change::Added { .. } => ("added", Mark::Added),
        Change::Removed { .. } => ("removed", Mark::Removed),
        Change::Changed { .. } => ("changed", Mark::Added),
        Change::Moved { .. } => ("moved", Mark::Added),
    };
    let place = match &object.change {
        Change::Moved { from, to } => format!("{from} → {to}"),
        _ => object.file().to_owned(),
    };
    let (title, place) = match object.name() {
        Some(name) => (name, place),
        None => (place, String::new()),
    };
    let content = object.content.iter();
    let content = content.map(|node| lines(&shown::object_lines(mark, node)));
    let fields = object.fields.iter().map(field);
    Part {
        word,
        title,
        place,
        body: content.chain(fields).collect(),
    }
}

fn file(file: &FileDiff) -> Part {
    let text = file.lines.as_deref().map(shown::hunk_lines);
    let hidden = "<div class=\"path\">not shown, because it may contain a Secret</div>\n";
    Part {
        word: shown::file_change(file.change),
        title: file.path.clone(),
        place: String::new(),
        body: match text {
            Some(text) => lines(&text),
            None if file.hidden => hidden.to_owned(),
            None => "<div class=\"path\">not a text</div>\n".to_owned(),
        },
    }
}

fn field(field: &FieldDiff) -> String {
    let what = match &field.change {
        FieldChange::Added(_) => " added",
        FieldChange::Removed(_) => " removed",
        FieldChange::Changed { .. } => "",
        FieldChange::Reordered { .. } => " reordered",
    };
    format!(
        "<div class=\"path\"><code>{}</code>{what}</div>\n{}",
        xml(&shown::path(field)),
        lines(&shown::lines(field))
    )
}

fn lines(lines: &[Line]) -> String {
    let mut text = String::from("<pre>");
    for line in lines {
        let (class, sign) = match line.mark {
            Mark::Added => ("plus", "+ "),
            Mark::Removed => ("minus", "- "),
            Mark::Context => ("context", "  "),
            Mark::Hunk => ("hunk", ""),
        };
        text.push_str(&format!(
            "<span class=\"{class}\">{sign}{}</span>",
            xml(&line.text)
        ));
    }
    text + "</pre>\n"
}
