//! A node of a compiled schema: what the API server checks on one value.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

/// Identifies a node in one compiled file. The children of a node have smaller numbers than the node itself, so no
/// walk over nodes can be infinite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u32);

/// The types that a CRD's schema can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// A list.
    Array,
    /// `true` or `false`.
    Boolean,
    /// An integer, or a float without a fraction.
    Integer,
    /// Any number.
    Number,
    /// A map.
    Object,
    /// A string.
    String,
}

/// The schema of a map's keys that are not in `properties`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Additional {
    /// Any values, or none.
    Allowed(bool),
    /// Values with this schema.
    Schema(NodeId),
}

/// How a list is merged, and which items must be unique (`x-kubernetes-list-type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListType {
    /// It is replaced as a whole; duplicates are allowed.
    Atomic,
    /// Its items are unique scalars.
    Set,
    /// Its items are maps with unique keys (`x-kubernetes-list-map-keys`).
    Map,
}

/// A CEL rule (`x-kubernetes-validations`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// The expression.
    pub rule: String,
    /// Upstream's message; only in the user's own CRDs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// An expression for upstream's message; only in the user's own CRDs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_expression: Option<String>,
    /// The type of error; `FieldValueInvalid` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The field that the error is reported on, relative to the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_path: Option<String>,
    /// Whether a transition rule is also evaluated on creation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optional_old_self: Option<bool>,
}

/// A node: the keywords of a structural schema (apiextensions.k8s.io/v1 `JSONSchemaProps`) under their own names,
/// without descriptions. Children are given as numbers of other nodes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Schema {
    /// The type; `None` with `int_or_string`, in branches of combinations, and if any value is allowed.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<Type>,
    /// The format. The API server enforces some, see [`format`](k8s_syntax::format).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Whether null is allowed. If not, the API server drops a null field.
    #[serde(skip_serializing_if = "is_false")]
    pub nullable: bool,
    /// Whether the value may be an integer or a string.
    #[serde(
        rename = "x-kubernetes-int-or-string",
        skip_serializing_if = "is_false"
    )]
    pub int_or_string: bool,
    /// Whether fields that are not in `properties` are kept.
    #[serde(
        rename = "x-kubernetes-preserve-unknown-fields",
        skip_serializing_if = "is_false"
    )]
    pub preserve_unknown_fields: bool,
    /// Whether this is a complete object with `apiVersion`, `kind` and `metadata`.
    #[serde(
        rename = "x-kubernetes-embedded-resource",
        skip_serializing_if = "is_false"
    )]
    pub embedded_resource: bool,
    /// The allowed values.
    #[serde(rename = "enum", skip_serializing_if = "Vec::is_empty")]
    pub enumeration: Vec<Value>,
    /// The value of a missing field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// The minimum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Number>,
    /// Whether `minimum` itself is excluded.
    #[serde(skip_serializing_if = "is_false")]
    pub exclusive_minimum: bool,
    /// The maximum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<Number>,
    /// Whether `maximum` itself is excluded.
    #[serde(skip_serializing_if = "is_false")]
    pub exclusive_maximum: bool,
    /// The number that the value must be a multiple of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multiple_of: Option<Number>,
    /// The minimum length of a string, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u64>,
    /// The maximum length of a string, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u64>,
    /// A regular expression (RE2) that must match a part of the string.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The minimum number of items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_items: Option<u64>,
    /// The maximum number of items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u64>,
    /// Whether all items must be different.
    #[serde(skip_serializing_if = "is_false")]
    pub unique_items: bool,
    /// The minimum number of keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_properties: Option<u64>,
    /// The maximum number of keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_properties: Option<u64>,
    /// How the list is merged.
    #[serde(
        rename = "x-kubernetes-list-type",
        skip_serializing_if = "Option::is_none"
    )]
    pub list_type: Option<ListType>,
    /// The keys that identify an item.
    #[serde(
        rename = "x-kubernetes-list-map-keys",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub list_map_keys: Vec<String>,
    /// `atomic` if the map is replaced as a whole.
    #[serde(
        rename = "x-kubernetes-map-type",
        skip_serializing_if = "Option::is_none"
    )]
    pub map_type: Option<String>,
    /// The required keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<String>,
    /// The known keys.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, NodeId>,
    /// The schema of other keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_properties: Option<Additional>,
    /// The schema of the list's items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<NodeId>,
    /// The value must match all of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub all_of: Vec<NodeId>,
    /// The value must match at least one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub any_of: Vec<NodeId>,
    /// The value must match exactly one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<NodeId>,
    /// The value must not match this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not: Option<NodeId>,
    /// The CEL rules.
    #[serde(
        rename = "x-kubernetes-validations",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub rules: Vec<Rule>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes a reference
fn is_false(value: &bool) -> bool {
    !*value
}

impl Schema {
    /// The node for the key `name`, if the schema has one.
    pub fn child(&self, name: &str) -> Option<NodeId> {
        match (self.properties.get(name), self.additional_properties) {
            (Some(id), _) => Some(*id),
            (None, Some(Additional::Schema(id))) => Some(id),
            (None, _) => None,
        }
    }

    /// Whether keys that are not in `properties` are kept.
    pub fn is_open(&self) -> bool {
        self.preserve_unknown_fields
            || !matches!(
                self.additional_properties,
                None | Some(Additional::Allowed(false))
            )
    }

    /// The nodes of the values inside a value of this node.
    pub fn inside(&self) -> impl Iterator<Item = NodeId> {
        let additional = match self.additional_properties {
            Some(Additional::Schema(id)) => Some(id),
            _ => None,
        };
        let fields = self.properties.values().copied();
        fields.chain(additional).chain(self.items)
    }

    /// All nodes that this one refers to.
    pub(crate) fn children(&self) -> impl Iterator<Item = NodeId> {
        self.inside()
            .chain(self.not)
            .chain(self.all_of.iter().copied())
            .chain(self.any_of.iter().copied())
            .chain(self.one_of.iter().copied())
    }
}
