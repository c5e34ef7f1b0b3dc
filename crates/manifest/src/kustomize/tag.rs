//! Scans anchors, aliases, tags and directives.

use super::scan::Scanner;
use super::token::{Fault, Token, fault};

impl<'a> Scanner<'a> {
    /// `&name` or `*name`.
    pub(super) fn anchor(&mut self) -> Result<Token<'a>, Fault> {
        let start = self.at;
        let is_alias = self.byte(0) == b'*';
        self.skip();
        let name = self.word();
        let ends = self.is_word_end(0)
            || matches!(
                self.byte(0),
                b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'
            );
        if name.is_empty() || !ends {
            let what = if is_alias { "an alias" } else { "an anchor" };
            return fault(
                format!("{what} whose name has other characters than letters, digits, `-` and `_`"),
                start,
            );
        }
        Ok(if is_alias {
            Token::Alias(name)
        } else {
            Token::Anchor(name)
        })
    }

    /// `!suffix`, `!handle!suffix` or `!<uri>`.
    pub(super) fn tag(&mut self) -> Result<Token<'a>, Fault> {
        let start = self.at;
        let (handle, suffix) = if self.byte(1) == b'<' {
            self.skip();
            self.skip();
            let suffix = self.tag_uri("", start)?;
            if self.byte(0) != b'>' {
                return fault("a tag that starts with `!<` but has no `>`", start);
            }
            self.skip();
            ("", suffix)
        } else {
            let handle = self.tag_handle();
            if handle.len() > 1 && handle.ends_with('!') {
                (handle, self.tag_uri("", start)?)
            } else {
                let suffix = self.tag_uri(handle, start)?;
                if suffix.is_empty() {
                    ("", "!".to_owned())
                } else {
                    ("!", suffix)
                }
            }
        };
        if !self.is_word_end(0) {
            return fault("a tag with a character that is not allowed", start);
        }
        Ok(Token::Tag(handle, suffix))
    }

    /// A `!`, the following letters, and the `!` after them.
    fn tag_handle(&mut self) -> &'a str {
        let start = self.at;
        self.skip();
        self.word();
        if self.byte(0) == b'!' {
            self.skip();
        }
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// The rest of a tag after `head`, without the `!` of `head`.
    fn tag_uri(&mut self, head: &str, start: usize) -> Result<String, Fault> {
        let mut uri = head.get(1..).unwrap_or_default().to_owned();
        let before = self.at;
        loop {
            match self.byte(0) {
                b'%' => return fault("a tag with an escaped character", self.at),
                byte if is_word(byte) || b";/?:@&=+$,.!~*'()[]".contains(&byte) => {
                    uri.push(char::from(byte));
                    self.skip();
                }
                _ => break,
            }
        }
        if head.is_empty() && self.at == before {
            return fault("a tag without a name", start);
        }
        Ok(uri)
    }

    /// A directive line, which starts with `%`.
    pub(super) fn directive(&mut self) -> Result<Token<'a>, Fault> {
        let start = self.at;
        self.is_peculiar = true;
        self.skip();
        let name = self.word();
        if !self.is_word_end(0) {
            return fault(
                "a directive whose name has other characters than letters",
                start,
            );
        }
        self.skip_blanks();
        let token = match name {
            "YAML" => {
                let major = self.version_number(start)?;
                if self.byte(0) != b'.' {
                    return fault("a YAML version without a dot", start);
                }
                self.skip();
                Token::Version(major, self.version_number(start)?)
            }
            "TAG" => {
                let handle = self.tag_handle();
                let is_handle = handle.starts_with('!') && (handle == "!" || handle.ends_with('!'));
                if !is_handle || !self.is_blank(0) {
                    return fault("a %TAG without a handle", start);
                }
                self.skip_blanks();
                let prefix = self.tag_uri("", start)?;
                Token::TagPrefix(handle, prefix)
            }
            _ => return fault("a directive that is neither %YAML nor %TAG", start),
        };
        self.skip_blanks();
        if self.byte(0) == b'#' {
            while !self.is_line_end(0) {
                self.skip();
            }
        }
        if !self.is_line_end(0) {
            return fault("text after the end of a directive", self.at);
        }
        self.skip_line()?;
        Ok(token)
    }

    fn version_number(&mut self, start: usize) -> Result<u8, Fault> {
        let before = self.at;
        while self.byte(0).is_ascii_digit() {
            self.skip();
        }
        let digits = self.text.get(before..self.at).unwrap_or_default();
        match digits.parse() {
            Ok(number) if digits.len() < 3 => Ok(number),
            _ => fault("a YAML version that is not a number", start),
        }
    }

    fn skip_blanks(&mut self) {
        while self.is_blank(0) {
            self.skip();
        }
    }

    /// Letters, digits, `-` and `_`.
    fn word(&mut self) -> &'a str {
        let start = self.at;
        while is_word(self.byte(0)) {
            self.skip();
        }
        self.text.get(start..self.at).unwrap_or_default()
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}
