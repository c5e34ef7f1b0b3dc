//! The expressions of `rules.check`, over a hostname at a gateway.
//!
//! CEL checks types while it evaluates. An expression with a mistake should be reported even if no hostname gets as far as
//! the mistake, so it is checked when it is read: the fields that it uses by walking through it, and the rest by evaluating
//! it for a row in which nothing is empty.

mod types;

use std::sync::Arc;

use cel_k8s::expr::Expr;
use cel_k8s::lex::{Token, lex};
use cel_k8s::value::Key;
use cel_k8s::{Fault, Run, Value, parse};
use k8s_syntax::pattern::Patterns;
use types::{ROW, Type, type_of};

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
