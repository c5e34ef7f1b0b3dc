//! Keys, and the blocks that they and the items of lists open.

use super::super::token::{Fault, Token, fault};
use super::{DEEPEST, Scanner};

/// The maximum length of a key without `?`, in characters, including its `:`.
const LONGEST_KEY: usize = 1024;

/// A node that may be a key if a `:` follows.
#[derive(Clone, Copy, Default)]
pub(super) struct PossibleKey {
    pub(super) possible: bool,
    /// Whether the next key of a block must be at this position.
    required: bool,
    /// The number of its first token, counted from the first token of the text.
    pub(super) number: usize,
    start: usize,
    line: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn fetch_block_entry(&mut self) -> Result<(), Fault> {
        let start = self.at;
        if self.flow_depth == 0 {
            if !self.key_allowed {
                return fault("a list item where none is allowed", start);
            }
            self.open_block(self.column(), None, Token::BlockSequenceStart, start)?;
        }
        self.drop_key()?;
        self.key_allowed = true;
        self.skip();
        self.push(Token::BlockEntry, start, self.at, None);
        Ok(())
    }

    pub(super) fn fetch_key(&mut self) -> Result<(), Fault> {
        let start = self.at;
        if self.flow_depth == 0 {
            if !self.key_allowed {
                return fault("a key where none is allowed", start);
            }
            self.open_block(self.column(), None, Token::BlockMappingStart, start)?;
        }
        self.is_peculiar = true;
        self.drop_key()?;
        self.key_allowed = self.flow_depth == 0;
        self.skip();
        self.push(Token::Key, start, self.at, None);
        Ok(())
    }

    pub(super) fn fetch_value(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let level = self.keys.len().saturating_sub(1);
        let is_possible = self.is_possible(level)?;
        if let Some(key) = self.keys.get_mut(level).filter(|_| is_possible) {
            key.possible = false;
            let PossibleKey { number, start, .. } = *key;
            self.push(Token::Key, start, start, Some(number));
            let column = isize::try_from(start - self.line_start).unwrap_or(isize::MAX);
            self.open_block(column, Some(number), Token::BlockMappingStart, start)?;
            self.key_allowed = false;
        } else {
            self.is_peculiar = true;
            if self.flow_depth == 0 {
                if !self.key_allowed {
                    return fault(
                        "a colon and a space inside a value without quotes, or a value where none is allowed",
                        start,
                    );
                }
                self.open_block(self.column(), None, Token::BlockMappingStart, start)?;
            }
            self.key_allowed = self.flow_depth == 0;
        }
        self.skip();
        self.push(Token::Value, start, self.at, None);
        Ok(())
    }

    /// Whether the possible key of a level can still be a key: it must end on its line and must not be too
    /// long.
    pub(super) fn is_possible(&mut self, level: usize) -> Result<bool, Fault> {
        let (line, at, text) = (self.line, self.at, self.text);
        let Some(key) = self.keys.get_mut(level).filter(|key| key.possible) else {
            return Ok(false);
        };
        let is_long = at - key.start > LONGEST_KEY
            && text
                .get(key.start..at)
                .is_some_and(|text| text.chars().count() > LONGEST_KEY);
        if key.line == line && !is_long {
            return Ok(true);
        }
        if key.required {
            return fault("a key without a colon after it", key.start);
        }
        key.possible = false;
        Ok(false)
    }

    /// Remembers that a key may start here.
    pub(super) fn save_key(&mut self) -> Result<(), Fault> {
        if !self.key_allowed {
            return Ok(());
        }
        self.drop_key()?;
        let key = PossibleKey {
            possible: true,
            required: self.flow_depth == 0 && self.indent == self.column(),
            number: self.taken + self.tokens.len(),
            start: self.at,
            line: self.line,
        };
        if let Some(last) = self.keys.last_mut() {
            *last = key;
        }
        Ok(())
    }

    /// Decides that the possible key of the current level is not a key.
    pub(super) fn drop_key(&mut self) -> Result<(), Fault> {
        let Some(key) = self.keys.last_mut().filter(|key| key.possible) else {
            return Ok(());
        };
        if key.required {
            return fault("a key without a colon after it", key.start);
        }
        key.possible = false;
        Ok(())
    }

    /// Opens a block at `column`, unless one is already open there.
    pub(super) fn open_block(
        &mut self,
        column: isize,
        number: Option<usize>,
        token: Token<'a>,
        start: usize,
    ) -> Result<(), Fault> {
        if self.flow_depth > 0 || self.indent >= column {
            return Ok(());
        }
        if self.indents.len() == DEEPEST {
            return fault("it is nested deeper than any object", start);
        }
        self.indents.push(self.indent);
        self.indent = column;
        self.push(token, start, start, number);
        Ok(())
    }

    /// Closes the blocks that are indented more than `column`.
    pub(super) fn close_blocks(&mut self, column: isize) {
        while self.flow_depth == 0 && self.indent > column {
            self.push(Token::BlockEnd, self.at, self.at, None);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }
}
