//! The expressions of `rules.check`, over a hostname at a gateway.
//!
//! CEL checks types while it evaluates. An expression with a mistake should be reported even if no hostname gets as far as
//! the mistake, so it is checked when it is read: the fields that it uses by walking through it, and the rest by evaluating
//! it for a row in which nothing is empty.

use std::sync::Arc;

use cel_k8s::expr::{Ask, Expr, Fold, Item, Operator};
use cel_k8s::lex::{Token, lex};
use cel_k8s::value::Key;
use cel_k8s::{Fault, Run, Value, parse};
use k8s_syntax::pattern::Patterns;
use manifest::diagnostic::suggest::nearest;

/// How many steps an expression may take for a row: many times what a real one needs.
const MOST_STEPS: u64 = 1_000_000;

/// A hostname at a gateway, for the routes of one namespace.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// The hostname; empty for TCP and UDP.
    pub host: String,
    /// The gateway as `namespace/name`.
    pub gateway: String,
    /// Whether the gateway is external; `None` if it is not known.
    pub public: Option<bool>,
    /// The namespace of the routes.
    pub namespace: String,
    /// The routes: kind, namespace, name and release, which is empty if no chart creates it.
    pub routes: Vec<[String; 4]>,
    /// The names of the guards in front of every answer.
    pub guards: Vec<String>,
    /// The networks that allow lists admit.
    pub allows: Vec<String>,
    /// The DNS records: publisher, provider and target, empty where they are not given; `None` if they are not known.
    pub dns: Option<Vec<[String; 3]>>,
    /// The names of the listeners.
    pub listeners: Vec<String>,
    /// The ports of the listeners.
    pub ports: Vec<i64>,
    /// The backends.
    pub backends: Vec<String>,
    /// Whether all answers are redirects.
    pub redirect: bool,
    /// Whether something is answered without TLS.
    pub plain: bool,
}

/// The type of a value in a row.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Type {
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
const ROW: &[(&str, Type)] = &[
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
    fn name(self) -> &'static str {
        match self {
            Type::Bool => "true or false",
            Type::Text => "a string",
            Type::Number => "a number",
            Type::List(_) => "a list",
            Type::Object(_) => "an object",
            Type::Any => "anything",
        }
    }

    fn may_be(self, other: Type) -> bool {
        match (self, other) {
            (Type::Any, _) | (_, Type::Any) => true,
            (Type::List(one), Type::List(other)) => one.may_be(*other),
            (one, other) => one == other,
        }
    }
}

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

fn wrong<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong {
        message: message.into(),
        help: help.into(),
    })
}

/// The result of an expression for a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is true or false.
    Is(bool),
    /// It depends on something that is not known.
    Unknown,
    /// It fails, with the reason.
    Fails(String),
}

/// An expression that is true or false for each row.
#[derive(Clone, Debug)]
pub struct Expression {
    expr: Arc<Expr>,
    /// Whether it asks for redirects. Otherwise, it is not meant for hostnames that are only redirected.
    pub is_about_redirects: bool,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// If it is not an expression, uses a field that doesn't exist or a value as another type, or is not true or false.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let help = "see https://cel.dev for the language; `gatewayctl explain rules.check.expression` lists what it knows";
        let tokens = lex(text).unwrap_or_default();
        let redirect = |token: &Token| matches!(token, Token::Name(name) if &**name == "redirect");
        let expression = match parse(text) {
            Ok(expression) => Expression {
                expr: Arc::new(expression),
                is_about_redirects: tokens.iter().any(redirect),
            },
            Err(message) => return wrong(message, help),
        };
        let mut names = ROW
            .iter()
            .map(|(name, of)| ((*name).to_owned(), *of))
            .collect();
        let result = type_of(&expression.expr, &mut names)?;
        if !result.may_be(Type::Bool) {
            return wrong(
                format!("its result is {}, and not true or false", result.name()),
                "compare the value with something: `size(guards) > 0`",
            );
        }
        match expression.answer(&sample()) {
            Answer::Fails(message) if is_about_types(&message) => wrong(message, help),
            _ => Ok(expression),
        }
    }

    /// The result for a row.
    pub fn answer(&self, row: &Row) -> Answer {
        let patterns = Patterns::default();
        let mut run = Run::new(&patterns, MOST_STEPS);
        for (name, value) in values(row) {
            run.bind(name, value);
        }
        match run.value(&self.expr) {
            Ok(Value::Bool(holds)) => Answer::Is(holds),
            Ok(Value::Unknown) | Err(Fault::Unknown) => Answer::Unknown,
            Ok(other) => Answer::Fails(format!("{NOT_BOOL} {}", other.type_name())),
            Err(Fault::Error(message)) => Answer::Fails(message),
            Err(Fault::Spent) => Answer::Fails("it takes too many steps".to_owned()),
        }
    }
}

/// The beginning of the message of an expression that is neither true nor false.
const NOT_BOOL: &str = "its result is neither true nor false, but of type";

/// Whether an expression would fail for every row, because it uses values as another type than they have.
fn is_about_types(message: &str) -> bool {
    let starts = ["no such overload", "undeclared reference", NOT_BOOL];
    starts.iter().any(|start| message.starts_with(start))
}

