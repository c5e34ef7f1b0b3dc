//! A fast parser for simple documents, which consist of maps, lists and scalars, without tags and merge keys. Of anchors,
//! only those of short scalars are simple: many people name an application once (`name: &app web`).
//! Nearly all manifests are simple. Their trees are built directly from the events of the parser in
//! [`kustomize`], in less than half the time of the general parser: without
//! it, `validate` takes 35% more processor time over fifteen repositories. Everything that is not certain here
//! (dates, octal numbers, duplicate keys, syntax errors, YAML that parsers read differently) is left to the
//! general parser in [`read`](super::read). Only that one decides what YAML means, what is too large, and
//! which message an error has.

use std::borrow::Cow;

use super::kustomize::{self, Event, EventKind, Events, Style};
use super::tree::placed;
use crate::diagnostic::{SourceId, Span};
use crate::value::{Entry, Kind, Map, Node};

/// The maximum nesting of a simple document. [`read`](super::read) allows slightly more.
const DEEPEST: usize = 50;

/// The maximum number of events in a simple document. [`read`](super::read) allows more.
const MOST_EVENTS: usize = 100_000;

/// The tree of a simple document that begins at byte `offset` of `source`; `None` if the document is not
/// simple.
pub(super) fn parse(text: &str, source: SourceId, offset: usize) -> Option<Node> {
    if !kustomize::is_printable(text) {
        return None;
    }
    let mut reader = Reader {
        events: Events::new(text),
        left: MOST_EVENTS,
        flows: 0,
        entries: Vec::with_capacity(OPEN),
        items: Vec::with_capacity(OPEN),
        anchors: Vec::new(),
        text,
        source,
        offset,
    };
    if reader.next()?.kind != EventKind::DocumentStart {
        return None;
    }
    let first = reader.next()?;
    if !matches!(&first.kind, EventKind::MapStart(properties) if properties.is_empty()) {
        return None;
    }
    reader.enter(first.start);
    let kind = reader.map(DEEPEST)?;
    let node = reader.node(kind, first.start, first.end);
    let ends =
        reader.next()?.kind == EventKind::DocumentEnd && reader.next()?.kind == EventKind::End;
    (ends && !reader.events.is_peculiar()).then_some(node)
}

/// The maximum length of a string with an anchor, in bytes, so that many aliases of it stay small.
const LONGEST_NAMED: usize = 100;

/// The maximum number of anchors in a simple document.
const MOST_ANCHORS: usize = 20;

/// The initial capacity, which is enough for the open maps and lists of most documents.
const OPEN: usize = 32;

