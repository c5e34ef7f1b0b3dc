//! Determines the value that go-yaml gives to unquoted scalars: kustomize's version 3, and version 2, which kubectl uses
//! (`sigs.k8s.io/yaml`).

use serde_json::Number;

use crate::read::Reader;

/// The type of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Null,
    Boolean,
    Integer,
    Float,
    Merge,
    Timestamp,
}

/// A scalar, as a program in Go gets it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Boolean(bool),
    Integer(Number),
    Float(f64),
    /// A date, in the form in which Go writes it.
    Timestamp(String),
    Text,
}

/// The type that kustomize gives to an unquoted scalar.
pub(super) fn type_of(text: &str) -> Type {
    match value_of(text, Reader::Kustomize) {
        Scalar::Null => Type::Null,
        Scalar::Boolean(_) => Type::Boolean,
        Scalar::Integer(_) => Type::Integer,
        Scalar::Float(_) => Type::Float,
        Scalar::Timestamp(_) => Type::Timestamp,
        Scalar::Text if text == "<<" => Type::Merge,
        Scalar::Text => Type::Text,
    }
}

/// The value of an unquoted scalar.
pub(crate) fn value_of(text: &str, reader: Reader) -> Scalar {
    if let Some(word) = word(text, reader) {
        return word;
    }
    match text.as_bytes().first() {
        Some(b'.') if is_between_digits(text, b'_') => {
            float(&text.replace('_', "")).map_or(Scalar::Text, Scalar::Float)
        }
        Some(b'0'..=b'9' | b'+' | b'-') => {
            let digits = text.replace('_', "");
            timestamp(text)
                .map(Scalar::Timestamp)
                .or_else(|| integer(&digits).map(Scalar::Integer))
                .or_else(|| float(&digits).map(Scalar::Float))
                .unwrap_or(Scalar::Text)
        }
        _ => Scalar::Text,
    }
}

/// The value of a text that must have the type of a tag; `None` if it has another one. The tag is without its prefix.
pub(crate) fn value_with_tag(text: &str, tag: &str, reader: Reader) -> Option<Scalar> {
    let found = match (tag, value_of(text, reader)) {
        // A date is one only without a tag, or with its own.
        ("int" | "float", Scalar::Timestamp(_)) => return None,
        ("float", Scalar::Integer(number)) => Scalar::Float(number.as_i64()? as f64),
        (_, found) => found,
    };
    let is_right = match tag {
        "null" => found == Scalar::Null,
        "bool" => matches!(found, Scalar::Boolean(_)),
        "int" => matches!(found, Scalar::Integer(_)),
        "float" => matches!(found, Scalar::Float(_)),
        "timestamp" => matches!(found, Scalar::Timestamp(_)),
        _ => return Some(Scalar::Text),
    };
    is_right.then_some(found)
}

/// The value of a word that is not a string.
fn word(text: &str, reader: Reader) -> Option<Scalar> {
    Some(match text {
        "true" | "True" | "TRUE" => Scalar::Boolean(true),
        "false" | "False" | "FALSE" => Scalar::Boolean(false),
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" if reader == Reader::Kubectl => {
            Scalar::Boolean(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" if reader == Reader::Kubectl => {
            Scalar::Boolean(false)
        }
        _ => return None,
    })
}

/// Whether a text is a boolean to kubectl only.
pub(crate) fn is_word_of_kubectl(text: &str) -> bool {
    text.len() <= 3 && word(text, Reader::Kubectl) != word(text, Reader::Kustomize)
}

/// A 64-bit integer in Go's notation: `0x1f`, `0o17`, `017`, `0b1`.
fn integer(text: &str) -> Option<Number> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let bases = [("0x", 16), ("0o", 8), ("0b", 2), ("0", 8), ("", 10)];
    let (base, digits) = bases.iter().find_map(|(prefix, base)| {
        let digits = lower.strip_prefix(prefix).filter(|_| lower != *prefix)?;
        Some((*base, digits))
    })?;
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(base)) {
        return None;
    }
    let signed = i64::from_str_radix(&format!("{sign}{digits}"), base);
    if let Ok(number) = signed {
        return Some(number.into());
    }
    // Go reads no sign before a number that is too large for a signed one.
    let unsigned = u64::from_str_radix(digits, base);
    unsigned
        .ok()
        .filter(|_| !text.starts_with(['-', '+']))
        .map(Number::from)
}

/// A number with a dot or an exponent.
fn float(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let starts = digits
        .trim_start_matches('.')
        .starts_with(|c: char| c.is_ascii_digit());
    let is_number = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    let number: f64 = text.parse().ok().filter(|_| starts && is_number)?;
    number.is_finite().then_some(number)
}

