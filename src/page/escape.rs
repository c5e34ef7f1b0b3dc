//! Escapes untrusted text for XML and HTML.

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
    }
}
