//! cel-go's strings extension, version 2, as Kubernetes uses it. Positions count characters.

use data_encoding::{HEXLOWER, HEXUPPER};

use super::{Function, global, int, member, no_overload, standard};
use crate::eval::{Answer, Fault, Run};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    member("charAt", 1, 1, char_at),
    member("indexOf", 1, 2, index_of),
    member("lastIndexOf", 1, 2, last_index_of),
    member("lowerAscii", 0, 0, |_, it| {
        change(it, |text| text.to_ascii_lowercase())
    }),
    member("upperAscii", 0, 0, |_, it| {
        change(it, |text| text.to_ascii_uppercase())
    }),
    member("trim", 0, 0, |_, it| {
        change(it, |text| text.trim().to_owned())
    }),
    member("reverse", 0, 0, reverse),
    member("replace", 2, 3, replace),
    member("split", 1, 2, split),
    member("join", 0, 1, join),
    member("substring", 1, 2, substring),
    member("format", 1, 1, format),
    global("strings.quote", 1, 1, |_, it| {
        change(it, |text| format!("{text:?}"))
    }),
];

fn change(it: &[Value], change: fn(&str) -> String) -> Answer {
    match it {
        [Value::String(text)] => Ok(Value::string(change(text))),
        _ => Err(no_overload("string function", it)),
    }
}

fn out_of_range(at: i64) -> Fault {
    Fault::Error(format!("index out of range: {at}"))
}

/// The byte offset of the character `at`. The end of the string is valid too.
fn offset(text: &str, at: i64) -> Result<usize, Fault> {
    let wanted = usize::try_from(at).map_err(|_| out_of_range(at))?;
    let starts = text.char_indices().map(|(start, _)| start);
    starts
        .chain([text.len()])
        .nth(wanted)
        .ok_or_else(|| out_of_range(at))
}

fn position(text: &str, byte: Option<usize>) -> Value {
    byte.and_then(|byte| text.get(..byte))
        .map_or(Value::Int(-1), |before| int(before.chars().count()))
}

fn char_at(_: &mut Run<'_>, it: &[Value]) -> Answer {
    let [Value::String(text), Value::Int(at)] = it else {
        return Err(no_overload("charAt", it));
    };
    let rest = text.get(offset(text, *at)?..).unwrap_or_default();
    let c = rest.chars().next().map(String::from);
    Ok(Value::string(c.unwrap_or_default()))
}

fn index_of(run: &mut Run<'_>, it: &[Value]) -> Answer {
    let (text, part, from) = match it {
        [Value::List(_), _] => return super::lists::index_of(run, it),
        [Value::String(text), Value::String(part)] => (text, part, 0),
        [Value::String(text), Value::String(part), Value::Int(from)] => {
            (text, part, offset(text, *from)?)
        }
        _ => return Err(no_overload("indexOf", it)),
    };
    let rest = text.get(from..).unwrap_or_default();
    Ok(position(text, rest.find(&**part).map(|at| from + at)))
}

fn last_index_of(run: &mut Run<'_>, it: &[Value]) -> Answer {
    let (text, part, until) = match it {
        [Value::List(_), _] => return super::lists::last_index_of(run, it),
        [Value::String(text), Value::String(part)] => (text, part, text.len()),
        [Value::String(text), Value::String(part), Value::Int(until)] => {
            let until = offset(text, *until)?;
            (text, part, until.saturating_add(part.len()).min(text.len()))
        }
        _ => return Err(no_overload("lastIndexOf", it)),
    };
    let until = (until..=text.len()).find(|at| text.is_char_boundary(*at));
    let head = until.and_then(|at| text.get(..at)).unwrap_or(text);
    Ok(position(text, head.rfind(&**part)))
}

fn reverse(_: &mut Run<'_>, it: &[Value]) -> Answer {
    match it {
        [Value::List(items)] => Ok(Value::List(items.iter().rev().cloned().collect())),
        _ => change(it, |text| text.chars().rev().collect()),
    }
}

fn replace(run: &mut Run<'_>, it: &[Value]) -> Answer {
    let (text, from, to, count) = match it {
        [Value::String(text), Value::String(from), Value::String(to)] => (text, from, to, -1),
        [
            Value::String(text),
            Value::String(from),
            Value::String(to),
            Value::Int(count),
        ] => (text, from, to, *count),
        _ => return Err(no_overload("replace", it)),
    };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let most = text.len().saturating_add(1).min(count);
    run.spend_text(most.saturating_mul(to.len()))?;
    Ok(Value::string(text.replacen(&**from, to, count)))
}

fn split(run: &mut Run<'_>, it: &[Value]) -> Answer {
    let (text, by, count) = match it {
        [Value::String(text), Value::String(by)] => (text, by, -1),
        [Value::String(text), Value::String(by), Value::Int(count)] => (text, by, *count),
        _ => return Err(no_overload("split", it)),
    };
    run.spend(text.len() / 2 + 1)?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count == 0 {
        return Ok(Value::list(Vec::new()));
    }
    let parts: Vec<Value> = if by.is_empty() {
        // As in Go, each character becomes a part, without an empty one at the start.
        let mut parts = Vec::new();
        let mut rest: &str = text;
        while let Some(c) = rest.chars().next()
            && parts.len() + 1 < count
        {
            let (first, after) = rest.split_at(c.len_utf8());
            parts.push(Value::string(first));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Value::string(rest));
        }
        parts
    } else {
        text.splitn(count, &**by).map(Value::string).collect()
    };
    Ok(Value::list(parts))
}

