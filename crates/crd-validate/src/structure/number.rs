//! Arithmetic on JSON numbers, exact for integers.

use serde_json::Number;

use crate::schema::node::{Schema, Type};

/// Whether a number has no fraction.
pub(super) fn is_whole(number: &Number) -> bool {
    !number.is_f64() || number.as_f64().is_some_and(|float| float.fract() == 0.0)
}

/// Compares two numbers.
pub(super) fn compare(a: &Number, b: &Number) -> Option<std::cmp::Ordering> {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

/// Whether `number` is a multiple of `step`. Every number counts as a multiple of 0.
pub(super) fn is_multiple(number: &Number, step: &Number) -> bool {
    match (number.as_i128(), step.as_i128()) {
        (_, Some(0)) => true,
        (Some(number), Some(step)) => number % step == 0,
        _ => match (number.as_f64(), step.as_f64()) {
            (Some(number), Some(step)) => (number / step).fract() == 0.0,
            _ => true,
        },
    }
}

/// The bounds of an integer format; those of 64 bits if it has none (kube-openapi's `IsValueValidAgainstRange`). They
/// are floats, because the API server reads integers beyond 64 bits as floats.
#[allow(clippy::cast_precision_loss)]
pub fn integer_range(schema: &Schema) -> Option<(f64, f64)> {
    if schema.type_ != Some(Type::Integer) {
        return None;
    }
    Some(match schema.format.as_deref() {
        Some("int32") => (f64::from(i32::MIN), f64::from(i32::MAX)),
        Some("uint32") => (0.0, f64::from(u32::MAX)),
        Some("uint64") => (0.0, u64::MAX as f64),
        _ => (i64::MIN as f64, i64::MAX as f64),
    })
}
