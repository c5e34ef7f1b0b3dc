//! Escapes untrusted text for the output formats.

use manifest::diagnostic::printable::printable;

/// A string for DOT, without the quotes.
pub fn dot(text: &str) -> String {
    printable(text).replace('\\', "\\\\").replace('"', "\\\"")
}

/// Shortens a text to a number of characters. The middle is cut out, because both ends of a name are needed
/// to distinguish names.
pub fn shorten(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    let kept = most.saturating_sub(1);
    let tail = kept / 2;
    let head: String = text.chars().take(kept - tail).collect();
    let tail: String = text.chars().skip(count - tail).collect();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped() {
        assert_eq!(dot("a\"\\"), "a\\\"\\\\");
    }

    #[test]
    fn a_long_name_loses_its_middle() {
        assert_eq!(shorten("abcdefghij", 10), "abcdefghij");
        assert_eq!(shorten("abcdefghijk", 10), "abcde…hijk");
        assert_eq!(shorten("äöüß", 3), "ä…ß");
        assert_eq!(shorten("abc", 0), "…");
    }
}
