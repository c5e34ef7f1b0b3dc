//! Flux variables (`postBuild` substitution): `${NAME}`, `${NAME:=default}`, `${NAME/./-}`.
//!
//! Flux replaces them in the text of a manifest before anything reads it, so what a value with one in it
//! will be is not known here. `$${NAME}` is how `${NAME}` itself is written.

/// Whether a text has a variable in it.
pub fn in_text(text: &str) -> bool {
    text.match_indices("${").any(|(at, _)| {
        let escaped = text[..at].bytes().rev().take_while(|b| *b == b'$').count() % 2 == 1;
        !escaped && end(&text[at..]).is_some()
    })
}

/// Whether a text is a single variable and nothing else: it may become a number.
pub fn is_all(text: &str) -> bool {
    end(text) == Some(text.len())
}

/// The text with `stand_in` in place of each variable.
pub fn replaced(text: &str, stand_in: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, variable) = rest.split_at(at);
        plain.push_str(before);
        match end(variable) {
            Some(end) => {
                plain.push_str(stand_in);
                rest = &variable[end..];
            }
            None => {
                plain.push_str("${");
                rest = &variable[2..];
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// Where the variable that a text starts with ends; `None` where it starts with none.
pub fn end(text: &str) -> Option<usize> {
    let inner = text.strip_prefix("${")?;
    let mut bytes = inner.bytes();
    if !bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
    {
        return None;
    }
    let mut open = 1_u32;
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at + 3);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_takes_the_place_of_each_variable() {
        let plain = |text| replaced(text, "x");
        assert_eq!(plain("${A/./-}-tls.${B:-${C}}"), "x-tls.x");
        assert_eq!(plain("${}-${"), "${}-${");
        assert_eq!(plain("none"), "none");
    }

    #[test]
    fn variables_are_told_from_other_text() {
        for text in ["${A}", "${A:=3}", "${A/./-}", "${_a1}", "${A:-${B}}"] {
            assert!(is_all(text) && in_text(text), "{text}");
        }
        for text in ["a${A}", "${A}b", "${A}${B}", "x-${A/./-}-y"] {
            assert!(!is_all(text) && in_text(text), "{text}");
        }
        for text in ["", "$A", "${", "${}", "${1}", "$${A}", "{A}", "${A"] {
            assert!(!is_all(text) && !in_text(text), "{text}");
        }
    }
}
