//! One text by two readers.

use granit_parser::{Event as Other, Parser, ScalarStyle, StrInput, Tag};

use super::control_characters;
use super::events::{Events, Properties, What};
use super::refused::Refused;
use super::token::{Fault, Style, fault};

/// The text of a block that ends with the file, without an end of its last line. Others add one to it.
pub(crate) struct LastBlock(pub(crate) String);

/// Reads a text, which a reader of YAML 1.2 has read, by both ways.
///
/// # Errors
/// What kustomize refuses, and the first place at which the two read something else.
pub(crate) fn compare(text: &str) -> Result<Option<LastBlock>, Fault> {
    control_characters(text)?;
    let options =
        granit_parser::options! { emit_comments: false, block_scalar_eof_without_line_feed: true };
    let mut others = Parser::new_from_str_with_options(text, options);
    let mut events = Events::new(text);
    let mut anchors = Vec::new();
    let mut refused = Refused::default();
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
        refused.check(&event)?;
        match event.what {
            What::Scalar(_, said, Style::Literal | Style::Folded)
                if event.end == text.len() && !text.ends_with('\n') =>
            {
                last_block = Some(LastBlock(said.into_owned()));
            }
            What::End => return refused.finish().map(|()| last_block),
            _ => {}
        }
    }
}

/// The next event that both readers have.
fn next_other<'a>(
    others: &mut Parser<'a, StrInput<'a>>,
) -> Option<Result<(Other<'a>, granit_parser::Span), granit_parser::ScanError>> {
    let next = others.next()?;
    if matches!(next, Ok((Other::StreamStart, _))) {
        others.next()
    } else {
        Some(next)
    }
}

fn properties<'e, 'a>(what: &'e What<'a>) -> Option<&'e Properties<'a>> {
    match what {
        What::Scalar(properties, ..) | What::ListStart(properties) | What::MapStart(properties) => {
            Some(properties)
        }
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
        (What::Alias(name), Other::Alias(id)) => {
            anchors.iter().rposition(|it| it == name).map(|at| at + 1) == Some(*id)
        }
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

fn has_same_properties(
    properties: &Properties,
    id: usize,
    tag: Option<&Tag>,
    anchors: &[&str],
) -> bool {
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
