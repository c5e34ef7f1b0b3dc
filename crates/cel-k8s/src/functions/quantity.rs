//! Kubernetes' quantities, exact to a billionth.

use std::cmp::Ordering;

use super::{Function, global, member, no_overload, semver};
use crate::eval::{Answer, Fault};
use crate::value::Value;

/// A quantity.
#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    /// Its value, in billionths.
    value: i128,
    /// The power of ten of its last digit as it is written; `None` if Go reads it as a decimal fraction of any size.
    scale: Option<i32>,
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.cmp(&other.value)
    }
}

/// The number of digits that Go holds in 64 bits, for decimal and for binary suffixes.
const MOST_DIGITS: (i32, i32) = (18, 14);

const UNIT: i128 = 1_000_000_000;

/// The suffixes, with their factor in billionths.
const SUFFIXES: &[(&str, i128)] = &[
    ("", UNIT),
    ("n", 1),
    ("u", 1_000),
    ("m", 1_000_000),
    ("k", 1_000 * UNIT),
    ("M", 1_000_000 * UNIT),
    ("G", 1_000_000_000 * UNIT),
    ("T", 1_000_000_000_000 * UNIT),
    ("P", 1_000_000_000_000_000 * UNIT),
    ("E", 1_000_000_000_000_000_000 * UNIT),
    ("Ki", (1 << 10) * UNIT),
    ("Mi", (1 << 20) * UNIT),
    ("Gi", (1 << 30) * UNIT),
    ("Ti", (1 << 40) * UNIT),
    ("Pi", (1 << 50) * UNIT),
    ("Ei", (1 << 60) * UNIT),
];

impl Quantity {
    /// Whether it has no fraction.
    pub fn is_whole(&self) -> bool {
        self.value % UNIT == 0
    }

    /// How many times another quantity it is; nearly, as floats can say it.
    #[allow(clippy::cast_precision_loss)]
    pub fn over(&self, other: &Quantity) -> f64 {
        self.value as f64 / other.value as f64
    }

    /// Parses a quantity (`resource.ParseQuantity`): a sign, digits with a dot, and a suffix or an exponent. Digits
    /// beyond a billionth are rounded up, and values beyond 128 bits become the largest value.
    pub fn parse(text: &str) -> Option<Quantity> {
        let (sign, rest) = match text.as_bytes().first()? {
            b'-' => (-1, text.get(1..)?),
            b'+' => (1, text.get(1..)?),
            _ => (1, text),
        };
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let (scale, exponent) = match SUFFIXES.iter().find(|(known, _)| *known == suffix) {
            Some((_, scale)) => (*scale, 0_i32),
            None => (UNIT, suffix.strip_prefix(['e', 'E'])?.parse().ok()?),
        };
        let digits = format!("{whole}{fraction}");
        let digits = digits.trim_start_matches('0');
        let shift = exponent.saturating_sub(i32::try_from(fraction.len()).ok()?);
        let value = scaled(digits, scale, shift);
        let scale = digits_in_go(whole, fraction, suffix, exponent);
        Some(Quantity {
            value: sign * value,
            scale,
        })
    }

    /// The value as an integer. As in Go, `1.0` and `1000m` are not integers, because they are written with a fraction.
    fn whole(self) -> Option<i64> {
        self.scale.filter(|scale| *scale >= 0)?;
        i64::try_from(self.value / UNIT).ok()
    }
}

