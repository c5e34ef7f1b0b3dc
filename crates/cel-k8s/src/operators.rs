//! Binary operators, with the semantics of cel-go.

use std::cmp::Ordering;

use super::eval::{Answer, Fault, Run};
use super::expr::Operator;
use super::value::{Key, Value};

/// Applies an operator.
pub(super) fn apply(run: &mut Run<'_>, operator: Operator, left: &Value, right: &Value) -> Answer {
    Ok(match operator {
        Operator::Equal => Value::Bool(equal(run, left, right)?),
        Operator::Unequal => Value::Bool(!equal(run, left, right)?),
        Operator::Less => Value::Bool(compare(left, right)? == Some(Ordering::Less)),
        Operator::LessEqual => Value::Bool(compare(left, right)?.is_some_and(Ordering::is_le)),
        Operator::Greater => Value::Bool(compare(left, right)? == Some(Ordering::Greater)),
        Operator::GreaterEqual => Value::Bool(compare(left, right)?.is_some_and(Ordering::is_ge)),
        Operator::In => Value::Bool(contains(run, right, left)?),
        _ => return arithmetic(operator, left, right),
    })
}

/// Whether two values are equal. Values of different types are not, but numbers are compared by value.
///
/// # Errors
/// If the result depends on an unknown part, or takes too long: a rule can build values that share their parts, which
/// are small to store but take very long to compare.
pub(crate) fn equal(run: &mut Run<'_>, left: &Value, right: &Value) -> Result<bool, Fault> {
    run.spend(1)?;
    Ok(match (left, right) {
        (Value::Unknown, _) | (_, Value::Unknown) => return Err(Fault::Unknown),
        (Value::Invalid, _) | (_, Value::Invalid) => {
            return Err(Fault::no_overload("_==_", &[left, right]));
        }
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Bytes(a), Value::Bytes(b)) => a == b,
        (Value::Duration(a), Value::Duration(b)) => a == b,
        (Value::Timestamp(a), Value::Timestamp(b)) => a == b,
        (Value::Type(a), Value::Type(b)) => a == b,
        (Value::Ip(a), Value::Ip(b)) => a == b,
        (Value::Cidr(a), Value::Cidr(b)) => a == b,
        (Value::Url(a), Value::Url(b)) => a == b,
        (Value::Quantity(a), Value::Quantity(b)) => a == b,
        (Value::Semver(a), Value::Semver(b)) => a.cmp_precedence(b).is_eq(),
        (Value::Format(a), Value::Format(b)) => a.name == b.name,
        (Value::Optional(None), Value::Optional(None)) => true,
        (Value::Optional(Some(a)), Value::Optional(Some(b))) => equal(run, a, b)?,
        (Value::List(a), Value::List(b)) if a.len() == b.len() && !a.is_ordered() => {
            let places = a.places(b);
            every(a.iter().map(|item| {
                let at = places.get(&a.identity(item));
                let other = at.and_then(|at| b.get(*at));
                other.map_or(Ok(false), |other| equal(run, item, other))
            }))?
        }
        (Value::List(a), Value::List(b)) if a.len() == b.len() => {
            let pairs = a.iter().zip(b.iter());
            every(pairs.map(|(a, b)| equal(run, a, b)))?
        }
        (Value::Map(a), Value::Map(b)) if a.len() == b.len() => {
            let pairs = a.iter().zip(b.iter());
            every(pairs.map(|((ka, a), (kb, b))| {
                if ka == kb {
                    equal(run, a, b)
                } else {
                    Ok(false)
                }
            }))?
        }
        _ => numbers(left, right) == Some(Ordering::Equal),
    })
}

/// Whether all are true. False wins over unknown.
fn every(answers: impl Iterator<Item = Result<bool, Fault>>) -> Result<bool, Fault> {
    let mut fault = None;
    for answer in answers {
        match answer {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(Fault::Spent) => return Err(Fault::Spent),
            Err(it) => fault = Some(it),
        }
    }
    fault.map_or(Ok(true), Err)
}

/// Compares two numbers; `None` if one is NaN, or not a number.
#[allow(clippy::cast_precision_loss)] // as cel-go compares whole numbers with others
fn numbers(left: &Value, right: &Value) -> Option<Ordering> {
    let whole = |value: &Value| match value {
        Value::Int(value) => Some(i128::from(*value)),
        Value::Uint(value) => Some(i128::from(*value)),
        _ => None,
    };
    let float = |value: &Value| match value {
        Value::Double(value) => Some(*value),
        other => whole(other).map(|value| value as f64),
    };
    match (whole(left), whole(right)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => float(left)?.partial_cmp(&float(right)?),
    }
}

