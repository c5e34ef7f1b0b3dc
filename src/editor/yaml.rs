//! Keys and values of YAML, line by line, so that a line that is not finished hides no other.

mod flow;
mod line;

use std::ops::Range;

use super::outline::{Cursor, Entry, Outline, word_end};
use flow::Open;
use line::{Key, key_of, scalar_end};
use manifest::read::split;
use manifest::value::Pointer;
use manifest::value::pointer::Step;

/// The documents of a file.
pub fn outlines(text: &str) -> Vec<Outline> {
    let documents = split(text).into_iter().map(|range| Outline {
        entries: scan(text, range.clone()).entries,
        range,
    });
    documents.collect()
}

/// The document that contains a byte.
pub fn outline_at(text: &str, at: usize) -> Outline {
    let range = document_at(text, at);
    Outline {
        entries: scan(text, range.clone()).entries,
        range,
    }
}

fn document_at(text: &str, at: usize) -> Range<usize> {
    let mut documents = split(text).into_iter().rev();
    documents
        .find(|range| range.start <= at)
        .unwrap_or(0..text.len())
}

/// Where somebody types at a byte. `None` in a comment and in a block of text.
pub fn cursor(text: &str, at: usize) -> Option<Cursor> {
    let document = document_at(text, at);
    let before = text.get(..at)?;
    let line = before
        .rfind('\n')
        .map_or(0, |end| end + 1)
        .max(document.start);
    let above = scan(text, document.start..line);
    if above.open.is_some() {
        return scan(text, document.start..at).open.map(|open| {
            let start = open.word.min(at);
            Cursor {
                container: open.container,
                key: open.key,
                word: start..word_end(text, at),
            }
        });
    }
    typed_line(text, line, at, above)
}

/// Where somebody types in a line of which the lines above are read.
fn typed_line(text: &str, line: usize, at: usize, above: Scan) -> Option<Cursor> {
    let written = text.get(line..at)?;
    let indent = written.len() - written.trim_start_matches(' ').len();
    if above.block.is_some_and(|block| indent > block) || written.trim_start().starts_with('#') {
        return None;
    }
    let mut frames = above.frames;
    let (mut column, mut rest) = (indent, written.get(indent..)?);
    if rest.starts_with("---") {
        return None;
    }
    while let Some(after) = rest
        .strip_prefix('-')
        .filter(|it| it.is_empty() || it.starts_with(' '))
    {
        frames.item(column);
        let blanks = after.len() - after.trim_start_matches(' ').len();
        column += 1 + blanks;
        rest = after.get(blanks..)?;
    }
    let Some(Key { name, after, .. }) = key_of(rest) else {
        if rest.starts_with(['{', '[']) {
            return in_flow(text, at - rest.len(), at, frames.pointer());
        }
        frames.close(column);
        let end = word_end(text, at);
        return Some(Cursor {
            container: frames.pointer(),
            key: None,
            word: at - rest.len()..end,
        });
    };
    frames.close(column);
    let value = rest.get(after..)?;
    let blanks = value.len() - value.trim_start_matches([' ', '\t']).len();
    if blanks == 0 {
        // The cursor is at the colon.
        return None;
    }
    let value = value.get(blanks..)?;
    let start = at - value.len();
    if value.starts_with(['{', '[']) {
        return in_flow(text, start, at, frames.pointer().key(name));
    }
    if value.starts_with(['|', '>', '#']) || value.contains(" #") {
        return None;
    }
    let rest_of_line = text.get(start..)?.lines().next().unwrap_or_default();
    Some(Cursor {
        container: frames.pointer(),
        key: Some(name),
        word: start..start + scalar_end(rest_of_line).max(value.len()),
    })
}

fn in_flow(text: &str, start: usize, at: usize, pointer: Pointer) -> Option<Cursor> {
    let open = flow::read(text, start, at, pointer, &mut Vec::new()).err()?;
    Some(Cursor {
        container: open.container,
        key: open.key,
        word: open.word.min(at)..word_end(text, at),
    })
}

/// The keys and items around the current line, each with its column.
#[derive(Default)]
struct Frames(Vec<(usize, Step)>);

impl Frames {
    /// Leaves the maps and lists that end before a key at a column.
    fn close(&mut self, column: usize) {
        while self.0.last().is_some_and(|(there, _)| *there >= column) {
            self.0.pop();
        }
    }

