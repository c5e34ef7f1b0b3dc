//! Starts and ends of documents, and their directives.

use super::super::token::{Fault, Token, fault};
use super::{Event, EventKind, Events, State, nothing};

impl<'a> Events<'a> {
    pub(super) fn document_start(&mut self, is_first: bool) -> Result<Event<'a>, Fault> {
        while !is_first && self.tokens.peek()?.token == Token::DocumentEnd {
            self.tokens.take()?;
        }
        match &self.tokens.peek()?.token {
            Token::StreamEnd => {
                self.state = State::End;
                self.event(EventKind::End)
            }
            Token::Version(..) | Token::TagPrefix(..) | Token::DocumentStart => {
                self.marked_document()
            }
            _ if is_first => {
                self.after.push(State::DocumentEnd);
                self.state = State::BlockNode;
                self.event(EventKind::DocumentStart)
            }
            _ => fault(
                "more than one value in a document",
                self.tokens.peek()?.start,
            ),
        }
    }

    /// A document that starts with directives and `---`.
    fn marked_document(&mut self) -> Result<Event<'a>, Fault> {
        let mut has_version = false;
        loop {
            let start = self.tokens.peek()?.start;
            match &self.tokens.peek()?.token {
                Token::Version(..) if has_version => {
                    return fault("a second %YAML directive", start);
                }
                Token::Version(1, 1) => has_version = true,
                Token::Version(..) => {
                    return fault(
                        "a YAML version that kustomize doesn't support; it supports 1.1",
                        start,
                    );
                }
                Token::TagPrefix(handle, _)
                    if self.prefixes.iter().any(|(other, _)| other == handle) =>
                {
                    return fault("a second %TAG directive for the same handle", start);
                }
                Token::TagPrefix(handle, prefix) => self.prefixes.push((handle, prefix.clone())),
                Token::DocumentStart => break,
                _ => return fault("no `---` after the directives", start),
            }
            self.tokens.take()?;
        }
        self.after.push(State::DocumentEnd);
        self.state = State::DocumentContent;
        self.event_of_token(EventKind::DocumentStart)
    }

    pub(super) fn document_content(&mut self) -> Result<Event<'a>, Fault> {
        let token = self.tokens.peek()?;
        let at = token.start;
        match token.token {
            Token::Version(..)
            | Token::TagPrefix(..)
            | Token::DocumentStart
            | Token::DocumentEnd
            | Token::StreamEnd => {
                self.close();
                Ok(nothing(at))
            }
            _ => self.node(true, false),
        }
    }

    pub(super) fn document_end(&mut self) -> Result<Event<'a>, Fault> {
        self.prefixes.clear();
        self.state = State::Document;
        let event = self.event(EventKind::DocumentEnd)?;
        if self.tokens.peek()?.token == Token::DocumentEnd {
            self.tokens.take()?;
        }
        Ok(event)
    }
}
