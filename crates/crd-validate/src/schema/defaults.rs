//! Objects as the API server sees them before validation: without nulls, and with defaults.
//!
//! This follows apiextensions-apiserver's `structural/defaulting` (Kubernetes 1.34): `Default`, then
//! `PruneNonNullableNullsWithoutDefaults`. Inserted defaults get defaults too.

use std::borrow::Cow;

use serde_json::Value;

use super::compiled::{Compiled, KindVersion};
use super::node::{Additional, NodeId, Schema};
use manifest::value::{Kind, Map, Node};

/// The object without what the API server drops first: on creation, the status of a kind with the `status`
/// subresource.
pub fn object<'a>(object: &'a Node, version: &KindVersion) -> Cow<'a, Node> {
    match &object.kind {
        Kind::Map(map) if version.status && map.contains_key("status") => {
            let mut map = map.clone();
            map.remove("status");
            Cow::Owned(Node::new(Kind::Map(map), object.span))
        }
        _ => Cow::Borrowed(object),
    }
}

/// A field of a map, after defaults are applied.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// Its key.
    pub key: &'a str,
    /// Its node in the schema, if the schema has the field.
    pub id: Option<NodeId>,
    value: Settled<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Settled<'a> {
    Written(&'a Node),
    Default(&'a Value),
}

impl<'a> Field<'a> {
    /// Its value. A written value keeps its place, an inserted default has none. Defaults inside the value are not
    /// applied yet.
    pub fn value(&self) -> Cow<'a, Node> {
        match self.value {
            Settled::Written(node) => Cow::Borrowed(node),
            Settled::Default(value) => Cow::Owned(Node::from_json(value.clone())),
        }
    }
}

/// The fields of a map with defaults and without nulls, in arbitrary order.
pub fn fields<'a>(
    map: &'a Map,
    compiled: &'a Compiled,
    schema: &'a Schema,
) -> impl Iterator<Item = Field<'a>> {
    let written = map.iter().filter_map(move |(key, node)| {
        let id = child(schema, key);
        let value = match id.map(|id| compiled.node(id)) {
            Some(of_field) if is_bare_null(node, of_field) => {
                Settled::Default(of_field.default.as_ref()?)
            }
            _ => Settled::Written(node),
        };
        Some(Field { key, id, value })
    });
    let inserted = schema.properties.iter().filter_map(move |(key, id)| {
        let default = compiled.node(*id).default.as_ref()?;
        (!map.contains_key(key)).then_some(Field {
            key,
            id: Some(*id),
            value: Settled::Default(default),
        })
    });
    written.chain(inserted)
}

/// A field of a map with defaults and without nulls; `None` if it isn't there.
pub(crate) fn field<'a>(
    map: &'a Node,
    compiled: &'a Compiled,
    schema: &'a Schema,
    key: &str,
) -> Option<Cow<'a, Node>> {
    let of_field = child(schema, key).map(|id| compiled.node(id));
    let default = of_field.and_then(|of_field| of_field.default.as_ref());
    let written = map.get(key).filter(|node| {
        let is_dropped = of_field.is_some_and(|of_field| is_bare_null(node, of_field));
        !is_dropped
    });
    match written {
        Some(node) => Some(Cow::Borrowed(node)),
        None if schema.properties.contains_key(key) => {
            default.map(|default| Cow::Owned(Node::from_json(default.clone())))
        }
        None => None,
    }
}

/// An item of a list: a null that is not allowed becomes the default.
pub(crate) fn item<'a>(node: &'a Node, of_item: &Schema) -> Cow<'a, Node> {
    match &of_item.default {
        Some(default) if is_bare_null(node, of_item) => {
            Cow::Owned(Node::from_json(default.clone()))
        }
        _ => Cow::Borrowed(node),
    }
}

/// The whole object as the API server sees it, at all depths.
pub fn settle(node: &Node, compiled: &Compiled, version: &KindVersion) -> Node {
    settled(&object(node, version), compiled, version.root)
}

fn settled(node: &Node, compiled: &Compiled, id: NodeId) -> Node {
    let schema = compiled.node(id);
    let kind = match (&node.kind, schema.items) {
        (Kind::Map(map), _) => {
            let fields = fields(map, compiled, schema).map(|field| {
                let value = field.value();
                let below = field.id.map(|id| settled(&value, compiled, id));
                (field.key, below.unwrap_or(value.into_owned()))
            });
            Kind::Map(fields.collect())
        }
        (Kind::List(items), Some(id)) => {
            let of_item = compiled.node(id);
            let items = items.iter();
            let items = items.map(|it| settled(&item(it, of_item), compiled, id));
            Kind::List(items.collect())
        }
        _ => node.kind.clone(),
    };
    Node::new(kind, node.span)
}

fn child(schema: &Schema, key: &str) -> Option<NodeId> {
    let further = match schema.additional_properties {
        Some(Additional::Schema(id)) => Some(id),
        _ => None,
    };
    schema.properties.get(key).copied().or(further)
}

/// Whether a value is a null that is not allowed.
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
