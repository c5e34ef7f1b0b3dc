//! Splits a text into tokens, by indentation and indicators.

mod keys;

use std::collections::VecDeque;

use super::token::{Fault, LocatedToken, Token, fault};
use keys::PossibleKey;

/// The maximum nesting of blocks and of flows. No object is nested that deep, and it is cheap enough.
const DEEPEST: usize = 256;

/// The scanner, which reads the text once and returns one token after the other.
pub(super) struct Scanner<'a> {
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) line_start: usize,
    pub(super) line: usize,
    /// The number of line ends since the last character that is not whitespace.
    pub(super) newlines: usize,
    pub(super) flow_depth: usize,
    /// The column of the innermost open block; -1 outside of blocks.
    pub(super) indent: isize,
    /// Whether a key may start here.
    pub(super) key_allowed: bool,
    /// Whether the text contains something that a YAML 1.2 parser may read differently or refuse.
    pub(super) is_peculiar: bool,
    /// Whether everything is read as go-yaml does, whatever other programs do. An escape that only JSON has is read,
    /// too; the first one is in `json_escape`.
    pub(super) is_exact: bool,
    pub(super) json_escape: Option<Fault>,
    indents: Vec<isize>,
    keys: Vec<PossibleKey>,
    tokens: VecDeque<LocatedToken<'a>>,
    taken: usize,
    is_ready: bool,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let at = if text.starts_with('\u{feff}') { 3 } else { 0 };
        Scanner {
            text,
            bytes: text.as_bytes(),
            at,
            line_start: at,
            line: 0,
            newlines: 0,
            flow_depth: 0,
            indent: -1,
            key_allowed: true,
            is_peculiar: false,
            is_exact: false,
            json_escape: None,
            indents: Vec::new(),
            keys: vec![PossibleKey::default()],
            tokens: VecDeque::with_capacity(8),
            taken: 0,
            is_ready: false,
        }
    }

    /// The next token, without consuming it.
    pub(super) fn peek(&mut self) -> Result<&LocatedToken<'a>, Fault> {
        if !self.is_ready {
            self.fetch_enough()?;
            self.is_ready = true;
        }
        // `fetch_enough` ensures that there is a token.
        self.tokens
            .front()
            .map_or_else(|| fault("unexpected end of the text", self.at), Ok)
    }

    /// Consumes the next token.
    pub(super) fn take(&mut self) -> Result<LocatedToken<'a>, Fault> {
        self.peek()?;
        self.is_ready = false;
        self.taken += 1;
        self.tokens
            .pop_front()
            .map_or_else(|| fault("unexpected end of the text", self.at), Ok)
    }

    /// Fetches tokens until it is certain that the first one is not the start of a key. (At least three
    /// tokens are fetched, as in go-yaml, so that errors in the following tokens are reported at the same
    /// time as there.)
    fn fetch_enough(&mut self) -> Result<(), Fault> {
        loop {
            if self.tokens.len() > 2 {
                let taken = self.taken;
                let first = self
                    .keys
                    .iter()
                    .position(|key| key.possible && key.number == taken);
                match first {
                    Some(level) if self.is_possible(level)? => {}
                    _ => return Ok(()),
                }
            }
            self.fetch()?;
        }
    }

    /// The byte at this distance; 0 after the end, because texts contain no NUL.
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    pub(super) fn column(&self) -> isize {
        isize::try_from(self.at - self.line_start).unwrap_or(isize::MAX)
    }

    pub(super) fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t')
    }

    /// The length of the line end at this distance in bytes; 0 if there is none.
    pub(super) fn break_length(&self, ahead: usize) -> usize {
        match self.byte(ahead) {
            b'\n' => 1,
            b'\r' if self.byte(ahead + 1) == b'\n' => 2,
            b'\r' => 1,
            0xc2 if self.byte(ahead + 1) == 0x85 => 2,
            0xe2 if self.byte(ahead + 1) == 0x80 && matches!(self.byte(ahead + 2), 0xa8 | 0xa9) => {
                3
            }
            _ => 0,
        }
    }

    pub(super) fn is_break(&self, ahead: usize) -> bool {
        self.break_length(ahead) > 0
    }

    /// Whether a line, or the text, ends at this distance.
    pub(super) fn is_line_end(&self, ahead: usize) -> bool {
        self.byte(ahead) == 0 || self.is_break(ahead)
    }

    /// Whether a word ends at this distance.
    pub(super) fn is_word_end(&self, ahead: usize) -> bool {
        self.is_blank(ahead) || self.is_line_end(ahead)
    }

    /// Whether a line with `---` or `...` starts here.
    pub(super) fn is_document_mark(&self) -> bool {
        self.at == self.line_start
            && matches!(self.bytes.get(self.at..self.at + 3), Some(b"---" | b"..."))
            && self.is_word_end(3)
    }

    /// Skips a byte that is not a line end.
    pub(super) fn skip(&mut self) {
        if !self.is_blank(0) {
            self.newlines = 0;
        }
        self.at += 1;
    }

    /// Skips a line end.
    pub(super) fn skip_line(&mut self) -> Result<(), Fault> {
        let length = self.break_length(0);
        if length > 0 {
            self.plain_break(length)?;
            self.pass_line(length);
        }
        Ok(())
    }

    /// Skips a line end of `length` bytes.
    pub(super) fn pass_line(&mut self, length: usize) {
        self.at += length;
        self.line_start = self.at;
        self.line += 1;
        self.newlines += 1;
    }

    /// Refuses a line end that not all parsers treat as one. Such line ends are only allowed in quotes.
    pub(super) fn plain_break(&self, length: usize) -> Result<(), Fault> {
        let text = self.text.get(self.at..self.at + length).unwrap_or_default();
        match text.chars().next() {
            Some('\n') => Ok(()),
            Some('\r') if length == 2 => Ok(()),
            Some(_) if self.is_exact => Ok(()),
            Some(other) => fault(
                format!(
                    "U+{:04X}, which ends a line for kustomize but not for other programs",
                    u32::from(other)
                ),
                self.at,
            ),
            None => Ok(()),
        }
    }

    /// Appends a token to the queue, or inserts it before the token with the given number.
    fn push(&mut self, token: Token<'a>, start: usize, end: usize, number: Option<usize>) {
        let placed = LocatedToken { token, start, end };
        match number {
            Some(number) => self.tokens.insert(
                number.saturating_sub(self.taken).min(self.tokens.len()),
                placed,
            ),
            None => self.tokens.push_back(placed),
        }
    }

    /// Scans the next token.
    fn fetch(&mut self) -> Result<(), Fault> {
        self.skip_to_token()?;
        self.close_blocks(self.column());
        if self.at >= self.bytes.len() {
            return self.fetch_end();
        }
        let start = self.at;
        if self.at == self.line_start && self.byte(0) == b'%' {
            self.leave_blocks()?;
            let token = self.directive()?;
            self.push(token, start, self.at, None);
            return Ok(());
        }
        if self.is_document_mark() {
            self.leave_blocks()?;
            let token = if self.byte(0) == b'-' {
                Token::DocumentStart
            } else {
                Token::DocumentEnd
            };
            self.is_peculiar |= token == Token::DocumentEnd;
            (0..3).for_each(|_| self.skip());
            self.push(token, start, self.at, None);
            return Ok(());
        }
        self.fetch_node_token()?;
        let is_entry = self
            .tokens
            .back()
            .is_some_and(|last| last.token == Token::BlockEntry);
        if !is_entry {
            self.skip_line_comment()?;
        }
        Ok(())
    }

    fn fetch_node_token(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let in_flow = self.flow_depth > 0;
        let ends = self.is_word_end(1);
        match self.byte(0) {
            b'[' => self.fetch_flow_start(Token::FlowSequenceStart),
            b'{' => self.fetch_flow_start(Token::FlowMappingStart),
            b']' => self.fetch_flow_end(Token::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(Token::FlowMappingEnd),
            b',' => {
                self.drop_key()?;
                self.key_allowed = true;
                self.skip();
                self.push(Token::FlowEntry, start, self.at, None);
                Ok(())
            }
            b'-' if ends => self.fetch_block_entry(),
            b'?' if in_flow || ends => self.fetch_key(),
            b':' if in_flow || ends => self.fetch_value(),
            b'*' | b'&' => {
                self.save_key()?;
                self.key_allowed = false;
                let token = self.anchor()?;
                self.push(token, start, self.at, None);
                Ok(())
            }
            b'!' => {
                self.save_key()?;
                self.key_allowed = false;
                let token = self.tag()?;
                self.push(token, start, self.at, None);
                Ok(())
            }
            b'|' | b'>' if !in_flow => {
                self.drop_key()?;
                self.key_allowed = true;
                let (token, start, end) = self.block_scalar()?;
                self.push(token, start, end, None);
                Ok(())
            }
            b'\'' | b'"' => {
                self.save_key()?;
                self.key_allowed = false;
                let token = self.quoted_scalar()?;
                self.push(token, start, self.at, None);
                Ok(())
            }
            first if self.starts_plain(first) => {
                self.save_key()?;
                self.key_allowed = false;
                let (token, end) = self.plain_scalar()?;
                self.push(token, start, end, None);
                Ok(())
            }
            b'\t' => fault(
                "a tab in the indentation, where only spaces are allowed",
                self.at,
            ),
            _ => fault(
                "a character that can't start a value without quotes",
                self.at,
            ),
        }
    }

    fn starts_plain(&self, first: u8) -> bool {
        match first {
            b'-' => !self.is_blank(1),
            b'?' | b':' => self.flow_depth == 0 && !self.is_word_end(1),
            b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
            | b'"' | b'%' | b'@' | b'`' => false,
            _ => !self.is_word_end(0),
        }
    }

    /// The end of the text, which is returned as often as it is requested.
    fn fetch_end(&mut self) -> Result<(), Fault> {
        if self.at != self.line_start {
            self.line_start = self.at;
            self.line += 1;
        }
        self.leave_blocks()?;
        self.push(Token::StreamEnd, self.at, self.at, None);
        Ok(())
    }

    /// Closes all blocks, before a document mark or the end.
    fn leave_blocks(&mut self) -> Result<(), Fault> {
        self.close_blocks(-1);
        self.drop_key()?;
        self.key_allowed = false;
        Ok(())
    }

    fn fetch_flow_start(&mut self, token: Token<'a>) -> Result<(), Fault> {
        self.save_key()?;
        if self.flow_depth == DEEPEST {
            return fault("it is nested deeper than any object", self.at);
        }
        self.keys.push(PossibleKey::default());
        self.flow_depth += 1;
        self.key_allowed = true;
        let start = self.at;
        self.skip();
        self.push(token, start, self.at, None);
        Ok(())
    }

    fn fetch_flow_end(&mut self, token: Token<'a>) -> Result<(), Fault> {
        self.drop_key()?;
        if self.flow_depth > 0 {
            self.flow_depth -= 1;
            self.keys.pop();
        }
        self.key_allowed = false;
        let start = self.at;
        self.skip();
        self.push(token, start, self.at, None);
        Ok(())
    }
}