/// The scale of a quantity whose digits Go holds in 64 bits (`resource.ParseQuantity`).
fn digits_in_go(whole: &str, fraction: &str, suffix: &str, exponent: i32) -> Option<i32> {
    let length = |text: &str| i32::try_from(text.len()).unwrap_or(i32::MAX);
    let whole = whole.trim_start_matches('0');
    if whole.is_empty() && fraction.is_empty() {
        return Some(0);
    }
    let digits = length(whole).max(1);
    let unit = |units: &[&str]| units.iter().position(|unit| *unit == suffix);
    if let Some(at) = unit(&["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]) {
        let bits = 10 * (i32::try_from(at).ok()? + 1);
        let fits = fraction.is_empty() && MOST_DIGITS.1 >= digits + bits * 3 / 10;
        return fits.then_some(0);
    }
    let of_suffix = unit(&["n", "u", "m", "", "k", "M", "G", "T", "P", "E"]);
    let exponent = match of_suffix {
        Some(at) => 3 * (i32::try_from(at).ok()? - 3),
        None => exponent,
    };
    let scale = exponent - length(fraction);
    (MOST_DIGITS.0 >= digits + length(fraction) && scale >= -9).then_some(scale)
}

/// `digits × scale × 10^shift`, rounded up, at most 2^126.
fn scaled(digits: &str, scale: i128, shift: i32) -> i128 {
    const LARGEST: i128 = 1 << 126;
    if digits.is_empty() {
        return 0;
    }
    let mut value: i128 = match digits.get(..36.min(digits.len())).map(str::parse) {
        Some(Ok(value)) => value,
        _ => return LARGEST,
    };
    let cut = i32::try_from(digits.len().saturating_sub(36)).unwrap_or(i32::MAX);
    let mut shift = shift.saturating_add(cut);
    // Dividing first would lose digits and multiplying first would overflow, so powers of ten are removed from the
    // scale.
    let mut scale = scale;
    while shift < 0 && scale % 10 == 0 && scale > 1 {
        scale /= 10;
        shift += 1;
    }
    while shift < 0 && value % 10 == 0 && value > 0 {
        value /= 10;
        shift += 1;
    }
    let Some(mut value) = value.checked_mul(scale) else {
        return LARGEST;
    };
    while shift < 0 && value > 0 {
        let rest = value % 10;
        value = value / 10 + i128::from(rest != 0);
        shift += 1;
        if value == 1 {
            return 1;
        }
    }
    while shift > 0 {
        value = match value.checked_mul(10) {
            Some(value) if value < LARGEST => value,
            _ => return LARGEST,
        };
        shift -= 1;
    }
    value.min(LARGEST)
}

pub(super) const FUNCTIONS: &[Function] = &[
    global("quantity", 1, 1, |_, it| match it {
        [Value::String(text)] => Quantity::parse(text)
            .map(Value::Quantity)
            .ok_or_else(|| Fault::Error(format!("{text:?} is not a quantity"))),
        _ => Err(no_overload("quantity", it)),
    }),
    global("isQuantity", 1, 1, |_, it| match it {
        [Value::String(text)] => Ok(Value::Bool(Quantity::parse(text).is_some())),
        _ => Err(no_overload("isQuantity", it)),
    }),
    member("sign", 0, 0, |_, it| match it {
        [Value::Quantity(it)] => Ok(Value::Int(i64::try_from(it.value.signum()).unwrap_or(0))),
        _ => Err(no_overload("sign", it)),
    }),
    member("isInteger", 0, 0, |_, it| match it {
        [Value::Quantity(it)] => Ok(Value::Bool(it.whole().is_some())),
        _ => Err(no_overload("isInteger", it)),
    }),
    member("asInteger", 0, 0, |_, it| match it {
        [Value::Quantity(it)] => it
            .whole()
            .map(Value::Int)
            .ok_or_else(|| Fault::error("cannot convert value to integer")),
        _ => Err(no_overload("asInteger", it)),
    }),
    member("asApproximateFloat", 0, 0, float),
    member("add", 1, 1, |_, it| sum(it, 1)),
    member("sub", 1, 1, |_, it| sum(it, -1)),
    member("isLessThan", 1, 1, |_, it| {
        Ok(Value::Bool(order(it)?.is_lt()))
    }),
    member("isGreaterThan", 1, 1, |_, it| {
        Ok(Value::Bool(order(it)?.is_gt()))
    }),
    member("compareTo", 1, 1, |_, it| Ok(Value::Int(order(it)? as i64))),
];

#[allow(clippy::cast_precision_loss)] // it is approximate by name
fn float(_: &mut super::Run<'_>, it: &[Value]) -> Answer {
    match it {
        [Value::Quantity(it)] => Ok(Value::Double(it.value as f64 / UNIT as f64)),
        _ => Err(no_overload("asApproximateFloat", it)),
    }
}

fn sum(it: &[Value], sign: i128) -> Answer {
    let (first, second) = match it {
        [Value::Quantity(a), Value::Quantity(b)] => (*a, *b),
        [Value::Quantity(a), Value::Int(b)] => {
            let value = i128::from(*b) * UNIT;
            let scale = Some(0);
            (*a, Quantity { value, scale })
        }
        _ => return Err(no_overload("add", it)),
    };
    let sum = first.value.checked_add(sign * second.value);
    let value = sum.ok_or_else(|| Fault::error("quantity overflow"))?;
    let scale = match (first.value, second.value) {
        (_, 0) => first.scale,
        (0, _) => second.scale,
        _ => first.scale.zip(second.scale).map(|(a, b)| a.min(b)),
    };
    Ok(Value::Quantity(Quantity { value, scale }))
}

/// Compares two quantities, or two semantic versions, because their functions have the same names.
fn order(it: &[Value]) -> Result<Ordering, Fault> {
    match it {
        [Value::Quantity(a), Value::Quantity(b)] => Ok(a.cmp(b)),
        [Value::Semver(a), Value::Semver(b)] => Ok(semver::order(a, b)),
        _ => Err(no_overload("compareTo", it)),
    }
}
