//! Cuts the lines that a finding shows out of their sources.
//! `annotate-snippets` draws them. Its input is prepared here, because it would scan the whole file for each
//! finding and panics if a range is outside the text or inside a character. It also computes the position in
//! the header from the excerpt instead of the file. So it gets placeholders for headers, and [`fill`]
//! replaces them.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Snippet};

use super::text;
use manifest::diagnostic::{Location, Source, Sources, Span};

/// A span of more lines than this is marked only on its first line. Otherwise a whole table or object would
/// push the message off the screen.
const MOST_LINES: usize = 6;

/// Marks in the same file that are further apart than this many lines get separate excerpts.
const FAR: usize = 100;

/// The first character of a header's placeholder: a code point that will never be a character, and that
/// [`text::visible`] removes from all other text.
const SLOT: char = text::NO_CHARACTER;

/// A position to mark.
pub(super) struct Mark {
    span: Span,
    /// The text beside the mark; the primary mark has none.
    label: Option<String>,
    at: Location,
    from: Point,
    to: Point,
}

/// A line, counted from 1, and a byte position in it.
#[derive(Clone, Copy)]
struct Point {
    line: usize,
    byte: usize,
}

/// Lines of one source with their marks, and the header above them.
pub(super) struct Excerpt {
    /// `file:line:column`.
    pub(super) header: String,
    /// The lines, with a placeholder for the header.
    pub(super) snippet: Snippet<'static, Annotation<'static>>,
}

impl Mark {
    /// A mark for `span`. A mark with a label is secondary.
    pub(super) fn new(span: Span, label: Option<String>, sources: &Sources) -> Self {
        let source = sources.get(span.source);
        let at = sources.locate(span);
        let from = point(source, at.line, span.start as usize);
        let mut to = point(source, at.end_line, span.end as usize);
        if to.line > from.line && to.byte == 0 {
            // A span that ends with a line feed ends on the line before.
            to = end_of(source, to.line - 1);
        }
        if to.line - from.line >= MOST_LINES {
            to = end_of(source, from.line);
        }
        if to.line == from.line {
            // A span that begins in the whitespace at the end of a line is marked where it begins.
            to.byte = to.byte.max(from.byte);
        }
        Mark {
            span,
            label,
            at,
            from,
            to,
        }
    }

    fn is_near(&self, lines: &Range<usize>) -> bool {
        self.from.line <= lines.end + FAR && self.to.line + FAR >= lines.start
    }
}

fn point(source: &Source, line: usize, at: usize) -> Point {
    let start = source.line_range(line).map_or(0, |range| range.start);
    let text = source.line(line);
    let byte = text.floor_char_boundary(at.saturating_sub(start));
    Point { line, byte }
}

fn end_of(source: &Source, line: usize) -> Point {
    let byte = source.line(line).trim_end().len();
    Point { line, byte }
}

/// The excerpts that show `marks`, of which the first is the primary one. `width` is the width of the
/// terminal.
pub(super) fn excerpts(marks: Vec<Mark>, sources: &Sources, width: usize) -> Vec<Excerpt> {
    let mut clusters: Vec<(Range<usize>, Vec<Mark>)> = Vec::new();
    for mark in marks {
        let home = clusters.iter_mut().find(|(lines, there)| {
            there
                .iter()
                .any(|other| other.span.source == mark.span.source)
                && mark.is_near(lines)
        });
        match home {
            Some((lines, there)) => {
                lines.start = lines.start.min(mark.from.line);
                lines.end = lines.end.max(mark.to.line);
                there.push(mark);
            }
            None => clusters.push((mark.from.line..mark.to.line, vec![mark])),
        }
    }
    clusters
        .into_iter()
        .enumerate()
        .filter_map(|(slot, (lines, marks))| {
            let excerpt = excerpt(lines, &marks, sources, width)?;
            let snippet = excerpt.snippet.path(format!("{SLOT}{slot}"));
            Some(Excerpt { snippet, ..excerpt })
        })
        .collect()
}

