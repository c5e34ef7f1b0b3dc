//! Makes text from any source safe for terminals, logs and machine-readable documents.
//! Files, clusters and arguments may contain any text. Characters that control a terminal, change the text
//! direction, or are invisible are written as escapes wherever they are shown. This is the only list of such
//! characters.

/// Whether a character controls a terminal, changes the text direction, hides text, or is invisible. Line
/// feeds and tabs are not included.
pub fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        // The zero-width joiner is also used in some emoji, but in a name it is invisible.
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' => true,
        // Line and paragraph separators; embeddings, overrides and isolates of the text direction (UAX #9).
        '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        // Letters that look like spaces.
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => true,
        // The byte order mark, interlinear annotations, and tag characters.
        '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        c => c.is_control(),
    }
}

/// Puts text on one line: line feeds and all characters that are [`is_hidden`] are written as escapes.
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

/// Appends a character, or its escape if it [`is_hidden`].
pub fn push(text: &mut String, c: char) {
    match c {
        '\r' => text.push_str("\\r"),
        c if is_hidden(c) => text.extend(c.escape_unicode()),
        c => text.push(c),
    }
}

/// Returns an equivalent JSON document without hidden characters: inside strings they are written as `\u`
/// escapes. Outside strings a JSON document is ASCII, and its line feeds stay.
/// No line of the result contains `##[`, because CI systems treat a log line with it as a command.
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

/// Appends a character as JSON escapes (RFC 8259, section 7), one for each UTF-16 code unit.
fn push_unit_escapes(text: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        text.push_str(&format!("\\u{unit:04x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_invisible_characters_are_escaped() {
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
