//! Compares how two parsers read the same text.

use std::collections::HashMap;

use granit_parser::{Event as Other, Parser, ScalarStyle, StrInput, Tag};

use super::control_characters;
use super::events::{EventKind, Events, Properties};
use super::refused::Refused;
use super::token::{Fault, Style, fault};

/// Parses a text with both parsers. `spaced` is the same text as the other parser reads it (see
/// [`Spaced`](super::Spaced)), which is already known to be valid YAML 1.2.
/// # Errors
/// Returns what kustomize refuses, or the first position that both parsers read differently.
pub(crate) fn compare(text: &str, spaced: &str) -> Result<(), Fault> {
    control_characters(text)?;
    let options =
        granit_parser::options! { emit_comments: false, block_scalar_eof_without_line_feed: true };
    let mut others = Parser::new_from_str_with_options(spaced, options);
    let mut events = Events::new(text);
    let mut anchors = Anchors::default();
    let mut refused = Refused::default();
    loop {
        let Some(Ok((other, _))) = next_other(&mut others) else {
            // The text exceeds the other parser's limits, which it has reported itself.
            return Ok(());
        };
        let event = events.next()?;
        if let Some(properties) = properties(&event.kind) {
            anchors.extend(properties.anchor);
        }
        if !is_same(&event.kind, &other, &anchors) {
            return fault(difference(&event.kind), event.start);
        }
        refused.check(&event)?;
        if event.kind == EventKind::End {
            return refused.finish();
        }
    }
}

/// The next event that exists in both parsers.
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

fn properties<'e, 'a>(kind: &'e EventKind<'a>) -> Option<&'e Properties<'a>> {
    match kind {
        EventKind::Scalar(properties, ..)
        | EventKind::ListStart(properties)
        | EventKind::MapStart(properties) => Some(properties),
        _ => None,
    }
}

/// The anchors so far. The other parser refers to them by their numbers, counted from 1.
#[derive(Default)]
struct Anchors<'a> {
    count: usize,
    /// The number of the last anchor with a name.
    last: HashMap<&'a str, usize>,
}

impl<'a> Anchors<'a> {
    fn extend(&mut self, name: Option<&'a str>) {
        if let Some(name) = name {
            self.count += 1;
            self.last.insert(name, self.count);
        }
    }
}

/// Whether two events are equal.
fn is_same(kind: &EventKind, other: &Other, anchors: &Anchors) -> bool {
    match (kind, other) {
        (EventKind::DocumentStart, Other::DocumentStart(..))
        | (EventKind::DocumentEnd, Other::DocumentEnd)
        | (EventKind::End, Other::StreamEnd)
        | (EventKind::ListEnd, Other::SequenceEnd)
        | (EventKind::MapEnd, Other::MappingEnd) => true,
        (EventKind::Alias(name), Other::Alias(id)) => anchors.last.get(name) == Some(id),
        (EventKind::ListStart(properties), Other::SequenceStart(_, id, tag))
        | (EventKind::MapStart(properties), Other::MappingStart(_, id, tag)) => {
            has_same_properties(properties, *id, tag.as_deref(), anchors)
        }
        (
            EventKind::Scalar(properties, text, style),
            Other::Scalar(other, other_style, id, tag),
        ) => {
            // The other parser represents a missing value as `~`.
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
    anchors: &Anchors,
) -> bool {
    let other = tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix()));
    let own = properties.anchor.map_or(0, |_| anchors.count);
    own == id && properties.tag == other
}

/// Describes a difference between both parsers.
fn difference(kind: &EventKind) -> String {
    let read = match kind {
        EventKind::Scalar(_, text, _) if text.is_empty() => "nothing".to_owned(),
        EventKind::Scalar(_, text, _) => {
            let start: String = text.chars().take(40).collect();
            let rest = if start.len() < text.len() { "…" } else { "" };
            format!("the text `{}{rest}`", start.escape_debug())
        }
        EventKind::Alias(name) => format!("the alias `{name}`"),
        EventKind::ListStart(_) => "a list".to_owned(),
        EventKind::MapStart(_) => "a map".to_owned(),
        EventKind::ListEnd => "the end of the list".to_owned(),
        EventKind::MapEnd => "the end of the map".to_owned(),
        EventKind::DocumentStart => "a document".to_owned(),
        EventKind::DocumentEnd | EventKind::End => "the end of the document".to_owned(),
    };
    format!("kustomize reads {read} here, but other programs read something else")
}
