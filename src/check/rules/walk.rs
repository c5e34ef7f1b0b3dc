//! The walk over an object's values and its schema.

use super::cel::{Fault, Run, Value};
use super::convert::{Converter, escape};
use super::program::Program;
use super::{MOST_FINDINGS, MOST_STEPS, MOST_STEPS_OF_A_RULE, Rules, place, words};
use crate::check::finding;
use crate::diagnostic::{Code, Diagnostic};
use crate::manifest::Object;
use crate::schema::KindSchema;
use crate::schema::node::{Additional, NodeId, Rule};
use crate::value::{Node, Pointer, pointer::Step};

pub(super) struct Walk<'a> {
    run: &'a Rules,
    object: &'a Object,
    schema: KindSchema<'a>,
    pointer: Pointer,
    /// How many steps are left for all rules that are still to come.
    steps: u64,
    pub findings: Vec<Diagnostic>,
}

/// What became of a rule.
enum Outcome {
    /// It holds, or can't be decided yet.
    Holds,
    Broken,
    /// It can't be read.
    Unreadable(String),
    /// It fails while it is evaluated; to the API server that is as bad as one that doesn't hold.
    Fails(String),
    /// It takes too long.
    Spent,
}

impl<'a> Walk<'a> {
    pub fn new(run: &'a Rules, object: &'a Object, schema: KindSchema<'a>) -> Self {
        Walk {
            run,
            object,
            schema,
            pointer: Pointer::root(),
            steps: MOST_STEPS,
            findings: Vec::new(),
        }
    }

    /// Evaluates all rules of an object with its defaults in.
    pub fn object(&mut self, settled: &Node) {
        let converter = Converter {
            compiled: self.schema.compiled,
            encrypted: self.object.node.get("sops").is_some(),
        };
        let root = self.schema.version.root;
        let value = converter.object(settled, root);
        self.value(&value, root);
    }

    fn inside(&mut self, step: Step, value: &Value, id: NodeId) {
        self.pointer.push(step);
        self.value(value, id);
        self.pointer.pop();
    }

    fn value(&mut self, value: &Value, id: NodeId) {
        if self.findings.len() >= MOST_FINDINGS || matches!(value, Value::Null | Value::Unknown) {
            return;
        }
        let schema = self.schema.node(id);
        for rule in &schema.rules {
            self.rule(rule, value);
        }
        match value {
            Value::List(items) => {
                let Some(id) = schema.items else { return };
                for (index, item) in items.iter().enumerate() {
                    self.inside(Step::Index(index), item, id);
                }
            }
            Value::Map(entries) => {
                for (name, id) in &schema.properties {
                    let field = escape(name).and_then(|escaped| value.field(&escaped).cloned());
                    if let Some(field) = field {
                        self.inside(Step::Key(name.clone()), &field, *id);
                    }
                }
                let Some(Additional::Schema(id)) = schema.additional_properties else {
                    return;
                };
                for (key, entry) in entries.iter() {
                    if let super::cel::value::Key::String(key) = key
                        && !schema.properties.contains_key(&**key)
                    {
                        self.inside(Step::Key(key.to_string()), entry, id);
                    }
                }
            }
            _ => {}
        }
    }

    fn rule(&mut self, rule: &Rule, value: &Value) {
        let entry = self.run.programs.get(&rule.rule);
        let outcome = match &*entry {
            Err(problem) => Outcome::Unreadable(problem.clone()),
            Ok(program) if program.on_changes && rule.optional_old_self != Some(true) => return,
            Ok(program) => self.evaluate(program, value),
        };
        let found = match outcome {
            Outcome::Holds => return,
            Outcome::Broken => self.broken(rule, value),
            // Where the words are known they say more than which field the rule looked for in vain.
            Outcome::Fails(_) if words::are_known(self.object, &self.pointer, rule) => {
                self.broken(rule, value)
            }
            Outcome::Fails(problem) => words::fails(self.object, &self.pointer, rule, &problem),
            Outcome::Unreadable(problem) => {
                words::unreadable(self.object, &self.pointer, rule, &problem)
            }
            Outcome::Spent => words::spent(self.object, &self.pointer, rule),
        };
        self.findings.push(found);
    }

    fn start(&self, value: &Value, program: &Program) -> Run<'a> {
        let steps = self.steps.min(MOST_STEPS_OF_A_RULE);
        let mut run = Run::new(&self.run.patterns, steps);
        run.bind("self", value.clone());
        if program.on_changes {
            run.bind("oldSelf", Value::Optional(None));
        }
        run
    }

    fn evaluate(&mut self, program: &Program, value: &Value) -> Outcome {
        let mut run = self.start(value, program);
        let given = run.left();
        let answer = run.value(&program.expr);
        self.steps = self.steps.saturating_sub(given - run.left());
        match answer {
            Ok(Value::Bool(true)) | Err(Fault::Unknown) => Outcome::Holds,
            Ok(Value::Bool(false)) => Outcome::Broken,
            Ok(other) => Outcome::Fails(format!("it yields {}, not bool", other.type_name())),
            Err(Fault::Error(problem)) => Outcome::Fails(problem),
            Err(Fault::Spent) => Outcome::Spent,
        }
    }

    fn broken(&mut self, rule: &Rule, value: &Value) -> Diagnostic {
        let steps = rule.field_path.as_deref().and_then(place::steps);
        let steps = steps.into_iter().flatten();
        let at = steps.fold(self.pointer.clone(), |at, step| at.key(step));
        let own = self.expressed(rule, value).or_else(|| rule.message.clone());
        let said = words::failed(self.object, &self.pointer, rule, own.as_deref());
        let mut found = finding(Code::RuleFailed, self.object, &at, said.message).why(said.why);
        found.help = said.help;
        found
    }

    /// What `messageExpression` says: text on one line, or nothing.
    fn expressed(&mut self, rule: &Rule, value: &Value) -> Option<String> {
        let entry = self.run.programs.get(rule.message_expression.as_deref()?);
        let program = (*entry).as_ref().ok()?;
        let mut run = self.start(value, program);
        let given = run.left();
        let answer = run.value(&program.expr);
        self.steps = self.steps.saturating_sub(given - run.left());
        match answer {
            Ok(Value::String(text)) if !text.trim().is_empty() && !text.contains('\n') => {
                Some(text.trim().to_owned())
            }
            _ => None,
        }
    }
}
