//! Determines the type that go-yaml gives to unquoted scalars.

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

/// The words that are not strings.
const WORDS: &[(Type, &[&str])] = &[
    (
        Type::Boolean,
        &["true", "True", "TRUE", "false", "False", "FALSE"],
    ),
    (Type::Null, &["", "~", "null", "Null", "NULL"]),
    (
        Type::Float,
        &[
            ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf",
            "-.Inf", "-.INF",
        ],
    ),
    (Type::Merge, &["<<"]),
];

/// The type of an unquoted scalar.
pub(super) fn type_of(text: &str) -> Type {
    if let Some((found, _)) = WORDS.iter().find(|(_, words)| words.contains(&text)) {
        return *found;
    }
    match text.as_bytes().first() {
        Some(b'.') if is_float(text) => Type::Float,
        Some(b'0'..=b'9' | b'+' | b'-') => {
            let digits = text.replace('_', "");
            if is_timestamp(text) {
                Type::Timestamp
            } else if is_integer(&digits) {
                Type::Integer
            } else if is_float(&digits) {
                Type::Float
            } else {
                Type::Text
            }
        }
        _ => Type::Text,
    }
}

/// Whether a text is a 64-bit integer in Go's notation: `0x1f`, `0o17`, `017`, `0b1`.
fn is_integer(text: &str) -> bool {
    let (sign, digits) = match text.as_bytes().first() {
        Some(b'-') => ("-", &text[1..]),
        Some(b'+') => ("", &text[1..]),
        _ => ("", text),
    };
    let lower = digits.to_ascii_lowercase();
    let bases = [("0x", 16), ("0o", 8), ("0b", 2), ("0", 8), ("", 10)];
    let (base, digits) = bases
        .iter()
        .find_map(|(prefix, base)| {
            Some((
                *base,
                lower.strip_prefix(prefix).filter(|_| lower != *prefix)?,
            ))
        })
        .unwrap_or((10, &lower));
    let is_digits = !digits.is_empty() && digits.chars().all(|c| c.is_digit(base));
    let fits = i64::from_str_radix(&format!("{sign}{digits}"), base).is_ok()
        || !text.starts_with(['-', '+']) && u64::from_str_radix(digits, base).is_ok();
    is_digits && fits
}

/// Whether a text is a number with a dot or an exponent.
fn is_float(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let starts = digits
        .trim_start_matches('.')
        .starts_with(|c: char| c.is_ascii_digit());
    let is_number = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    starts && is_number && text.parse::<f64>().is_ok()
}

/// Whether a text is a date, with or without a time.
fn is_timestamp(text: &str) -> bool {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts[..] else {
        return false;
    };
    let within = |part: &str, from: u32, to: u32| {
        part.len() <= 2
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && part.parse().is_ok_and(|it| (from..=to).contains(&it))
    };
    let is_year = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    let is_time = |time: &str| {
        let mut parts = time.splitn(3, ':');
        let hour = parts.next().is_some_and(|it| within(it, 0, 23));
        let minute = parts.next().is_some_and(|it| within(it, 0, 59));
        hour && minute
            && parts
                .next()
                .is_some_and(|it| it.starts_with(|c: char| c.is_ascii_digit()))
    };
    is_year && within(month, 1, 12) && within(day, 1, 31) && time.is_none_or(is_time)
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
