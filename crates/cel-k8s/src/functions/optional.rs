//! Optional values.

use std::sync::Arc;

use super::{Function, global, member, no_overload};
use crate::eval::Fault;
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