/// Compares two values; `None` if one is NaN.
///
/// # Errors
/// If values of these types can't be ordered.
pub(crate) fn compare(left: &Value, right: &Value) -> Result<Option<Ordering>, Fault> {
    Ok(Some(match (left, right) {
        (Value::Unknown, _) | (_, Value::Unknown) => return Err(Fault::Unknown),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Duration(a), Value::Duration(b)) => a.cmp(b),
        (Value::Timestamp(a), Value::Timestamp(b)) => a.cmp(b),
        (
            Value::Int(_) | Value::Uint(_) | Value::Double(_),
            Value::Int(_) | Value::Uint(_) | Value::Double(_),
        ) => return Ok(numbers(left, right)),
        _ => return Err(Fault::no_overload("_<_", &[left, right])),
    }))
}

/// Whether a list contains an item, or a map a key.
///
/// # Errors
/// If it is neither a list nor a map, or the result depends on something unknown.
pub(crate) fn contains(run: &mut Run<'_>, all: &Value, one: &Value) -> Result<bool, Fault> {
    match all {
        Value::List(items) => {
            every(items.iter().map(|item| Ok(!equal(run, item, one)?))).map(|absent| !absent)
        }
        Value::Map(_) => Ok(Key::of(one).is_some_and(|key| all.entry(&key).is_some())),
        _ => Err(Fault::no_overload("@in", &[one, all])),
    }
}

fn arithmetic(operator: Operator, left: &Value, right: &Value) -> Answer {
    use Operator::{Add, Divide, Multiply, Remainder, Subtract};
    let overflow = || Fault::error("integer overflow");
    let spans = |value: Option<i64>| {
        let value = value.ok_or_else(|| Fault::error("duration overflow"))?;
        Ok(Value::Duration(value))
    };
    match (operator, left, right) {
        (Divide | Remainder, Value::Int(_), Value::Int(0))
        | (Divide | Remainder, Value::Uint(_), Value::Uint(0)) => {
            Err(Fault::error("division by zero"))
        }
        (_, Value::Int(a), Value::Int(b)) => Ok(Value::Int(
            match operator {
                Add => a.checked_add(*b),
                Subtract => a.checked_sub(*b),
                Multiply => a.checked_mul(*b),
                Divide => a.checked_div(*b),
                _ => a.checked_rem(*b),
            }
            .ok_or_else(overflow)?,
        )),
        (_, Value::Uint(a), Value::Uint(b)) => Ok(Value::Uint(
            match operator {
                Add => a.checked_add(*b),
                Subtract => a.checked_sub(*b),
                Multiply => a.checked_mul(*b),
                Divide => a.checked_div(*b),
                _ => a.checked_rem(*b),
            }
            .ok_or_else(overflow)?,
        )),
        (Add, Value::Double(a), Value::Double(b)) => Ok(Value::Double(a + b)),
        (Subtract, Value::Double(a), Value::Double(b)) => Ok(Value::Double(a - b)),
        (Multiply, Value::Double(a), Value::Double(b)) => Ok(Value::Double(a * b)),
        (Divide, Value::Double(a), Value::Double(b)) => Ok(Value::Double(a / b)),
        (Add, Value::String(a), Value::String(b)) => Ok(Value::string(format!("{a}{b}"))),
        (Add, Value::Bytes(a), Value::Bytes(b)) => Ok(Value::Bytes([&**a, &**b].concat().into())),
        (Add, Value::List(a), Value::List(b)) => Ok(Value::List(a.with(b))),
        (Add, Value::Duration(a), Value::Duration(b)) => spans(a.checked_add(*b)),
        (Subtract, Value::Duration(a), Value::Duration(b)) => spans(a.checked_sub(*b)),
        (Add, Value::Timestamp(at), Value::Duration(by))
        | (Add, Value::Duration(by), Value::Timestamp(at)) => {
            Ok(Value::Timestamp(at + i128::from(*by)))
        }
        (Subtract, Value::Timestamp(at), Value::Duration(by)) => {
            Ok(Value::Timestamp(at - i128::from(*by)))
        }
        (Subtract, Value::Timestamp(a), Value::Timestamp(b)) => spans(i64::try_from(a - b).ok()),
        _ => Err(Fault::no_overload("arithmetic", &[left, right])),
    }
}
