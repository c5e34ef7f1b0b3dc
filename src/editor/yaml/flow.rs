//! Maps and lists in brackets, as in JSON.

use std::ops::Range;

use super::super::outline::{Entry, unquoted};
use super::line::quoted_end;
use manifest::value::Pointer;

/// Where a text ends inside of a bracket.
#[derive(Debug)]
pub(super) struct Open {
    /// The map or the item of a list that is open.
    pub container: Pointer,
    /// The key whose value is not finished.
    pub key: Option<String>,
    /// The start of the word at the end.
    pub word: usize,
}

/// The deepest nesting that is followed.
const DEEPEST: usize = 64;

/// Reads the bracket at `start`, at most up to `end`. Returns where it ends.
///
/// # Errors
/// If it is not closed.
pub(super) fn read(
    text: &str,
    start: usize,
    end: usize,
    pointer: Pointer,
    entries: &mut Vec<Entry>,
) -> Result<usize, Open> {
    let mut reader = Reader { text, end, entries };
    reader.collection(start, &pointer, 0)
}

struct Reader<'a> {
    text: &'a str,
    end: usize,
    entries: &'a mut Vec<Entry>,
}

impl Reader<'_> {
    fn rest(&self, at: usize) -> &str {
        self.text.get(at..self.end).unwrap_or_default()
    }

    /// The next byte that is neither a blank nor in a comment.
    fn skip(&self, mut at: usize) -> usize {
        loop {
            let rest = self.rest(at);
            let trimmed = rest.trim_start();
            at += rest.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                return at;
            }
            at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    fn collection(&mut self, start: usize, pointer: &Pointer, depth: usize) -> Result<usize, Open> {
        let is_map = self.rest(start).starts_with('{');
        let mut at = start + 1;
        let mut index = 0;
        loop {
            at = self.skip(at);
            let here = match is_map {
                true => pointer.clone(),
                false => pointer.index(index),
            };
            let Some(next) = self.rest(at).chars().next() else {
                return Err(open(here, None, at));
            };
            at = match next {
                '}' | ']' => return Ok(at + 1),
                ',' => {
                    index += 1;
                    at + 1
                }
                _ if is_map => self.entry(at, &here, depth)?,
                _ => self.value(at, (&here, None), None, depth)?,
            };
        }
    }

    /// Reads a key and its value.
    fn entry(&mut self, at: usize, map: &Pointer, depth: usize) -> Result<usize, Open> {
        let key = self.scalar(at, true);
        if key.end >= self.end {
            return Err(open(map.clone(), None, at));
        }
        let name = self
            .text
            .get(key.clone())
            .map(unquoted)
            .unwrap_or_default()
            .to_owned();
        let pointer = map.key(name.clone());
        let after = self.skip(key.end);
        match self.rest(after).strip_prefix(':') {
            Some(_) => self.value(after + 1, (map, Some(&name)), Some(key), depth),
            None => {
                self.entries.push(Entry {
                    pointer,
                    key: Some(key.clone()),
                    value: None,
                });
                // A character that belongs nowhere must not stop the reader.
                Ok(after.max(at + 1))
            }
        }
    }

    /// Reads the value of a key, or an item.
    fn value(
        &mut self,
        at: usize,
        (container, name): (&Pointer, Option<&str>),
        key: Option<Range<usize>>,
        depth: usize,
    ) -> Result<usize, Open> {
        let pointer = match name {
            Some(name) => container.key(name),
            None => container.clone(),
        };
        let at = self.skip(at);
        let first = self.rest(at).chars().next();
        let is_collection = matches!(first, Some('{' | '[')) && depth < DEEPEST;
        let scalar = match is_collection {
            true => at..at,
            false => self.scalar(at, false),
        };
        if first.is_none() || !is_collection && scalar.end >= self.end {
            return Err(open(container.clone(), name.map(str::to_owned), at));
        }
        self.entries.push(Entry {
            pointer: pointer.clone(),
            key,
            value: (!scalar.is_empty()).then_some(scalar.clone()),
        });
        match is_collection {
            true => self.collection(at, &pointer, depth + 1),
            false if matches!(first, Some(',' | '}' | ']')) => Ok(at),
            false => Ok(scalar.end.max(at + 1)),
        }
    }

    /// The bytes of a scalar.
    fn scalar(&self, at: usize, is_key: bool) -> Range<usize> {
        let rest = self.rest(at);
        let first = rest.chars().next().unwrap_or(' ');
        if matches!(first, '"' | '\'') {
            let line = rest.lines().next().unwrap_or_default();
            return at..at + quoted_end(line, first).unwrap_or(line.len());
        }
        let bytes = rest.as_bytes();
        let ends = |(nth, byte): (usize, &u8)| match byte {
            b',' | b'{' | b'}' | b'[' | b']' | b'\n' => true,
            b':' => {
                is_key
                    && matches!(
                        bytes.get(nth + 1),
                        None | Some(b' ' | b'\t' | b'\n' | b'"' | b'\'' | b'{' | b'[')
                    )
            }
            _ => false,
        };
        let end = bytes
            .iter()
            .enumerate()
            .position(ends)
            .unwrap_or(rest.len());
        let written = rest.get(..end).unwrap_or_default();
        // A text that ends here is still being typed, with the blank at its end.
        match at + end >= self.end {
            true => at..self.end,
            false => at..at + written.trim_end().len(),
        }
    }
}

fn open(container: Pointer, key: Option<String>, word: usize) -> Open {
    Open {
        container,
        key,
        word,
    }
}
