//! Lists: their length, their items, and duplicates.

use std::collections::HashMap;

use serde_json::Value;

use super::number::{self, Read};
use super::walk::{StructureWalk, View};
use super::words;
use crate::passes::Request;
use crate::schema::node::{ListType, Schema, Type};
use manifest::value::{Kind, Node, trail::TrailStep};

impl StructureWalk<'_> {
    /// Checks the current value, a list.
    pub(super) fn list(&mut self, items: &[Node], view: View, schema: &Schema) {
        let length = items.len() as u64;
        if schema.min_items.is_some_and(|least| length < least)
            || schema.max_items.is_some_and(|most| length > most)
        {
            let over = schema.max_items.is_some_and(|most| length > most);
            self.report_size(over, |walk| {
                words::size(walk, "entry", length, schema.min_items, schema.max_items)
            });
        }
        if let Some(node) = schema.items {
            let shape = view.shape.and_then(|shape| self.schema.node(shape).items);
            for (index, item) in items.iter().enumerate() {
                // A null becomes the default.
                let is_default = matches!(item.kind, Kind::Null)
                    && shape.is_some_and(|shape| self.schema.node(shape).default.is_some());
                if is_default {
                    continue;
                }
                // In one of Kubernetes' own kinds, a null is an entry without fields.
                let empty = Node::from_json(Value::Object(serde_json::Map::new()));
                let no_text = Node::from_json(Value::from(""));
                let is_null = self.is_builtin && matches!(item.kind, Kind::Null);
                let item = match self.schema.node(node).type_ {
                    Some(Type::Object) if is_null && !self.is_keyed(schema) => &empty,
                    Some(Type::String) if is_null && !self.is_keyed(schema) => &no_text,
                    _ if is_null && !self.is_keyed(schema) => continue,
                    _ => item,
                };
                self.inside(TrailStep::Index(index), |walk| {
                    walk.value(item, View { node, shape })
                });
            }
        }
        // On creation the server looks for duplicates of its own kinds in its own code.
        let is_own = self.is_builtin && self.request == Request::Create;
        match schema.list_type {
            _ if is_own => {}
            Some(ListType::Set) => self.set(items),
            Some(ListType::Map) => self.keyed(items, schema),
            _ if schema.unique_items => self.set(items),
            _ => {}
        }
    }

    /// Whether server-side apply tells the entries of a list apart by their values or keys.
    fn is_keyed(&self, schema: &Schema) -> bool {
        let is_keyed = matches!(schema.list_type, Some(ListType::Set | ListType::Map));
        is_keyed && self.request == Request::Apply
    }

    /// Checks that each value of a set appears only once.
    fn set(&mut self, items: &[Node]) {
        let mut seen = Seen::default();
        for (index, item) in items.iter().enumerate() {
            if let Some(first) = seen.first(canonical(item.to_json(), self.request), index) {
                self.inside(TrailStep::Index(index), |walk| {
                    walk.report(|walk| words::twice(walk, item, first));
                });
            }
        }
    }

    /// Checks that each entry has a unique key.
    fn keyed(&mut self, items: &[Node], schema: &Schema) {
        let kind = self.schema;
        let of_item = schema.items.map(|node| kind.node(node));
        let default = |key: &String| {
            let node = kind.node(*of_item?.properties.get(key)?);
            node.default.clone()
        };
        let mut seen = Seen::default();
        for (index, item) in items.iter().enumerate() {
            let values: Vec<(&String, Value)> = schema
                .list_map_keys
                .iter()
                .filter_map(|key| {
                    let given = item
                        .get(key)
                        .filter(|value| !matches!(value.kind, Kind::Null));
                    Some((key, given.map(Node::to_json).or_else(|| default(key))?))
                })
                .collect();
            if !matches!(item.kind, Kind::Map(_)) {
                continue;
            }
            let of_item = schema.items.map(|node| kind.node(node));
            let is_required = |key| of_item.is_some_and(|item| item.required.contains(key));
            let is_known = schema.list_map_keys.iter().any(is_required) && !self.in_status;
            if values.is_empty() && self.request == Request::Apply && !is_known {
                self.inside(TrailStep::Index(index), |walk| {
                    walk.report(|walk| words::without_key(walk, &schema.list_map_keys));
                });
                continue;
            }
            let text: Vec<String> = values
                .iter()
                .map(|(key, value)| format!("{key}: {}", canonical(value.clone(), Request::Apply)))
                .collect();
            let text = text.join(", ");
            if let Some(first) = seen.first(text.clone(), index) {
                self.inside(TrailStep::Index(index), |walk| {
                    walk.report(|walk| words::key_twice(walk, &text, first));
                });
            }
        }
    }
}

/// The values of a list so far: where each appears first, and whether it has appeared again.
#[derive(Default)]
struct Seen(HashMap<String, (usize, bool)>);

impl Seen {
    /// The index of a value's first appearance, when it appears for the second time. The API server reports a value
    /// only once, even if it appears many times.
    fn first(&mut self, value: String, index: usize) -> Option<usize> {
        let (first, again) = self.0.entry(value).or_insert((index, false));
        let is_second = *first != index && !*again;
        *again |= is_second;
        is_second.then_some(*first)
    }
}

/// The text of a value, which is the same for equal values. On creation, a float never equals an integer.
fn canonical(value: Value, request: Request) -> String {
    fn sorted(value: Value, request: Request) -> Value {
        match value {
            Value::Object(map) => {
                let map: std::collections::BTreeMap<String, Value> = map
                    .into_iter()
                    .map(|(key, value)| (key, sorted(value, request)))
                    .collect();
                Value::Object(map.into_iter().collect())
            }
            Value::Array(items) => items
                .into_iter()
                .map(|item| sorted(item, request))
                .collect(),
            Value::Number(number) if number.is_f64() => match number::read(&number, request) {
                Read::Int(whole) => Value::from(whole),
                Read::Float(_) => Value::Number(number),
            },
            other => other,
        }
    }
    sorted(value, request).to_string()
}
