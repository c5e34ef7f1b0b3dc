//! The general parser for all of YAML. It uses serde-saphyr, which supports anchors, merges, tags and limits,
//! and compares the result with that of kustomize's parser.

#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::kustomize::{self, Fault, LastBlock, Spaced};
use super::read::{ReadProblem, ReadProblemKind};
use crate::diagnostic::{SourceId, Span};
use crate::value::{Entry, Kind, Map, Node};

/// Parses a document that may use all features of YAML.
pub(super) fn parse(text: &str, source: SourceId, offset: usize) -> Result<Node, ReadProblem> {
    let mut spaced = None;
    let read = deserialize(text).or_else(|error| {
        spaced = Spaced::new(text);
        spaced
            .as_ref()
            .map_or(Err(error), |spaced| deserialize(&spaced.text))
    });
    let mut tree = match read {
        Ok(tree) => tree,
        Err(error) => {
            let fault = kustomize::hidden_break(text)
                .or_else(|| is_about_a_key(&error).then(|| kustomize::refused_key(text))?);
            return Err(match fault {
                Some(fault) => differs(fault, text, source, offset),
                None => syntax(error, text, spaced.as_ref(), source, offset),
            });
        }
    };
    if let Some(spaced) = &spaced {
        tree.move_to_original(spaced);
    }
    match kustomize::compare(text, spaced.as_ref().map_or(text, |spaced| &spaced.text)) {
        Ok(Some(block)) => tree.replace_last_block(block),
        Err(fault) if !fault.only_in_objects || tree.is_object() => {
            return Err(differs(fault, text, source, offset));
        }
        Ok(None) | Err(_) => {}
    }
    Ok(tree.into_node(source, offset, text))
}

