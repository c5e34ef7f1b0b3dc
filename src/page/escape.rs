//! Escapes untrusted text for XML, HTML, and Mermaid in Markdown.

use manifest::diagnostic::printable::printable;

/// Text for an element or an attribute in XML 1.0 and HTML. Characters that XML doesn't allow (2.2) are left
/// out.
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

/// A label for Mermaid, without the quotes. Everything but letters, digits and a few safe characters is
/// written as an entity, which Mermaid spells `#36;`. So a label can't end a code block in Markdown either.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped() {
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
    }
}
