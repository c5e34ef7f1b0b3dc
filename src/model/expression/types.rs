//! The types of values in an expression, found by walking through it.

use cel_k8s::Value;
use cel_k8s::expr::{Ask, Expr, Fold, Item, Operator};
use manifest::diagnostic::suggest::nearest;

use super::{Wrong, wrong};

/// The type of a value in a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Type {
    Bool,
    Text,
    Number,
    List(&'static Type),
    Object(&'static [(&'static str, Type)]),
    Any,
}

const ROUTE: Type = Type::Object(&[
    ("kind", Type::Text),
    ("namespace", Type::Text),
    ("name", Type::Text),
    ("release", Type::Text),
]);

const RECORD: Type = Type::Object(&[
    ("by", Type::Text),
    ("provider", Type::Text),
    ("target", Type::Text),
]);

/// What an expression knows.
pub(super) const ROW: &[(&str, Type)] = &[
    ("host", Type::Text),
    ("gateway", Type::Text),
    ("public", Type::Bool),
    ("namespace", Type::Text),
    ("routes", Type::List(&ROUTE)),
    ("guards", Type::List(&Type::Text)),
    ("allows", Type::List(&Type::Text)),
    ("dns", Type::List(&RECORD)),
    ("listeners", Type::List(&Type::Text)),
    ("ports", Type::List(&Type::Number)),
    ("backends", Type::List(&Type::Text)),
    ("redirect", Type::Bool),
    ("plain", Type::Bool),
];

impl Type {
    /// The type in words.
    pub(super) fn name(self) -> &'static str {
        match self {
            Type::Bool => "true or false",
            Type::Text => "a string",
            Type::Number => "a number",
            Type::List(_) => "a list",
            Type::Object(_) => "an object",
            Type::Any => "anything",
        }
    }

    /// Whether a value of this type may be of another one.
    pub(super) fn may_be(self, other: Type) -> bool {
        match (self, other) {
            (Type::Any, _) | (_, Type::Any) => true,
            (Type::List(one), Type::List(other)) => one.may_be(*other),
            (one, other) => one == other,
        }
    }
}

/// The names that are known at a place in an expression, the innermost last.
pub(super) type Names = Vec<(String, Type)>;

/// The type of an expression.
///
/// # Errors
/// If it uses a field that doesn't exist, or a value as another type.
pub(super) fn type_of(expr: &Expr, names: &mut Names) -> Result<Type, Wrong> {
    Ok(match expr {
        Expr::Value(value) => of_value(value),
        Expr::Name(name) => of_name(name, names)?,
        Expr::Field { of, name, ask } => {
            let of = type_of(of, names)?;
            let found = field(of, name)?;
            match ask {
                Ask::Value => found,
                Ask::Presence => Type::Bool,
                Ask::Optional => Type::Any,
            }
        }
        Expr::Index { of, at, .. } => {
            type_of(at, names)?;
            match type_of(of, names)? {
                Type::List(item) => *item,
                Type::Object(_) | Type::Any => Type::Any,
                other => {
                    return wrong(
                        format!("{} has no items", other.name()),
                        "only lists have items",
                    );
                }
            }
        }
        Expr::List(items) => {
            each(items.iter().map(|Item { value, .. }| value), names)?;
            Type::List(&Type::Any)
        }
        Expr::Map(entries) => {
            each(
                entries.iter().flat_map(|(key, item)| [key, &item.value]),
                names,
            )?;
            Type::Any
        }
        Expr::Not(inner) => {
            expect(inner, Type::Bool, names)?;
            Type::Bool
        }
        Expr::Negate(inner) => {
            expect(inner, Type::Number, names)?;
            Type::Number
        }
        Expr::And(parts) | Expr::Or(parts) => {
            for part in parts {
                expect(part, Type::Bool, names)?;
            }
            Type::Bool
        }
        Expr::If(parts) => {
            let [condition, yes, no] = &**parts;
            expect(condition, Type::Bool, names)?;
            let (yes, no) = (type_of(yes, names)?, type_of(no, names)?);
            if yes == no { yes } else { Type::Any }
        }
        Expr::Binary(operator, sides) => {
            let [left, right] = &**sides;
            let (left, right) = (type_of(left, names)?, type_of(right, names)?);
            of_operator(*operator, left, right)?
        }
        Expr::Call(_, arguments) => {
            each(arguments, names)?;
            Type::Any
        }
        Expr::Fold {
            fold,
            over,
            names: variables,
            filter,
            body,
        } => {
            let over = type_of(over, names)?;
            let item = match over {
                Type::List(item) => *item,
                Type::Any | Type::Object(_) => Type::Any,
                other => {
                    return wrong(
                        format!("{} has no items", other.name()),
                        "only lists have items",
                    );
                }
            };
            let before = names.len();
            let last = variables.len().saturating_sub(1);
            for (at, variable) in variables.iter().enumerate() {
                let of = if at == last { item } else { Type::Any };
                names.push((variable.to_string(), of));
            }
            let is_condition = matches!(
                fold,
                Fold::All | Fold::Exists | Fold::ExistsOne | Fold::Filter
            );
            let checked = filter
                .iter()
                .try_for_each(|filter| expect(filter, Type::Bool, names))
                .and_then(|()| match is_condition {
                    true => expect(body, Type::Bool, names),
                    false => type_of(body, names).map(|_| ()),
                });
            names.truncate(before);
            checked?;
            match fold {
                Fold::All | Fold::Exists | Fold::ExistsOne => Type::Bool,
                Fold::Filter => over,
                Fold::Map => Type::List(&Type::Any),
                _ => Type::Any,
            }
        }
        Expr::Bind(name, parts) => {
            let [value, body] = &**parts;
            let value = type_of(value, names)?;
            within(name, value, body, names)?
        }
        Expr::OptMap {
            name, value, body, ..
        } => {
            type_of(value, names)?;
            within(name, Type::Any, body, names)?;
            Type::Any
        }
    })
}

