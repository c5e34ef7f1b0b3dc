//! Kubernetes' lists library, cel-go's lists extension, and sets.

use std::cmp::Ordering;

use super::{Function, global, int, member, no_overload};
use crate::eval::{Answer, Fault, Run};
use crate::expr::Operator;
use crate::operators::{apply, compare, contains, equal};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    member("isSorted", 0, 0, is_sorted),
    member("sum", 0, 0, sum),
    member("min", 0, 0, |_, it| extreme(it, Ordering::Less)),
    member("max", 0, 0, |_, it| extreme(it, Ordering::Greater)),
    member("flatten", 0, 1, flatten),
    member("distinct", 0, 0, distinct),
    member("slice", 2, 2, slice),
    member("sort", 0, 0, sort),
    global("lists.range", 1, 1, range),
    global("sets.contains", 2, 2, |run, it| {
        sets(run, it, |run, a, b| all_in(run, b, a))
    }),
    global("sets.equivalent", 2, 2, |run, it| {
        sets(run, it, |run, a, b| {
            Ok(all_in(run, b, a)? && all_in(run, a, b)?)
        })
    }),
    global("sets.intersects", 2, 2, |run, it| {
        sets(run, it, |run, a, b| {
            let all = Value::List(a.into());
            for item in b {
                if contains(run, &all, item)? {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }),
];

fn items<'a>(it: &'a [Value], name: &str) -> Result<&'a [Value], Fault> {
    match it.first() {
        Some(Value::List(items)) => Ok(items),
        _ => Err(no_overload(name, it)),
    }
}

fn is_sorted(_: &mut Run<'_>, it: &[Value]) -> Answer {
    for pair in items(it, "isSorted")?.windows(2) {
        if let [a, b] = pair
            && compare(a, b)? == Some(Ordering::Greater)
        {
            return Ok(Value::Bool(false));
        }
    }
    Ok(Value::Bool(true))
}

/// Only numbers and durations are supported, because strings would grow without a limit.
fn sum(run: &mut Run<'_>, it: &[Value]) -> Answer {
    let (first, rest) = match items(it, "sum")?.split_first() {
        Some((first, rest)) => (first.clone(), rest),
        None => return Ok(Value::Int(0)),
    };
    rest.iter().try_fold(first, |sum, item| match sum {
        Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::Duration(_) => {
            apply(run, Operator::Add, &sum, item)
        }
        _ => Err(no_overload("sum", it)),
    })
}

fn extreme(it: &[Value], order: Ordering) -> Answer {
    let (first, rest) = items(it, "min/max")?
        .split_first()
        .ok_or_else(|| Fault::error("min/max called on empty list"))?;
    let mut best = first;
    for item in rest {
        if compare(item, best)? == Some(order) {
            best = item;
        }
    }
    Ok(best.clone())
}

fn find(
    run: &mut Run<'_>,
    it: &[Value],
    name: &str,
    mut places: impl Iterator<Item = usize>,
) -> Answer {
    let [Value::List(items), wanted] = it else {
        return Err(no_overload(name, it));
    };
    let found = places.find_map(|at| match equal(run, items.get(at)?, wanted) {
        Ok(true) => Some(Ok(int(at))),
        Ok(false) => None,
        Err(fault) => Some(Err(fault)),
    });
    found.unwrap_or(Ok(Value::Int(-1)))
}

pub(super) fn index_of(run: &mut Run<'_>, it: &[Value]) -> Answer {
    find(run, it, "indexOf", 0..items(it, "indexOf")?.len())
}

pub(super) fn last_index_of(run: &mut Run<'_>, it: &[Value]) -> Answer {
    find(
        run,
        it,
        "lastIndexOf",
        (0..items(it, "lastIndexOf")?.len()).rev(),
    )
}

fn flatten(run: &mut Run<'_>, it: &[Value]) -> Answer {
    fn into(
        run: &mut Run<'_>,
        items: &[Value],
        depth: i64,
        out: &mut Vec<Value>,
    ) -> Result<(), Fault> {
        for item in items {
            run.spend(1)?;
            match item {
                Value::List(inner) if depth > 0 => into(run, inner, depth - 1, out)?,
                other => out.push(other.clone()),
            }
        }
        Ok(())
    }
    let depth = match it.get(1) {
        None => 1,
        Some(Value::Int(depth)) if *depth >= 0 => *depth,
        Some(_) => return Err(no_overload("flatten", it)),
    };
    let mut out = Vec::new();
    into(run, items(it, "flatten")?, depth, &mut out)?;
    Ok(Value::list(out))
}

fn distinct(run: &mut Run<'_>, it: &[Value]) -> Answer {
    let mut out: Vec<Value> = Vec::new();
    'items: for item in items(it, "distinct")? {
        run.spend(out.len())?;
        for earlier in &out {
            if equal(run, earlier, item)? {
                continue 'items;
            }
        }
        out.push(item.clone());
    }
    Ok(Value::list(out))
}

fn slice(_: &mut Run<'_>, it: &[Value]) -> Answer {
    let [Value::List(items), Value::Int(from), Value::Int(to)] = it else {
        return Err(no_overload("slice", it));
    };
    let range = usize::try_from(*from).ok().zip(usize::try_from(*to).ok());
    range
        .and_then(|(from, to)| items.get(from..to))
        .map(|part| Value::List(part.into()))
        .ok_or_else(|| Fault::error("slice is out of range"))
}

/// Only items of the same type are supported, and no NaN: others have no total order, and sorting them may panic.
fn sort(run: &mut Run<'_>, it: &[Value]) -> Answer {
    let mut out = items(it, "sort")?.to_vec();
    run.spend(out.len())?;
    let Some(first) = out.first() else {
        return Ok(Value::list(out));
    };
    for item in &out {
        if first.type_name() != item.type_name() || compare(item, item)?.is_none() {
            return Err(no_overload("sort", it));
        }
    }
    out.sort_by(|a, b| compare(a, b).ok().flatten().unwrap_or(Ordering::Equal));
    Ok(Value::list(out))
}

fn range(run: &mut Run<'_>, it: &[Value]) -> Answer {
    let [Value::Int(end)] = it else {
        return Err(no_overload("lists.range", it));
    };
    run.spend(usize::try_from(*end).unwrap_or(0))?;
    Ok(Value::list((0..*end).map(Value::Int).collect()))
}

type Test = fn(&mut Run<'_>, &[Value], &[Value]) -> Result<bool, Fault>;

fn sets(run: &mut Run<'_>, it: &[Value], test: Test) -> Answer {
    let [Value::List(a), Value::List(b)] = it else {
        return Err(no_overload("sets", it));
    };
    run.spend(a.len().saturating_mul(b.len()))?;
    test(run, a, b).map(Value::Bool)
}

fn all_in(run: &mut Run<'_>, items: &[Value], all: &[Value]) -> Result<bool, Fault> {
    let all = Value::List(all.into());
    for item in items {
        if !contains(run, &all, item)? {
            return Ok(false);
        }
    }
    Ok(true)
}
