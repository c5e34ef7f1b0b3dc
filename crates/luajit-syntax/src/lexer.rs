//! Splits a script into tokens, like LuaJIT's `lj_lex.c`.

use std::ops::Range;

use super::number::is_number;
use super::{Parsed, refuse, shortened};

/// A reserved word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    And,
    Break,
    Do,
    Else,
    Elseif,
    End,
    False,
    For,
    Function,
    Goto,
    If,
    In,
    Local,
    Nil,
    Not,
    Or,
    Repeat,
    Return,
    Then,
    True,
    Until,
    While,
}

/// The reserved words as they are written.
const WORDS: [(&str, Word); 22] = [
    ("and", Word::And),
    ("break", Word::Break),
    ("do", Word::Do),
    ("else", Word::Else),
    ("elseif", Word::Elseif),
    ("end", Word::End),
    ("false", Word::False),
    ("for", Word::For),
    ("function", Word::Function),
    ("goto", Word::Goto),
    ("if", Word::If),
    ("in", Word::In),
    ("local", Word::Local),
    ("nil", Word::Nil),
    ("not", Word::Not),
    ("or", Word::Or),
    ("repeat", Word::Repeat),
    ("return", Word::Return),
    ("then", Word::Then),
    ("true", Word::True),
    ("until", Word::Until),
    ("while", Word::While),
];

/// The type of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// The end of the script.
    End,
    Name,
    Number,
    Text,
    Word(Word),
    /// Any other character, whether it is valid or not.
    Symbol(u8),
    /// `..`
    Concat,
    /// `...`
    Dots,
    /// `==`
    Equal,
    /// `~=`
    Unequal,
    /// `<=`
    AtMost,
    /// `>=`
    AtLeast,
    /// `::`
    Label,
}

impl Token {
    /// The text of the token, if it is always the same.
    pub(crate) fn as_str(self) -> String {
        match self {
            Token::End => "the end".to_owned(),
            Token::Name => "a name".to_owned(),
            Token::Number => "a number".to_owned(),
            Token::Text => "a string".to_owned(),
            Token::Word(word) => {
                let written = WORDS.iter().find(|(_, it)| *it == word);
                written.map_or(String::new(), |(text, _)| (*text).to_owned())
            }
            Token::Symbol(byte) => char::from(byte).to_string(),
            Token::Concat => "..".to_owned(),
            Token::Dots => "...".to_owned(),
            Token::Equal => "==".to_owned(),
            Token::Unequal => "~=".to_owned(),
            Token::AtMost => "<=".to_owned(),
            Token::AtLeast => ">=".to_owned(),
            Token::Label => "::".to_owned(),
        }
    }
}

/// A token and its byte range.
#[derive(Clone, Debug)]
pub(super) struct Lexed {
    pub token: Token,
    pub range: Range<usize>,
}

/// Reads a script token by token.
pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    longest_text: usize,
}

impl<'t> Lexer<'t> {
    /// Starts reading. A byte order mark and a first line that begins with `#` are skipped.
    pub(crate) fn new(text: &'t str) -> Parsed<Self> {
        let mut lexer = Lexer {
            text,
            at: 0,
            longest_text: 0,
        };
        if text.starts_with('\u{feff}') {
            lexer.at = '\u{feff}'.len_utf8();
        }
        if lexer.byte() == Some(b'#') {
            lexer.skip_line();
        }
        match lexer.byte() {
            Some(0x1b) => refuse(
                lexer.at..lexer.at + 1,
                "this is compiled bytecode, not source text",
            ),
            _ => Ok(lexer),
        }
    }

    /// The length of the longest string so far.
    pub(crate) fn longest_text(&self) -> usize {
        self.longest_text
    }

    fn byte(&self) -> Option<u8> {
        self.byte_at(self.at)
    }

