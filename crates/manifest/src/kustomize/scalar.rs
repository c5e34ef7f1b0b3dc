//! Scans scalars: plain ones, quoted ones, and blocks.

mod block;

use std::borrow::Cow;

use super::scan::Scanner;
use super::token::{Fault, Style, Token, fault, fault_in_object};

/// The text of a scalar. It is a slice of the source as long as nothing has to be folded or unescaped.
struct ScalarText<'a> {
    text: &'a str,
    start: usize,
    end: usize,
    owned: Option<String>,
}

/// The whitespace and line ends between two words of a scalar.
#[derive(Default)]
struct Gap {
    /// The range of the whitespace on the line of the first word.
    blanks: (usize, usize),
    /// The first line end.
    first: Option<&'static str>,
    /// The following line ends.
    rest: String,
}

impl Gap {
    /// The text that replaces the gap.
    fn folded<'a>(&'a self, text: &'a str) -> Cow<'a, str> {
        match self.first {
            None => Cow::Borrowed(text.get(self.blanks.0..self.blanks.1).unwrap_or_default()),
            Some("\n") if self.rest.is_empty() => Cow::Borrowed(" "),
            Some("\n") => Cow::Borrowed(&self.rest),
            Some(first) => Cow::Owned(format!("{first}{}", self.rest)),
        }
    }
}

impl<'a> ScalarText<'a> {
    fn new(at: usize, text: &'a str) -> Self {
        ScalarText {
            text,
            start: at,
            end: at,
            owned: None,
        }
    }

    /// Appends the bytes `start..end` of the source.
    fn add(&mut self, start: usize, end: usize) {
        if self.owned.is_none() && self.start == self.end {
            (self.start, self.end) = (start, end);
        } else if self.owned.is_none() && self.end == start {
            self.end = end;
        } else {
            let text = self.text;
            self.owned()
                .push_str(text.get(start..end).unwrap_or_default());
        }
    }

    fn slice(&self) -> &'a str {
        self.text.get(self.start..self.end).unwrap_or_default()
    }

    /// The text as an owned string, to which other text can be appended.
    fn owned(&mut self) -> &mut String {
        let slice = self.slice();
        self.owned.get_or_insert_with(|| slice.to_owned())
    }

    fn finish(self) -> Cow<'a, str> {
        let slice = self.slice();
        self.owned.map_or(Cow::Borrowed(slice), Cow::Owned)
    }
}

impl<'a> Scanner<'a> {
    /// A plain scalar, and its end.
    pub(super) fn plain_scalar(&mut self) -> Result<(Token<'a>, usize), Fault> {
        let start = self.at;
        let column = self.indent + 1;
        let mut scalar = ScalarText::new(start, self.text);
        let mut gap = Gap::default();
        let mut end = start;
        let mut has_gap = false;
        loop {
            if self.is_document_mark() || self.byte(0) == b'#' {
                break;
            }
            let word = self.at;
            while !self.is_word_end(0) && !self.ends_plain() {
                self.skip();
            }
            if self.at > word {
                if has_gap && gap.first.is_none() {
                    scalar.add(gap.blanks.0, gap.blanks.1);
                } else if has_gap {
                    let folded = gap.folded(self.text).into_owned();
                    scalar.owned().push_str(&folded);
                }
                scalar.add(word, self.at);
                end = self.at;
                gap = Gap::default();
                has_gap = false;
            }
            if !(self.is_blank(0) || self.is_break(0)) {
                break;
            }
            if !has_gap {
                gap.blanks.0 = self.at;
            }
            self.gap(&mut gap, Some(column))?;
            has_gap = true;
            if self.flow_depth == 0 && self.column() < column {
                break;
            }
        }
        if gap.first.is_some() {
            self.key_allowed = true;
        }
        self.note_plain(start, end);
        Ok((Token::Scalar(scalar.finish(), Style::Plain), end))
    }

