//! Text from anywhere, made fit for a terminal, for a log and for the documents that programs read.
//!
//! What a file, a cluster or an argument holds may be anything. What of it acts on a terminal, turns the direction of
//! text, or can't be seen is written as an escape wherever it is shown. This is the one list of such characters.

/// Whether a character acts on a terminal, turns or hides text, or is nothing that anybody sees. The end of a line and
/// the tab are not among them.
pub fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        // The zero-width joiner belongs to some emoji, too; but in a name it can't be told from nothing.
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' => true,
        // Ends of lines and paragraphs; embeddings, overrides and isolates of direction (UAX #9).
        '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        // Letters that are blank.
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => true,
        // The mark of byte order, annotations, tags.
        '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        c => c.is_control(),
    }
}

/// Text on one line: ends of lines and all that [`is_hidden`] are written as escapes.
pub fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            c => push(&mut safe, c),
        }
    }
    safe
}

/// Adds a character, or its escape where it [`is_hidden`].
pub fn push(text: &mut String, c: char) {
    match c {
        '\r' => text.push_str("\\r"),
        c if is_hidden(c) => text.extend(c.escape_unicode()),
        c => text.push(c),
    }
}

/// A JSON document that means the same and has none of these characters: inside its strings they are written as `\u`
/// escapes. Outside of strings there is only ASCII, and ends of lines there stay.
///
/// Nor does any line of it hold `##[`, by which a line of a log becomes a command of the machine that runs it.
pub fn json(document: &str) -> String {
    let mut safe = String::with_capacity(document.len());
    for c in document.chars() {
        match c {
            c if is_hidden(c) => push_unit_escapes(&mut safe, c),
            '[' if safe.ends_with("##") => push_unit_escapes(&mut safe, c),
            c => safe.push(c),
        }
    }
    safe
}

/// The escapes of a character as JSON has them (RFC 8259, section 7): one for each unit of UTF-16.
fn push_unit_escapes(text: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        text.push_str(&format!("\\u{unit:04x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_or_hides_is_written_as_an_escape() {
        assert_eq!(
            printable("a\u{1b}[31mb\r\nc\td\u{9b}\u{202e}\u{200b}é"),
            "a\\u{1b}[31mb\\r\\nc\td\\u{9b}\\u{202e}\\u{200b}é"
        );
        for c in (0..=0x10ffff_u32).filter_map(char::from_u32) {
            let shown = printable(&c.to_string());
            assert!(!shown.chars().any(is_hidden), "{c:?}");
            assert!(!shown.contains('\n'), "{c:?}");
        }
    }

    #[test]
    fn json_means_the_same() {
        let all: String = (0..=0x10ffff_u32).filter_map(char::from_u32).collect();
        let value = serde_json::json!({"all": all, "command": "##[error]"});
        let text = json(&format!("{value:#}"));
        assert!(!text.chars().any(is_hidden));
        assert!(!text.contains("##["));
        let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(read, value);
    }
}
