//! CEL's standard functions: sizes, conversions, strings.

use super::{Function, global, int, member, no_overload, time};
use crate::eval::{Answer, Fault, Run};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    global("size", 1, 1, size),
    member("size", 0, 0, size),
    global("matches", 2, 2, matches),
    member("matches", 1, 1, matches),
    member("contains", 1, 1, |_, it| {
        test(it, "contains", |text, part| text.contains(part))
    }),
    member("startsWith", 1, 1, |_, it| {
        test(it, "startsWith", |text, part| text.starts_with(part))
    }),
    member("endsWith", 1, 1, |_, it| {
        test(it, "endsWith", |text, part| text.ends_with(part))
    }),
    global("int", 1, 1, to_int),
    global("uint", 1, 1, to_uint),
    global("double", 1, 1, to_double),
    global("string", 1, 1, to_string),
    global("bool", 1, 1, to_bool),
    global("bytes", 1, 1, to_bytes),
    global("type", 1, 1, |_, it| match it {
        [value] => Ok(Value::Type(value.type_name())),
        _ => Err(no_overload("type", it)),
    }),
    global("dyn", 1, 1, |_, it| match it {
        [value] => Ok(value.clone()),
        _ => Err(no_overload("dyn", it)),
    }),
];

/// The size of a string is its number of characters, not bytes.
fn size(run: &mut Run<'_>, it: &[Value]) -> Answer {
    match it {
        [Value::String(text)] => {
            run.spend_text(text.len())?;
            Ok(int(text.chars().count()))
        }
        [Value::Bytes(bytes)] => Ok(int(bytes.len())),
        [Value::List(items)] => Ok(int(items.len())),
        [Value::Map(entries)] => Ok(int(entries.len())),
        _ => Err(no_overload("size", it)),
    }
}

fn matches(run: &mut Run<'_>, it: &[Value]) -> Answer {
    let [Value::String(text), Value::String(pattern)] = it else {
        return Err(no_overload("matches", it));
    };
    run.spend((text.len() / 10 + 1).saturating_mul(pattern.len() / 4 + 1))?;
    match run.patterns.find(pattern, text) {
        Ok(found) => Ok(Value::Bool(found)),
        Err(problem) => Err(Fault::Error(format!(
            "error parsing regexp: `{pattern}` {problem}"
        ))),
    }
}

fn test(it: &[Value], name: &str, holds: fn(&str, &str) -> bool) -> Answer {
    match it {
        [Value::String(text), Value::String(part)] => Ok(Value::Bool(holds(text, part))),
        _ => Err(no_overload(name, it)),
    }
}

fn range() -> Fault {
    Fault::error("integer overflow")
}

#[allow(clippy::cast_possible_truncation)] // after the bounds were looked at
fn to_int(_: &mut Run<'_>, it: &[Value]) -> Answer {
    let value = match it {
        [Value::Int(value)] => *value,
        [Value::Uint(value)] => i64::try_from(*value).map_err(|_| range())?,
        [Value::Double(value)] if value.abs() < 9_223_372_036_854_775_807.0 => *value as i64,
        [Value::Double(_)] => return Err(range()),
        [Value::String(text)] => text
            .parse()
            .map_err(|_| Fault::Error(format!("{text:?} is not an integer")))?,
        [Value::Timestamp(at)] => {
            i64::try_from(at.div_euclid(1_000_000_000)).map_err(|_| range())?
        }
        [Value::Duration(span)] => *span,
        _ => return Err(no_overload("int", it)),
    };
    Ok(Value::Int(value))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // after the bounds were looked at
fn to_uint(_: &mut Run<'_>, it: &[Value]) -> Answer {
    let value = match it {
        [Value::Uint(value)] => *value,
        [Value::Int(value)] => u64::try_from(*value).map_err(|_| range())?,
        [Value::Double(value)] if (0.0..18_446_744_073_709_551_615.0).contains(value) => {
            *value as u64
        }
        [Value::Double(_)] => return Err(range()),
        [Value::String(text)] => text
            .parse()
            .map_err(|_| Fault::Error(format!("{text:?} is not an integer")))?,
        _ => return Err(no_overload("uint", it)),
    };
    Ok(Value::Uint(value))
}

#[allow(clippy::cast_precision_loss)] // as cel-go converts
fn to_double(_: &mut Run<'_>, it: &[Value]) -> Answer {
    let value = match it {
        [Value::Double(value)] => *value,
        [Value::Int(value)] => *value as f64,
        [Value::Uint(value)] => *value as f64,
        [Value::String(text)] => text
            .parse()
            .map_err(|_| Fault::Error(format!("{text:?} is not a number")))?,
        _ => return Err(no_overload("double", it)),
    };
    Ok(Value::Double(value))
}

fn to_string(_: &mut Run<'_>, it: &[Value]) -> Answer {
    let [value] = it else {
        return Err(no_overload("string", it));
    };
    text(value)
        .map(Value::string)
        .ok_or_else(|| no_overload("string", it))
}

/// Converts a value as `string` does; `None` if it can't be converted.
pub(super) fn text(value: &Value) -> Option<String> {
    Some(match value {
        Value::String(text) => text.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        Value::Double(value) => value.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Bytes(bytes) => String::from_utf8(bytes.to_vec()).ok()?,
        Value::Duration(span) => time::duration_text(*span),
        Value::Timestamp(at) => time::timestamp_text(*at)?,
        Value::Ip(address) => address.to_string(),
        Value::Cidr(network) => network.to_string(),
        Value::Semver(version) => version.to_string(),
        Value::Url(url) => url.text.clone(),
        _ => return None,
    })
}

fn to_bool(_: &mut Run<'_>, it: &[Value]) -> Answer {
    match it {
        [Value::Bool(value)] => Ok(Value::Bool(*value)),
        [Value::String(text)] => match &**text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
            _ => Err(Fault::Error(format!("{text:?} is not a boolean"))),
        },
        _ => Err(no_overload("bool", it)),
    }
}

fn to_bytes(_: &mut Run<'_>, it: &[Value]) -> Answer {
    match it {
        [Value::Bytes(bytes)] => Ok(Value::Bytes(bytes.clone())),
        [Value::String(text)] => Ok(Value::Bytes(text.as_bytes().into())),
        _ => Err(no_overload("bytes", it)),
    }
}