fn within(name: &str, of: Type, body: &Expr, names: &mut Names) -> Result<Type, Wrong> {
    names.push((name.to_owned(), of));
    let found = type_of(body, names);
    names.pop();
    found
}

fn each<'e>(all: impl IntoIterator<Item = &'e Expr>, names: &mut Names) -> Result<(), Wrong> {
    all.into_iter()
        .try_for_each(|one| type_of(one, names).map(|_| ()))
}

fn expect(expr: &Expr, wanted: Type, names: &mut Names) -> Result<(), Wrong> {
    let found = type_of(expr, names)?;
    match found.may_be(wanted) {
        true => Ok(()),
        false => wrong(
            format!("{} stands where {} is needed", found.name(), wanted.name()),
            "compare the value with something, such as `host == 'www.example.com'` or `size(guards) > 0`",
        ),
    }
}

fn of_value(value: &Value) -> Type {
    match value {
        Value::Bool(_) => Type::Bool,
        Value::String(_) => Type::Text,
        Value::Int(_) | Value::Uint(_) | Value::Double(_) => Type::Number,
        _ => Type::Any,
    }
}

fn of_name(name: &str, names: &Names) -> Result<Type, Wrong> {
    let known = names.iter().rev().find(|(known, _)| known == name);
    if let Some((_, of)) = known {
        return Ok(*of);
    }
    // Names of types, such as `string`, are values too.
    const TYPES: [&str; 9] = [
        "bool", "int", "uint", "double", "string", "bytes", "list", "map", "type",
    ];
    if TYPES.contains(&name) || name == "null_type" {
        return Ok(Type::Any);
    }
    unknown(
        &format!("there is no `{name}`"),
        name,
        names.iter().map(|(name, _)| name.as_str()),
    )
}

fn field(of: Type, name: &str) -> Result<Type, Wrong> {
    match of {
        Type::Any => Ok(Type::Any),
        Type::Object(fields) => match fields.iter().find(|(known, _)| *known == name) {
            Some((_, of)) => Ok(*of),
            None => unknown(
                &format!("there is no field `{name}`"),
                name,
                fields.iter().map(|(name, _)| *name),
            ),
        },
        Type::List(_) => wrong(
            format!("a list has no field `{name}`"),
            format!("ask about its items: `routes.exists(one, one.{name} == '…')`"),
        ),
        other => wrong(
            format!("{} has no field `{name}`", other.name()),
            "use the value itself",
        ),
    }
}

fn unknown<'n, T>(
    message: &str,
    name: &str,
    known: impl Iterator<Item = &'n str>,
) -> Result<T, Wrong> {
    let known: Vec<&str> = known.collect();
    let help = match nearest(name, known.iter().copied()) {
        Some(near) => format!("write `{near}`"),
        None => format!("these are known: {}", known.join(", ")),
    };
    wrong(message, help)
}

fn of_operator(operator: Operator, left: Type, right: Type) -> Result<Type, Wrong> {
    let mismatch = |what: &str| {
        wrong(
            format!("{} {what} {}", left.name(), right.name()),
            "both sides must have the same type; strings stand in single quotes",
        )
    };
    match operator {
        Operator::Equal | Operator::Unequal => match left.may_be(right) {
            true => Ok(Type::Bool),
            false => mismatch("is compared with"),
        },
        Operator::In => match right {
            Type::List(item) if left.may_be(*item) => Ok(Type::Bool),
            Type::Any | Type::Object(_) => Ok(Type::Bool),
            Type::List(_) => mismatch("can't be in"),
            _ => wrong(
                format!("{} has no items", right.name()),
                "only lists have items; `host.contains('…')` looks into a string",
            ),
        },
        Operator::Less | Operator::LessEqual | Operator::Greater | Operator::GreaterEqual => {
            match left.may_be(right) {
                true => Ok(Type::Bool),
                false => mismatch("is compared with"),
            }
        }
        Operator::Add => match left.may_be(right) {
            true => Ok(left),
            false => mismatch("can't be added to"),
        },
        _ => Ok(Type::Number),
    }
}
