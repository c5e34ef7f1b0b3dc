//! Evaluates expressions within a cost limit.

use std::sync::Arc;

use super::expr::{Ask, Expr, Item};
use super::operators;
use super::value::{Key, Value};
use k8s_syntax::pattern::Patterns;

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// It depends on a value that is not known yet.
    Unknown,
    /// It fails, with the message of the API server.
    Error(String),
    /// It exceeds its cost limit.
    Spent,
}

/// A value, or the reason why there is none.
pub(crate) type Answer = Result<Value, Fault>;

impl Fault {
    /// An error with a message.
    pub(crate) fn error(text: impl Into<String>) -> Self {
        Fault::Error(text.into())
    }

    /// The error of a function or operator that has no overload for these values.
    pub(crate) fn no_overload(name: &str, values: &[&Value]) -> Self {
        if values.iter().any(|value| matches!(value, Value::Unknown)) {
            return Fault::Unknown;
        }
        let types: Vec<&str> = values.iter().map(|value| value.type_name()).collect();
        Fault::Error(format!("no such overload: {name}({})", types.join(", ")))
    }
}

/// How deeply an expression is evaluated. It must fit into the smallest stack of a thread.
const DEEPEST: usize = 160;

/// The evaluation of one expression.
#[derive(Debug)]
pub struct Run<'a> {
    /// Compiled regular expressions.
    pub patterns: &'a Patterns,
    names: Vec<(&'a str, Value)>,
    left: u64,
    depth: usize,
}

impl<'a> Run<'a> {
    /// Creates an evaluation with a limit of `steps`. A step is about one unit of the API server's cost.
    pub fn new(patterns: &'a Patterns, steps: u64) -> Self {
        Run {
            patterns,
            names: Vec::new(),
            left: steps,
            depth: 0,
        }
    }

    /// Binds a name to a value.
    pub fn bind(&mut self, name: &'a str, value: Value) {
        self.names.push((name, value));
    }

    /// The number of steps that are left.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Uses `steps` of those that are left.
    ///
    /// # Errors
    /// If fewer are left.
    pub(crate) fn spend(&mut self, steps: usize) -> Result<(), Fault> {
        let left = self.left.checked_sub(steps as u64);
        self.left = left.unwrap_or(0);
        left.map(|_| ()).ok_or(Fault::Spent)
    }

    /// Uses as many steps as the API server charges for a string of `bytes`.
    ///
    /// # Errors
    /// If fewer are left.
    pub(crate) fn spend_text(&mut self, bytes: usize) -> Result<(), Fault> {
        self.spend(bytes / 10 + 1)
    }

    /// Evaluates an expression.
    ///
    /// # Errors
    /// The reason why it has no value.
    pub fn value(&mut self, expr: &'a Expr) -> Answer {
        self.spend(1)?;
        if self.depth >= DEEPEST {
            return Err(Fault::error("it is nested too deeply"));
        }
        self.depth += 1;
        let answer = self.of(expr);
        self.depth -= 1;
        answer
    }