    /// Enters the next item of the list at a column.
    fn item(&mut self, column: usize) {
        let mut index = 0;
        // A list may be at the same column as its key.
        while let Some((there, step)) = self.0.last() {
            match step {
                Step::Index(last) if *there == column => index = last.saturating_add(1),
                _ if *there > column => {}
                _ => break,
            }
            self.0.pop();
            if index > 0 {
                break;
            }
        }
        self.0.push((column, Step::Index(index)));
    }

    fn pointer(&self) -> Pointer {
        let steps = self.0.iter().map(|(_, step)| step.clone());
        steps.fold(Pointer::root(), |at, step| at.step(step))
    }
}

/// What a text consists of, and where it ends.
#[derive(Default)]
struct Scan {
    entries: Vec<Entry>,
    frames: Frames,
    /// The column of the key or item whose block of text the end is in.
    block: Option<usize>,
    /// The bracket that is not closed at the end.
    open: Option<Open>,
}

/// The deepest nesting that is followed.
const DEEPEST: usize = 128;

fn scan(text: &str, range: Range<usize>) -> Scan {
    let mut scan = Scan::default();
    let mut at = range.start;
    while at < range.end {
        let rest = text.get(at..range.end).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default();
        let next = at + line.len() + 1;
        let end = scan.line(text, at, line.trim_end_matches('\r'), range.end);
        at = next.max(end);
    }
    scan
}

impl Scan {
    /// Reads a line. Returns where its content ends, if that is in a later line.
    fn line(&mut self, text: &str, start: usize, line: &str, end: usize) -> usize {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let mut rest = line.get(indent..).unwrap_or_default();
        if rest.is_empty() || self.block.is_some_and(|block| indent > block) {
            return start;
        }
        self.block = None;
        if rest.starts_with('#') || rest.starts_with("---") {
            return start;
        }
        let mut column = indent;
        let mut item = None;
        while let Some(after) = rest
            .strip_prefix('-')
            .filter(|it| it.is_empty() || it.starts_with(' '))
        {
            self.frames.item(column);
            item = Some(column);
            let blanks = after.len() - after.trim_start_matches(' ').len();
            column += 1 + blanks;
            rest = after.get(blanks..).unwrap_or_default();
            if self.frames.0.len() > DEEPEST {
                return start;
            }
        }
        let here = start + column;
        match key_of(rest) {
            Some(key) if !rest.starts_with(['{', '[']) => {
                self.frames.close(column);
                self.frames.0.push((column, Step::Key(key.name.clone())));
                let at = here..here + key.written;
                let value = rest.get(key.after..).unwrap_or_default();
                self.value(text, here + key.after, value, (Some(at), column), end)
            }
            _ if item.is_some() || rest.starts_with(['{', '[']) => {
                self.value(text, here, rest, (None, item.unwrap_or(column)), end)
            }
            // The rest of a text that began in a line above, or a key that is being typed.
            _ => start,
        }
    }

    /// Reads the value of a key or an item at a column.
    fn value(
        &mut self,
        text: &str,
        start: usize,
        written: &str,
        (key, column): (Option<Range<usize>>, usize),
        end: usize,
    ) -> usize {
        let pointer = self.frames.pointer();
        let blanks = written.len() - written.trim_start_matches([' ', '\t']).len();
        let start = start + blanks;
        let written = written.get(blanks..).unwrap_or_default();
        let mut entry = Entry {
            pointer: pointer.clone(),
            key,
            value: None,
        };
        match written.chars().next() {
            Some('{' | '[') => {
                self.entries.push(entry);
                let is_whole = pointer.steps().is_empty();
                let limit = if is_whole {
                    end
                } else {
                    dedent(text, start, column, end)
                };
                match flow::read(text, start, limit, pointer, &mut self.entries) {
                    Ok(end) => return end,
                    Err(open) => {
                        self.open = (limit == end).then_some(open);
                        return limit;
                    }
                }
            }
            Some('|' | '>') => self.block = Some(column),
            Some('#') | None => {}
            Some(_) => entry.value = Some(start..start + scalar_end(written)),
        }
        self.entries.push(entry);
        start
    }
}

/// The start of the first line after `start` that is not deeper than a column.
fn dedent(text: &str, start: usize, column: usize, end: usize) -> usize {
    let rest = text.get(start..end).unwrap_or_default();
    let mut at = start;
    for (nth, line) in rest.split_inclusive('\n').enumerate() {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let is_blank = line.trim().is_empty();
        let is_closing = line.trim_start().starts_with(['}', ']']);
        if nth > 0 && !is_blank && !is_closing && indent <= column {
            return at;
        }
        at += line.len();
    }
    end
}

#[cfg(test)]
mod tests;
