//! Walks over an object's values and its schema together.

use std::borrow::Cow;
use std::collections::HashMap;

use super::convert::{Converter, escape};
use super::program::Program;
use super::{MOST_FINDINGS, MOST_STEPS, MOST_STEPS_OF_A_RULE, Rules, place, words};
use crate::codes;
use crate::schema::KindSchema;
use crate::schema::defaults::{self, Field};
use crate::schema::node::{ListType, NodeId, Rule, Schema, Type};
use cel_k8s::{Fault, Run, Value};
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::trail::{Trail, TrailStep};
use manifest::value::{Kind, Map, Node, Pointer};

pub(super) struct RuleWalk<'a> {
    run: &'a Rules,
    object: &'a Object,
    /// The object that this one replaces.
    before: Option<&'a Object>,
    schema: KindSchema<'a>,
    converter: Converter<'a>,
    pointer: Trail,
    /// The number of steps that are left for all following rules.
    steps: u64,
    /// The earlier value, for the rule that is evaluated.
    old: Option<Value>,
    pub findings: Vec<Diagnostic>,
}

/// The items of the earlier list, by their keys. Only lists whose items have keys tell which item replaces which.
struct EarlierItems<'n> {
    keys: &'n [String],
    defaults: Vec<Option<String>>,
    items: HashMap<Vec<Option<String>>, &'n Node>,
}

impl<'n> EarlierItems<'n> {
    fn of(old: Option<&'n Node>, schema: &'n Schema, defaults: Vec<Option<String>>) -> Self {
        let items = old.and_then(Node::as_list).unwrap_or_default();
        let mut earlier = EarlierItems {
            keys: &schema.list_map_keys,
            defaults,
            items: HashMap::new(),
        };
        if schema.list_type == Some(ListType::Map) {
            earlier.items = items
                .iter()
                .map(|item| (earlier.identity(item), item))
                .collect();
        }
        earlier
    }

    fn identity(&self, item: &Node) -> Vec<Option<String>> {
        let keys = self.keys.iter().zip(&self.defaults);
        let text = |(key, default): (&String, &Option<String>)| {
            let own = item.get(key).map(|value| value.to_json().to_string());
            own.or_else(|| default.clone())
        };
        keys.map(text).collect()
    }

    fn find(&self, item: &Node) -> Option<&'n Node> {
        match self.items.is_empty() {
            true => None,
            false => self.items.get(&self.identity(item)).copied(),
        }
    }
}

/// The result of a rule.
enum Outcome {
    /// It is true, or can't be decided yet.
    Holds,
    Broken,
    /// It can't be parsed.
    Unreadable(String),
    /// It fails during evaluation. The API server treats that like a rule that is false.
    Fails(String),
    /// It exceeds its cost limit.
    Spent,
}

impl<'a> RuleWalk<'a> {
    pub(crate) fn new(
        run: &'a Rules,
        object: &'a Object,
        schema: KindSchema<'a>,
        before: Option<&'a Object>,
    ) -> Self {
        RuleWalk {
            run,
            object,
            before,
            schema,
            converter: Converter {
                compiled: schema.compiled,
                encrypted: object.node.get("sops").is_some(),
            },
            pointer: Trail::root(),
            steps: MOST_STEPS,
            old: None,
            findings: Vec::new(),
        }
    }

    /// Evaluates all rules of an object with its defaults.
    pub(crate) fn object(&mut self) {
        self.schema.compiled.asked();
        let object = defaults::object(&self.object.node, self.schema.version);
        let before = self
            .before
            .map(|before| defaults::object(&before.node, self.schema.version));
        self.value(&object, before.as_deref(), None, self.schema.version.root);
    }

    fn inside(
        &mut self,
        part: TrailStep<'_>,
        node: &Node,
        old: Option<&Node>,
        value: Option<&Value>,
        id: NodeId,
    ) {
        self.pointer.enter(part);
        self.value(node, old, value, id);
        self.pointer.leave();
    }

    /// Evaluates the rules of a value and of all values below it. `value` is the CEL value if a rule further up has
    /// already used it; otherwise it is only created if a rule needs it. `old` is what it replaces.
    fn value(&mut self, node: &Node, old: Option<&Node>, value: Option<&Value>, id: NodeId) {
        if self.findings.len() >= MOST_FINDINGS || self.schema.compiled.is_silent(id) {
            return;
        }
        let schema = self.schema.node(id);
        let is_plain = matches!(
            (&node.kind, schema.type_),
            (Kind::Map(_), Some(Type::Object)) | (Kind::List(_), Some(Type::Array))
        );
        let made = (value.is_none() && (!schema.rules.is_empty() || !is_plain)).then(|| match self
            .pointer
            .steps()
        {
            [] => self.converter.object(node, id),
            _ => self.converter.value(node, id),
        });
        let value = value.or(made.as_ref());
        if let Some(value) = value {
            if matches!(value, Value::Null | Value::Unknown) {
                return;
            }
            for rule in &schema.rules {
                self.rule(rule, value, old, id);
            }
        }
        match &node.kind {
            Kind::List(items) => self.items(items, old, value, schema),
            Kind::Map(map) => self.fields(map, old, value, schema),
            _ => {}
        }
    }