/// Whether each byte of a kind has digits on both sides.
fn is_between_digits(text: &str, byte: u8) -> bool {
    let bytes = text.as_bytes();
    let is_digit = |at: Option<usize>| {
        let byte = at.and_then(|at| bytes.get(at));
        byte.is_some_and(u8::is_ascii_digit)
    };
    (0..bytes.len())
        .filter(|at| bytes.get(*at) == Some(&byte))
        .all(|at| is_digit(at.checked_sub(1)) && is_digit(Some(at + 1)))
}

/// A date, with or without a time, in the form in which Go writes it.
fn timestamp(text: &str) -> Option<String> {
    let mut rest = text;
    let year = number(&mut rest, 4, 4, 0, 9999)?;
    let month = number(skip(&mut rest, '-')?, 1, 2, 1, 12)?;
    let day = number(skip(&mut rest, '-')?, 1, 2, 1, days_of(year, month))?;
    let date = format!("{year:04}-{month:02}-{day:02}");
    if rest.is_empty() {
        return Some(format!("{date}T00:00:00Z"));
    }
    let is_spaced = rest.starts_with(' ');
    if !rest.starts_with([' ', 'T', 't']) {
        return None;
    }
    rest = rest.get(1..)?;
    if is_spaced {
        rest = rest.trim_start_matches(' ');
    }
    let hour = number(&mut rest, 1, 2, 0, 23)?;
    let minute = number(skip(&mut rest, ':')?, 1, 2, 0, 59)?;
    let second = number(skip(&mut rest, ':')?, 1, 2, 0, 59)?;
    let fraction = fraction(&mut rest);
    let zone = match rest {
        "" if is_spaced => "Z",
        _ if is_spaced => return None,
        "Z" => "Z",
        _ => &zone(rest)?,
    };
    Some(format!(
        "{date}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"
    ))
}

/// Skips one character.
fn skip<'t, 'a>(text: &'t mut &'a str, character: char) -> Option<&'t mut &'a str> {
    *text = text.strip_prefix(character)?;
    Some(text)
}

/// Reads a number with so many digits, between two bounds.
fn number(text: &mut &str, least: usize, most: usize, from: u32, to: u32) -> Option<u32> {
    let digits = text
        .bytes()
        .take_while(u8::is_ascii_digit)
        .count()
        .min(most);
    let (number, rest) = text.split_at_checked(digits)?;
    *text = rest;
    let number: u32 = number.parse().ok()?;
    (digits >= least && (from..=to).contains(&number)).then_some(number)
}

/// The fraction of a second, to nanoseconds, without zeros at its end.
fn fraction(text: &mut &str) -> String {
    let Some(rest) = text.strip_prefix(['.', ',']) else {
        return String::new();
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return String::new();
    }
    let (fraction, after) = rest.split_at(digits);
    *text = after;
    let fraction = fraction.get(..9).unwrap_or(fraction).trim_end_matches('0');
    if fraction.is_empty() {
        return String::new();
    }
    format!(".{fraction}")
}

/// A zone such as `+01:00`; `Z` if it is that of UTC. Go reads 60 minutes as an hour.
fn zone(text: &str) -> Option<String> {
    let mut rest = text.strip_prefix(['+', '-'])?;
    let hours = number(&mut rest, 2, 2, 0, 24)?;
    let minutes = number(skip(&mut rest, ':')?, 2, 2, 0, 60)?;
    let (all, sign) = (hours * 60 + minutes, text.get(..1)?);
    let zone = match all {
        0 => "Z".to_owned(),
        _ => format!("{sign}{:02}:{:02}", all / 60, all % 60),
    };
    rest.is_empty().then_some(zone)
}

fn days_of(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_have_the_type_that_go_yaml_gives_them() {
        let cases = [
            (
                Type::Text,
                "a yes on y 0x 08x 1.2.3 12:30 -a - + . .. 1e 1e+ 2026-13-01 10.0.0.0/8 9_a 0b2 = ! _1 1a inf",
            ),
            (Type::Null, "~ null Null NULL"),
            (Type::Boolean, "true True FALSE"),
            (
                Type::Integer,
                "0 80 -1 +1 010 0x1F 0o17 0b11 1_000 18446744073709551615 -0x1f",
            ),
            (
                Type::Float,
                "1. 1.5 .5 1e3 1E-3 -.5 08 09.5 18446744073709551616 .inf -.INF .nan 0.1_5",
            ),
            (
                Type::Timestamp,
                "2026-01-01 2026-1-1 2026-01-01T10:00:00Z 2026-01-01t1:2:3.5+01:00",
            ),
            (Type::Merge, "<<"),
        ];
        for (wanted, texts) in cases {
            for text in texts.split(' ') {
                assert_eq!(type_of(text), wanted, "{text}");
            }
        }
        assert_eq!(type_of(""), Type::Null);
    }
}
