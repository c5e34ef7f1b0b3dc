#![doc = include_str!("../README.md")]
//!
//! Whether Envoy's LuaJIT loads a script: its grammar, and the limits that it puts on a script.
//!
//! Envoy 1.36 to 1.40 builds LuaJIT 2.1 with `LUAJIT_ENABLE_LUA52COMPAT` (its `bazel/foreign_cc/luajit.patch`). That is
//! Lua 5.1 with `goto`, with 5.2's empty statement and `break` anywhere in a block, with the escapes `\x41`, `\z` and
//! `\u{41}`, and with numbers such as `1LL`, `2i`, `0b11` and `0x1p4`. Integer division, bit operators and attributes
//! are not among it.
//!
//! The parser is our own, for no library knows this dialect. `full_moon` recurses without a bound and panics on a
//! backtick; Lua 5.2's compiler, which [`resolve`](envoy_gateway) runs scripts with, refuses `1LL` and `goto` where
//! LuaJIT takes it, and has other limits. It follows `lj_lex.c` and `lj_parse.c` function by function, so that it takes
//! what they take: `tests/luajit.rs` compares the two. Each level of nesting counts, as it does there, and more than
//! [`MOST_LEVELS`] are refused: that bounds the recursion. Its work grows with the length of the script.
//!
//! What is left to LuaJIT are the limits of its bytecode: 250 registers in a function, 65,536 constants, and jumps over
//! 32,767 instructions.

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

/// The most levels of nesting: blocks, functions, brackets, unary operators and the right side of `..` and `^` count.
pub const MOST_LEVELS: usize = 200;

/// Why LuaJIT does not load a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The bytes at fault; empty where the script ends too early.
    pub range: Range<usize>,
    /// What is wrong, in a line.
    pub message: String,
}

/// A script that LuaJIT loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Script {
    /// How long the longest text in it is, in bytes, with its quotes.
    pub longest_text: usize,
}

/// Says what keeps LuaJIT from loading a script: the first mistake, where there are several.
///
/// # Errors
/// The mistake.
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

/// The line in which a byte stands, and the character in it, both from 1.
pub fn line_and_column(script: &str, at: usize) -> (usize, usize) {
    let before = script.get(..at).unwrap_or(script);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// Boxed, for it is handed through every level of the parser, whose stack is bounded.
type Parsed<T> = Result<T, Box<Refusal>>;

/// Reads a script, without keeping anything of it but names.
struct Parser<'t> {
    text: &'t str,
    lexer: Lexer<'t>,
    /// The token that is looked at.
    token: Lexed,
    /// The one behind it, where it was looked at already.
    ahead: Option<Lexed>,
    /// How many levels of nesting are open.
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

    /// The token behind the one that is looked at.
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

    /// Passes over a token, where it is this one.
    fn skip(&mut self, token: Token) -> Parsed<bool> {
        let is_there = self.is(token);
        if is_there {
            self.next()?;
        }
        Ok(is_there)
    }

    /// Passes over a token that must be this one.
    fn expect(&mut self, token: Token) -> Parsed<()> {
        match self.skip(token)? {
            true => Ok(()),
            false => self.unexpected(&format!("`{}`", token.as_str())),
        }
    }

    /// Passes over the token that closes what was opened at a place.
    fn close(&mut self, token: Token, opened: &Range<usize>) -> Parsed<()> {
        if self.skip(token)? {
            return Ok(());
        }
        let opener = self.text.get(opened.clone()).unwrap_or_default();
        let (line, _) = line_and_column(self.text, opened.start);
        self.unexpected(&format!(
            "`{}`, for the `{opener}` of line {line},",
            token.as_str()
        ))
    }

    /// A name, passed over.
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

    /// Refuses the token that is looked at, in whose place something else should stand.
    fn unexpected<T>(&self, wanted: &str) -> Parsed<T> {
        let message = match self.token.token {
            Token::End => format!("the script ends where {wanted} should follow"),
            _ => {
                let found = match shortened(self.token_text()).as_str() {
                    "`" => "a backtick".to_owned(),
                    found => format!("`{found}`"),
                };
                match hint::of(self.text, self.token.range.start) {
                    Some(hint) => format!("{found} is not expected here: {hint}"),
                    None => format!("{found} stands where {wanted} should"),
                }
            }
        };
        refuse(self.token.range.clone(), message)
    }

    /// Counts a level of nesting. Its end is `self.level -= 1`; after a refusal nothing goes on.
    fn deeper(&mut self) -> Parsed<()> {
        self.level += 1;
        if self.level < MOST_LEVELS {
            return Ok(());
        }
        let message = format!(
            "nested too deep: LuaJIT takes fewer than {MOST_LEVELS} levels of blocks, brackets and operators"
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

/// A token as it is quoted: its first line, up to 40 characters.
fn shortened(token: &str) -> String {
    let line = token.lines().next().unwrap_or_default();
    match line.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None if line.len() < token.trim_end().len() => format!("{line}…"),
        None => line.to_owned(),
    }
}
