//! Kubernetes' regex library.

use super::{Function, member, no_overload};
use crate::eval::{Fault, Run};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    member("find", 1, 1, |run, it| match it {
        [Value::String(text), Value::String(pattern)] => {
            let mut found = all(run, text, pattern, 1)?;
            Ok(found.pop().unwrap_or_else(|| Value::string("")))
        }
        _ => Err(no_overload("find", it)),
    }),
    member("findAll", 1, 2, |run, it| match it {
        [Value::String(text), Value::String(pattern)] => {
            Ok(Value::list(all(run, text, pattern, usize::MAX)?))
        }
        [
            Value::String(text),
            Value::String(pattern),
            Value::Int(most),
        ] => {
            let most = usize::try_from(*most).unwrap_or(usize::MAX);
            Ok(Value::list(all(run, text, pattern, most)?))
        }
        _ => Err(no_overload("findAll", it)),
    }),
];

fn all(run: &mut Run<'_>, text: &str, pattern: &str, most: usize) -> Result<Vec<Value>, Fault> {
    run.spend((text.len() / 10 + 1).saturating_mul(pattern.len() / 4 + 1))?;
    let found = run.patterns.parts(pattern, text, most);
    let found = found
        .map_err(|problem| Fault::Error(format!("error parsing regexp: `{pattern}` {problem}")))?;
    Ok(found.into_iter().map(Value::string).collect())
}