    /// Whether an indicator ends a plain scalar here.
    fn ends_plain(&self) -> bool {
        match self.byte(0) {
            b':' => self.is_word_end(1),
            b',' | b'?' | b'[' | b']' | b'{' | b'}' => self.flow_depth > 0,
            _ => false,
        }
    }

    /// Marks plain scalars on which parsers disagree.
    fn note_plain(&mut self, start: usize, end: usize) {
        let text = self.bytes.get(start..end).unwrap_or_default();
        let in_flow = self.flow_depth > 0
            && (text.iter().any(|byte| matches!(byte, b':' | b'?')) || text.first() == Some(&b'-'));
        let starts = matches!(text.first(), Some(b'?' | b':' | b'-'))
            && text
                .get(1)
                .is_some_and(|next| !next.is_ascii_alphanumeric());
        self.is_peculiar |=
            in_flow || starts || text.iter().any(|byte| matches!(byte, b'\t' | 0xef));
    }

    /// Whitespace and line ends inside a scalar. A tab must not be used to indent a line less than `column`.
    fn gap(&mut self, gap: &mut Gap, column: Option<isize>) -> Result<(), Fault> {
        loop {
            if self.is_blank(0) {
                let is_tab = self.byte(0) == b'\t';
                if is_tab && gap.first.is_some() {
                    self.is_peculiar = true;
                    if column.is_some_and(|column| self.column() < column) {
                        return fault(
                            "a tab in the indentation, where only spaces are allowed",
                            self.at,
                        );
                    }
                }
                self.skip();
                if gap.first.is_none() {
                    gap.blanks.1 = self.at;
                }
                continue;
            }
            let length = self.break_length(0);
            if length == 0 {
                return Ok(());
            }
            if column.is_some() {
                self.plain_break(length)?;
            }
            let text = self.read_break(length);
            match gap.first {
                None => gap.first = Some(text),
                Some(_) => gap.rest.push_str(text),
            }
        }
    }

