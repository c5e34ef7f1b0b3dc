//! Text of others in formats of ours.

use manifest::diagnostic::printable::printable;

/// Text of an element or an attribute, of XML 1.0 and of HTML. What XML has no way to write (2.2) is left out.
pub fn xml(text: &str) -> String {
    let text = printable(text);
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// A label of Mermaid, without its quotes: all but letters, digits and what is harmless is written as an entity, which
/// Mermaid writes `#36;`.
pub fn mermaid(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            c if c.is_alphanumeric() || " .,/:-".contains(c) => escaped.push(c),
            c => escaped.push_str(&format!("#{};", u32::from(c))),
        }
    }
    escaped
}

/// A string of DOT, without its quotes.
pub fn dot(text: &str) -> String {
    printable(text).replace('\\', "\\\\").replace('"', "\\\"")
}

/// Text in at most so many characters: what is too long loses its middle, for both ends of a name tell things apart.
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
    fn nothing_of_a_name_is_taken_for_the_format() {
        let name = "a\"b\\c<script>&#x;${X}\u{1b}]\n\u{202e}\u{ffff}";
        assert_eq!(
            xml(name),
            "a&quot;b\\c&lt;script&gt;&amp;#x;${X}\\u{1b}]\\n\\u{202e}"
        );
        let shown = mermaid(name);
        assert!(
            shown
                .chars()
                .all(|c| c.is_alphanumeric() || " .,/:-#;".contains(c)),
            "{shown}"
        );
        assert!(shown.starts_with("a#34;b#92;c#60;script#62;"), "{shown}");
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
