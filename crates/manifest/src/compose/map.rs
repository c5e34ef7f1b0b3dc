//! Maps: their keys, and what is merged into them.

use super::{Composer, Made, OWN_TAGS, refuse};
use crate::diagnostic::Span;
use crate::kustomize::{Event, EventKind, Fault, Scalar, Style};
use crate::read::Reader;
use crate::value::{Entry, Kind, Map, Node};

/// A key.
struct Key {
    text: String,
    span: Span,
    at: usize,
}

/// The entries of a map while it is read.
#[derive(Default)]
struct Entries {
    own: Map,
    /// The maps to merge, in kustomize's order: the first one that has a key wins, after the map's own keys.
    merged: Option<Vec<Node>>,
    height: usize,
}

impl<'a> Composer<'a> {
    /// The rest of a map, after its start, and its height.
    pub(super) fn map(&mut self, depth: usize) -> Result<(Map, usize), Fault> {
        let mut entries = Entries::default();
        loop {
            let event = self.events.next()?;
            if event.kind == EventKind::MapEnd {
                break;
            }
            let start = event.start;
            let is_merge = self.is_merge(&event);
            let key = self.made(event, depth)?;
            self.may_differ |= is_merge;
            if is_merge {
                self.merge(&mut entries, depth, start)?;
                continue;
            }
            let key = self.key(key, depth, start)?;
            let event = self.events.next()?;
            let value = self.value(event, depth)?;
            entries.height = entries.height.max(value.height);
            // kustomize removes the key `<<`, whether it is a merge or a string.
            if self.reader == Reader::Kubectl || key.text != "<<" {
                self.set(&mut entries.own, key, value.node);
            }
        }
        let Entries {
            mut own,
            merged,
            height,
        } = entries;
        for node in merged.into_iter().flatten() {
            let Kind::Map(map) = node.kind else { continue };
            for (key, entry) in map.into_entries() {
                if !own.contains_key(&key) {
                    own.insert_entry(key, entry);
                }
            }
        }
        Ok((own, height))
    }

    /// Sets a key. A key that is there twice is remembered; the last value counts.
    fn set(&mut self, map: &mut Map, key: Key, value: Node) {
        let Key { text, span, at } = key;
        if map.contains_key(&text) {
            self.repeated(at, &text);
        }
        let entry = Entry {
            key_span: Some(span),
            value,
        };
        map.insert_entry(text, entry);
    }

    fn repeated(&mut self, at: usize, key: &str) {
        if self.repeated_key.is_none() {
            let shown: String = key.chars().take(60).collect();
            let message = format!("the key `{shown}` is there twice");
            self.repeated_key = refuse::<()>(message, at).err();
        }
    }

    fn is_merge(&self, event: &Event<'a>) -> bool {
        let EventKind::Scalar(properties, text, style) = &event.kind else {
            return false;
        };
        match (properties.tag.as_deref(), self.reader) {
            (None, _) => text == "<<" && *style == Style::Plain,
            (Some("!"), Reader::Kubectl) => text == "<<",
            (Some("!"), Reader::Kustomize) => text == "<<" && *style == Style::Plain,
            (Some(tag), reader) => {
                let is_tagged = tag.strip_prefix(OWN_TAGS) == Some("merge");
                is_tagged && (text == "<<" || reader == Reader::Kustomize)
            }
        }
    }

    /// Reads the value of a merge key. kubectl merges at once, in the order of the text; kustomize afterwards, and only
    /// keys that are missing.
    fn merge(&mut self, entries: &mut Entries, depth: usize, at: usize) -> Result<(), Fault> {
        let event = self.events.next()?;
        let (start, is_list) = (event.start, matches!(event.kind, EventKind::ListStart(_)));
        self.is_merged = true;
        let value = self.value(event, depth)?;
        self.is_merged = false;
        entries.height = entries.height.max(value.height);
        let maps = match value.node.kind {
            Kind::List(items) if is_list => items,
            Kind::Map(_) => vec![value.node],
            _ => Vec::new(),
        };
        let are_maps = maps.iter().all(|map| map.as_map().is_some());
        if !are_maps || (maps.is_empty() && !is_list) {
            return refuse("a merge (`<<`) of a value that is not a map", start);
        }
        if self.reader == Reader::Kustomize {
            return match entries.merged.replace(maps) {
                None => Ok(()),
                Some(_) => refuse("a second merge (`<<`) in one map", at),
            };
        }
        for node in maps.into_iter().rev() {
            let Kind::Map(map) = node.kind else { continue };
            for (key, entry) in map.into_entries() {
                if entries.own.contains_key(&key) {
                    self.repeated(at, &key);
                }
                entries.own.insert_entry(key, entry);
            }
        }
        Ok(())
    }

    /// The text of a key.
    fn key(&mut self, made: Made, depth: usize, at: usize) -> Result<Key, Fault> {
        let span = made.node.span;
        let Some((text, scalar)) = made.scalar else {
            return refuse("a key that is a list or a map", at);
        };
        let text = match self.reader {
            Reader::Kubectl => match key_of_kubectl(text, scalar, made.node) {
                Some(text) => text,
                None => return refuse("a key that JSON can't have, such as null", at),
            },
            Reader::Kustomize => {
                if scalar == Scalar::Null && !text.is_empty() {
                    return refuse("a key that is null", at);
                }
                // kustomize makes strings of the keys at the top of an object.
                let is_text = made.is_string || depth == 1;
                if !is_text && self.other_key.is_none() {
                    self.other_key = refuse::<()>("a key that is not a string", at).err();
                }
                text
            }
        };
        Ok(Key {
            text,
            span: span.unwrap_or(Span::new(self.source, self.offset + at, self.offset + at)),
            at,
        })
    }
}

/// The text that kubectl makes of a key.
fn key_of_kubectl(text: String, scalar: Scalar, node: Node) -> Option<String> {
    match scalar {
        Scalar::Null => None,
        Scalar::Boolean(value) => Some(value.to_string()),
        Scalar::Integer(number) => number.as_i64().map(|number| number.to_string()),
        Scalar::Float(number) => Some(shortest(number)),
        Scalar::Timestamp(_) => Some(text),
        Scalar::Text => match node.kind {
            Kind::String(text) => Some(text),
            _ => Some(text),
        },
    }
}

/// A number as Go writes it with `strconv.FormatFloat(number, 'g', -1, 32)`.
fn shortest(number: f64) -> String {
    let number = number as f32;
    if !number.is_finite() {
        let sign = if number == f32::NEG_INFINITY { "-" } else { "" };
        return format!("{sign}{}", if number.is_nan() { ".nan" } else { ".inf" });
    }
    let written = format!("{number:e}");
    let (digits, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return number.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}
