//! Macros over lists and maps.

use std::cmp::Ordering;
use std::sync::Arc;

use super::eval::{Answer, Fault, Run, worse};
use super::expr::{Expr, Fold};
use super::operators::compare;
use super::value::{Key, Value};

/// The maximum length of a list that a rule creates.
const LONGEST: usize = 1_000_000;

impl<'a> Run<'a> {
    /// Evaluates a macro for each item of a list or each key of a map. With two names, the index or key comes first.
    pub(super) fn fold(
        &mut self,
        fold: Fold,
        over: &'a Expr,
        names: &'a [Arc<str>],
        filter: Option<&'a Expr>,
        body: &'a Expr,
    ) -> Answer {
        let over = self.value(over)?;
        let count = match &over {
            Value::List(items) => items.len(),
            Value::Map(entries) => entries.len(),
            other => return Err(Fault::no_overload("comprehension", &[other])),
        };
        let mut sum = Sum::default();
        for at in 0..count {
            self.spend(2)?;
            let Some((key, value)) = entry(&over, at) else {
                break;
            };
            let item = match (names, &over) {
                ([_], Value::Map(_)) => key.clone(),
                _ => value.clone(),
            };
            let mut ask = |body: &'a Expr| match names {
                [name] => self.with([(&**name, item.clone())], body),
                [first, second] => {
                    let names = [(&**first, key.clone()), (&**second, value.clone())];
                    self.with(names, body)
                }
                _ => self.with([], body),
            };
            if let Some(filter) = filter {
                match ask(filter)? {
                    Value::Bool(true) => {}
                    Value::Bool(false) => continue,
                    other => return Err(Fault::no_overload("filter", &[&other])),
                }
            }
            let answer = ask(body);
            if sum.add(fold, answer, &item, &key)? {
                break;
            }
        }
        sum.total(fold)
    }
}

/// The index and item of a list, or the key and value of a map.
fn entry(over: &Value, at: usize) -> Option<(Value, Value)> {
    match over {
        Value::List(items) => {
            let index = Value::Int(i64::try_from(at).ok()?);
            Some((index, items.get(at)?.clone()))
        }
        Value::Map(entries) => {
            let (key, value) = entries.get(at)?;
            Some((key.value(), value.clone()))
        }
        _ => None,
    }
}

/// The state of a macro while it iterates.
#[derive(Default)]
struct Sum {
    fault: Option<Fault>,
    decided: bool,
    count: u64,
    items: Vec<Value>,
    entries: Vec<(Key, Value)>,
    /// Items after the values by which they are sorted.
    sorted: Vec<(Value, Value)>,
}

/// Items in the order of the values before them.
fn sorted(mut items: Vec<(Value, Value)>) -> Answer {
    for pair in items.windows(2) {
        if let [(a, _), (b, _)] = pair {
            compare(a, b)?;
        }
    }
    items.sort_by(|(a, _), (b, _)| {
        let order = compare(a, b).ok().flatten();
        order.unwrap_or(Ordering::Equal)
    });
    let items: Vec<_> = items.into_iter().map(|(_, item)| item).collect();
    Ok(Value::list(items))
}

impl Sum {
    /// Adds the body's result for an item. Returns whether the macro's result is settled.
    fn add(
        &mut self,
        fold: Fold,
        answer: Answer,
        item: &Value,
        key: &Value,
    ) -> Result<bool, Fault> {
        if let (Fold::All | Fold::Exists, Err(fault)) = (fold, &answer) {
            if *fault == Fault::Spent {
                return Err(Fault::Spent);
            }
            self.fault = worse(self.fault.take(), fault.clone());
            return Ok(false);
        }
        match (fold, answer?) {
            (Fold::All, Value::Bool(value)) => self.decided = !value,
            (Fold::Exists, Value::Bool(value)) => self.decided = value,
            (Fold::ExistsOne, Value::Bool(value)) => self.count += u64::from(value),
            (Fold::Filter, Value::Bool(true)) => self.items.push(item.clone()),
            (Fold::Filter, Value::Bool(false)) => {}
            (Fold::Map, value) if self.items.len() < LONGEST => self.items.push(value),
            (Fold::MapValues, value) => {
                let key = Key::of(key).ok_or_else(|| Fault::no_overload("{}", &[key]))?;
                self.entries.push((key, value));
            }
            (Fold::MapEntries, Value::Map(entries)) => self.entries.extend(entries.iter().cloned()),
            (Fold::SortBy, value) => self.sorted.push((value, item.clone())),
            (_, other) => return Err(Fault::no_overload("comprehension", &[&other])),
        }
        Ok(self.decided)
    }

    fn total(self, fold: Fold) -> Answer {
        Ok(match (fold, self.fault) {
            (Fold::All, _) if self.decided => Value::Bool(false),
            (Fold::Exists, _) if self.decided => Value::Bool(true),
            (Fold::All | Fold::Exists, Some(fault)) => return Err(fault),
            (Fold::All, None) => Value::Bool(true),
            (Fold::Exists, None) => Value::Bool(false),
            (Fold::ExistsOne, _) => Value::Bool(self.count == 1),
            (Fold::Filter | Fold::Map, _) => Value::list(self.items),
            (Fold::MapValues, _) => Value::map(self.entries),
            (Fold::MapEntries, _) => {
                let count = self.entries.len();
                match Value::map(self.entries) {
                    Value::Map(entries) if entries.len() < count => {
                        return Err(Fault::error("insert failed: a key already exists"));
                    }
                    map => map,
                }
            }
            (Fold::SortBy, _) => return sorted(self.sorted),
        })
    }
}