/// Parses a text with the library, within its limits on nesting, nodes and the total size of scalars, which
/// all count aliases as often as they are used. Therefore the number of aliases itself needs no strict limit: a
/// file may use one anchor hundreds of times.
fn deserialize(text: &str) -> Result<Tree, serde_yaml::Error> {
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

/// A node as the YAML library returns it. Its positions are relative to the document.
struct Tree {
    kind: TreeKind,
    start: usize,
    end: usize,
}

enum TreeKind {
    Leaf(Kind),
    List(Vec<Tree>),
    Map(Vec<(Key, Tree)>),
}

struct Key {
    text: String,
    start: usize,
    end: usize,
}

impl Tree {
    /// Whether it has the fields of a Kubernetes object.
    fn is_object(&self) -> bool {
        let TreeKind::Map(entries) = &self.kind else {
            return false;
        };
        let has = |field: &str| entries.iter().any(|(key, _)| key.text == field);
        has("apiVersion") && has("kind")
    }

    /// All strings, of keys and of values, with the positions where they start.
    fn texts<'a>(&'a mut self, texts: &mut Vec<(usize, &'a mut String)>) {
        match &mut self.kind {
            TreeKind::Leaf(Kind::String(text)) => texts.push((self.start, text)),
            TreeKind::Leaf(_) => {}
            TreeKind::List(items) => items.iter_mut().for_each(|item| item.texts(texts)),
            TreeKind::Map(entries) => {
                for (key, value) in entries {
                    texts.push((key.start, &mut key.text));
                    value.texts(texts);
                }
            }
        }
    }

    /// Replaces the text of the block at the end of the document.
    fn replace_last_block(&mut self, LastBlock(block): LastBlock) {
        let mut texts = Vec::new();
        self.texts(&mut texts);
        let last = texts.into_iter().max_by_key(|(start, _)| *start);
        if let Some((_, text)) = last.filter(|(_, text)| text.strip_suffix('\n') == Some(&block)) {
            *text = block;
        }
    }

    /// Converts the positions to those in the original text.
    fn move_to_original(&mut self, spaced: &Spaced) {
        self.start = spaced.original(self.start);
        self.end = spaced.original(self.end);
        match &mut self.kind {
            TreeKind::Leaf(_) => {}
            TreeKind::List(items) => items
                .iter_mut()
                .for_each(|item| item.move_to_original(spaced)),
            TreeKind::Map(entries) => {
                for (key, value) in entries {
                    key.start = spaced.original(key.start);
                    key.end = spaced.original(key.end);
                    value.move_to_original(spaced);
                }
            }
        }
    }

    fn into_node(self, source: SourceId, offset: usize, text: &str) -> Node {
        let (start, mut end) = (self.start, self.end);
        let kind = match self.kind {
            TreeKind::Leaf(kind) => as_go_reads(kind, text.get(start..end).unwrap_or_default()),
            TreeKind::List(items) => {
                end = end.max(items.last().map_or(end, |item| item.end));
                Kind::List(
                    items
                        .into_iter()
                        .map(|item| item.into_node(source, offset, text))
                        .collect(),
                )
            }
            TreeKind::Map(entries) => {
                let mut map = Map::default();
                for (key, value) in entries {
                    let key_span = Span::new(source, offset + key.start, offset + key.end);
                    let entry = Entry {
                        key_span: Some(key_span),
                        value: value.into_node(source, offset, text),
                    };
                    map.insert_entry(key.text, entry);
                }
                Kind::Map(map)
            }
        };
        placed(kind, start, end, text, source, offset)
    }
}

/// The words that Go's parser reads as booleans, besides those of YAML 1.2. Other cases, such as `tRUE`, are strings.
const BOOLEANS: &[&str] = &[
    "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off",
    "OFF", "true", "True", "TRUE", "false", "False", "FALSE",
];

/// A scalar as Go's parser reads it, where the library differs: words in other cases, and underscores in numbers with a
/// fraction.
fn as_go_reads(kind: Kind, written: &str) -> Kind {
    match kind {
        Kind::Bool(_) if is_other_word(written) => Kind::String(written.to_owned()),
        Kind::String(text) if text == written && text.contains('_') => {
            float_with_underscores(&text).map_or(Kind::String(text), Kind::Number)
        }
        kind => kind,
    }
}

fn is_other_word(written: &str) -> bool {
    !written.is_empty()
        && written.bytes().all(|byte| byte.is_ascii_alphabetic())
        && !BOOLEANS.contains(&written)
}

/// The number in a text with underscores, if it has the form of YAML's floats.
fn float_with_underscores(text: &str) -> Option<serde_json::Number> {
    let digits = text.replace('_', "");
    let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(&digits);
    let (number, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    let starts_right = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    let holds = starts_right
        && has_digits
        && !exponent.is_empty()
        && [whole, fraction, exponent]
            .iter()
            .all(|part| are_digits(part));
    holds
        .then(|| digits.parse().ok())
        .flatten()
        .and_then(serde_json::Number::from_f64)
}

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
    let end = start + written.trim_end().len();
    Node::new(kind, Some(Span::new(source, offset + start, offset + end)))
}

fn bytes(location: &serde_yaml::Location) -> (usize, usize) {
    let span = location.span();
    let start = usize::try_from(span.byte_offset().unwrap_or(0)).unwrap_or(0);
    let length = usize::try_from(span.byte_len().unwrap_or(0)).unwrap_or(0);
    (start, start + length)
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = serde_yaml::Spanned::<TreeKind>::deserialize(deserializer)?;
        let (start, end) = bytes(&spanned.referenced);
        Ok(Tree {
            kind: spanned.value,
            start,
            end,
        })
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = serde_yaml::Spanned::<String>::deserialize(deserializer)?;
        let (start, end) = bytes(&spanned.referenced);
        Ok(Key {
            text: spanned.value,
            start,
            end,
        })
    }
}

impl<'de> Deserialize<'de> for TreeKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = TreeKind;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("a YAML value")
    }
    fn visit_unit<E>(self) -> Result<TreeKind, E> {
        Ok(TreeKind::Leaf(Kind::Null))
    }
    fn visit_none<E: de::Error>(self) -> Result<TreeKind, E> {
        self.visit_unit()
    }
    fn visit_bool<E>(self, value: bool) -> Result<TreeKind, E> {
        Ok(TreeKind::Leaf(Kind::Bool(value)))
    }
    fn visit_i64<E>(self, value: i64) -> Result<TreeKind, E> {
        Ok(TreeKind::Leaf(Kind::Number(value.into())))
    }
    fn visit_u64<E>(self, value: u64) -> Result<TreeKind, E> {
        Ok(TreeKind::Leaf(Kind::Number(value.into())))
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<TreeKind, E> {
        serde_json::Number::from_f64(value)
            .map(|number| TreeKind::Leaf(Kind::Number(number)))
            .ok_or_else(|| E::custom("a number that JSON can't hold"))
    }
    fn visit_str<E>(self, value: &str) -> Result<TreeKind, E> {
        Ok(TreeKind::Leaf(Kind::String(value.to_owned())))
    }
    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<TreeKind, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(TreeKind::List(list))
    }
    fn visit_map<A: de::MapAccess<'de>>(self, mut entries: A) -> Result<TreeKind, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(TreeKind::Map(map))
    }
}
