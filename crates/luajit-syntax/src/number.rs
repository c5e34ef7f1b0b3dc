//! Numbers as LuaJIT parses them in a script (`lj_strscan.c`).

/// Exponents, and numbers of digits after the point, from which on a number is refused.
const TOO_FAR: usize = 1 << 20;

/// Whether a text that begins with a digit, or with a point and a digit, is a number.
pub(super) fn is_number(text: &[u8]) -> bool {
    let (base, rest) = match text {
        [b'0', b'x' | b'X', rest @ ..] => (16, rest),
        [b'0', b'b' | b'B', rest @ ..] => (2, rest),
        _ => (10, text),
    };
    let (digits, rest) = split(rest, |byte| byte == b'.' || is_digit(byte, base));
    let mut points = digits.split(|byte| *byte == b'.');
    let (whole, fraction) = (points.next().unwrap_or_default(), points.next());
    if points.next().is_some() || whole.len() + fraction.map_or(0, <[u8]>::len) == 0 {
        return false;
    }
    let significant = trimmed(whole);
    if base == 2 && (fraction.is_some() || significant.iter().any(|byte| *byte > b'1')) {
        return false;
    }
    let has_digit = |part: &[u8]| part.iter().any(|byte| *byte != b'0');
    if let Some(fraction) = fraction
        && (has_digit(whole) || has_digit(fraction))
    {
        let zeros = fraction.iter().rev().take_while(|byte| **byte == b'0');
        if fraction.len() - zeros.count() >= TOO_FAR {
            return false;
        }
    }
    let Some((exponent, suffix)) = exponent(rest, base) else {
        return false;
    };
    let is_whole = fraction.is_none() && !exponent;
    match suffix.to_ascii_lowercase().as_slice() {
        b"" => base != 2 || significant.len() <= 64,
        b"i" => base != 2 || significant.len() <= 64,
        b"ll" | b"ull" | b"llu" => is_whole && fits_in_64_bits(significant, base),
        _ => false,
    }
}

fn is_digit(byte: u8, base: u32) -> bool {
    match base {
        16 => byte.is_ascii_hexdigit(),
        _ => byte.is_ascii_digit(),
    }
}

fn split(text: &[u8], fits: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !fits(*byte));
    text.split_at(end.unwrap_or(text.len()))
}

fn trimmed(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}

/// Parses an exponent at the beginning of a text: whether there is one, and what follows; `None` if it is not valid.
fn exponent(text: &[u8], base: u32) -> Option<(bool, &[u8])> {
    let letter = match base {
        16 => b'p',
        10 => b'e',
        _ => return Some((false, text)),
    };
    let Some((first, rest)) = text.split_first() else {
        return Some((false, text));
    };
    if first.to_ascii_lowercase() != letter {
        return Some((false, text));
    }
    let rest = match rest {
        [b'+' | b'-', rest @ ..] => rest,
        rest => rest,
    };
    let (digits, rest) = split(rest, |byte| byte.is_ascii_digit());
    let value = std::str::from_utf8(trimmed(digits)).ok()?;
    let is_small = value.is_empty() || value.parse::<usize>().is_ok_and(|it| it < TOO_FAR);
    (!digits.is_empty() && is_small).then_some((true, rest))
}

fn fits_in_64_bits(digits: &[u8], base: u32) -> bool {
    match std::str::from_utf8(digits) {
        Ok("") => true,
        Ok(digits) => u64::from_str_radix(digits, base).is_ok(),
        Err(_) => false,
    }
}