    fn of(&mut self, expr: &'a Expr) -> Answer {
        match expr {
            Expr::Value(value) => Ok(value.clone()),
            Expr::Name(name) => known(self.name(name)?),
            Expr::Field { of, name, ask } => {
                if let Some((of, steps)) = self.look(of) {
                    let answer = field(of, name, *ask);
                    self.spend(steps)?;
                    return known(answer?);
                }
                let of = self.value(of)?;
                known(field(&of, name, *ask)?)
            }
            Expr::Index { of, at, optional } => {
                let of = self.value(of)?;
                let at = self.value(at)?;
                known(index(&of, &at, *optional)?)
            }
            Expr::List(items) => self.list(items),
            Expr::Map(entries) => self.map(entries),
            Expr::Not(inner) => match self.value(inner)? {
                Value::Bool(value) => Ok(Value::Bool(!value)),
                other => Err(Fault::no_overload("!_", &[&other])),
            },
            Expr::Negate(inner) => match self.value(inner)? {
                Value::Int(value) => {
                    let value = value.checked_neg();
                    Ok(Value::Int(
                        value.ok_or_else(|| Fault::error("integer overflow"))?,
                    ))
                }
                Value::Double(value) => Ok(Value::Double(-value)),
                other => Err(Fault::no_overload("-_", &[&other])),
            },
            Expr::And(parts) => self.logic(parts, false),
            Expr::Or(parts) => self.logic(parts, true),
            Expr::If(parts) => {
                let [condition, yes, no] = &**parts;
                match self.value(condition)? {
                    Value::Bool(true) => self.value(yes),
                    Value::Bool(false) => self.value(no),
                    other => Err(Fault::no_overload("_?_:_", &[&other])),
                }
            }
            Expr::Binary(operator, sides) => {
                let [left, right] = &**sides;
                let left = self.value(left)?;
                let right = self.value(right)?;
                self.spend(size(&left).min(size(&right)))?;
                if *operator == super::expr::Operator::In {
                    self.spend(size(&right))?;
                }
                if *operator == super::expr::Operator::Add {
                    self.spend(size(&left) + size(&right))?;
                }
                operators::apply(self, *operator, &left, &right)
            }
            Expr::Call(function, arguments) => {
                let arguments: Vec<Value> = arguments
                    .iter()
                    .map(|argument| self.value(argument))
                    .collect::<Result<_, _>>()?;
                let cost: usize = arguments.iter().map(size).sum();
                self.spend(cost)?;
                (function.call)(self, &arguments)
            }
            Expr::Fold {
                fold,
                over,
                names,
                filter,
                body,
            } => self.fold(*fold, over, names, filter.as_deref(), body),
            Expr::Bind(name, parts) => {
                let [value, body] = &**parts;
                let value = self.value(value)?;
                self.with([(&**name, value)], body)
            }
            Expr::OptMap {
                name,
                value,
                body,
                flat,
            } => match self.value(value)? {
                Value::Optional(None) => Ok(Value::Optional(None)),
                Value::Optional(Some(inner)) => {
                    let inner = Arc::unwrap_or_clone(inner);
                    let out = self.with([(&**name, inner)], body)?;
                    Ok(if *flat { out } else { Value::some(out) })
                }
                other => Err(Fault::no_overload("optMap", &[&other])),
            },
        }
    }

    fn bound(&self, name: &str) -> Option<&Value> {
        let mut names = self.names.iter().rev();
        let bound = names.find(|(there, _)| *there == name);
        bound.map(|(_, value)| value)
    }

    /// Looks a path such as `self.spec.a` up without copying, and returns the value and the steps to it. `None` for
    /// all other expressions, which [`value`](Self::value) evaluates. Most of what rules do is to follow such paths.
    fn look(&self, expr: &Expr) -> Option<(&Value, usize)> {
        let (value, steps) = match expr {
            Expr::Name(name) => (self.bound(name)?, 1),
            Expr::Field {
                of,
                name,
                ask: Ask::Value,
            } => {
                let (of, steps) = self.look(of)?;
                (of.field(name)?, steps + 1)
            }
            _ => return None,
        };
        let is_known = !matches!(value, Value::Unknown);
        (is_known && self.depth + steps < DEEPEST).then_some((value, steps))
    }

    fn name(&self, name: &str) -> Answer {
        if let Some(value) = self.bound(name) {
            return Ok(value.clone());
        }
        let type_ = super::value::TYPES.iter().find(|known| **known == name);
        type_
            .map(|type_| Value::Type(type_))
            .ok_or_else(|| Fault::Error(format!("undeclared reference to '{name}'")))
    }

    /// `&&` and `||`. `decides` is the value that decides the result, even if another part fails.
    fn logic(&mut self, parts: &'a [Expr], decides: bool) -> Answer {
        let mut fault = None;
        for part in parts {
            match self.value(part) {
                Ok(Value::Bool(value)) if value == decides => return Ok(Value::Bool(decides)),
                Ok(Value::Bool(_)) => {}
                Ok(other) => fault = worse(fault, Fault::no_overload("logic", &[&other])),
                Err(Fault::Spent) => return Err(Fault::Spent),
                Err(other) => fault = worse(fault, other),
            }
        }
        fault.map_or(Ok(Value::Bool(!decides)), Err)
    }

