//! Arithmetic on JSON numbers as the API server does it: integers of 64 bits, and floats.

use serde_json::Number;

use crate::passes::Request;
use crate::schema::node::{Schema, Type};

/// The largest float that counts as an integer (kube-openapi's `swag.IsFloat64AJSONInteger`).
const LARGEST_WHOLE: f64 = 9_007_199_254_740_991.0;

/// By how much a quotient may differ from an integer.
const EPSILON: f64 = 1e-9;

/// A number as the API server reads it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Read {
    Int(i64),
    Float(f64),
}

/// Reads a number. An object that is applied is sent as YAML, in which a float without a fraction is written like an
/// integer. Integers beyond 64 bits are floats.
#[allow(clippy::cast_possible_truncation)] // tested to be in range
pub(super) fn read(number: &Number, request: Request) -> Read {
    if let Some(whole) = number.as_i64() {
        return Read::Int(whole);
    }
    let float = number.as_f64().unwrap_or(f64::NAN);
    let is_written_whole = request == Request::Apply && float.fract() == 0.0;
    match is_written_whole && (-9.223_372_036_854_775e18..9.223_372_036_854_775e18).contains(&float)
    {
        true => Read::Int(float as i64),
        false => Read::Float(float),
    }
}

/// Whether a number counts as an integer.
pub(super) fn is_whole(number: &Number, request: Request) -> bool {
    match read(number, request) {
        Read::Int(_) => true,
        Read::Float(float) => float.fract() == 0.0 && float.abs() <= LARGEST_WHOLE,
    }
}

/// Compares a number with a bound, which is a float. For an integer, the fraction of the bound doesn't count.
#[allow(clippy::cast_possible_truncation)] // as Go converts it
pub(super) fn compare(number: Read, bound: &Number) -> Option<std::cmp::Ordering> {
    match number {
        Read::Int(whole) => {
            let bound = bound
                .as_i64()
                .or_else(|| bound.as_f64().map(|bound| bound as i64))?;
            Some(whole.cmp(&bound))
        }
        Read::Float(float) => float.partial_cmp(&bound.as_f64()?),
    }
}

/// Whether `number` is a multiple of `step`. For an integer, the fraction of the step doesn't count, and no number is a
/// multiple of a step below 1.
#[allow(clippy::cast_possible_truncation)] // as Go converts it
pub(super) fn is_multiple(number: Read, step: &Number) -> bool {
    let float = step.as_f64().unwrap_or_default();
    match number {
        Read::Int(whole) => match step.as_i64().unwrap_or(float as i64) {
            step if step <= 0 => false,
            step => whole % step == 0,
        },
        Read::Float(number) if float > 0.0 => is_nearly_whole(if float < 1.0 {
            1.0 / float * number
        } else {
            number / float
        }),
        Read::Float(_) => false,
    }
}

fn is_nearly_whole(float: f64) -> bool {
    let near = float.round();
    float.abs() <= LARGEST_WHOLE
        && (float == near || (float - near).abs() / (float.abs() + near.abs()) < EPSILON)
}

/// Whether a bound or step of an integer has a fraction, which the API server calls an error of the value.
pub(super) fn is_unfit(schema: &Schema, bound: &Number) -> bool {
    let has_fraction = bound.as_f64().is_some_and(|bound| bound.fract() != 0.0);
    schema.type_ == Some(Type::Integer) && has_fraction
}

/// The bounds of a format of numbers; of integers without one, those of 64 bits (kube-openapi's
/// `IsValueValidAgainstRange`). Other formats than these are ignored. The bounds are floats, because the API server
/// reads integers beyond 64 bits as floats.
#[allow(clippy::cast_precision_loss)]
pub fn integer_range(schema: &Schema) -> Option<(f64, f64)> {
    match (schema.type_?, schema.format.as_deref()) {
        (Type::Integer, Some("int32")) => Some((f64::from(i32::MIN), f64::from(i32::MAX))),
        (Type::Integer, _) => Some((i64::MIN as f64, i64::MAX as f64)),
        (Type::Number, Some("float")) => Some((f64::from(f32::MIN), f64::from(f32::MAX))),
        _ => None,
    }
}