struct Reader<'a> {
    events: Events<'a>,
    left: usize,
    /// The number of open maps and lists in `{}` and `[]`.
    flows: usize,
    /// The entries of all open maps, with the innermost last. A map is created only when all of its entries
    /// are known, so that it allocates no more memory than it needs. Most maps are small, but a large
    /// repository has a million of them.
    entries: Vec<(String, Entry)>,
    /// The items of all open lists, in the same way.
    items: Vec<Node>,
    /// The scalars with an anchor, in the order of the text.
    anchors: Vec<(&'a str, Kind)>,
    text: &'a str,
    source: SourceId,
    offset: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<Event<'a>> {
        self.left = self.left.checked_sub(1)?;
        self.events.next().ok()
    }

    /// Enters a map or list. Returns how many of those that are open are in `{}` and `[]`.
    fn enter(&mut self, start: usize) -> usize {
        let is_flow = matches!(self.text.as_bytes().get(start), Some(b'{' | b'['));
        let flows = self.flows + usize::from(is_flow);
        std::mem::replace(&mut self.flows, flows)
    }

    fn node(&self, kind: Kind, start: usize, end: usize) -> Node {
        placed(kind, start, end, self.text, self.source, self.offset)
    }

    /// The value that starts with `event`, and the position after that event.
    fn value(&mut self, event: Event<'a>, depth: usize) -> Option<(Node, usize)> {
        let Event {
            kind,
            start: written_start,
            content: start,
            end: written,
        } = event;
        let mut end = written;
        let kind = match kind {
            EventKind::Scalar(properties, text, style) if properties.tag.is_none() => {
                let kind = self.scalar(text, style)?;
                if let Some(name) = properties.anchor {
                    self.name(name, &kind, written_start)?;
                }
                kind
            }
            EventKind::Alias(name) => self.named(name, end)?,
            EventKind::MapStart(properties) if properties.is_empty() => {
                let flows = self.enter(start);
                let map = self.map(depth.checked_sub(1)?)?;
                self.flows = flows;
                map
            }
            EventKind::ListStart(properties) if properties.is_empty() => {
                let flows = self.enter(start);
                let (items, last) = self.list(depth.checked_sub(1)?)?;
                self.flows = flows;
                end = end.max(last);
                Kind::List(items)
            }
            _ => return None,
        };
        Some((self.node(kind, start, end), written))
    }

    fn scalar(&self, text: Cow<'_, str>, style: Style) -> Option<Kind> {
        match style {
            // kustomize makes an empty string of it.
            Style::Plain if text.is_empty() && self.flows > 0 => None,
            Style::Plain => plain(&text),
            // kustomize can't read such a block after it has written it.
            Style::Literal | Style::Folded if text.starts_with('\t') => None,
            _ => Some(Kind::String(text.into_owned())),
        }
    }

    /// Remembers the scalar that an anchor names; `None` if the anchor or the scalar is not simple.
    fn name(&mut self, name: &'a str, kind: &Kind, start: usize) -> Option<()> {
        let is_simple = match kind {
            Kind::String(text) => text.len() <= LONGEST_NAMED,
            _ => true,
        };
        let is_simple = is_simple && self.is_whole_name(start + 1 + name.len());
        (is_simple && self.anchors.len() < MOST_ANCHORS).then(|| {
            self.anchors.push((name, kind.clone()));
        })
    }

    /// The scalar that an alias stands for. If an anchor is there twice, the last one before the alias counts.
    fn named(&self, name: &str, end: usize) -> Option<Kind> {
        let mut anchors = self.anchors.iter().rev();
        let (_, kind) = anchors.find(|(there, _)| *there == name)?;
        self.is_whole_name(end).then(|| kind.clone())
    }

    /// Whether the name of an anchor ends at `end` for every parser: YAML 1.2 allows more characters in names.
    fn is_whole_name(&self, end: usize) -> bool {
        matches!(
            self.text.as_bytes().get(end),
            None | Some(b' ' | b'\n' | b'\r')
        )
    }

    /// The rest of a map, after its start was read.
    fn map(&mut self, depth: usize) -> Option<Kind> {
        let own = self.entries.len();
        loop {
            let Event {
                kind, start, end, ..
            } = self.next()?;
            let key = match kind {
                EventKind::MapEnd => {
                    return Map::distinct(self.entries.drain(own..).collect()).map(Kind::Map);
                }
                EventKind::Scalar(properties, text, style) if properties.is_empty() => {
                    // kustomize removes the key `<<` even if it is a string.
                    if style == Style::Plain && !is_text(&text) || text == "<<" {
                        return None;
                    }
                    text.into_owned()
                }
                _ => return None,
            };
            let key_span = Span::new(self.source, self.offset + start, self.offset + end);
            let event = self.next()?;
            let (value, _) = self.value(event, depth)?;
            let entry = Entry {
                key_span: Some(key_span),
                value,
            };
            self.entries.push((key, entry));
        }
    }

    /// The items of a list, after its start was read, and the position after the first event of its last
    /// item.
    fn list(&mut self, depth: usize) -> Option<(Vec<Node>, usize)> {
        let (own, mut last) = (self.items.len(), 0);
        loop {
            let event = self.next()?;
            if event.kind == EventKind::ListEnd {
                return Some((self.items.drain(own..).collect(), last));
            }
            let (item, end) = self.value(event, depth)?;
            self.items.push(item);
            last = end;
        }
    }
}

/// The value of an unquoted scalar; `None` if it is not simple.
fn plain(text: &str) -> Option<Kind> {
    match text {
        "" | "~" | "null" => return Some(Kind::Null),
        "true" => return Some(Kind::Bool(true)),
        "false" => return Some(Kind::Bool(false)),
        _ if is_text(text) => return Some(Kind::String(text.to_owned())),
        _ => {}
    }
    // Decimal numbers, if they are short enough for any integer type.
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_decimal = digits.len() <= 18 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_decimal || (digits.starts_with('0') && text != "0") {
        return None;
    }
    let number: i64 = text.parse().ok()?;
    Some(Kind::Number(number.into()))
}

/// Words that a YAML 1.1 parser doesn't read as strings, in any case.
const WORDS: &[&str] = &[
    "y", "yes", "n", "no", "on", "off", "true", "false", "null", "nan", "inf",
];

/// Characters that occur in no number of any base: units of durations and quantities, and the slash of a
/// network.
const NO_NUMBER_HAS: &[u8] = b"ghjklmpqrstuvwGHJKLMPQRSTUVW/%";

/// Whether an unquoted scalar is certainly a string: it starts like no number and is none of the [`WORDS`],
/// or it contains a character that no number contains, or more than one dot.
fn is_text(text: &str) -> bool {
    match text.as_bytes() {
        [b'0'..=b'9' | b'-' | b'+' | b'.', ..] => {
            !may_be_date(text)
                && (text.bytes().any(|byte| NO_NUMBER_HAS.contains(&byte))
                    || text.bytes().filter(|byte| *byte == b'.').count() > 1)
        }
        [b'a'..=b'z' | b'A'..=b'Z', ..] => {
            text.len() > 5 || !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
        }
        [b'/' | b'$' | b'_', ..] => true,
        _ => false,
    }
}

/// Whether an unquoted scalar starts like a date: with a year and a `-`.
fn may_be_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.get(4) == Some(&b'-') && bytes.iter().take(4).all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests;
