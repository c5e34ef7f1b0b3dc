//! Positions as the language server protocol counts them: lines from 0, and UTF-16 code units in a line.

use std::ops::Range;

/// A position in a text: a line from 0, and a number of UTF-16 code units in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinePosition {
    /// The line, from 0.
    pub line: u32,
    /// The number of UTF-16 code units before the position in its line.
    pub character: u32,
}

/// A text with the starts of its lines, which end with `\n`, `\r\n` or `\r`.
pub struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// The lines of a text.
    pub fn new(text: &'t str) -> Self {
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|(at, byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1));
        Lines {
            text,
            starts: starts.collect(),
        }
    }

    /// The position of a byte. One inside of a character, or after the end, counts as the next possible one before it.
    pub fn position(&self, at: usize) -> LinePosition {
        let at = floor(self.text, at);
        let line = self.starts.partition_point(|start| *start <= at).max(1) - 1;
        let start = self.starts.get(line).copied().unwrap_or_default();
        let before = self.text.get(start..at).unwrap_or_default();
        let units: usize = before.chars().map(char::len_utf16).sum();
        let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
        LinePosition {
            line: number(line),
            character: number(units),
        }
    }

    /// The positions of the start and the end of a range of bytes.
    pub fn positions(&self, range: &Range<usize>) -> (LinePosition, LinePosition) {
        (self.position(range.start), self.position(range.end))
    }

    /// The byte at a position. A position after the end of a line counts as its end, and one after the last line as the end of
    /// the text.
    pub fn offset(&self, position: LinePosition) -> usize {
        let line = usize::try_from(position.line).unwrap_or(usize::MAX);
        let Some(start) = self.starts.get(line).copied() else {
            return self.text.len();
        };
        let end = self.starts.get(line.saturating_add(1)).copied();
        let content = self
            .text
            .get(start..end.unwrap_or(self.text.len()))
            .unwrap_or_default()
            .trim_end_matches(['\n', '\r']);
        let mut left = usize::try_from(position.character).unwrap_or(usize::MAX);
        for (at, c) in content.char_indices() {
            // A position between the two halves of a character counts as the one before it.
            if left < c.len_utf16() {
                return start + at;
            }
            left -= c.len_utf16();
        }
        start + content.len()
    }
}

/// The last boundary between two characters at or before a byte.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32, character: u32) -> LinePosition {
        LinePosition { line, character }
    }

    #[test]
    fn positions_count_utf_16_and_every_kind_of_line_end() {
        let text = "a\u{1f600}b\r\nä\rx\n\n";
        let lines = Lines::new(text);
        for (byte, position) in [
            (0, at(0, 0)),
            (1, at(0, 1)),
            (5, at(0, 3)),
            (6, at(0, 4)),
            (8, at(1, 0)),
            (10, at(1, 1)),
            (11, at(2, 0)),
            (13, at(3, 0)),
            (14, at(4, 0)),
        ] {
            assert_eq!(lines.position(byte), position, "{byte}");
            assert_eq!(lines.offset(position), byte, "{position:?}");
        }
    }

    #[test]
    fn positions_that_are_not_in_the_text_count_as_the_nearest_before() {
        let lines = Lines::new("a\u{1f600}\nb");
        assert_eq!(lines.offset(at(0, 2)), 1, "inside of a character");
        assert_eq!(lines.offset(at(0, 99)), 5);
        assert_eq!(lines.offset(at(1, 99)), 7);
        assert_eq!(lines.offset(at(99, 0)), 7);
        assert_eq!(lines.position(3), at(0, 1));
        assert_eq!(lines.position(99), at(1, 1));
        assert_eq!(Lines::new("").offset(at(3, 3)), 0);
    }
}
