//! Replaces the marks in a parsed tree by their values.

use std::cell::Cell;

use super::context::cost_of;
use manifest::diagnostic::Span;
use manifest::value::{Entry, Kind, Map, Node};

/// Opens a mark. It is a character that YAML treats as part of a word, and that users don't write.
pub const OPEN: char = '\u{F0000}';
/// Closes a mark.
pub const CLOSE: char = '\u{F0001}';

/// A mistake in a template's output: the message, and the byte position in the rendered text.
pub type Mistake = (String, usize);

/// A key and its position.
type Key = (String, Option<Span>);

/// Replaces marks by their values.
pub struct Resolver<'a> {
    /// The values, by the number in their mark.
    pub written: &'a [Node],
    /// The rendered text, which the tree's positions refer to.
    pub text: &'a str,
    /// How much may still be inserted, in units of [`cost_of`].
    left: Cell<u64>,
}

impl<'a> Resolver<'a> {
    /// Creates a resolver that inserts at most `most` units of values, each unit being a value or 64 bytes. A
    /// limit is needed because one value can have many marks.
    pub fn new(written: &'a [Node], text: &'a str, most: u64) -> Self {
        Resolver {
            written,
            text,
            left: Cell::new(most),
        }
    }

    /// The value for the number in a mark.
    fn value(&self, number: &str, at: usize) -> Result<&'a Node, Mistake> {
        let node = number.parse::<usize>().ok();
        let node = node.and_then(|number| self.written.get(number));
        let node = node.ok_or_else(|| ("a mark that has no value".to_owned(), at))?;
        let cost = u64::try_from(cost_of(node)).unwrap_or(u64::MAX);
        match self.left.get().checked_sub(cost) {
            Some(left) => self.left.set(left),
            None => return Err(("the template writes too much".to_owned(), at)),
        }
        Ok(node)
    }

    /// Returns the tree without marks; `None` if its value is missing.
    /// # Errors
    /// Fails if a list or table is used where only text is possible.
    pub fn resolve(&self, node: Node) -> Result<Option<Node>, Mistake> {
        let at = node.span.map_or(0, |span| span.range().start);
        let kind = match node.kind {
            Kind::Null => return Ok(None),
            Kind::String(text) if text.contains(OPEN) => return self.string(&text, at),
            Kind::List(items) => {
                let before = items.len();
                let mut list = Vec::new();
                for item in items {
                    list.extend(self.resolve(item)?);
                }
                if list.is_empty() && before > 0 {
                    return Ok(None);
                }
                Kind::List(list)
            }
            Kind::Map(map) => {
                let before = map.len();
                let mut kept = Map::default();
                for (key, entry) in map.into_entries() {
                    let key_at = entry.key_span.map_or(at, |span| span.range().start);
                    let Some(value) = self.resolve(entry.value)? else {
                        continue;
                    };
                    let Some(key) = self.key(key, key_at)? else {
                        continue;
                    };
                    kept.insert_entry(
                        key.0,
                        Entry {
                            key_span: key.1,
                            value,
                        },
                    );
                }
                if kept.is_empty() && before > 0 {
                    return Ok(None);
                }
                Kind::Map(kept)
            }
            kind => kind,
        };
        Ok(Some(Node::new(kind, None)))
    }

    fn key(&self, key: String, at: usize) -> Result<Option<Key>, Mistake> {
        if !key.contains(OPEN) {
            return Ok(Some((key, None)));
        }
        match self.string(&key, at)? {
            None => Ok(None),
            Some(Node {
                kind: Kind::String(text),
                span,
            }) => Ok(Some((text, span))),
            Some(node) => match plain_text(&node) {
                Some(text) => Ok(Some((text, node.span))),
                None => Err(("a list or table can't be used as a key".to_owned(), at)),
            },
        }
    }

    /// Resolves a scalar that contains marks.
    fn string(&self, text: &str, at: usize) -> Result<Option<Node>, Mistake> {
        let alone = text
            .strip_prefix(OPEN)
            .and_then(|rest| rest.strip_suffix(CLOSE));
        if let Some(number) = alone.filter(|number| !number.contains([OPEN, CLOSE])) {
            let node = self.value(number, at)?;
            let quoted = self
                .text
                .get(at..)
                .is_some_and(|text| text.starts_with(['"', '\'']));
            let text = plain_text(node).filter(|_| quoted && !matches!(node.kind, Kind::Null));
            return Ok(match text {
                Some(text) => Some(Node::new(Kind::String(text), node.span)),
                None => without_nulls(node.clone()),
            });
        }
        let (mut whole, mut span) = (String::new(), None);
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(OPEN) {
            let (number, after) = after.split_once(CLOSE).unwrap_or_default();
            let node = self.value(number, at)?;
            if matches!(node.kind, Kind::Null) {
                return Ok(None);
            }
            let Some(value) = plain_text(node) else {
                return Err(("a list or table can't be used inside text".to_owned(), at));
            };
            whole.push_str(before);
            whole.push_str(&value);
            span = span.or(node.span);
            rest = after;
        }
        whole.push_str(rest);
        Ok(Some(Node::new(Kind::String(whole), span)))
    }
}

/// The text of a scalar; `None` for null, lists and maps.
fn plain_text(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::String(text) => Some(text.clone()),
        Kind::Bool(value) => Some(value.to_string()),
        Kind::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Removes missing values from a value. Unlike in the template's own text, an empty list or map stays,
/// because a user wrote it.
fn without_nulls(mut node: Node) -> Option<Node> {
    node.kind = match node.kind {
        Kind::Null => return None,
        Kind::List(items) => Kind::List(items.into_iter().filter_map(without_nulls).collect()),
        Kind::Map(map) => {
            let mut kept = Map::default();
            for (key, entry) in map.into_entries() {
                let Entry { key_span, value } = entry;
                if let Some(value) = without_nulls(value) {
                    kept.insert_entry(key, Entry { key_span, value });
                }
            }
            Kind::Map(kept)
        }
        kind => kind,
    };
    Some(node)
}
