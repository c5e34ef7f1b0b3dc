//! One rule and one value, given to both engines.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use cel_k8s::expr::Expr;
use cel_k8s::value::Key;
use cel_k8s::{Run, Value};
use k8s_syntax::pattern::Patterns;
use kube_cel::KubeCelExt as _;
use kube_cel::cel::objects::{Key as TheirKey, OptionalValue};
use kube_cel::cel::{Context, Program, Value as TheirValue};

/// The cost limit of one evaluation, as in the API server.
const MOST_STEPS: u64 = 1_000_000;

/// What an engine says of a value.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The rule is true.
    True,
    /// The rule is false.
    False,
    /// The rule has no result, or one that is not a boolean; the message says why.
    Error(String),
}

impl Verdict {
    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.is_error_with("")
    }

    /// Whether it is an error whose message contains `text`.
    pub fn is_error_with(&self, text: &str) -> bool {
        matches!(self, Verdict::Error(problem) if problem.contains(text))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::True => "true",
            Verdict::False => "false",
            Verdict::Error(problem) => problem,
        })
    }
}

/// The messages of errors may differ.
impl PartialEq for Verdict {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// A rule, compiled by both engines. An error is the message of the engine.
pub struct Compiled {
    pub ours: Result<Expr, String>,
    pub theirs: Result<Program, String>,
}

impl Compiled {
    pub fn new(rule: &str) -> Self {
        Compiled {
            ours: cel_k8s::parse(rule),
            theirs: Program::compile(rule).map_err(|error| error.to_string()),
        }
    }
}

/// Both engines, ready to evaluate.
pub struct Engines {
    patterns: Patterns,
    context: Context<'static>,
}

impl Engines {
    pub fn new() -> Self {
        Engines {
            patterns: Patterns::default(),
            context: Context::default().with_all(),
        }
    }

    /// The verdict of `cel-k8s`.
    pub fn ours(&self, rule: &Expr, names: &[(&'static str, Value)]) -> Verdict {
        let mut run = Run::new(&self.patterns, MOST_STEPS);
        for (name, value) in names {
            run.bind(name, value.clone());
        }
        match run.value(rule) {
            Ok(Value::Bool(true)) => Verdict::True,
            Ok(Value::Bool(false)) => Verdict::False,
            other => Verdict::Error(format!("{other:?}")),
        }
    }

    /// The verdict of `kube-cel`.
    pub fn theirs(&self, rule: &Program, names: &[(&'static str, Value)]) -> Verdict {
        let mut context = self.context.new_inner_scope();
        for (name, value) in names {
            context.add_variable_from_value(*name, self.their_value(value));
        }
        match rule.execute(&context) {
            Ok(TheirValue::Bool(true)) => Verdict::True,
            Ok(TheirValue::Bool(false)) => Verdict::False,
            other => Verdict::Error(format!("{other:?}")),
        }
    }

    /// Converts a value. Values with types of their own are passed as text, through the conversion of each engine.
    fn their_value(&self, value: &Value) -> TheirValue {
        match value {
            Value::Null => TheirValue::Null,
            Value::Bool(value) => TheirValue::Bool(*value),
            Value::Int(value) => TheirValue::Int(*value),
            Value::Uint(value) => TheirValue::UInt(*value),
            Value::Double(value) => TheirValue::Float(*value),
            Value::String(text) => TheirValue::String(Arc::new(text.to_string())),
            Value::Bytes(bytes) => TheirValue::Bytes(Arc::new(bytes.to_vec())),
            Value::List(items) => {
                let items = items.iter().map(|item| self.their_value(item));
                TheirValue::List(Arc::new(items.collect()))
            }
            Value::Map(entries) => {
                let entries = entries.iter();
                let entries: HashMap<TheirKey, TheirValue> = entries
                    .map(|(key, value)| (their_key(key), self.their_value(value)))
                    .collect();
                entries.into()
            }
            Value::Optional(value) => TheirValue::Opaque(Arc::new(match value {
                Some(value) => OptionalValue::of(self.their_value(value)),
                None => OptionalValue::none(),
            })),
            Value::Duration(_) => self.their_value_of_text("duration", value),
            Value::Timestamp(_) => self.their_value_of_text("timestamp", value),
            other => panic!("no JSON value becomes {other:?}"),
        }
    }

    fn their_value_of_text(&self, function: &str, value: &Value) -> TheirValue {
        let to_text = cel_k8s::parse("string(self)").expect("an expression");
        let mut run = Run::new(&self.patterns, MOST_STEPS);
        run.bind("self", value.clone());
        let Ok(Value::String(text)) = run.value(&to_text) else {
            panic!("{value:?} has no text");
        };
        let program = Program::compile(&format!("{function}('{text}')")).expect("an expression");
        let value = program.execute(&self.context);
        value.unwrap_or_else(|error| panic!("{function}('{text}'): {error}"))
    }
}

fn their_key(key: &Key) -> TheirKey {
    match key {
        Key::Bool(value) => TheirKey::Bool(*value),
        Key::Int(value) => TheirKey::Int(*value),
        Key::Uint(value) => TheirKey::Uint(*value),
        Key::String(text) => TheirKey::String(Arc::new(text.to_string())),
    }
}
