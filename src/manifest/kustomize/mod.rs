//! YAML as kustomize reads it.
//!
//! kustomize has go-yaml, which reads YAML 1.1 in the way of libyaml. A reader of YAML 1.2 takes some texts for something
//! else: U+2028 ends a line for one and not for the other, `{a:}` has the key `a:` or `a`. What is applied is what
//! kustomize reads, and what people, editors and other tools read should be the same. So this is go-yaml's scanner and
//! parser once more, rule by rule (after libyaml, © 2006-2010 Kirill Simonov, and go-yaml, © 2011-2019 Canonical Ltd,
//! both under the MIT licence), to read by, and to find out where the readers differ.
//!
//! - `scan`, `blank`, `scalar`, `tag`: a text to tokens.
//! - [`events`](Events): tokens to maps, lists and scalars.
//! - [`compare`]: the same text by both readers.

mod blank;
mod events;
mod scalar;
mod scan;
mod tag;
mod token;

use granit_parser::{Event as Other, Parser, ScalarStyle, StrInput, Tag};

pub(super) use events::{Event, Events, What};
pub(super) use token::{Fault, Style};
use events::Properties;
use token::fault;

/// A block at the end of a text without a last end of line: where it starts, and what it holds. It lacks the end of a
/// line that others add.
pub(super) struct LastBlock {
    pub(super) start: usize,
    pub(super) text: String,
}

/// Reads a text, which a reader of YAML 1.2 has read, by both ways.
///
/// # Errors
/// What kustomize refuses, and the first place at which the two read something else.
pub(super) fn compare(text: &str) -> Result<Option<LastBlock>, Fault> {
    control_characters(text)?;
    let options = granit_parser::options! { emit_comments: false, block_scalar_eof_without_line_feed: true };
    let mut others = Parser::new_from_str_with_options(text, options);
    let mut events = Events::new(text);
    let mut anchors = Vec::new();
    let mut last_block = None;
    loop {
        let Some(Ok((other, _))) = next_other(&mut others) else {
            // Beyond the other reader's bounds, which it has told itself.
            return Ok(None);
        };
        let event = events.next()?;
        if let Some(properties) = properties(&event.what) {
            anchors.extend(properties.anchor);
        }
        if !is_same(&event.what, &other, &anchors) {
            return fault(difference(&event.what), event.start);
        }
        match event.what {
            What::Scalar(_, said, Style::Literal | Style::Folded) if event.end == text.len() && !text.ends_with('\n') => {
                last_block = Some(LastBlock { start: event.start, text: said.into_owned() });
            }
            What::End => return Ok(last_block),
            _ => {}
        }
    }
}

/// The next event that both readers have.
fn next_other<'a>(others: &mut Parser<'a, StrInput<'a>>) -> Option<Result<(Other<'a>, granit_parser::Span), granit_parser::ScanError>> {
    let next = others.next()?;
    if matches!(next, Ok((Other::StreamStart, _))) { others.next() } else { Some(next) }
}

fn properties<'e, 'a>(what: &'e What<'a>) -> Option<&'e Properties<'a>> {
    match what {
        What::Scalar(properties, ..) | What::ListStart(properties) | What::MapStart(properties) => Some(properties),
        _ => None,
    }
}

/// Whether two events are the same. `anchors` has the names that were given so far.
fn is_same(what: &What, other: &Other, anchors: &[&str]) -> bool {
    match (what, other) {
        (What::DocumentStart, Other::DocumentStart(..))
        | (What::DocumentEnd, Other::DocumentEnd)
        | (What::End, Other::StreamEnd)
        | (What::ListEnd, Other::SequenceEnd)
        | (What::MapEnd, Other::MappingEnd) => true,
        (What::Alias(name), Other::Alias(id)) => anchors.iter().rposition(|it| it == name).map(|at| at + 1) == Some(*id),
        (What::ListStart(properties), Other::SequenceStart(_, id, tag))
        | (What::MapStart(properties), Other::MappingStart(_, id, tag)) => {
            has_same_properties(properties, *id, tag.as_deref(), anchors)
        }
        (What::Scalar(properties, text, style), Other::Scalar(other, other_style, id, tag)) => {
            // What is not written is `~` to the other reader.
            (text == other || text.is_empty() && *style == Style::Plain && other == "~")
                && (*style == Style::Plain) == (*other_style == ScalarStyle::Plain)
                && has_same_properties(properties, *id, tag.as_deref(), anchors)
        }
        _ => false,
    }
}

fn has_same_properties(properties: &Properties, id: usize, tag: Option<&Tag>, anchors: &[&str]) -> bool {
    let other = tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix()));
    let own = properties.anchor.map_or(0, |_| anchors.len());
    own == id && properties.tag == other
}

/// What two readers don't agree on.
fn difference(what: &What) -> String {
    let read = match what {
        What::Scalar(_, text, _) if text.is_empty() => "nothing".to_owned(),
        What::Scalar(_, text, _) => {
            let start: String = text.chars().take(40).collect();
            let rest = if start.len() < text.len() { "…" } else { "" };
            format!("the text `{}{rest}`", start.escape_debug())
        }
        What::Alias(name) => format!("the alias `{name}`"),
        What::ListStart(_) => "a list".to_owned(),
        What::MapStart(_) => "a map".to_owned(),
        What::ListEnd => "the end of the list".to_owned(),
        What::MapEnd => "the end of the map".to_owned(),
        What::DocumentStart => "a document".to_owned(),
        What::DocumentEnd | What::End => "the end of the document".to_owned(),
    };
    format!("kustomize reads {read} here, and other readers something else")
}

/// Checks the marks between documents: kustomize takes every line that starts with `---` for one, and nothing may stand
/// behind it but a comment. `text` starts with a mark, unless it is the file's first document.
pub(super) fn check_marks(text: &str, is_first: bool) -> Result<(), Fault> {
    let line = text.lines().next().unwrap_or_default();
    let behind = line.strip_prefix("---").map_or("", str::trim_start);
    if !is_first && !behind.is_empty() && !behind.starts_with('#') {
        return fault("a value behind `---`, which kustomize refuses", line.len() - behind.len());
    }
    match memchr::memmem::find(text.as_bytes(), b"\n---") {
        Some(at) => fault("a line that starts with `---`, which kustomize takes for the end of the document", at + 1),
        None => Ok(()),
    }
}

/// What no YAML holds, written as it is.
fn control_characters(text: &str) -> Result<(), Fault> {
    let is_allowed = |c: char| {
        matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
    };
    match text.char_indices().find(|(_, c)| !is_allowed(*c)) {
        Some((at, c)) => fault(format!("the character U+{:04X}, which YAML doesn't allow", u32::from(c)), at),
        None => Ok(()),
    }
}

/// Whether a text certainly holds no character that YAML doesn't allow: there is none but what printers have.
pub(super) fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')) || control_characters(text).is_ok()
}
