//! Block scalars: `|` and `>`.

use std::borrow::Cow;

use super::super::scan::Scanner;
use super::super::token::{Fault, Style, Token, fault};

impl<'a> Scanner<'a> {
    /// A block scalar (`|` or `>`), with the start and end of its lines.
    pub(in super::super) fn block_scalar(&mut self) -> Result<(Token<'a>, usize, usize), Fault> {
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