    fn list(&mut self, items: &'a [Item]) -> Answer {
        let mut list = Vec::with_capacity(items.len());
        for item in items {
            match (self.value(&item.value)?, item.optional) {
                (Value::Optional(value), true) => {
                    list.extend(value.map(Arc::unwrap_or_clone));
                }
                (value, _) => list.push(value),
            }
        }
        Ok(Value::list(list))
    }

    fn map(&mut self, entries: &'a [(Expr, Item)]) -> Answer {
        let mut map = Vec::with_capacity(entries.len());
        for (key, item) in entries {
            let key = self.value(key)?;
            let key = Key::of(&key).ok_or_else(|| Fault::no_overload("{}", &[&key]))?;
            match (self.value(&item.value)?, item.optional) {
                (Value::Optional(value), true) => {
                    map.extend(value.map(|value| (key, Arc::unwrap_or_clone(value))));
                }
                (value, _) => map.push((key, value)),
            }
        }
        Ok(Value::map(map))
    }

    /// Evaluates an expression with additional names bound.
    pub(super) fn with<const N: usize>(
        &mut self,
        names: [(&'a str, Value); N],
        body: &'a Expr,
    ) -> Answer {
        let before = self.names.len();
        self.names.extend(names);
        let answer = self.value(body);
        self.names.truncate(before);
        answer
    }
}

/// The less specific of two faults: if one part is unknown, the whole is.
pub(super) fn worse(fault: Option<Fault>, other: Fault) -> Option<Fault> {
    match (&fault, &other) {
        (Some(Fault::Unknown), _) => fault,
        (None, _) | (_, Fault::Unknown) => Some(other),
        _ => fault,
    }
}

/// The cost of looking at a whole value.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() / 10,
        Value::Bytes(bytes) => bytes.len() / 10,
        Value::List(items) => items.len(),
        _ => 0,
    }
}

fn known(value: Value) -> Answer {
    match value {
        Value::Unknown => Err(Fault::Unknown),
        value => Ok(value),
    }
}

fn field(of: &Value, name: &str, ask: Ask) -> Answer {
    if let Value::Optional(inner) = of {
        let Some(inner) = inner else {
            return Ok(match ask {
                Ask::Presence => Value::Bool(false),
                _ => Value::Optional(None),
            });
        };
        let ask = if ask == Ask::Presence {
            ask
        } else {
            Ask::Optional
        };
        return field(inner, name, ask);
    }
    if !matches!(of, Value::Map(_)) {
        return Err(Fault::no_overload("select", &[of]));
    }
    let value = of.field(name);
    match (ask, value) {
        (Ask::Presence, value) => Ok(Value::Bool(value.is_some())),
        (Ask::Value, Some(value)) => Ok(value.clone()),
        (Ask::Value, None) => Err(Fault::Error(format!("no such key: {name}"))),
        (Ask::Optional, Some(value)) => known(value.clone()).map(Value::some),
        (Ask::Optional, None) => Ok(Value::Optional(None)),
    }
}

fn index(of: &Value, at: &Value, optional: bool) -> Answer {
    if let Value::Optional(inner) = of {
        return match inner {
            Some(inner) => index(inner, at, true),
            None => Ok(Value::Optional(None)),
        };
    }
    let key = Key::of(at);
    let found = match (of, &key) {
        (Value::List(items), Some(Key::Int(at))) => {
            usize::try_from(*at).ok().and_then(|at| items.get(at))
        }
        (Value::Map(_), Some(key)) => of.entry(key),
        _ => return Err(Fault::no_overload("_[_]", &[of, at])),
    };
    match (found, optional, of) {
        (Some(value), false, _) => Ok(value.clone()),
        (Some(value), true, _) => known(value.clone()).map(Value::some),
        (None, true, _) => Ok(Value::Optional(None)),
        (None, false, Value::List(_)) => {
            Err(Fault::error(format!("index out of bounds: {}", shown(at))))
        }
        (None, false, _) => Err(Fault::error(format!("no such key: {}", shown(at)))),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        other => other.type_name().to_owned(),
    }
}
