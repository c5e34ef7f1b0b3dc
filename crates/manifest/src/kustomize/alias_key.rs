//! Aliases as keys. For kustomize, the name of an alias ends at a `:`, so `*name: b` is a key and its value. In
//! YAML 1.2, the `:` is a part of the name.

use memchr::memchr_iter;

use super::control_characters;
use super::scan::Scanner;
use super::token::{LocatedToken, Token};

/// A text with blanks around the `:` after each alias that is a key, so that a YAML 1.2 parser reads it as
/// kustomize reads the original.
pub(crate) struct Spaced {
    pub(crate) text: String,
    /// The positions of the added blanks, in order.
    blanks: Vec<usize>,
}

impl Spaced {
    /// Adds the blanks; `None` if no alias is a key that its `:` follows directly.
    pub(crate) fn new(text: &str) -> Option<Self> {
        // The scanner treats a NUL as the end.
        if !may_have_alias_key(text) || control_characters(text).is_err() {
            return None;
        }
        let mut spaced = Spaced {
            text: String::with_capacity(text.len() + 16),
            blanks: Vec::new(),
        };
        let mut copied = 0;
        for colon in colons(text) {
            spaced.text.push_str(text.get(copied..colon)?);
            spaced.add_blank();
            spaced.text.push(':');
            copied = colon + 1;
            let rest = text.get(copied..)?;
            // In `{*a:b}`, the colon would be a part of the value otherwise.
            if !rest.is_empty() && !rest.starts_with([' ', '\t', '\n', '\r']) {
                spaced.add_blank();
            }
        }
        spaced.text.push_str(text.get(copied..)?);
        (copied > 0).then_some(spaced)
    }

    fn add_blank(&mut self) {
        self.blanks.push(self.text.len());
        self.text.push(' ');
    }

    /// The position in the original text of a position in this one.
    pub(crate) fn original(&self, at: usize) -> usize {
        at - self.blanks.partition_point(|blank| *blank < at)
    }
}

/// Whether a `*`, a name and a `:` occur anywhere. It may be in a comment or in a string.
fn may_have_alias_key(text: &str) -> bool {
    memchr_iter(b'*', text.as_bytes()).any(|at| {
        let name = text.as_bytes().get(at + 1..).unwrap_or_default();
        let is_in_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let length = name.iter().take_while(|byte| is_in_name(byte)).count();
        length > 0 && name.get(length) == Some(&b':')
    })
}

/// The positions of the `:` that follow an alias directly, up to the first error.
fn colons(text: &str) -> Vec<usize> {
    let mut tokens = Scanner::new(text);
    let mut colons = Vec::new();
    let mut alias_end = None;
    while let Ok(LocatedToken { token, start, end }) = tokens.take() {
        match token {
            Token::StreamEnd => break,
            Token::Value if alias_end == Some(start) => colons.push(start),
            _ => {}
        }
        alias_end = matches!(token, Token::Alias(_)).then_some(end);
    }
    colons
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_added_only_after_aliases_that_are_keys() {
        let spaced = |text: &str| Spaced::new(text).map(|it| it.text);
        for (text, expected) in [
            ("a: &b c\n*b: d\n", "a: &b c\n*b : d\n"),
            ("a: &b c\n*b:\n  d: e\n", "a: &b c\n*b :\n  d: e\n"),
            (
                "- &b c\n- {*b: d, *b:, e: *b}\n",
                "- &b c\n- {*b : d, *b : , e: *b}\n",
            ),
            ("- &b c\n- {*b:d}\n", "- &b c\n- {*b : d}\n"),
            ("- &b c\n- [*b: d]\n- *b: é", "- &b c\n- [*b : d]\n- *b : é"),
        ] {
            assert_eq!(spaced(text).as_deref(), Some(expected), "{text:?}");
        }
        for text in [
            "a: &b c\n*b : d\n",
            "a: '*b: c' # *b: c\n",
            "a: |\n  *b: c\n",
            "a: &b c\nd: *b\n",
            "a: **b:** c\n",
        ] {
            assert_eq!(spaced(text), None, "{text:?}");
        }
    }

    #[test]
    fn every_position_has_its_original() {
        let text = "é: &b c\n? {*b:d, *b: e}\n: f\n";
        let spaced = Spaced::new(text).expect("two such keys");
        for (at, byte) in spaced.text.bytes().enumerate() {
            let original = spaced.original(at);
            if !spaced.blanks.contains(&at) {
                assert_eq!(text.as_bytes().get(original), Some(&byte), "{at}");
            }
        }
        assert_eq!(spaced.original(spaced.text.len()), text.len());
    }
}
