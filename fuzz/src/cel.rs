//! Parses and evaluates CEL, the language of validation rules, with limited steps.

use cel_k8s::value::Key;
use cel_k8s::{Run, Value};
use crd_validate::rules::program::Program;
use k8s_syntax::pattern::Patterns;
use manifest::diagnostic::Sources;
use manifest::read;
use manifest::value::{Kind, Node};

/// The number of steps for a rule, as in the program.
const STEPS: u64 = 1_000_000;

/// Evaluates a rule. The input may also contain the value of `self` as YAML, after a line of three dashes. The same
/// rule must give the same result, and must not leave more steps than it got.
pub fn parse_and_evaluate(text: &str) {
    let (rule, own) = text.split_once("\n---\n").unwrap_or((text, "{}"));
    let Ok(program) = Program::read(rule) else {
        return;
    };
    let mut sources = Sources::default();
    let id = sources.add("self.yaml", own);
    let own = read::parse(own, id, 0).map_or(Value::Unknown, |node| value(&node));
    let patterns = Patterns::default();
    let answer = || {
        let mut run = Run::new(&patterns, STEPS);
        run.bind("self", own.clone());
        let answer = run.value(&program.expr);
        assert!(run.left() <= STEPS);
        (format!("{answer:?}"), run.left())
    };
    assert_eq!(answer(), answer());
}

fn value(node: &Node) -> Value {
    match &node.kind {
        Kind::Null => Value::Null,
        Kind::Bool(value) => Value::Bool(*value),
        Kind::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => number.as_f64().map_or(Value::Unknown, Value::Double),
        },
        Kind::String(text) if text == "UNKNOWN" => Value::Unknown,
        Kind::String(text) => Value::string(text),
        Kind::List(items) => Value::list(items.iter().map(value).collect()),
        Kind::Map(map) => {
            let entries = map
                .iter()
                .map(|(key, node)| (Key::String(key.into()), value(node)));
            Value::map(entries.collect())
        }
    }
}