    fn items(
        &mut self,
        items: &[Node],
        old: Option<&Node>,
        value: Option<&Value>,
        schema: &Schema,
    ) {
        let Some(id) = schema.items else { return };
        if self.schema.compiled.is_silent(id) {
            return;
        }
        let of_item = self.schema.node(id);
        let default_of = |key: &String| {
            let node = self.schema.node(*of_item.properties.get(key)?);
            node.default.as_ref().map(ToString::to_string)
        };
        let key_defaults = schema.list_map_keys.iter().map(default_of).collect();
        let earlier = EarlierItems::of(old, schema, key_defaults);
        for (index, node) in items.iter().enumerate() {
            let value = match value {
                Some(Value::List(values)) => values.get(index),
                _ => None,
            };
            let old = earlier.find(node);
            let node = defaults::item(node, of_item);
            self.inside(TrailStep::Index(index), &node, old, value, id);
        }
    }

    /// The fields of a map: those in the schema first, then others, each in the order of their names.
    fn fields(&mut self, map: &Map, old: Option<&Node>, value: Option<&Value>, schema: &Schema) {
        if value.is_none() && self.converter.is_open(map, schema) {
            return;
        }
        let compiled = self.schema.compiled;
        let speaks = |field: &Field<'_>| field.id.is_some_and(|id| !compiled.is_silent(id));
        let is_further = |key: &str| !schema.properties.contains_key(key);
        let mut fields: Vec<Field<'_>> = defaults::fields(map, compiled, schema)
            .filter(speaks)
            .collect();
        fields.sort_by_key(|field| (is_further(field.key), field.key));
        let identified = schema.embedded_resource || self.pointer.steps().is_empty();
        for field in fields {
            let Some(id) = field.id else { continue };
            let part = TrailStep::Key(field.key);
            let node = field.value();
            let old = old.and_then(|old| defaults::field(old, compiled, schema, field.key));
            let old = old.as_deref();
            if let Some(value) = value {
                let name = match is_further(field.key) {
                    true => Some(Cow::Borrowed(field.key)),
                    false => escape(field.key),
                };
                if let Some(value) = name.and_then(|name| value.field(&name)) {
                    self.inside(part, &node, old, Some(value), id);
                }
                continue;
            }
            let identity = identified
                .then(|| self.converter.identity(map, field.key))
                .flatten();
            self.inside(part, &node, old, identity.as_ref(), id);
        }
    }

    fn rule(&mut self, rule: &Rule, value: &Value, old: Option<&Node>, id: NodeId) {
        let entry = self.run.programs.get(&rule.rule);
        let old = old.filter(|old| !matches!(old.kind, Kind::Null));
        let is_optional = rule.optional_old_self == Some(true);
        let outcome = match &*entry {
            Err(problem) => Outcome::Unreadable(problem.clone()),
            Ok(program) if program.on_changes && !is_optional && old.is_none() => return,
            Ok(program) => {
                let old = old.filter(|_| program.on_changes);
                self.old = old.map(|old| match self.pointer.steps() {
                    [] => self.converter.object(old, id),
                    _ => self.converter.value(old, id),
                });
                if is_optional {
                    self.old = Some(Value::Optional(self.old.take().map(std::sync::Arc::new)));
                }
                self.evaluate(program, value)
            }
        };
        let found = match outcome {
            Outcome::Holds => return,
            Outcome::Broken => self.broken(rule, value),
            // If there are words for the rule, they are more helpful than the name of the field that it didn't find.
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

    fn start<'p>(&self, value: &Value, program: &'p Program) -> Run<'p>
    where
        'a: 'p,
    {
        let steps = self.steps.min(MOST_STEPS_OF_A_RULE);
        let mut run = Run::new(&self.run.patterns, steps);
        run.bind("self", value.clone());
        if program.on_changes {
            let old = self.old.clone().unwrap_or(Value::Optional(None));
            run.bind("oldSelf", old);
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
            Ok(other) => Outcome::Fails(format!("its result is {}, not bool", other.type_name())),
            Err(Fault::Error(problem)) => Outcome::Fails(problem),
            Err(Fault::Spent) => Outcome::Spent,
        }
    }

    fn broken(&mut self, rule: &Rule, value: &Value) -> Diagnostic {
        let steps = rule.field_path.as_deref().and_then(place::steps);
        let steps = steps.into_iter().flatten();
        let at = steps.fold(Pointer::clone(&self.pointer), |at, step| at.key(step));
        let own = self.expressed(rule, value).or_else(|| rule.message.clone());
        let said = words::failed(self.object, &self.pointer, rule, own.as_deref());
        let mut found = finding(codes::RULE_FAILED, self.object, &at, said.message).why(said.why);
        found.help = said.help;
        found.covered_by = said.covered_by;
        found
    }

    /// The result of `messageExpression`: one line of text, or nothing.
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
