//! Scans scalars: plain ones, quoted ones, and blocks.

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

    /// A block scalar (`|` or `>`), with the start and end of its lines.
    pub(super) fn block_scalar(&mut self) -> Result<(Token<'a>, usize, usize), Fault> {
        let is_literal = self.byte(0) == b'|';
        self.skip();
        let (keeps, step) = self.block_header()?;
        let mut end = self.at;
        let mut indent = if step > 0 {
            self.indent.max(0) + step
        } else {
            0
        };
        let mut text = String::new();
        let mut breaks = String::new();
        let mut line_break = "";
        let mut was_blank = false;
        self.block_breaks(&mut indent, &mut breaks, &mut end)?;
        let first = self.at;
        // The other parser uses different positions for a block without lines.
        self.is_peculiar |= self.column() != indent || self.at >= self.bytes.len();
        while self.column() == indent && self.at < self.bytes.len() {
            let is_blank = self.is_blank(0);
            if !is_literal && !was_blank && !is_blank && line_break == "\n" {
                if breaks.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(line_break);
            }
            text.push_str(&breaks);
            breaks.clear();
            was_blank = is_blank;
            let line = self.at;
            while !self.is_line_end(0) {
                self.skip();
            }
            text.push_str(self.text.get(line..self.at).unwrap_or_default());
            let length = self.break_length(0);
            line_break = "";
            if length > 0 {
                self.plain_break(length)?;
                line_break = self.read_break(length);
            } else {
                self.is_peculiar = true;
            }
            self.block_breaks(&mut indent, &mut breaks, &mut end)?;
        }
        if keeps != Some(false) {
            text.push_str(line_break);
        }
        if keeps == Some(true) {
            text.push_str(&breaks);
        }
        let style = if is_literal {
            Style::Literal
        } else {
            Style::Folded
        };
        Ok((Token::Scalar(Cow::Owned(text), style), first, end))
    }

    /// The header of a block scalar after `|` or `>`: whether the last line ends are kept (`+`) or removed
    /// (`-`), and the indentation, or 0 if it is not given.
    fn block_header(&mut self) -> Result<(Option<bool>, isize), Fault> {
        let start = self.at;
        let (mut keeps, mut step) = (None, 0);
        for _ in 0..2 {
            match self.byte(0) {
                sign @ (b'+' | b'-') if keeps.is_none() => keeps = Some(sign == b'+'),
                b'0' if step == 0 => {
                    return fault("a block scalar with the indentation 0", self.at);
                }
                digit @ b'1'..=b'9' if step == 0 => step = isize::from(digit - b'0'),
                _ => break,
            }
            self.skip();
        }
        let after = self.at;
        while self.is_blank(0) {
            self.is_peculiar |= self.byte(0) == b'\t';
            self.skip();
        }
        if self.byte(0) == b'#' {
            self.is_peculiar |= self.at == after;
            while !self.is_line_end(0) {
                self.skip();
            }
        }
        if !self.is_line_end(0) {
            return fault("text on the line that starts a block scalar", start);
        }
        self.skip_line()?;
        Ok((keeps, step))
    }

    /// The indentation and empty lines before the next line of a block. If `indent` is 0, determines the
    /// indentation.
    fn block_breaks(
        &mut self,
        indent: &mut isize,
        breaks: &mut String,
        end: &mut usize,
    ) -> Result<(), Fault> {
        *end = self.at;
        let mut widest = 0;
        loop {
            while (*indent == 0 || self.column() < *indent) && self.byte(0) == b' ' {
                self.skip();
            }
            widest = widest.max(self.column());
            if (*indent == 0 || self.column() < *indent) && self.byte(0) == b'\t' {
                return fault(
                    "a tab in the indentation, where only spaces are allowed",
                    self.at,
                );
            }
            let length = self.break_length(0);
            if length == 0 {
                break;
            }
            self.plain_break(length)?;
            breaks.push_str(self.read_break(length));
            *end = self.at;
        }
        if *indent == 0 {
            self.is_peculiar |= widest > self.column();
            *indent = widest.max(self.indent + 1).max(1);
        }
        Ok(())
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