/// A row in which nothing is empty.
fn sample() -> Row {
    let text = || "a".to_owned();
    Row {
        host: "a.example.com".to_owned(),
        gateway: "a/a".to_owned(),
        public: Some(true),
        namespace: text(),
        routes: vec![["HTTPRoute".to_owned(), text(), text(), text()]],
        guards: vec![text()],
        allows: vec!["10.0.0.0/8".to_owned()],
        dns: Some(vec![[text(), text(), text()]]),
        listeners: vec![text()],
        ports: vec![443],
        backends: vec![text()],
        redirect: true,
        plain: true,
    }
}

fn values(row: &Row) -> Vec<(&'static str, Value)> {
    let texts = |all: &[String]| Value::list(all.iter().map(Value::string).collect());
    let object = |keys: &[&str], all: &[String]| {
        let entries = keys.iter().zip(all);
        let entries = entries.map(|(key, text)| (Key::String((*key).into()), Value::string(text)));
        Value::map(entries.collect())
    };
    let routes = row.routes.iter();
    let routes = routes.map(|it| object(&["kind", "namespace", "name", "release"], it));
    let records = row.dns.as_ref().map(|records| {
        let records = records.iter();
        Value::list(
            records
                .map(|it| object(&["by", "provider", "target"], it))
                .collect(),
        )
    });
    vec![
        ("host", Value::string(&row.host)),
        ("gateway", Value::string(&row.gateway)),
        ("public", row.public.map_or(Value::Unknown, Value::Bool)),
        ("namespace", Value::string(&row.namespace)),
        ("routes", Value::list(routes.collect())),
        ("guards", texts(&row.guards)),
        ("allows", texts(&row.allows)),
        ("dns", records.unwrap_or(Value::Unknown)),
        ("listeners", texts(&row.listeners)),
        (
            "ports",
            Value::list(row.ports.iter().map(|it| Value::Int(*it)).collect()),
        ),
        ("backends", texts(&row.backends)),
        ("redirect", Value::Bool(row.redirect)),
        ("plain", Value::Bool(row.plain)),
    ]
}

/// The names that are known at a place in an expression, the innermost last.
type Names = Vec<(String, Type)>;

/// The type of an expression.
///
/// # Errors
/// If it uses a field that doesn't exist, or a value as another type.
fn type_of(expr: &Expr, names: &mut Names) -> Result<Type, Wrong> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        match Expression::parse(text) {
            Ok(_) => String::new(),
            Err(wrong) => format!("{} ({})", wrong.message, wrong.help),
        }
    }

    #[test]
    fn right_expressions_are_read() {
        for text in [
            "!public || 'oidc' in guards",
            "host.endsWith('.example.com') || redirect",
            "routes.all(route, route.kind == 'HTTPRoute' && route.namespace != 'monitoring')",
            "size(guards) > 0 || ports.exists(port, port == 22)",
            "dns.all(record, record.provider == 'cloudflare' || record.target.startsWith('10.'))",
            "public ? !plain : true",
            "routes.filter(route, route.release == '').size() == 0",
            "routes[0].name == 'a'",
            "cel.bind(name, gateway.split('/')[1], name == 'a' || name == 'b')",
            "allows.all(network, cidr('10.0.0.0/8').containsCIDR(network))",
            "namespace in ['a', 'b']",
        ] {
            assert_eq!(told(text), "", "{text}");
        }
    }

    #[test]
    fn unknown_fields_and_other_types_are_told() {
        for (text, want) in [
            ("!publik", "there is no `publik` (write `public`)"),
            (
                "public && routes.all(it, it.nmae == 'a')",
                "there is no field `nmae` (write `name`)",
            ),
            (
                "false && host.size == 1",
                "a string has no field `size` (use the value itself)",
            ),
            (
                "host",
                "its result is a string, and not true or false (compare the value with something: `size(guards) > 0`)",
            ),
            (
                "guards == 'oidc'",
                "a list is compared with a string (both sides must have the same type; strings stand in single quotes)",
            ),
            (
                "public || host",
                "a string stands where true or false is needed (compare the value with something, such as `host == 'www.example.com'` or `size(guards) > 0`)",
            ),
            (
                "routes.name == 'a'",
                "a list has no field `name` (ask about its items: `routes.exists(one, one.name == '…')`)",
            ),
            (
                "'a' in host",
                "a string has no items (only lists have items; `host.contains('…')` looks into a string)",
            ),
        ] {
            assert_eq!(told(text), want, "{text}");
        }
        assert!(
            told("size(guards)")
                .starts_with("its result is neither true nor false, but of type int")
        );
        assert!(told("host.matches(1)").starts_with("no such overload"));
        assert!(!told("public &&").is_empty());
    }

    #[test]
    fn what_is_not_known_stays_unknown() {
        let expression = Expression::parse("!public || 'oidc' in guards").expect("an expression");
        let mut row = Row::default();
        assert_eq!(expression.answer(&row), Answer::Unknown);
        row.guards.push("oidc".to_owned());
        assert_eq!(expression.answer(&row), Answer::Is(true));
        row = Row {
            public: Some(true),
            ..Row::default()
        };
        assert_eq!(expression.answer(&row), Answer::Is(false));
    }
}