    fn byte_at(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// Skips a byte if it is this one.
    fn skip(&mut self, byte: u8) -> bool {
        let is_there = self.byte() == Some(byte);
        if is_there {
            self.at += 1;
        }
        is_there
    }

    fn skip_while(&mut self, fits: impl Fn(u8) -> bool) {
        while self.byte().is_some_and(&fits) {
            self.at += 1;
        }
    }

    fn skip_line(&mut self) {
        self.skip_while(|byte| byte != b'\n' && byte != b'\r');
    }

    /// Reads the next token.
    pub(crate) fn next(&mut self) -> Parsed<Lexed> {
        self.skip_blanks()?;
        let start = self.at;
        let token = self.scan(start)?;
        if token == Token::Text {
            self.longest_text = self.longest_text.max(self.at - start);
        }
        Ok(Lexed {
            token,
            range: start..self.at,
        })
    }

    /// Skips white space and comments.
    fn skip_blanks(&mut self) -> Parsed<()> {
        loop {
            self.skip_while(is_blank);
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            if !rest.starts_with(b"--") {
                return Ok(());
            }
            let start = self.at;
            self.at += 2;
            match self.long_bracket() {
                Some(level) => self.long(start, level, "comment")?,
                None => self.skip_line(),
            }
        }
    }

    fn scan(&mut self, start: usize) -> Parsed<Token> {
        let Some(byte) = self.byte() else {
            return Ok(Token::End);
        };
        let follows = self.byte_at(start + 1);
        match byte {
            b'0'..=b'9' => return self.number(start),
            b'.' if follows.is_some_and(|byte| byte.is_ascii_digit()) => {
                return self.number(start);
            }
            b'"' | b'\'' => return self.quoted(start, byte),
            b'[' => return self.bracket(start),
            byte if is_name(byte) => {
                self.skip_while(is_name);
                let name = self.text.get(start..self.at).unwrap_or_default();
                let word = WORDS.iter().find(|(word, _)| *word == name);
                return Ok(word.map_or(Token::Name, |(_, word)| Token::Word(*word)));
            }
            _ => {}
        }
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        const LONG: [(&[u8], Token); 7] = [
            (b"...", Token::Dots),
            (b"..", Token::Concat),
            (b"==", Token::Equal),
            (b"~=", Token::Unequal),
            (b"<=", Token::AtMost),
            (b">=", Token::AtLeast),
            (b"::", Token::Label),
        ];
        let found = LONG.iter().find(|(written, _)| rest.starts_with(written));
        let (length, token) = match found {
            Some((written, token)) => (written.len(), *token),
            None => (1, Token::Symbol(byte)),
        };
        self.at += length;
        Ok(token)
    }

    /// Reads a number, with everything that follows it directly.
    fn number(&mut self, start: usize) -> Parsed<Token> {
        self.skip(b'.');
        let digit = self.at;
        let is_hexadecimal =
            self.byte() == Some(b'0') && matches!(self.byte_at(digit + 1), Some(b'x' | b'X'));
        let exponent = if is_hexadecimal { b'p' } else { b'e' };
        let mut before = 0;
        while let Some(byte) = self.byte() {
            let is_sign = matches!(byte, b'+' | b'-') && before == exponent;
            if !(is_name(byte) || byte == b'.' || is_sign) {
                break;
            }
            before = byte.to_ascii_lowercase();
            self.at += 1;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        match is_number(text.as_bytes()) {
            true => Ok(Token::Number),
            false => refuse(
                start..self.at,
                format!("`{}` is not a number", shortened(text)),
            ),
        }
    }

    /// Reads `[`, or a long string.
    fn bracket(&mut self, start: usize) -> Parsed<Token> {
        if let Some(level) = self.long_bracket() {
            self.long(start, level, "string")?;
            return Ok(Token::Text);
        }
        self.at = start + 1;
        self.skip_while(|byte| byte == b'=');
        match self.at == start + 1 {
            true => Ok(Token::Symbol(b'[')),
            false => refuse(
                start..self.at,
                format!(
                    "a long string must begin with `{0}[`, not `{0}`",
                    self.text.get(start..self.at).unwrap_or_default()
                ),
            ),
        }
    }

    /// Skips `[[`, `[=[` and so on, and returns the number of `=`.
    fn long_bracket(&mut self) -> Option<usize> {
        let start = self.at;
        if self.skip(b'[') {
            self.skip_while(|byte| byte == b'=');
            let level = self.at - start - 1;
            if self.skip(b'[') {
                return Some(level);
            }
        }
        self.at = start;
        None
    }

    /// Skips a long string or comment, up to its closing bracket.
    fn long(&mut self, start: usize, level: usize, what: &str) -> Parsed<()> {
        let opened = self.at;
        while let Some(byte) = self.byte() {
            self.at += 1;
            if byte != b']' {
                continue;
            }
            let from = self.at;
            self.skip_while(|byte| byte == b'=');
            if self.at - from == level && self.skip(b']') {
                return Ok(());
            }
        }
        let close = format!("]{}]", "=".repeat(level.min(40)));
        refuse(
            start..opened,
            format!("the long {what} that begins here is not closed with `{close}`"),
        )
    }

    /// Reads a quoted string.
    fn quoted(&mut self, start: usize, quote: u8) -> Parsed<Token> {
        self.at += 1;
        loop {
            match self.byte() {
                Some(byte) if byte == quote => {
                    self.at += 1;
                    return Ok(Token::Text);
                }
                None | Some(b'\n' | b'\r') => {
                    let quote = char::from(quote);
                    return refuse(
                        start..self.at,
                        format!("the string that begins here is not closed with `{quote}`"),
                    );
                }
                Some(b'\\') => self.escape()?,
                Some(_) => self.at += 1,
            }
        }
    }

    /// Skips an escape sequence.
    fn escape(&mut self) -> Parsed<()> {
        let start = self.at;
        self.at += 1;
        let is_known = match self.byte() {
            // The missing quote is reported instead.
            None => true,
            Some(b'x') => self.digits_of_escape(2),
            Some(b'u') => self.code_point(),
            Some(b'z') => {
                self.at += 1;
                self.skip_while(is_blank);
                true
            }
            Some(first @ (b'\n' | b'\r')) => {
                self.at += 1;
                let second = self.byte().filter(|byte| matches!(byte, b'\n' | b'\r'));
                self.at += usize::from(second.is_some_and(|second| second != first));
                true
            }
            Some(b'0'..=b'9') => {
                let from = self.at;
                while self.at < from + 3 && self.byte().is_some_and(|it| it.is_ascii_digit()) {
                    self.at += 1;
                }
                let digits = self.text.get(from..self.at).unwrap_or_default();
                digits.parse::<u8>().is_ok()
            }
            Some(byte) if b"abfnrtv\\\"'".contains(&byte) => {
                self.at += 1;
                true
            }
            Some(_) => {
                self.at += 1;
                while !self.text.is_char_boundary(self.at) {
                    self.at += 1;
                }
                false
            }
        };
        if is_known {
            return Ok(());
        }
        let escape = self.text.get(start..self.at).unwrap_or_default();
        refuse(
            start..self.at,
            format!(
                "`{}` is not an escape sequence of Lua; write a backslash as `\\\\`",
                shortened(escape)
            ),
        )
    }

    /// Skips `x` and this many hexadecimal digits.
    fn digits_of_escape(&mut self, count: usize) -> bool {
        self.at += 1;
        (0..count).all(|_| {
            let is_digit = self.byte().is_some_and(|byte| byte.is_ascii_hexdigit());
            self.at += usize::from(is_digit);
            is_digit
        })
    }

    /// Skips `u{…}`: a code point that is not a surrogate.
    fn code_point(&mut self) -> bool {
        self.at += 1;
        if !self.skip(b'{') {
            return false;
        }
        let from = self.at;
        self.skip_while(|byte| byte.is_ascii_hexdigit());
        let digits = self.text.get(from..self.at).unwrap_or_default();
        let digits = match digits.trim_start_matches('0') {
            "" if !digits.is_empty() => "0",
            digits => digits,
        };
        let code = u32::from_str_radix(digits, 16).ok();
        self.skip(b'}') && code.is_some_and(|code| char::from_u32(code).is_some())
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// Whether a byte may be part of a name. All non-ASCII bytes may.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}