    /// Skips a line end and returns its text.
    fn read_break(&mut self, length: usize) -> &'static str {
        let text = match self.bytes.get(self.at..self.at + length) {
            Some([0xe2, 0x80, 0xa8]) => "\u{2028}",
            Some([0xe2, 0x80, 0xa9]) => "\u{2029}",
            _ => "\n",
        };
        self.is_peculiar |= self.byte(0) != b'\n' && self.byte(1) != b'\n';
        self.pass_line(length);
        text
    }

    /// A quoted scalar.
    pub(super) fn quoted_scalar(&mut self) -> Result<Token<'a>, Fault> {
        let start = self.at;
        let quote = self.byte(0);
        self.skip();
        let mut scalar = ScalarText::new(self.at, self.text);
        loop {
            if self.is_document_mark() {
                return fault("a `---` or `...` line inside quotes", self.at);
            }
            if self.at >= self.bytes.len() {
                return fault("a quote that is not closed", start);
            }
            let mut gap = Gap::default();
            while !self.is_word_end(0) && self.byte(0) != quote || self.is_doubled(quote) {
                if self.byte(0) == b'\'' && quote == b'\'' {
                    scalar.add(self.at, self.at + 1);
                    self.skip();
                    self.skip();
                } else if quote == b'"' && self.byte(0) == b'\\' {
                    if self.is_break(1) {
                        self.skip();
                        let length = self.break_length(0);
                        self.read_break(length);
                        // An escaped line end is replaced by nothing, whatever whitespace follows.
                        gap.first = Some("");
                        scalar.owned();
                        break;
                    }
                    self.escape(&mut scalar)?;
                } else {
                    let from = self.at;
                    self.skip();
                    while !self.is_word_end(0) && !matches!(self.byte(0), b'\'' | b'"' | b'\\') {
                        self.skip();
                    }
                    scalar.add(from, self.at);
                }
            }
            if self.byte(0) == quote {
                break;
            }
            gap.blanks = (self.at, self.at);
            self.gap(&mut gap, None)?;
            if gap.first.is_none() {
                scalar.add(gap.blanks.0, gap.blanks.1);
            } else {
                let folded = gap.folded(self.text).into_owned();
                scalar.owned().push_str(&folded);
            }
        }
        self.skip();
        let style = if quote == b'"' {
            Style::DoubleQuoted
        } else {
            Style::SingleQuoted
        };
        Ok(Token::Scalar(scalar.finish(), style))
    }

    /// Whether two single quotes are here, which stand for one quote in the text.
    fn is_doubled(&self, quote: u8) -> bool {
        quote == b'\'' && self.byte(0) == b'\'' && self.byte(1) == b'\''
    }

    /// A backslash escape.
    fn escape(&mut self, scalar: &mut ScalarText<'_>) -> Result<(), Fault> {
        let start = self.at;
        let digits = match self.byte(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            _ => 0,
        };
        if digits > 0 {
            let code = self
                .text
                .get(start + 2..start + 2 + digits)
                .unwrap_or_default();
            let is_hex = code.bytes().all(|byte| byte.is_ascii_hexdigit()) && code.len() == digits;
            let code = u32::from_str_radix(code, 16).ok().filter(|_| is_hex);
            let Some(text) = code.and_then(char::from_u32) else {
                let pair = code
                    .filter(|_| digits == 4)
                    .and_then(|first| self.second_half(first, start + 6));
                let unknown = "an escape that is not a character for kustomize";
                let text = self.json_only(pair, unknown, start)?;
                scalar.owned().push(text);
                (0..12).for_each(|_| self.skip());
                return Ok(());
            };
            scalar.owned().push(text);
        } else if self.byte(1) == b'/' {
            let unknown = "an escape that kustomize doesn't know";
            let text = self.json_only(Some('/'), unknown, start)?;
            scalar.owned().push(text);
        } else {
            let Some((_, text)) = ESCAPES.iter().find(|(escape, _)| *escape == self.byte(1)) else {
                return fault_in_object("an escape that kustomize doesn't know", start);
            };
            self.is_peculiar |= matches!(self.byte(1), b'\'' | b'\t');
            scalar.owned().push_str(text);
        }
        (0..2 + digits).for_each(|_| self.skip());
        Ok(())
    }

    /// The character of an escape that JSON has, but not go-yaml.
    fn json_only(
        &mut self,
        text: Option<char>,
        unknown: &'static str,
        start: usize,
    ) -> Result<char, Fault> {
        let fault = fault_in_object(unknown, start);
        match text {
            Some(text) if self.is_exact => {
                self.json_escape = self.json_escape.take().or(fault.err());
                Ok(text)
            }
            _ => fault.map(|()| char::REPLACEMENT_CHARACTER),
        }
    }

    /// The character whose first half is `first`, and whose second half is the escape at `at`.
    fn second_half(&self, first: u32, at: usize) -> Option<char> {
        let second = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
        let second = u16::from_str_radix(second, 16).ok()?;
        let pair = [u16::try_from(first).ok()?, second];
        let mut read = char::decode_utf16(pair);
        let text = read.next()?.ok()?;
        read.next().is_none().then_some(text)
    }
}

/// The characters after a backslash, and their meanings.
const ESCAPES: &[(u8, &str)] = &[
    (b'0', "\0"),
    (b'a', "\u{7}"),
    (b'b', "\u{8}"),
    (b't', "\t"),
    (b'\t', "\t"),
    (b'n', "\n"),
    (b'v', "\u{b}"),
    (b'f', "\u{c}"),
    (b'r', "\r"),
    (b'e', "\u{1b}"),
    (b' ', " "),
    (b'"', "\""),
    (b'\'', "'"),
    (b'\\', "\\"),
    (b'N', "\u{85}"),
    (b'_', "\u{a0}"),
    (b'L', "\u{2028}"),
    (b'P', "\u{2029}"),
];
