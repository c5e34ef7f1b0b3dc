//! Lists and maps by indentation.

use super::super::token::{Fault, Token, fault};
use super::{Event, EventKind, Events, NO_KEY, State};

impl<'a> Events<'a> {
    pub(super) fn block_list(&mut self) -> Result<Event<'a>, Fault> {
        match self.tokens.peek()?.token {
            Token::BlockEntry => {
                let at = self.entry()?;
                match self.tokens.peek()?.token {
                    Token::BlockEntry | Token::BlockEnd => {
                        Ok(self.nothing_then(State::BlockList, at))
                    }
                    _ => self.node_then(State::BlockList, true, false),
                }
            }
            Token::BlockEnd => {
                self.close();
                self.event_of_token(EventKind::ListEnd)
            }
            _ => fault(
                "something else than the next item of the list",
                self.tokens.peek()?.start,
            ),
        }
    }

    pub(super) fn indentless_list(&mut self) -> Result<Event<'a>, Fault> {
        if self.tokens.peek()?.token != Token::BlockEntry {
            self.close();
            return self.event(EventKind::ListEnd);
        }
        let at = self.entry()?;
        self.indentless_item(at)
    }

    /// Consumes the `-` of a list item. Returns the earliest position of the item, which is after the
    /// following whitespace.
    pub(super) fn entry(&mut self) -> Result<usize, Fault> {
        let end = self.tokens.take()?.end;
        let behind = self.tokens.bytes.get(end..).unwrap_or_default();
        let blanks = behind
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        // The other parser uses different positions after a comment.
        self.tokens.is_peculiar |= behind.get(blanks) == Some(&b'#');
        Ok(end + blanks)
    }

    /// An item that starts at `at` or later, in a list that is not indented more than its key.
    pub(super) fn indentless_item(&mut self, at: usize) -> Result<Event<'a>, Fault> {
        match self.tokens.peek()?.token {
            Token::BlockEntry | Token::Key | Token::Value | Token::BlockEnd => {
                Ok(self.nothing_then(State::IndentlessList, at))
            }
            _ => self.node_then(State::IndentlessList, true, false),
        }
    }

    pub(super) fn block_map_key(&mut self) -> Result<Event<'a>, Fault> {
        match self.tokens.peek()?.token {
            Token::Key => {
                let end = self.tokens.take()?.end;
                match self.tokens.peek()?.token {
                    Token::Key | Token::Value | Token::BlockEnd => {
                        Ok(self.nothing_then(State::BlockMapValue, end))
                    }
                    _ => self.node_then(State::BlockMapValue, true, true),
                }
            }
            Token::BlockEnd => {
                self.close();
                self.event_of_token(EventKind::MapEnd)
            }
            Token::Value => fault(NO_KEY, self.tokens.peek()?.start),
            _ => fault(
                "something else than the next key of the map",
                self.tokens.peek()?.start,
            ),
        }
    }

    pub(super) fn block_map_value(&mut self) -> Result<Event<'a>, Fault> {
        let token = self.tokens.peek()?;
        if token.token != Token::Value {
            let start = token.start;
            return Ok(self.nothing_then(State::BlockMapKey, start));
        }
        let colon = self.tokens.take()?.start;
        match self.tokens.peek()?.token {
            Token::Key | Token::Value | Token::BlockEnd => {
                Ok(self.nothing_then(State::BlockMapKey, colon))
            }
            _ => self.node_then(State::BlockMapKey, true, true),
        }
    }
}
