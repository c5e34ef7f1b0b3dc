//! Optional values.

use std::sync::Arc;

use super::{Function, global, member, no_overload};
use crate::eval::{Answer, Fault};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    global("optional.none", 0, 0, |_, _| Ok(Value::Optional(None))),
    global("optional.of", 1, 1, |_, it| match it {
        [value] => Ok(Value::some(value.clone())),
        _ => Err(no_overload("optional.of", it)),
    }),
    global("optional.ofNonZeroValue", 1, 1, |_, it| match it {
        [value] if value.is_zero() => Ok(Value::Optional(None)),
        [value] => Ok(Value::some(value.clone())),
        _ => Err(no_overload("optional.ofNonZeroValue", it)),
    }),
    global("optional.unwrap", 1, 1, |_, it| unwrap(it)),
    member("unwrapOpt", 0, 0, |_, it| unwrap(it)),
    member("first", 0, 0, |_, it| end(it, <[Value]>::first)),
    member("last", 0, 0, |_, it| end(it, <[Value]>::last)),
    member("hasValue", 0, 0, |_, it| match it {
        [Value::Optional(value)] => Ok(Value::Bool(value.is_some())),
        _ => Err(no_overload("hasValue", it)),
    }),
    member("value", 0, 0, |_, it| match it {
        [Value::Optional(Some(value))] => Ok(Arc::unwrap_or_clone(value.clone())),
        [Value::Optional(None)] => Err(Fault::error("optional.none() dereference")),
        _ => Err(no_overload("value", it)),
    }),
    member("or", 1, 1, |_, it| match it {
        [Value::Optional(None), other @ Value::Optional(_)] => Ok(other.clone()),
        [value @ Value::Optional(_), Value::Optional(_)] => Ok(value.clone()),
        _ => Err(no_overload("or", it)),
    }),
    member("orValue", 1, 1, |_, it| match it {
        [Value::Optional(None), other] => Ok(other.clone()),
        [Value::Optional(Some(value)), _] => Ok(Arc::unwrap_or_clone(value.clone())),
        _ => Err(no_overload("orValue", it)),
    }),
];

/// The values of those items of a list of optionals that have one.
fn unwrap(it: &[Value]) -> Answer {
    let [Value::List(items)] = it else {
        return Err(no_overload("unwrapOpt", it));
    };
    let mut values = Vec::new();
    for item in items.iter() {
        match item {
            Value::Optional(Some(value)) => values.push(Value::clone(value)),
            Value::Optional(None) => {}
            _ => return Err(no_overload("unwrapOpt", it)),
        }
    }
    Ok(Value::list(values))
}

/// The first or last item of a list, if it has items.
fn end(it: &[Value], of: fn(&[Value]) -> Option<&Value>) -> Answer {
    match it {
        [Value::List(items)] => Ok(of(items)
            .cloned()
            .map_or(Value::Optional(None), Value::some)),
        _ => Err(no_overload("first", it)),
    }
}
