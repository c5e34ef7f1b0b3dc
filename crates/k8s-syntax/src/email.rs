//! Addresses of e-mail as Go's `net/mail.ParseAddress` reads them: with a display name, comments and a group of one
//! (RFC 5322), which is more than most people would call an address.

use std::net::IpAddr;

use crate::base64;

/// Whether a text is one address.
pub fn is_address(text: &str) -> bool {
    let mut parser = Parser { rest: text };
    let addresses = parser.address(true);
    addresses == Some(1) && parser.skip_comments() && parser.rest.is_empty()
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    /// The number of addresses in an address or a group; `None` if there is a mistake.
    fn address(&mut self, may_be_group: bool) -> Option<usize> {
        self.skip_blanks();
        if self.rest.is_empty() {
            return None;
        }
        let start = self.rest;
        if self.spec().is_some() {
            self.skip_blanks();
            if self.take('(') {
                self.comment().then_some(())?;
            }
            return Some(1);
        }
        self.rest = start;
        self.skip_blanks();
        if !self.rest.starts_with('<') {
            self.phrase()?;
        }
        self.skip_blanks();
        if may_be_group && self.take(':') {
            return self.group();
        }
        (self.take('<') && self.spec().is_some() && self.take('>')).then_some(1)
    }

    fn group(&mut self) -> Option<usize> {
        self.skip_blanks();
        if self.take(';') {
            return self.skip_comments().then_some(0);
        }
        let mut count = 0;
        loop {
            self.skip_blanks();
            count += self.address(false)?;
            self.skip_comments().then_some(())?;
            if self.take(';') {
                return self.skip_comments().then_some(count);
            }
            self.take(',').then_some(())?;
        }
    }

    /// `local@domain`.
    fn spec(&mut self) -> Option<()> {
        self.skip_blanks();
        if self.rest.starts_with('"') {
            let is_empty = self.quoted()?;
            (!is_empty).then_some(())?;
        } else {
            self.strict_atom()?;
        }
        self.take('@').then_some(())?;
        self.skip_blanks();
        match self.rest.strip_prefix('[') {
            Some(after) => {
                let (literal, after) = after.split_once(']')?;
                literal.parse::<IpAddr>().ok()?;
                self.rest = after;
                Some(())
            }
            None => self.strict_atom(),
        }
    }

    /// Words before `<`. A mistake after the first word only ends the phrase.
    fn phrase(&mut self) -> Option<()> {
        let mut words = 0;
        loop {
            if words > 0 && !self.skip_comments() {
                return None;
            }
            self.skip_blanks();
            if self.rest.is_empty() {
                return (words > 0).then_some(());
            }
            let is_word = match self.rest.starts_with('"') {
                true => self.quoted().is_some(),
                false => self.atom().is_some_and(|word| !has_unknown_charset(word)),
            };
            if !is_word {
                return (words > 0).then_some(());
            }
            words += 1;
        }
    }

    /// Skips a quoted string; whether it is empty.
    fn quoted(&mut self) -> Option<bool> {
        let inside = self.rest.get(1..)?;
        let (mut is_escaped, mut is_empty) = (false, true);
        for (at, c) in inside.char_indices() {
            match c {
                _ if is_escaped => {
                    (is_visible(c) || is_blank(c)).then_some(())?;
                    is_escaped = false;
                    is_empty = false;
                }
                '"' => {
                    self.rest = inside.get(at + 1..)?;
                    return Some(is_empty);
                }
                '\\' => is_escaped = true,
                c if is_visible(c) || is_blank(c) => is_empty = false,
                _ => return None,
            }
        }
        None
    }

    fn atom(&mut self) -> Option<&'a str> {
        let end = self.rest.find(|c| !is_atom(c)).unwrap_or(self.rest.len());
        let (atom, rest) = self.rest.split_at(end);
        (!atom.is_empty()).then_some(())?;
        self.rest = rest;
        Some(atom)
    }

    fn strict_atom(&mut self) -> Option<()> {
        let atom = self.atom()?;
        let has_part_between_dots = atom.split('.').all(|part| !part.is_empty());
        has_part_between_dots.then_some(())
    }

    fn take(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(is_blank);
    }

    /// Skips blanks and comments; `false` if a comment doesn't end.
    fn skip_comments(&mut self) -> bool {
        self.skip_blanks();
        while self.take('(') {
            if !self.comment() {
                return false;
            }
            self.skip_blanks();
        }
        true
    }

    /// Skips the rest of a comment; `false` if it doesn't end.
    fn comment(&mut self) -> bool {
        let (mut depth, mut is_escaped) = (1, false);
        for (at, c) in self.rest.char_indices() {
            match c {
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = true,
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.rest = self.rest.get(at + 1..).unwrap_or_default();
                return true;
            }
        }
        self.rest = "";
        false
    }
}

/// Whether a word is encoded (RFC 2047) in a character set that Go doesn't know.
fn has_unknown_charset(word: &str) -> bool {
    let parts: Vec<&str> = word.split('?').collect();
    let ["=", charset, encoding, content, "="] = parts.as_slice() else {
        return false;
    };
    let is_readable = match *encoding {
        "b" | "B" => base64::decode(content).is_some(),
        "q" | "Q" => true,
        _ => false,
    };
    is_readable
        && !["utf-8", "iso-8859-1", "us-ascii"]
            .iter()
            .any(|known| charset.eq_ignore_ascii_case(known))
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

fn is_visible(c: char) -> bool {
    matches!(c, '!'..='~') || !c.is_ascii()
}

fn is_atom(c: char) -> bool {
    is_visible(c) && !"()<>[]:;@\\,\"".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_go() {
        for text in [
            "a@b",
            " a@b.c ",
            "\"a b\"@c.d",
            "A B <a@b.c>",
            "<a@b.c>",
            "a@b (a comment)",
            "a: b@c;",
            "é@ü",
            "a@[10.0.0.1]",
            "A . <a@b>",
        ] {
            assert!(is_address(text), "{text}");
        }
        for text in [
            "",
            "a",
            "a@",
            "@b",
            "a..b@c",
            ".a@b",
            "a@b.",
            "\"\"@b",
            "a@b, c@d",
            "a: ;",
            "a@b (",
            "a@[1.2.3]",
            "a b@c",
            "=?x?q?a?= <a@b>",
        ] {
            assert!(!is_address(text), "{text}");
        }
    }
}
