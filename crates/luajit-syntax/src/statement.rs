//! Parses statements, like LuaJIT's `lj_parse.c`.

use std::ops::Range;

use super::expression::Kind;
use super::lexer::{Token, Word};
use super::{MOST_LEVELS, Parsed, Parser, refuse};

/// The number of internal variables of a loop.
const KEPT_BY_LOOP: usize = 3;

impl Parser<'_> {
    /// Parses the whole script, which is a function with variable arguments.
    pub(super) fn script(&mut self) -> Parsed<()> {
        self.scopes.begin_function();
        self.scopes.set_variadic();
        self.block()?;
        if !self.is(Token::End) {
            let found = self.token_text();
            let message = match self.token.token {
                Token::Word(Word::End | Word::Else | Word::Elseif | Word::Until) => {
                    format!("`{found}` is not expected here: there is no open block for it")
                }
                _ => {
                    return self
                        .unexpected("the end of the script (`return` is the last statement)");
                }
            };
            return refuse(self.token.range.clone(), message);
        }
        self.scopes.end_function()
    }

    /// Parses statements up to the keyword that ends them.
    pub(super) fn block(&mut self) -> Parsed<()> {
        self.deeper()?;
        while !self.is_block_end() {
            let is_last = self.is_word(Word::Return);
            self.statement()?;
            self.skip(Token::Symbol(b';'))?;
            if is_last {
                break;
            }
        }
        self.level -= 1;
        Ok(())
    }

    fn is_block_end(&self) -> bool {
        matches!(
            self.token.token,
            Token::End | Token::Word(Word::Else | Word::Elseif | Word::End | Word::Until)
        )
    }

    fn scoped_block(&mut self) -> Parsed<()> {
        self.scopes.begin_block(false);
        self.block()?;
        self.scopes.end_block()
    }

    fn statement(&mut self) -> Parsed<()> {
        let opened = self.token.range.clone();
        match self.token.token {
            Token::Word(Word::If) => self.branches(&opened),
            Token::Word(Word::While) => self.while_loop(&opened),
            Token::Word(Word::Do) => {
                self.next()?;
                self.scoped_block()?;
                self.close(Token::Word(Word::End), &opened)
            }
            Token::Word(Word::For) => self.for_loop(&opened),
            Token::Word(Word::Repeat) => self.repeat_loop(&opened),
            Token::Word(Word::Function) => self.function(&opened),
            Token::Word(Word::Local) => self.local(),
            Token::Word(Word::Return) => {
                self.next()?;
                match self.is_block_end() || self.is(Token::Symbol(b';')) {
                    true => Ok(()),
                    false => self.expressions(),
                }
            }
            Token::Word(Word::Break) => self.break_loop(&opened),
            Token::Word(Word::Goto) => self.goto(&opened),
            Token::Symbol(b';') => self.next(),
            Token::Label => self.label(),
            _ => self.call_or_assignment(),
        }
    }

    fn branches(&mut self, opened: &Range<usize>) -> Parsed<()> {
        loop {
            // `if` or `elseif`
            self.next()?;
            self.expression()?;
            self.expect(Token::Word(Word::Then))?;
            self.scoped_block()?;
            if !self.is_word(Word::Elseif) {
                break;
            }
        }
        if self.skip(Token::Word(Word::Else))? {
            self.scoped_block()?;
        }
        self.close(Token::Word(Word::End), opened)
    }

    fn while_loop(&mut self, opened: &Range<usize>) -> Parsed<()> {
        self.next()?;
        self.expression()?;
        self.scopes.begin_block(true);
        self.expect(Token::Word(Word::Do))?;
        self.scoped_block()?;
        self.close(Token::Word(Word::End), opened)?;
        self.scopes.end_block()
    }

    fn repeat_loop(&mut self, opened: &Range<usize>) -> Parsed<()> {
        self.scopes.begin_block(true);
        self.scopes.begin_block(false);
        self.next()?;
        self.block()?;
        self.close(Token::Word(Word::Until), opened)?;
        // The condition can use the variables of the block.
        self.expression()?;
        self.scopes.end_block()?;
        self.scopes.end_block()
    }

    fn for_loop(&mut self, opened: &Range<usize>) -> Parsed<()> {
        self.scopes.begin_block(true);
        self.next()?;
        let range = self.token.range.clone();
        let first = self.name()?;
        let is_numeric = self.is(Token::Symbol(b'='));
        if !is_numeric && !self.is(Token::Symbol(b',')) && !self.is_word(Word::In) {
            return self.unexpected("`=` or `in`");
        }
        for _ in 0..KEPT_BY_LOOP {
            self.scopes.announce(None, &range)?;
        }
        self.scopes.announce(Some(first), &range)?;
        if is_numeric {
            self.next()?;
            self.expression()?;
            self.expect(Token::Symbol(b','))?;
            self.expression()?;
            if self.skip(Token::Symbol(b','))? {
                self.expression()?;
            }
        } else {
            while self.skip(Token::Symbol(b','))? {
                let range = self.token.range.clone();
                let name = self.name()?;
                self.scopes.announce(Some(name), &range)?;
            }
            self.expect(Token::Word(Word::In))?;
            self.expressions()?;
        }
        self.scopes.activate(KEPT_BY_LOOP);
        self.expect(Token::Word(Word::Do))?;
        self.visible_block()?;
        self.close(Token::Word(Word::End), opened)?;
        self.scopes.end_block()
    }

    /// Parses the block of a loop, with its variables in scope.
    fn visible_block(&mut self) -> Parsed<()> {
        self.scopes.begin_block(false);
        self.scopes.activate(usize::MAX);
        self.scoped_block()?;
        self.scopes.end_block()
    }

    fn function(&mut self, opened: &Range<usize>) -> Parsed<()> {
        self.next()?;
        let range = self.token.range.clone();
        let name = self.name()?;
        self.scopes.look_up(name, &range)?;
        while self.skip(Token::Symbol(b'.'))? {
            self.name()?;
        }
        let is_method = self.skip(Token::Symbol(b':'))?;
        if is_method {
            self.name()?;
        }
        self.body(is_method, opened)
    }

    fn local(&mut self) -> Parsed<()> {
        self.next()?;
        let opened = self.token.range.clone();
        if self.skip(Token::Word(Word::Function))? {
            let range = self.token.range.clone();
            let name = self.name()?;
            self.scopes.announce(Some(name), &range)?;
            self.scopes.activate(1);
            return self.body(false, &opened);
        }
        loop {
            let range = self.token.range.clone();
            let name = self.name()?;
            self.scopes.announce(Some(name), &range)?;
            if !self.skip(Token::Symbol(b','))? {
                break;
            }
        }
        if self.skip(Token::Symbol(b'='))? {
            self.expressions()?;
        }
        self.scopes.activate(usize::MAX);
        Ok(())
    }

    fn break_loop(&mut self, range: &Range<usize>) -> Parsed<()> {
        let is_in_loop = self.scopes.function().is_some_and(|it| it.is_in_loop());
        if !is_in_loop {
            return refuse(range.clone(), "`break` is not in a loop");
        }
        self.scopes.count_entry(range)?;
        self.next()
    }

    fn goto(&mut self, range: &Range<usize>) -> Parsed<()> {
        self.next()?;
        let end = self.token.range.end;
        let name = self.name()?;
        self.scopes.count_entry(range)?;
        let active = self.scopes.active();
        self.scopes.jumps.jump(name, active, range.start..end);
        Ok(())
    }

    /// Parses a label and the labels that follow it. LuaJIT counts each as a level of nesting.
    fn label(&mut self) -> Parsed<()> {
        self.next()?;
        let range = self.token.range.clone();
        let name = self.name()?;
        let Some(block) = self.scopes.function().and_then(|it| it.block()) else {
            return Ok(());
        };
        let active = self.scopes.active();
        let label = self
            .scopes
            .jumps
            .label(name, block, active, range.clone())?;
        self.scopes.count_entry(&range)?;
        self.expect(Token::Label)?;
        loop {
            if self.is(Token::Label) {
                self.deeper()?;
                self.label()?;
                self.level -= 1;
            } else if !self.skip(Token::Symbol(b';'))? {
                break;
            }
        }
        let is_at_end = self.is_block_end() && !self.is_word(Word::Until);
        let active = if is_at_end { block.active } else { active };
        let scopes = &mut self.scopes;
        scopes.resolve(label, block, active)
    }

    fn call_or_assignment(&mut self) -> Parsed<()> {
        let start = self.token.range.start;
        let mut kind = self.primary()?;
        if kind == Kind::Call {
            return Ok(());
        }
        let mut count = 1;
        loop {
            if kind != Kind::Variable {
                return refuse(
                    start..self.token.range.start,
                    "this is neither a call nor the left side of an assignment",
                );
            }
            if !self.skip(Token::Symbol(b','))? {
                break;
            }
            kind = self.primary()?;
            if self.level + count >= MOST_LEVELS {
                let message = "too many variables on the left of an assignment for LuaJIT";
                return refuse(self.token.range.clone(), message);
            }
            count += 1;
        }
        if !self.is(Token::Symbol(b'=')) {
            return self.unexpected("`=` or the arguments of a call");
        }
        self.next()?;
        self.expressions()
    }
}
