//! Kubernetes' semver library.

use std::cmp::Ordering;
use std::sync::Arc;

use semver::Version;

use super::{Function, global, member, no_overload};
use crate::eval::{Answer, Fault};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    global("semver", 1, 2, |_, it| {
        read(it)?
            .map(|version| Value::Semver(Arc::new(version)))
            .ok_or_else(|| Fault::error("not a semantic version"))
    }),
    global("isSemver", 1, 2, |_, it| {
        Ok(Value::Bool(read(it)?.is_some()))
    }),
    member("major", 0, 0, |_, it| part(it, |version| version.major)),
    member("minor", 0, 0, |_, it| part(it, |version| version.minor)),
    member("patch", 0, 0, |_, it| part(it, |version| version.patch)),
];

/// Parses a version. The second argument asks for leniency (`v1.2`, `01.2.3`).
fn read(it: &[Value]) -> Result<Option<Version>, Fault> {
    match it {
        [Value::String(text)] | [Value::String(text), Value::Bool(false)] => {
            Ok(Version::parse(text).ok())
        }
        [Value::String(text), Value::Bool(true)] => Ok(lenient(text)),
        _ => Err(no_overload("semver", it)),
    }
}

fn lenient(text: &str) -> Option<Version> {
    let text = text.trim();
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (core, rest) = text.split_at(end);
    let mut parts: Vec<String> = core
        .split('.')
        .map(|part| match part.trim_start_matches('0') {
            "" if !part.is_empty() => "0".to_owned(),
            trimmed => trimmed.to_owned(),
        })
        .collect();
    while parts.len() < 3 {
        parts.push("0".to_owned());
    }
    Version::parse(&format!("{}{rest}", parts.join("."))).ok()
}

fn part(it: &[Value], part: fn(&Version) -> u64) -> Answer {
    match it {
        [Value::Semver(version)] => {
            let number = i64::try_from(part(version));
            Ok(Value::Int(
                number.map_err(|_| Fault::error("integer overflow"))?,
            ))
        }
        _ => Err(no_overload("semver", it)),
    }
}

/// Compares two versions without their build metadata.
pub(super) fn order(a: &Version, b: &Version) -> Ordering {
    a.cmp_precedence(b)
}
