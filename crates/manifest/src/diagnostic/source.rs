//! Source texts, and the conversion of byte positions to lines and columns.

use std::sync::{Arc, OnceLock};

use super::span::{SourceId, Span};

/// A text: a file that was read, or a file that would be written.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    text: Arc<str>,
    /// The byte where each line starts. Computed when a position is first needed, because most texts need
    /// none.
    line_starts: OnceLock<Vec<u32>>,
    /// The number of characters that begin before each multiple of [`STEP`] bytes. Computed when a column far
    /// into a line is first needed.
    characters: OnceLock<Vec<u32>>,
}

/// How many bytes are scanned at most to count a column. A minified file is a single long line and may have a
/// finding for each value. Counting every column from the start of the line would be too slow.
const STEP: usize = 1024;

impl Source {
    fn new(name: String, text: Arc<str>) -> Self {
        Source {
            name,
            text,
            line_starts: OnceLock::new(),
            characters: OnceLock::new(),
        }
    }

    /// The byte where each line starts. There is always at least one line.
    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let ends = memchr::memchr_iter(b'\n', self.text.as_bytes());
            let starts = ends.map(|at| u32::try_from(at + 1).unwrap_or(u32::MAX));
            std::iter::once(0).chain(starts).collect()
        })
    }

    /// The path to show: relative to the root, with `/` on every operating system.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The line that contains byte `at`, and the column in characters. Both are counted from 1.
    pub fn line_column(&self, at: u32) -> (usize, usize) {
        let at = at.min(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        let line = self.line_starts().partition_point(|start| *start <= at);
        let start = self.line_starts()[line - 1] as usize;
        let column = match at as usize - start {
            ..STEP => begin(&self.text.as_bytes()[start..at as usize]),
            _ => self.characters_before(at as usize) - self.characters_before(start),
        };
        (line, column + 1)
    }

    /// The number of characters that begin before byte `at`.
    fn characters_before(&self, at: usize) -> usize {
        let counts = self.characters.get_or_init(|| {
            let steps = self.text.as_bytes().chunks(STEP);
            let counts = steps.scan(0_u32, |before, step| {
                *before += u32::try_from(begin(step)).unwrap_or(u32::MAX);
                Some(*before)
            });
            std::iter::once(0).chain(counts).collect()
        });
        let step = at / STEP;
        let before = counts.get(step).copied().unwrap_or_default() as usize;
        before
            + begin(
                self.text
                    .as_bytes()
                    .get(step * STEP..at)
                    .unwrap_or_default(),
            )
    }

    /// The text of a line (from 1) without its line end; empty after the last line.
    pub fn line(&self, line: usize) -> &str {
        let Some(start) = line
            .checked_sub(1)
            .and_then(|at| self.line_starts().get(at))
        else {
            return "";
        };
        let end = self
            .line_starts()
            .get(line)
            .map_or(self.text.len(), |next| *next as usize - 1);
        self.text[*start as usize..end].trim_end_matches('\r')
    }

    /// The byte range of a line (from 1) without its line end.
    pub fn line_range(&self, line: usize) -> Option<std::ops::Range<usize>> {
        let start = *self.line_starts().get(line.checked_sub(1)?)? as usize;
        Some(start..start + self.line(line).len())
    }
}

/// The number of characters that begin in these bytes of UTF-8.
fn begin(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .filter(|byte| !matches!(byte, 0x80..=0xBF))
        .count()
}

/// A span as editors count: lines and columns (in characters) start at 1, and the end is exclusive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The name of the source.
    pub file: String,
    /// The first line.
    pub line: usize,
    /// The first column.
    pub column: usize,
    /// The last line.
    pub end_line: usize,
    /// The column after the last one.
    pub end_column: usize,
}

/// All source texts of a run.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    all: Vec<Source>,
}

impl Sources {
    /// Adds a text. `name` is the name to show.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> SourceId {
        let id = SourceId(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        self.all.push(Source::new(name.into(), text.into()));
        id
    }

    /// The text with this id.
    pub fn get(&self, id: SourceId) -> &Source {
        &self.all[id.0 as usize]
    }

    /// Converts a span to lines and columns.
    pub fn locate(&self, span: Span) -> Location {
        let source = self.get(span.source);
        let (line, column) = source.line_column(span.start);
        let (end_line, end_column) = source.line_column(span.end);
        Location {
            file: source.name.clone(),
            line,
            column,
            end_line,
            end_column,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let mut sources = Sources::default();
        let id = sources.add("a.toml", "x = 1\nnäme = 2\n");
        let at = |start, end| {
            let place = sources.locate(Span::new(id, start, end));
            (place.line, place.column, place.end_line, place.end_column)
        };
        assert_eq!(at(0, 1), (1, 1, 1, 2));
        assert_eq!(at(6, 11), (2, 1, 2, 5));
        assert_eq!(at(14, 15), (2, 8, 2, 9));
        assert_eq!(at(99, 200), (3, 1, 3, 1));
        assert_eq!(sources.get(id).line(2), "näme = 2");
        assert_eq!(sources.get(id).line(9), "");
    }

    /// Every position has the column that counting from the start of the line gives, however long the line
    /// is.
    #[test]
    fn columns_of_a_long_line_are_counted_in_steps() {
        let mut sources = Sources::default();
        let text = format!("x\n{}\ny", "aé€🦀".repeat(STEP));
        let id = sources.add("a.json", text.as_str());
        let mut want = (2, 1);
        for (at, letter) in text.char_indices().skip(2) {
            if letter == '\n' {
                break;
            }
            for inside in 1..letter.len_utf8() {
                let at = u32::try_from(at + inside).expect("a short text");
                assert_eq!(sources.get(id).line_column(at), (2, want.1 + 1));
            }
            let at = u32::try_from(at).expect("a short text");
            assert_eq!(sources.get(id).line_column(at), want);
            want.1 += 1;
        }
    }
}