fn join(run: &mut Run<'_>, it: &[Value]) -> Answer {
    let (items, by) = match it {
        [Value::List(items)] => (items, ""),
        [Value::List(items), Value::String(by)] => (items, &**by),
        _ => return Err(no_overload("join", it)),
    };
    let mut text = String::new();
    for (at, item) in items.iter().enumerate() {
        let Value::String(item) = item else {
            return Err(no_overload("join", std::slice::from_ref(item)));
        };
        run.spend_text(item.len() + by.len())?;
        text.push_str(if at > 0 { by } else { "" });
        text.push_str(item);
    }
    Ok(Value::string(text))
}

fn substring(_: &mut Run<'_>, it: &[Value]) -> Answer {
    let (text, from, to) = match it {
        [Value::String(text), Value::Int(from)] => (text, offset(text, *from)?, text.len()),
        [Value::String(text), Value::Int(from), Value::Int(to)] => {
            (text, offset(text, *from)?, offset(text, *to)?)
        }
        _ => return Err(no_overload("substring", it)),
    };
    let part = text.get(from..to);
    part.map(Value::string)
        .ok_or_else(|| Fault::error("invalid substring range: the start is after the end"))
}

/// `'%s: %d'.format([a, b])`.
fn format(run: &mut Run<'_>, it: &[Value]) -> Answer {
    let [Value::String(pattern), Value::List(values)] = it else {
        return Err(no_overload("format", it));
    };
    let mut values = values.iter();
    let mut out = String::new();
    let mut rest: &str = pattern;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let digits = after.strip_prefix('.').unwrap_or("");
        let length = digits.bytes().take_while(u8::is_ascii_digit).count();
        let precision = digits.get(..length).and_then(|it| it.parse::<usize>().ok());
        let verb = if after.starts_with('.') {
            digits.get(length..).unwrap_or_default()
        } else {
            after
        };
        let letter = verb
            .chars()
            .next()
            .ok_or_else(|| Fault::error("a format ends in `%`"))?;
        let value = values
            .next()
            .ok_or_else(|| Fault::error("a format has more clauses than values"))?;
        let piece = clause(run, letter, precision.unwrap_or(6).min(1000), value)?;
        run.spend_text(piece.len())?;
        out.push_str(&piece);
        rest = verb.get(letter.len_utf8()..).unwrap_or_default();
    }
    out.push_str(rest);
    Ok(Value::string(out))
}

#[allow(clippy::cast_precision_loss)] // as cel-go converts
fn clause(
    run: &mut Run<'_>,
    letter: char,
    precision: usize,
    value: &Value,
) -> Result<String, Fault> {
    let wrong = || Fault::no_overload("format", &[value]);
    Ok(match (letter, value) {
        (_, Value::Unknown) => return Err(Fault::Unknown),
        ('s', value) => display(run, value)?,
        ('d', Value::Int(value)) => value.to_string(),
        ('d', Value::Uint(value)) => value.to_string(),
        ('f', Value::Double(value)) => format!("{value:.precision$}"),
        ('f', Value::Int(value)) => format!("{:.precision$}", *value as f64),
        ('e', Value::Double(value)) => format!("{value:.precision$e}"),
        ('b', Value::Int(value)) => format!("{value:b}"),
        ('b', Value::Uint(value)) => format!("{value:b}"),
        ('b', Value::Bool(value)) => u8::from(*value).to_string(),
        ('o', Value::Int(value)) => format!("{value:o}"),
        ('o', Value::Uint(value)) => format!("{value:o}"),
        ('x', Value::Int(value)) => format!("{value:x}"),
        ('x', Value::Uint(value)) => format!("{value:x}"),
        ('x', Value::String(text)) => HEXLOWER.encode(text.as_bytes()),
        ('X', Value::Int(value)) => format!("{value:X}"),
        ('X', Value::Uint(value)) => format!("{value:X}"),
        ('X', Value::String(text)) => HEXUPPER.encode(text.as_bytes()),
        _ => return Err(wrong()),
    })
}

/// Formats a value as `%s` does. Each part has a cost, because parts may be shared many times.
fn display(run: &mut Run<'_>, value: &Value) -> Result<String, Fault> {
    run.spend(1)?;
    let text = match value {
        Value::Unknown => return Err(Fault::Unknown),
        Value::Null => "null".to_owned(),
        Value::Type(name) => (*name).to_owned(),
        Value::List(items) => {
            let items = items.iter().map(|item| display(run, item));
            format!("[{}]", items.collect::<Result<Vec<_>, _>>()?.join(", "))
        }
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| {
                Ok(format!(
                    "{}: {}",
                    display(run, &key.value())?,
                    display(run, value)?
                ))
            });
            format!(
                "{{{}}}",
                entries.collect::<Result<Vec<_>, Fault>>()?.join(", ")
            )
        }
        other => standard::text(other).ok_or_else(|| Fault::no_overload("format", &[value]))?,
    };
    run.spend_text(text.len())?;
    Ok(text)
}
