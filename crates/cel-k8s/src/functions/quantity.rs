//! Kubernetes' quantities, exact to a billionth.

use std::cmp::Ordering;

use super::{Function, global, member, no_overload, semver};
use crate::eval::{Answer, Fault};
use crate::value::Value;

/// A quantity, in billionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(i128);

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
        Some(Quantity(sign * value))
    }

    fn whole(self) -> Option<i64> {
        (self.0 % UNIT == 0)
            .then(|| i64::try_from(self.0 / UNIT).ok())
            .flatten()
    }
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
        [Value::Quantity(it)] => Ok(Value::Int(i64::try_from(it.0.signum()).unwrap_or(0))),
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
        [Value::Quantity(it)] => Ok(Value::Double(it.0 as f64 / UNIT as f64)),
        _ => Err(no_overload("asApproximateFloat", it)),
    }
}

fn sum(it: &[Value], sign: i128) -> Answer {
    let (first, second) = match it {
        [Value::Quantity(a), Value::Quantity(b)] => (a.0, b.0),
        [Value::Quantity(a), Value::Int(b)] => (a.0, i128::from(*b) * UNIT),
        _ => return Err(no_overload("add", it)),
    };
    let sum = first.checked_add(sign * second);
    let sum = sum.ok_or_else(|| Fault::error("quantity overflow"))?;
    Ok(Value::Quantity(Quantity(sum)))
}

/// Compares two quantities, or two semantic versions, because their functions have the same names.
fn order(it: &[Value]) -> Result<Ordering, Fault> {
    match it {
        [Value::Quantity(a), Value::Quantity(b)] => Ok(a.cmp(b)),
        [Value::Semver(a), Value::Semver(b)] => Ok(semver::order(a, b)),
        _ => Err(no_overload("compareTo", it)),
    }
}
