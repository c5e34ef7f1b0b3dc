//! Finds mistakes in YAML, with serde-saphyr, which supports anchors, merges, tags and limits, and compares how it reads a
//! text with kustomize's parser.

#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::kustomize::{self, Fault, Spaced};
use super::read::{ReadProblem, ReadProblemKind};
use crate::diagnostic::{SourceId, Span};
use crate::value::{Kind, Node};

/// Finds what is wrong with a document, or what other programs read in another way. Returns what is wrong only in
/// Kubernetes objects.
pub(super) fn judge(
    text: &str,
    source: SourceId,
    offset: usize,
) -> Result<Option<Fault>, ReadProblem> {
    let mut spaced = None;
    let read = deserialize(text).or_else(|error| {
        spaced = Spaced::new(text);
        spaced
            .as_ref()
            .map_or(Err(error), |spaced| deserialize(&spaced.text))
    });
    if let Err(error) = read {
        let fault = kustomize::hidden_break(text)
            .or_else(|| is_about_a_key(&error).then(|| kustomize::refused_key(text))?);
        return Err(match fault {
            Some(fault) => differs(fault, text, source, offset),
            None => syntax(error, text, spaced.as_ref(), source, offset),
        });
    }
    match kustomize::compare(text, spaced.as_ref().map_or(text, |spaced| &spaced.text)) {
        Ok(()) => Ok(None),
        Err(fault) if fault.only_in_objects => Ok(Some(fault)),
        Err(fault) => Err(differs(fault, text, source, offset)),
    }
}

/// Parses a text with the library, within its limits on nesting, nodes and the total size of scalars, which
/// all count aliases as often as they are used. Therefore the number of aliases itself needs no strict limit: a
/// file may use one anchor hundreds of times.
fn deserialize(text: &str) -> Result<Seen, serde_yaml::Error> {
    let options = serde_yaml::options! {
        legacy_octal_numbers: true,
        with_snippet: false,
        // The library limits how many comments in a row it returns.
        emit_comments: false,
        budget: serde_yaml::budget! { enforce_alias_anchor_ratio: false },
    };
    serde_yaml::from_str_with_options(text, options)
}

/// Whether an error is about a key that is not a string. All other values may have any type.
fn is_about_a_key(error: &serde_yaml::Error) -> bool {
    let message = error.without_snippet().to_string();
    message.starts_with("cannot deserialize null into string")
        || message.starts_with("expected string scalar")
}

/// Makes a problem of a syntax error.
fn syntax(
    error: serde_yaml::Error,
    text: &str,
    spaced: Option<&Spaced>,
    source: SourceId,
    offset: usize,
) -> ReadProblem {
    let place = error.location();
    let place = place.map_or((1, 1), |place| (place.line(), place.column()));
    let at = match spaced {
        Some(spaced) => spaced.original(byte_of(&spaced.text, place.0, place.1)),
        None => byte_of(text, place.0, place.1),
    };
    let rest = text.get(at..).unwrap_or_default();
    let end = at + rest.chars().next().map_or(0, char::len_utf8);
    let message = error.without_snippet().to_string();
    let message = message
        .rsplit_once(" at line ")
        .map_or(message.as_str(), |(message, _)| message);
    let message = message
        .split_once(", set ")
        .map_or(message, |(message, _)| message);
    let (wrong, message) = in_plain_words(message).unwrap_or((ReadProblemKind::Syntax, message));
    ReadProblem {
        wrong,
        message: message.to_owned(),
        span: Span::new(source, offset + at, offset + end),
    }
}

/// Makes a problem of a position that kustomize reads differently.
pub(super) fn differs(fault: Fault, text: &str, source: SourceId, offset: usize) -> ReadProblem {
    let start = fault.at.min(text.len());
    let rest = text.get(start..).unwrap_or_default();
    let end = start + rest.chars().next().map_or(0, char::len_utf8);
    ReadProblem {
        wrong: ReadProblemKind::Readers,
        message: fault.message.into_owned(),
        span: Span::new(source, offset + start, offset + end),
    }
}

/// Makes a problem of what one program refuses.
pub(super) fn refused(fault: Fault, text: &str, source: SourceId, offset: usize) -> ReadProblem {
    ReadProblem {
        wrong: ReadProblemKind::Syntax,
        ..differs(fault, text, source, offset)
    }
}

/// The kind and the message of a problem for which the library's own message would be hard to understand: its limits on
/// nesting, nodes and aliases, and an alias that never ends.
fn in_plain_words(message: &str) -> Option<(ReadProblemKind, &'static str)> {
    use ReadProblemKind::{Limits, Syntax};
    if message.starts_with("recursion limit") || message.contains("budget breached: Depth") {
        return Some((Limits, "it is nested deeper than any object"));
    }
    if message.starts_with("recursive references") {
        return Some((Syntax, "an alias is inside the value that it refers to"));
    }
    let is_too_large = message.contains("budget breached") || message.contains("alias replay");
    is_too_large.then_some((
        Limits,
        "it has more values than any object, including aliases and merges",
    ))
}

/// The byte position of a line and column (in characters), both counted from 1.
fn byte_of(text: &str, line: u64, column: u64) -> usize {
    let line = usize::try_from(line).unwrap_or(1).max(1);
    let column = usize::try_from(column).unwrap_or(1).max(1);
    let start = text
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum::<usize>();
    text[start..]
        .char_indices()
        .nth(column - 1)
        .map_or(text.len(), |(at, _)| start + at)
}

/// Blanks and line ends of YAML 1.1. Other white space, such as U+00A0, is text.
const BLANK: [char; 7] = [' ', '\t', '\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// A node with the position `start..end` of a text that begins at byte `offset` of `source`, without
/// whitespace at its end.
pub(super) fn placed(
    kind: Kind,
    start: usize,
    end: usize,
    text: &str,
    source: SourceId,
    offset: usize,
) -> Node {
    let written = text.get(start..end).unwrap_or_default();
    let end = start + written.trim_end_matches(BLANK).len();
    Node::new(kind, Some(Span::new(source, offset + start, offset + end)))
}

/// A value that the YAML library has read. Only its errors matter.
struct Seen;

impl<'de> Deserialize<'de> for Seen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SeenVisitor)
    }
}

struct SeenVisitor;

impl<'de> Visitor<'de> for SeenVisitor {
    type Value = Seen;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("a YAML value")
    }
    fn visit_unit<E>(self) -> Result<Seen, E> {
        Ok(Seen)
    }
    fn visit_none<E: de::Error>(self) -> Result<Seen, E> {
        Ok(Seen)
    }
    fn visit_bool<E>(self, _: bool) -> Result<Seen, E> {
        Ok(Seen)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Seen, E> {
        Ok(Seen)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Seen, E> {
        Ok(Seen)
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Seen, E> {
        match value.is_finite() {
            true => Ok(Seen),
            false => Err(E::custom("a number that JSON can't hold")),
        }
    }
    fn visit_str<E>(self, _: &str) -> Result<Seen, E> {
        Ok(Seen)
    }
    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Seen, A::Error> {
        while items.next_element::<Seen>()?.is_some() {}
        Ok(Seen)
    }
    fn visit_map<A: de::MapAccess<'de>>(self, mut entries: A) -> Result<Seen, A::Error> {
        while entries.next_entry::<String, Seen>()?.is_some() {}
        Ok(Seen)
    }
}
