//! Writes scalars as YAML so that YAML 1.1 and YAML 1.2 parsers read the same value.

use serde_json::Number;

use crate::diagnostic::printable::is_hidden;

/// A string on one line, quoted only if necessary.
pub fn string(text: &str) -> String {
    if is_dotted_number(text) {
        return text.to_owned();
    }
    let options =
        serde_yaml::ser_options! { prefer_block_scalars: false, folded_wrap_chars: usize::MAX };
    serde_yaml::to_string_with_options(&text, options)
        .map(|yaml| yaml.trim_end_matches('\n').to_owned())
        .ok()
        .filter(|yaml| !yaml.contains('\n') && !yaml.contains(is_hidden))
        .unwrap_or_else(|| quoted(text))
}

/// A string on one line in double quotes. Invisible characters are written as escapes (YAML 1.2, section
/// 5.7), so that readers of the file can see them.
fn quoted(text: &str) -> String {
    let mut safe = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => safe.extend(['\\', c]),
            '\n' => safe.push_str("\\n"),
            '\t' => safe.push_str("\\t"),
            '\r' => safe.push_str("\\r"),
            c if is_hidden(c) && u32::from(c) <= 0xffff => {
                safe.push_str(&format!("\\u{:04X}", u32::from(c)));
            }
            c if is_hidden(c) => safe.push_str(&format!("\\U{:08X}", u32::from(c))),
            c => safe.push(c),
        }
    }
    safe.push('"');
    safe
}

/// Whether a text consists of digits with two or more dots between them, such as an IPv4 address or a
/// version. No YAML parser reads it as a number, but the emitter library would quote it.
fn is_dotted_number(text: &str) -> bool {
    let parts = text.split('.');
    parts.clone().count() >= 3
        && parts
            .clone()
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A number. If it has an exponent, it needs a dot, because YAML 1.1 reads `1e-7` as a string and `1.0e-7` as
/// a number.
pub fn number(number: &Number) -> String {
    let text = number.to_string();
    match text.split_once('e') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0e{exponent}"),
        _ => text,
    }
}

/// The header of a literal block for `text` (`|`, `|-`, `|+`, with the indentation if the text starts with a
/// space), and the lines of the block; `None` if a block can't represent the text exactly.
pub fn block(text: &str, indent: usize) -> Option<(String, Vec<&str>)> {
    let body = text.trim_end_matches('\n');
    let plain = |c: char| {
        matches!(c, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
            && !is_hidden(c)
    };
    let holds = body.contains('\n')
        && !body.starts_with('\n')
        // `lines()` would hide carriage returns, which YAML treats as line ends and drops.
        && body.split('\n').all(|line| {
            line.chars().all(plain) && !line.ends_with(' ') && !line.starts_with("---")
        });
    if !holds {
        return None;
    }
    let blank = if body.starts_with(' ') {
        indent.to_string()
    } else {
        String::new()
    };
    let chomp = match text.len() - body.len() {
        0 => "-",
        1 => "",
        _ => "+",
    };
    let mut lines: Vec<&str> = body.split('\n').collect();
    lines.extend(std::iter::repeat_n(
        "",
        (text.len() - body.len()).saturating_sub(1),
    ));
    Some((format!("|{blank}{chomp}"), lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted_only_if_necessary() {
        let plain = [
            "external.example.com",
            "10.10.30.26",
            "1.9.0",
            "${IP}",
            "h2",
            "http/1.1",
            "180s",
            "2Gi",
            "oci://mirror.gcr.io/envoyproxy/gateway-helm",
            "10.42.0.0/16",
            "./envoy.yaml",
            "fd00::1",
        ];
        for text in plain {
            assert_eq!(string(text), text);
        }
        for text in [
            "on",
            "y",
            "12:30",
            "1.2",
            "1_000",
            "",
            "~",
            "*.example.com",
            "a: b",
            "2026-01-01",
            "0x1f",
        ] {
            assert_eq!(string(text), format!("\"{text}\""));
        }
    }

    #[test]
    fn blocks_keep_their_last_lines() {
        let header = |text| block(text, 2).map(|(header, lines)| (header, lines.len()));
        assert_eq!(header("a\nb"), Some(("|-".to_owned(), 2)));
        assert_eq!(header("a\nb\n"), Some(("|".to_owned(), 2)));
        assert_eq!(header("a\nb\n\n"), Some(("|+".to_owned(), 3)));
        assert_eq!(header(" a\nb\n"), Some(("|2".to_owned(), 2)));
        assert_eq!(header("a"), None);
        assert_eq!(header("a \nb"), None);
        assert_eq!(header("a\tb\nc"), None);
        assert_eq!(header("a\r\nb"), None);
    }

    #[test]
    fn numbers_with_an_exponent_have_a_point() {
        let text = |value: f64| Number::from_f64(value).map(|value| number(&value));
        for (value, want) in [
            (1e-7, "1.0e-7"),
            (-2e300, "-2.0e+300"),
            (1.5e16, "1.5e+16"),
            (0.5, "0.5"),
        ] {
            assert_eq!(text(value).as_deref(), Some(want));
        }
        assert_eq!(number(&Number::from(80)), "80");
    }
}
