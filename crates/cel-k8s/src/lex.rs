//! Splits text into tokens.

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// An identifier or a reserved word.
    Name(String),
    /// An integer.
    Int(u64),
    /// An unsigned integer.
    Uint(u64),
    /// A floating-point number.
    Double(f64),
    /// A string.
    String(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Punctuation.
    Sign(&'static str),
    /// The end of the text.
    End,
}

/// The punctuation, longer ones first.
const SIGNS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "(", ")", "[", "]", "{", "}", ".", ",", ":", "?", "<", ">",
    "+", "-", "*", "/", "%", "!",
];

/// Splits a text into tokens. The last one is [`Token::End`].
///
/// # Errors
/// If the text can't be split; the message says why.
pub fn lex(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
        if let Some(comment) = rest.strip_prefix("//") {
            rest = comment.find('\n').map_or("", |at| &comment[at..]);
            continue;
        }
        let Some(first) = rest.chars().next() else {
            break;
        };
        let (token, after) = match first {
            '"' | '\'' => quoted(rest, false, false)?,
            '`' => {
                let inner = &rest[1..];
                let (name, after) = inner.split_once('`').ok_or("a ` is not closed")?;
                (Token::Name(name.to_owned()), after)
            }
            '0'..='9' => number(rest)?,
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => number(rest)?,
            'a'..='z' | 'A'..='Z' | '_' => word(rest)?,
            _ => {
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
                let sign = *sign.ok_or_else(|| format!("{first:?} is not allowed here"))?;
                (Token::Sign(sign), &rest[sign.len()..])
            }
        };
        tokens.push(token);
        rest = after;
    }
    tokens.push(Token::End);
    Ok(tokens)
}

/// An identifier, or a string with a prefix.
fn word(text: &str) -> Result<(Token, &str), String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let (name, after) = text.split_at(end);
    if after.starts_with(['"', '\''])
        && let lower = name.to_ascii_lowercase()
        && matches!(lower.as_str(), "r" | "b" | "rb" | "br")
    {
        return quoted(after, lower.contains('r'), lower.contains('b'));
    }
    Ok((Token::Name(name.to_owned()), after))
}

fn number(text: &str) -> Result<(Token, &str), String> {
    let wrong = |text: &str| format!("{text} is not a number, or out of range");
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        let end = hex
            .find(|c: char| !c.is_ascii_hexdigit())
            .unwrap_or(hex.len());
        let (digits, after) = hex.split_at(end);
        let value = u64::from_str_radix(digits, 16).map_err(|_| wrong(digits))?;
        return Ok(match after.strip_prefix(['u', 'U']) {
            Some(after) => (Token::Uint(value), after),
            None => (Token::Int(value), after),
        });
    }
    let digits = |from: usize| {
        text[from..]
            .find(|c: char| !c.is_ascii_digit())
            .map_or(text.len(), |at| from + at)
    };
    let mut end = digits(0);
    let mut is_float = false;
    let fraction = text[end..].strip_prefix('.');
    if fraction.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        end = digits(end + 1);
        is_float = true;
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['+', '-']));
        let after = digits(end + 1 + sign);
        if after > end + 1 + sign {
            end = after;
            is_float = true;
        }
    }
    let (number, after) = text.split_at(end);
    if is_float {
        let value = number.parse().map_err(|_| wrong(number))?;
        return Ok((Token::Double(value), after));
    }
    let value = number.parse().map_err(|_| wrong(number))?;
    Ok(match after.strip_prefix(['u', 'U']) {
        Some(after) => (Token::Uint(value), after),
        None => (Token::Int(value), after),
    })
}

/// A string that starts with its quote.
fn quoted(text: &str, raw: bool, bytes: bool) -> Result<(Token, &str), String> {
    let quote = &text[..1];
    let triple = quote.repeat(3);
    let quote = if text.starts_with(&triple) {
        triple.as_str()
    } else {
        quote
    };
    let mut out = Out {
        bytes: Vec::new(),
        as_bytes: bytes,
    };
    let mut rest = &text[quote.len()..];
    loop {
        if let Some(after) = rest.strip_prefix(quote) {
            let token = if bytes {
                Token::Bytes(out.bytes)
            } else {
                let text = String::from_utf8(out.bytes);
                Token::String(text.map_err(|_| "a string is not UTF-8")?)
            };
            return Ok((token, after));
        }
        let mut chars = rest.chars();
        match chars.next() {
            None => return Err(format!("a {quote} is not closed")),
            Some('\n') if quote.len() == 1 => return Err(format!("a {quote} is not closed")),
            Some('\\') if !raw => {
                let used = escape(chars.as_str(), &mut out)?;
                rest = &chars.as_str()[used..];
            }
            Some(c) => {
                out.char(c);
                rest = chars.as_str();
            }
        }
    }
}

struct Out {
    bytes: Vec<u8>,
    as_bytes: bool,
}

impl Out {
    fn char(&mut self, c: char) {
        let mut buffer = [0; 4];
        self.bytes
            .extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
    }

    /// Adds a character code: a byte in bytes, a character in a string.
    fn code(&mut self, code: u32) -> Result<(), String> {
        if self.as_bytes {
            let byte = u8::try_from(code).map_err(|_| "an escape is larger than a byte")?;
            self.bytes.push(byte);
        } else {
            let c = char::from_u32(code).ok_or("an escape is not a character")?;
            self.char(c);
        }
        Ok(())
    }
}

/// Reads an escape sequence after its backslash. Returns the number of bytes that it has.
fn escape(text: &str, out: &mut Out) -> Result<usize, String> {
    let first = text.chars().next().ok_or("a string ends in a backslash")?;
    let plain = match first {
        'n' => Some('\n'),
        't' => Some('\t'),
        'r' => Some('\r'),
        'a' => Some('\u{7}'),
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        'v' => Some('\u{b}'),
        '\\' | '\'' | '"' | '`' | '?' => Some(first),
        _ => None,
    };
    if let Some(c) = plain {
        out.char(c);
        return Ok(1);
    }
    let (from, length, radix) = match first {
        'x' | 'X' => (1, 2, 16),
        'u' => (1, 4, 16),
        'U' => (1, 8, 16),
        '0'..='3' => (0, 3, 8),
        _ => return Err(format!("`\\{first}` is not an escape")),
    };
    let digits = text.get(from..from + length).unwrap_or_default();
    let code = u32::from_str_radix(digits, radix);
    out.code(code.map_err(|_| format!("`\\{first}` lacks its digits"))?)?;
    Ok(from + length)
}
