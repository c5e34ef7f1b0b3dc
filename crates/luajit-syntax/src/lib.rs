#![doc = include_str!("../README.md")]
//!
//! Checks whether Envoy's LuaJIT loads a script: its syntax, and the limits that LuaJIT has.
//!
//! Envoy 1.36 to 1.40 builds LuaJIT 2.1 with `LUAJIT_ENABLE_LUA52COMPAT` (see its `bazel/foreign_cc/luajit.patch`).
//! That is Lua 5.1 with `goto`, with the empty statement and `break` anywhere in a block from 5.2, with the escapes
//! `\x41`, `\z` and `\u{41}`, and with numbers such as `1LL`, `2i`, `0b11` and `0x1p4`. It has no integer division,
//! bit operators and attributes.
//!
//! The parser is our own, because no library supports this dialect. `full_moon` recurses without a limit and panics
//! on a backtick. Lua 5.2's compiler, with which `envoy-simulate` runs scripts, refuses `1LL` and some
//! uses of `goto` that LuaJIT accepts, and has other limits. This parser follows `lj_lex.c` and `lj_parse.c` function
//! by function, so that it accepts the same scripts; `tests/it/luajit.rs` compares the two. As in LuaJIT, each level of
//! nesting counts, and more than `MOST_LEVELS` are refused, which limits the recursion. The work is linear in the
//! length of the script.
//!
//! The limits of LuaJIT's bytecode are not checked: 250 registers in a function, 65,536 constants, and jumps over
//! 32,767 instructions.
#![cfg_attr(not(test), warn(unreachable_pub))]

pub mod calls;
mod expression;
mod hint;
mod jump;
mod lexer;
mod number;
mod scope;
mod statement;
#[cfg(test)]
mod tests;

use std::ops::Range;

use lexer::{Lexed, Lexer, Token, Word};
use scope::Scopes;

/// The maximum nesting of blocks, functions, brackets, unary operators and the right-hand sides of `..` and `^`.
pub(crate) const MOST_LEVELS: usize = 200;

/// Why LuaJIT doesn't load a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The bytes with the mistake; empty at the end of the script if it ends too early.
    pub range: Range<usize>,
    /// What is wrong, in one line.
    pub message: String,
}

/// A script that LuaJIT loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Script {
    /// The length of its longest string, in bytes, including the quotes.
    pub longest_text: usize,
}

/// Checks whether LuaJIT loads a script.
///
/// # Errors
/// The first mistake.
pub fn check(script: &str) -> Result<Script, Refusal> {
    parse(script).map_err(|refusal| *refusal)
}

fn parse(script: &str) -> Parsed<Script> {
    let mut parser = Parser::new(script)?;
    parser.script()?;
    Ok(Script {
        longest_text: parser.lexer.longest_text(),
    })
}

/// The line of a byte, and the character in that line, both starting at 1.
pub fn line_and_column(script: &str, at: usize) -> (usize, usize) {
    let before = script.get(..at).unwrap_or(script);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// The error is boxed because it is passed through every level of the parser, whose stack is limited.
type Parsed<T> = Result<T, Box<Refusal>>;

/// Parses a script without building a tree. Only names are kept.
struct Parser<'t> {
    text: &'t str,
    lexer: Lexer<'t>,
    /// The current token.
    token: Lexed,
    /// The token after it, if it has been read already.
    ahead: Option<Lexed>,
    /// The number of open levels of nesting.
    level: usize,
    scopes: Scopes<'t>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Parsed<Self> {
        let mut lexer = Lexer::new(text)?;
        let token = lexer.next()?;
        Ok(Parser {
            text,
            lexer,
            token,
            ahead: None,
            level: 0,
            scopes: Scopes::new(),
        })
    }

    fn next(&mut self) -> Parsed<()> {
        self.token = match self.ahead.take() {
            Some(token) => token,
            None => self.lexer.next()?,
        };
        Ok(())
    }

    /// The token after the current one.
    fn look_ahead(&mut self) -> Parsed<Token> {
        let ahead = match self.ahead.take() {
            Some(token) => token,
            None => self.lexer.next()?,
        };
        let token = ahead.token;
        self.ahead = Some(ahead);
        Ok(token)
    }

    fn is(&self, token: Token) -> bool {
        self.token.token == token
    }

    fn is_word(&self, word: Word) -> bool {
        self.is(Token::Word(word))
    }

    /// Skips a token if it is this one.
    fn skip(&mut self, token: Token) -> Parsed<bool> {
        let is_there = self.is(token);
        if is_there {
            self.next()?;
        }
        Ok(is_there)
    }

    /// Skips a token that must be this one.
    fn expect(&mut self, token: Token) -> Parsed<()> {
        match self.skip(token)? {
            true => Ok(()),
            false => self.unexpected(&format!("`{}`", token.as_str())),
        }
    }

    /// Skips the token that closes what was opened at a place.
    fn close(&mut self, token: Token, opened: &Range<usize>) -> Parsed<()> {
        if self.skip(token)? {
            return Ok(());
        }
        let opener = self.text.get(opened.clone()).unwrap_or_default();
        let (line, _) = line_and_column(self.text, opened.start);
        self.unexpected(&format!(
            "`{}` for the `{opener}` in line {line}",
            token.as_str()
        ))
    }

    /// Reads a name.
    fn name(&mut self) -> Parsed<&'t str> {
        if !self.is(Token::Name) {
            return self.unexpected("a name");
        }
        let name = self.token_text();
        self.next()?;
        Ok(name)
    }

    fn token_text(&self) -> &'t str {
        self.text.get(self.token.range.clone()).unwrap_or_default()
    }

    /// Refuses the current token, because something else is expected.
    fn unexpected<T>(&self, wanted: &str) -> Parsed<T> {
        let message = match self.token.token {
            Token::End => format!("expected {wanted}, but the script ends"),
            _ => {
                let found = match shortened(self.token_text()).as_str() {
                    "`" => "a backtick".to_owned(),
                    found => format!("`{found}`"),
                };
                match hint::of(self.text, self.token.range.start) {
                    Some(hint) => format!("{found} is not expected here: {hint}"),
                    None => format!("expected {wanted} instead of {found}"),
                }
            }
        };
        refuse(self.token.range.clone(), message)
    }

    /// Counts a level of nesting. The caller ends it with `self.level -= 1`, unless there was an error.
    fn deeper(&mut self) -> Parsed<()> {
        self.level += 1;
        if self.level < MOST_LEVELS {
            return Ok(());
        }
        let message = format!(
            "nested too deeply: LuaJIT allows fewer than {MOST_LEVELS} levels of blocks, brackets and operators"
        );
        refuse(self.token.range.clone(), message)
    }
}

fn refuse<T>(range: Range<usize>, message: impl Into<String>) -> Parsed<T> {
    Err(Box::new(Refusal {
        range,
        message: message.into(),
    }))
}

/// A token in a message: its first line, up to 40 characters.
fn shortened(token: &str) -> String {
    let line = token.lines().next().unwrap_or_default();
    match line.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None if line.len() < token.trim_end().len() => format!("{line}…"),
        None => line.to_owned(),
    }
}
