//! Numbers of books, cards and insurances, whose last digit checks the others, and colours.

use std::sync::LazyLock;

use super::is_hex;
use crate::pattern::Pattern;

/// The digits of a number without the blanks and hyphens between them.
fn without_separators(text: &str) -> Vec<u8> {
    let is_separator = |byte: &u8| matches!(byte, b'\t' | b'\n' | 0xc | b'\r' | b' ' | b'-');
    text.bytes().filter(|byte| !is_separator(byte)).collect()
}

pub(super) fn is_isbn10(text: &str) -> bool {
    let digits = without_separators(text);
    let Some((last, first)) = digits.split_last().filter(|_| digits.len() == 10) else {
        return false;
    };
    let last = match last {
        b'X' => 10,
        digit if digit.is_ascii_digit() => u32::from(digit - b'0'),
        _ => return false,
    };
    let weighted = (1..)
        .zip(first)
        .map(|(weight, digit)| weight * u32::from(digit.wrapping_sub(b'0')));
    first.iter().all(u8::is_ascii_digit) && (weighted.sum::<u32>() + 10 * last).is_multiple_of(11)
}

pub(super) fn is_isbn13(text: &str) -> bool {
    let digits = without_separators(text);
    let weights = [1, 3].into_iter().cycle();
    digits.len() == 13
        && digits.iter().all(u8::is_ascii_digit)
        && weights
            .zip(&digits)
            .map(|(weight, digit)| weight * u32::from(digit - b'0'))
            .sum::<u32>()
            .is_multiple_of(10)
}

/// A number of an issuer that the server knows, with a check digit (Luhn's). Everything but digits is ignored.
pub(super) fn is_credit_card(text: &str) -> bool {
    static ISSUERS: LazyLock<Option<Pattern>> = LazyLock::new(|| {
        let issuers = "^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|\
                       3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35[0-9]{3})[0-9]{11})$";
        Pattern::new(issuers).ok()
    });
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, byte)| {
            let digit = u32::from(byte - b'0');
            match at % 2 {
                0 => digit,
                _ => digit * 2 / 10 + digit * 2 % 10,
            }
        })
        .sum();
    ISSUERS
        .as_ref()
        .is_some_and(|issuers| issuers.is_match(&digits))
        && sum.is_multiple_of(10)
}

/// Only the form with both separators is long enough.
pub(super) fn is_ssn(text: &str) -> bool {
    text.len() == 11
        && text.bytes().enumerate().all(|(at, byte)| match at {
            3 | 6 => matches!(byte, b'-' | b' '),
            _ => byte.is_ascii_digit(),
        })
}

pub(super) fn is_hex_color(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or(text);
    matches!(digits.len(), 3 | 6) && is_hex(digits)
}

pub(super) fn is_rgb_color(text: &str) -> bool {
    let is_blank = |c: char| matches!(c, '\t' | '\n' | '\u{c}' | '\r' | ' ');
    let is_number = |text: &str| {
        let text = text.trim_matches(is_blank);
        text.bytes().all(|byte| byte.is_ascii_digit())
            && (text == "0" || !text.starts_with('0'))
            && text.parse::<u8>().is_ok()
    };
    let inside = text
        .strip_prefix("rgb(")
        .and_then(|rest| rest.strip_suffix(')'));
    inside.is_some_and(|inside| inside.split(',').count() == 3 && inside.split(',').all(is_number))
}
