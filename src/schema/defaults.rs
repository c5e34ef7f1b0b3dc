//! An object as the API server has it before it looks at it: nulls out, defaults in.
//!
//! apiextensions-apiserver's `structural/defaulting` (Kubernetes 1.34): `Default`, then
//! `PruneNonNullableNullsWithoutDefaults`. Defaults reach into defaults that were inserted.

use super::compiled::{Compiled, KindVersion};
use super::node::{Additional, NodeId, Schema};
use crate::value::{Kind, Map, Node};

/// The object with defaults in and nulls out. What was written keeps its place, what was inserted has none.
/// The status is left out where the kind has one of its own: on creation the API server drops it.
pub fn settle(object: &Node, compiled: &Compiled, version: &KindVersion) -> Node {
    let mut settled = object.clone();
    if version.status
        && let Kind::Map(map) = &mut settled.kind
    {
        map.remove("status");
    }
    value(&mut settled, compiled, version.root);
    settled
}

/// Settles a value of a schema.
fn value(node: &mut Node, compiled: &Compiled, id: NodeId) {
    let schema = compiled.node(id);
    match &mut node.kind {
        Kind::Map(map) => fields(map, compiled, schema),
        Kind::List(items) => {
            let Some(id) = schema.items else { return };
            let of_item = compiled.node(id);
            for item in items {
                if let (true, Some(default)) = (is_bare_null(item, of_item), &of_item.default) {
                    *item = Node::from_json(default.clone());
                }
                value(item, compiled, id);
            }
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => {}
    }
}

fn fields(map: &mut Map, compiled: &Compiled, schema: &Schema) {
    for (key, id) in &schema.properties {
        let child = compiled.node(*id);
        let Some(default) = &child.default else {
            continue;
        };
        if map.get(key).is_none_or(|given| is_bare_null(given, child)) {
            map.insert(key.clone(), Node::from_json(default.clone()));
        }
    }
    let mut dropped = Vec::new();
    for (key, given) in map.iter_mut() {
        let Some(id) = child(schema, key) else {
            continue;
        };
        let of_field = compiled.node(id);
        if is_bare_null(given, of_field) {
            match &of_field.default {
                Some(default) => *given = Node::from_json(default.clone()),
                None => dropped.push(key.to_owned()),
            }
        }
        value(given, compiled, id);
    }
    for key in dropped {
        map.remove(&key);
    }
}

fn child(schema: &Schema, key: &str) -> Option<NodeId> {
    let further = match schema.additional_properties {
        Some(Additional::Schema(id)) => Some(id),
        _ => None,
    };
    schema.properties.get(key).copied().or(further)
}

/// Whether a value is null where null is no value.
fn is_bare_null(node: &Node, schema: &Schema) -> bool {
    matches!(node.kind, Kind::Null) && !schema.nullable
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::import::{Keep, compile};

    fn settled(schema: serde_json::Value, object: serde_json::Value) -> serde_json::Value {
        let crd = json!({
            "spec": {
                "group": "example.com",
                "names": {"kind": "Thing", "plural": "things"},
                "scope": "Namespaced",
                "versions": [{
                    "name": "v1", "served": true, "storage": true,
                    "schema": {"openAPIV3Schema": schema},
                }],
            },
        });
        let text = compile(&Node::from_json(crd), Keep::Facts).expect("a CRD");
        let compiled = Compiled::read(text).expect("a compiled file");
        let version = compiled.header().versions.first().expect("a version");
        settle(&Node::from_json(object), &compiled, version).to_json()
    }

    #[test]
    fn defaults_reach_into_defaults_that_were_inserted() {
        let schema = json!({"type": "object", "properties": {"a": {
            "type": "object", "default": {}, "properties": {
                "b": {"type": "object", "default": {"c": 1}, "properties": {
                    "c": {"type": "integer"}, "d": {"type": "integer", "default": 2},
                }},
            },
        }}});
        assert_eq!(
            settled(schema, json!({})),
            json!({"a": {"b": {"c": 1, "d": 2}}})
        );
    }

    #[test]
    fn defaults_reach_into_lists_and_maps() {
        let item =
            json!({"type": "object", "properties": {"p": {"type": "string", "default": "x"}}});
        let schema = json!({"type": "object", "properties": {
            "list": {"type": "array", "items": item},
            "map": {"type": "object", "additionalProperties": item},
        }});
        assert_eq!(
            settled(schema, json!({"list": [{}, {"p": "y"}], "map": {"k": {}}})),
            json!({"list": [{"p": "x"}, {"p": "y"}], "map": {"k": {"p": "x"}}})
        );
    }

    #[test]
    fn a_null_becomes_the_default_is_dropped_or_is_kept_where_it_is_a_value() {
        let schema = json!({"type": "object", "properties": {
            "default": {"type": "string", "default": "x"},
            "plain": {"type": "string"},
            "nullable": {"type": "string", "nullable": true},
            "both": {"type": "string", "nullable": true, "default": "x"},
        }});
        let nulls = json!({"default": null, "plain": null, "nullable": null, "both": null});
        assert_eq!(
            settled(schema, nulls),
            json!({"default": "x", "nullable": null, "both": null})
        );
    }
}
