//! Text from anywhere, made fit for a terminal.

/// How many characters of a message are shown: no value that a message quotes may flood the terminal.
const LONGEST: usize = 1000;

/// A code point that stands for no character and never will; it is shown as the replacement character.
pub(super) const NO_CHARACTER: char = '\u{fdd0}';

/// What is shown for `c`: itself, or a stand-in for a character that would act on the terminal or that
/// nobody would see. One character for one, so that columns stay true; a tab stays a tab.
pub(super) fn visible(c: char) -> char {
    match c {
        '\t' => c,
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        // C1 holds the one-character forms of the terminal's escape sequences.
        '\u{80}'..='\u{9f}'
        // Soft hyphen, zero-width space and word joiner: there, but not to be seen.
        | '\u{ad}' | '\u{200b}' | '\u{2060}'
        // Marks and overrides of direction, which show text in another order than it is read.
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        // Line and paragraph separators.
        | '\u{2028}' | '\u{2029}'
        | NO_CHARACTER => '\u{fffd}',
        _ => c,
    }
}

/// One line of prose: a message, a label, a path.
pub(super) fn line(text: &str) -> String {
    cut(text)
        .map(|c| if c == '\t' { ' ' } else { visible(c) })
        .collect()
}

/// Prose that may have several lines: a note, a help.
pub(super) fn lines(text: &str) -> String {
    cut(text.trim_end())
        .map(|c| match c {
            '\n' => c,
            '\t' => ' ',
            _ => visible(c),
        })
        .collect()
}

fn cut(text: &str) -> impl Iterator<Item = char> {
    let more = text.chars().nth(LONGEST).map(|_| '…');
    text.chars().take(LONGEST).chain(more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_on_a_terminal_gets_through() {
        let acting = (0..=0x10ffff_u32)
            .filter_map(char::from_u32)
            .filter(|c| c.is_control() && !"\t".contains(*c));
        for c in acting {
            assert!(!visible(c).is_control(), "{c:?}");
        }
        assert_eq!(line("a\x1b[31mb\nc\td\u{9b}"), "a␛[31mb␊c d\u{fffd}");
        assert_eq!(lines("a\nb\x07\n"), "a\nb␇");
    }

    #[test]
    fn a_long_message_is_cut() {
        let long = line(&"x".repeat(100_000));
        assert_eq!(long.chars().count(), LONGEST + 1);
        assert!(long.ends_with('…'));
        assert_eq!(line(&"x".repeat(LONGEST)).chars().count(), LONGEST);
    }
}
