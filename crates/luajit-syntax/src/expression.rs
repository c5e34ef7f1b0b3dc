//! Parses expressions, like LuaJIT's `lj_parse.c`.

use std::ops::Range;

use super::lexer::{Token, Word};
use super::{Parsed, Parser, refuse};

/// What an expression can be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It can be on the left of `=`.
    Variable,
    /// It can be a statement by itself.
    Call,
    /// It can only be used as a value.
    Value,
}

/// The precedence of an operator on its left and on its right.
type Priority = (u8, u8);

/// The precedence of `not`, `-` and `#`.
const UNARY: u8 = 8;

/// The precedence of a binary operator.
fn binary(token: Token) -> Option<Priority> {
    match token {
        Token::Symbol(b'+' | b'-') => Some((6, 6)),
        Token::Symbol(b'*' | b'/' | b'%') => Some((7, 7)),
        Token::Symbol(b'^') => Some((10, 9)),
        Token::Concat => Some((5, 4)),
        Token::Equal | Token::Unequal | Token::AtMost | Token::AtLeast => Some((3, 3)),
        Token::Symbol(b'<' | b'>') => Some((3, 3)),
        Token::Word(Word::And) => Some((2, 2)),
        Token::Word(Word::Or) => Some((1, 1)),
        _ => None,
    }
}

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Parsed<()> {
        self.operators(0).map(|_| ())
    }

    /// Parses expressions separated by commas.
    pub(super) fn expressions(&mut self) -> Parsed<()> {
        self.expression()?;
        while self.skip(Token::Symbol(b','))? {
            self.expression()?;
        }
        Ok(())
    }

    /// Parses operators with a precedence above a limit, with their operands. Returns the operator that follows.
    fn operators(&mut self, limit: u8) -> Parsed<Option<Priority>> {
        self.deeper()?;
        self.unary()?;
        let mut operator = binary(self.token.token);
        while let Some((_, right)) = operator.filter(|(left, _)| *left > limit) {
            self.next()?;
            operator = self.operators(right)?;
        }
        self.level -= 1;
        Ok(operator)
    }

    fn unary(&mut self) -> Parsed<()> {
        match self.token.token {
            Token::Word(Word::Not) | Token::Symbol(b'-' | b'#') => {
                self.next()?;
                self.operators(UNARY).map(|_| ())
            }
            _ => self.operand(),
        }
    }

    fn operand(&mut self) -> Parsed<()> {
        match self.token.token {
            Token::Number | Token::Text => self.next(),
            Token::Word(Word::Nil | Word::True | Word::False) => self.next(),
            Token::Dots => {
                let is_known = self.scopes.function().is_some_and(|it| it.is_variadic);
                match is_known {
                    true => self.next(),
                    false => refuse(
                        self.token.range.clone(),
                        "`...` can only be used in a function whose parameters end with `...`",
                    ),
                }
            }
            Token::Symbol(b'{') => self.table(),
            Token::Word(Word::Function) => {
                let opened = self.token.range.clone();
                self.next()?;
                self.body(false, &opened)
            }
            _ => self.primary().map(|_| ()),
        }
    }

    /// Parses a name or an expression in parentheses, with the indexing and calls that follow it.
    pub(super) fn primary(&mut self) -> Parsed<Kind> {
        let range = self.token.range.clone();
        let mut kind = match self.token.token {
            Token::Symbol(b'(') => {
                self.next()?;
                self.expression()?;
                self.close(Token::Symbol(b')'), &range)?;
                Kind::Value
            }
            Token::Name => {
                let name = self.name()?;
                self.scopes.look_up(name, &range)?;
                Kind::Variable
            }
            _ => return self.unexpected("a value"),
        };
        loop {
            kind = match self.token.token {
                Token::Symbol(b'.') => {
                    self.next()?;
                    self.name()?;
                    Kind::Variable
                }
                Token::Symbol(b'[') => {
                    self.key()?;
                    Kind::Variable
                }
                Token::Symbol(b':') => {
                    self.next()?;
                    self.name()?;
                    self.arguments()?;
                    Kind::Call
                }
                Token::Symbol(b'(' | b'{') | Token::Text => {
                    self.arguments()?;
                    Kind::Call
                }
                _ => return Ok(kind),
            };
        }
    }

    fn key(&mut self) -> Parsed<()> {
        let opened = self.token.range.clone();
        self.next()?;
        self.expression()?;
        self.close(Token::Symbol(b']'), &opened)
    }

    fn arguments(&mut self) -> Parsed<()> {
        match self.token.token {
            Token::Symbol(b'(') => {
                let opened = self.token.range.clone();
                self.next()?;
                if !self.is(Token::Symbol(b')')) {
                    self.expressions()?;
                }
                self.close(Token::Symbol(b')'), &opened)
            }
            Token::Symbol(b'{') => self.table(),
            Token::Text => self.next(),
            _ => self.unexpected("the arguments of a call"),
        }
    }

    fn table(&mut self) -> Parsed<()> {
        let opened = self.token.range.clone();
        self.next()?;
        while !self.is(Token::Symbol(b'}')) {
            if self.is(Token::Symbol(b'[')) {
                self.key()?;
                self.expect(Token::Symbol(b'='))?;
            } else if self.is(Token::Name) && self.look_ahead()? == Token::Symbol(b'=') {
                self.next()?;
                self.next()?;
            }
            self.expression()?;
            if !self.skip(Token::Symbol(b','))? && !self.skip(Token::Symbol(b';'))? {
                break;
            }
        }
        self.close(Token::Symbol(b'}'), &opened)
    }

    /// Parses the parameters and the block of a function.
    pub(super) fn body(&mut self, is_method: bool, opened: &Range<usize>) -> Parsed<()> {
        self.scopes.begin_function();
        self.expect(Token::Symbol(b'('))?;
        if is_method {
            self.scopes.announce(Some("self"), opened)?;
        }
        if !self.is(Token::Symbol(b')')) {
            self.parameters()?;
        }
        self.scopes.activate(usize::MAX);
        self.expect(Token::Symbol(b')'))?;
        self.block()?;
        self.close(Token::Word(Word::End), opened)?;
        self.scopes.end_function()
    }

    fn parameters(&mut self) -> Parsed<()> {
        loop {
            let range = self.token.range.clone();
            match self.token.token {
                Token::Name => {
                    let name = self.name()?;
                    self.scopes.announce(Some(name), &range)?;
                }
                Token::Dots => {
                    self.next()?;
                    self.scopes.set_variadic();
                    return Ok(());
                }
                _ => return self.unexpected("the name of a parameter"),
            }
            if !self.skip(Token::Symbol(b','))? {
                return Ok(());
            }
        }
    }
}
