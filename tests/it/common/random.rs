//! Random objects for a schema: mostly valid, sometimes not.

use std::collections::BTreeSet;

use crd_validate::schema::KindSchema;
use crd_validate::schema::node::{Additional, NodeId, Schema, Type};
use proptest::prelude::RngExt;
use proptest::test_runner::TestRng;
use serde_json::{Map, Value, json};

/// The maximum nesting of values.
const DEEPEST: usize = 12;
/// The maximum length of random lists and maps. Minimum lengths above it are not met.
const LONGEST: u64 = 20;

/// Strings that have a meaning for formats, patterns and rules.
const TEXTS: &[&str] = &[
    "",
    "a",
    "A",
    "-",
    "*",
    "/",
    "example.com",
    "*.example.com",
    "10.10.30.26",
    "10.10.30.0/24",
    "fd00::26",
    "1s",
    "500ms",
    "1h30m",
    "100Mi",
    "-1",
    "0",
    "443",
    "http",
    "HTTP",
    "HTTPS",
    "Gateway",
    "gateway.networking.k8s.io",
    "Service",
    "X-Real-IP",
    "^/a.*$",
    "2026-11-22T00:00:00Z",
    "YQ==",
    "é",
    "😀",
    "a/b",
    "a.b/c",
    "spiffe://example.com/a",
    "http://example.com/x?y=z",
];

/// Generates values.
pub struct Random<'a> {
    rng: &'a mut TestRng,
    schema: KindSchema<'a>,
    /// Strings and names of fields that occur more often than others.
    texts: Vec<String>,
    names: BTreeSet<String>,
    /// Whether some values have a wrong type, and some maps unknown keys.
    is_wrong_at_times: bool,
}

impl<'a> Random<'a> {
    /// Creates a generator for a schema.
    pub fn new(rng: &'a mut TestRng, schema: KindSchema<'a>) -> Self {
        Random {
            rng,
            schema,
            texts: Vec::new(),
            names: BTreeSet::new(),
            is_wrong_at_times: true,
        }
    }

    /// Uses these strings and these fields more often than others.
    pub fn often(mut self, texts: Vec<String>, names: BTreeSet<String>) -> Self {
        self.texts = texts;
        self.names = names;
        self
    }

    /// A value for a node. Every value in it has the right type.
    pub fn well_typed(&mut self, id: NodeId) -> Value {
        self.is_wrong_at_times = false;
        self.value(id, 0)
    }

    /// A complete object.
    pub fn object(&mut self) -> Value {
        let mut object = self.value(self.schema.version.root, 0);
        if !object.is_object() {
            object = json!({});
        }
        let entry = self.schema.entry;
        let api = match &*entry.group {
            "" => self.schema.version.name.clone(),
            group => format!("{group}/{}", self.schema.version.name),
        };
        object["apiVersion"] = api.into();
        object["kind"] = entry.kind.as_ref().into();
        object["metadata"] = json!({"name": "random", "generation": 1});
        object
    }

    /// True once in `of` times, on average.
    fn once_in(&mut self, of: u32) -> bool {
        self.rng.random_ratio(1, of)
    }

    fn value(&mut self, id: NodeId, depth: usize) -> Value {
        let node = self.schema.node(id);
        if self.is_wrong_at_times && self.once_in(60) {
            return self.anything();
        }
        if !node.enumeration.is_empty() && !self.once_in(30) {
            return self.pick(&node.enumeration).clone();
        }
        if node.int_or_string {
            return if self.once_in(2) {
                self.number(node)
            } else {
                self.text(node)
            };
        }
        match node.type_ {
            Some(Type::String) => self.text(node),
            Some(Type::Integer | Type::Number) => self.number(node),
            Some(Type::Boolean) => self.once_in(2).into(),
            Some(Type::Array) => self.list(node, depth),
            Some(Type::Object) => self.map(node, depth),
            None => self.anything(),
        }
    }

    fn map(&mut self, node: &Schema, depth: usize) -> Value {
        let mut map = Map::new();
        if depth < DEEPEST {
            // If exactly one of several branches must match, few keys succeed more often than many.
            let share = self.rng.random_range(2..12);
            for (name, id) in &node.properties {
                let share = if self.names.contains(name) { 2 } else { share };
                let wanted = node.required.contains(name);
                if (wanted && !self.once_in(40)) || (!wanted && self.once_in(share)) {
                    let value = self.value(*id, depth + 1);
                    map.insert(name.clone(), value);
                }
            }
            if let Some(Additional::Schema(id)) = node.additional_properties {
                for _ in 0..self.rng.random_range(0..4) {
                    let (name, value) = (*self.pick(TEXTS), self.value(id, depth + 1));
                    map.insert(name.to_owned(), value);
                }
            }
        }
        if self.is_wrong_at_times && self.once_in(80) {
            map.insert((*self.pick(TEXTS)).to_owned(), self.anything());
        }
        map.into()
    }

    fn list(&mut self, node: &Schema, depth: usize) -> Value {
        let (Some(items), true) = (node.items, depth < DEEPEST) else {
            return json!([]);
        };
        let least = node.min_items.unwrap_or(0).min(LONGEST);
        let most = node.max_items.unwrap_or(least + 3).min(least + 3);
        let count = self.rng.random_range(least..=most.max(least)) + u64::from(self.once_in(40));
        let mut list: Vec<Value> = (0..count).map(|_| self.value(items, depth + 1)).collect();
        if self.once_in(20) {
            list.extend(list.first().cloned());
        }
        list.into()
    }

    fn text(&mut self, node: &Schema) -> Value {
        if !self.texts.is_empty() && self.once_in(2) {
            let at = self.rng.random_range(0..self.texts.len());
            return self.texts[at].as_str().into();
        }
        let text = (*self.pick(TEXTS)).to_owned();
        let short = node
            .max_length
            .filter(|most| *most < 300)
            .and_then(|most| usize::try_from(most).ok());
        match short {
            Some(most) if self.once_in(10) => {
                "é".repeat(most + usize::from(self.once_in(2))).into()
            }
            _ => text.into(),
        }
    }

    fn number(&mut self, node: &Schema) -> Value {
        let bound = |bound: &Option<serde_json::Number>| {
            bound.as_ref().and_then(serde_json::Number::as_i64)
        };
        let (least, most) = (bound(&node.minimum), bound(&node.maximum));
        let near = [
            least,
            most,
            Some(0),
            Some(1),
            Some(443),
            Some(i64::from(i32::MAX)),
        ];
        let near: Vec<i64> = near.into_iter().flatten().collect();
        let number = self
            .pick(&near)
            .saturating_add(self.rng.random_range(-1..=1));
        if (self.is_wrong_at_times || node.type_ == Some(Type::Number)) && self.once_in(20) {
            #[allow(clippy::cast_precision_loss)] // any float will do
            return json!(number as f64 + if self.once_in(2) { 0.5 } else { 0.0 });
        }
        number.into()
    }

    /// A value of any type.
    fn anything(&mut self) -> Value {
        let text = *self.pick(TEXTS);
        let values = [
            json!(null),
            json!(true),
            json!(-1),
            json!(1.5),
            json!(text),
            json!([]),
            json!([text, 1]),
            json!({}),
            json!({text: text}),
        ];
        self.pick(&values).clone()
    }

    fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.rng.random_range(0..of.len())]
    }
}