/// Replaces the headers' placeholders in the drawn text. A placeholder extends to the end of its line.
pub(super) fn fill(drawn: &str, headers: &[String]) -> String {
    let mut filled = String::with_capacity(drawn.len());
    for line in drawn.split_inclusive('\n') {
        let header = line.split_once(SLOT).and_then(|(arrow, slot)| {
            let (number, _) = slot.split_once(':')?;
            Some((arrow, headers.get(number.parse::<usize>().ok()?)?))
        });
        match header {
            Some((arrow, header)) => filled.extend([arrow, header, "\n"]),
            None => filled.push_str(line),
        }
    }
    filled
}

/// An excerpt of the lines `lines.start` to `lines.end`, both included.
fn excerpt(
    lines: Range<usize>,
    marks: &[Mark],
    sources: &Sources,
    width: usize,
) -> Option<Excerpt> {
    let first = marks.first()?;
    let source = sources.get(first.span.source);
    let mut shown = String::new();
    let mut ranges = vec![0..0; marks.len()];
    for number in lines.start..=lines.end {
        let line = source.line(number);
        let window = window(line, number, marks, width);
        let start = shown.len();
        let place = |byte: usize| {
            let before = window.start..byte.clamp(window.start, window.end);
            let before = line.get(before).unwrap_or_default();
            let sizes = before.chars().map(|c| text::visible(c).len_utf8());
            start + sizes.sum::<usize>()
        };
        for (mark, range) in marks.iter().zip(&mut ranges) {
            if mark.from.line == number {
                range.start = place(mark.from.byte);
            }
            if mark.to.line == number {
                range.end = place(mark.to.byte);
            }
        }
        let visible = line.get(window.clone()).unwrap_or_default();
        shown.extend(visible.chars().map(text::visible));
        if window.len() < line.len() {
            shorten(&mut ranges, start, &shown, width * 2 / 3);
        }
        shown.push('\n');
    }
    let annotations = marks.iter().zip(ranges).map(|(mark, range)| {
        let kind = match mark.label {
            None => AnnotationKind::Primary,
            Some(_) => AnnotationKind::Context,
        };
        kind.span(range).label(mark.label.clone())
    });
    let Location {
        file, line, column, ..
    } = &first.at;
    Some(Excerpt {
        header: text::line(&format!("{file}:{line}:{column}")),
        snippet: Snippet::source(shown)
            .line_start(lines.start)
            .annotations(annotations),
    })
}

/// Limits the marks on the last line of `shown`, which begins at `start`, to `most` characters. If a mark is
/// longer than the terminal is wide, the end of the line is cut off instead of the middle of the mark.
fn shorten(ranges: &mut [Range<usize>], start: usize, shown: &str, most: usize) {
    for range in ranges {
        let marked = shown.get(range.clone()).filter(|_| range.start >= start);
        let cut = marked.and_then(|marked| marked.char_indices().nth(most));
        if let Some((cut, _)) = cut {
            range.end = range.start + cut;
        }
    }
}

/// The bytes of a line that are drawn. If a line is much longer than the terminal is wide, these are only the
/// bytes around its first mark. The renderer shows dots for the rest.
fn window(line: &str, number: usize, marks: &[Mark], width: usize) -> Range<usize> {
    let around = 2 * width;
    if line.len() <= 2 * around {
        return 0..line.len();
    }
    let starts = marks.iter().filter(|mark| mark.from.line == number);
    let middle = starts.map(|mark| mark.from.byte).min().unwrap_or(0);
    let back = |(at, _): (usize, char)| at;
    let (before, after) = line.split_at_checked(middle).unwrap_or(("", line));
    let start = before.char_indices().rev().nth(around).map_or(0, back);
    let end = after
        .char_indices()
        .nth(around)
        .map_or(line.len(), |(at, _)| middle + at);
    start..end
}
