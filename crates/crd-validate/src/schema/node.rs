//! One node of a compiled schema: what the API server checks of one value.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

/// Names a node of one compiled file. A node's children have smaller numbers than the node itself, so no
/// walk over nodes can run in circles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u32);

/// The types that a CRD's schema can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// A list.
    Array,
    /// `true` or `false`.
    Boolean,
    /// A whole number; a float without a fraction counts.
    Integer,
    /// Any number.
    Number,
    /// A map.
    Object,
    /// Text.
    String,
}

/// What a map's keys beyond `properties` lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Additional {
    /// Anything, or nothing.
    Allowed(bool),
    /// Values of this schema.
    Schema(NodeId),
}

/// How a list is merged and what may stand in it twice (`x-kubernetes-list-type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListType {
    /// Replaced whole; duplicates are allowed.
    Atomic,
    /// Scalars, each once.
    Set,
    /// Maps, each with keys of its own (`x-kubernetes-list-map-keys`).
    Map,
}

/// A CEL rule (`x-kubernetes-validations`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// The expression.
    pub rule: String,
    /// Upstream's words; only of a user's own CRDs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// An expression that yields upstream's words; only of a user's own CRDs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_expression: Option<String>,
    /// The kind of error; `FieldValueInvalid` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The field that is at fault, relative to the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_path: Option<String>,
    /// Whether a rule on changes runs on creation too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optional_old_self: Option<bool>,
}

/// One node: the keywords of a structural schema (apiextensions.k8s.io/v1 `JSONSchemaProps`), under their
/// own names, without prose. Children are numbers of other nodes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Schema {
    /// The type; `None` with `int_or_string`, in branches of combinations, and where anything goes.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<Type>,
    /// `format`; the API server enforces some, see [`format`](k8s_syntax::format).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Whether null is a value; elsewhere the API server drops a null field.
    #[serde(skip_serializing_if = "is_false")]
    pub nullable: bool,
    /// Whether a whole number will do where there is a string, and the other way round.
    #[serde(
        rename = "x-kubernetes-int-or-string",
        skip_serializing_if = "is_false"
    )]
    pub int_or_string: bool,
    /// Whether fields beyond `properties` are kept.
    #[serde(
        rename = "x-kubernetes-preserve-unknown-fields",
        skip_serializing_if = "is_false"
    )]
    pub preserve_unknown_fields: bool,
    /// Whether this is a whole object with `apiVersion`, `kind` and `metadata`.
    #[serde(
        rename = "x-kubernetes-embedded-resource",
        skip_serializing_if = "is_false"
    )]
    pub embedded_resource: bool,
    /// The values that are allowed.
    #[serde(rename = "enum", skip_serializing_if = "Vec::is_empty")]
    pub enumeration: Vec<Value>,
    /// What an absent field is set to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// The least number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Number>,
    /// Whether `minimum` itself is excluded.
    #[serde(skip_serializing_if = "is_false")]
    pub exclusive_minimum: bool,
    /// The greatest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<Number>,
    /// Whether `maximum` itself is excluded.
    #[serde(skip_serializing_if = "is_false")]
    pub exclusive_maximum: bool,
    /// What the number must be a multiple of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multiple_of: Option<Number>,
    /// The least length of text, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u64>,
    /// The greatest length of text, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u64>,
    /// A regular expression (RE2) that must be found in the text; not anchored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The least number of items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_items: Option<u64>,
    /// The greatest number of items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u64>,
    /// Whether no two items may be equal.
    #[serde(skip_serializing_if = "is_false")]
    pub unique_items: bool,
    /// The least number of keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_properties: Option<u64>,
    /// The greatest number of keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_properties: Option<u64>,
    /// How the list is merged.
    #[serde(
        rename = "x-kubernetes-list-type",
        skip_serializing_if = "Option::is_none"
    )]
    pub list_type: Option<ListType>,
    /// The keys that tell items apart.
    #[serde(
        rename = "x-kubernetes-list-map-keys",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub list_map_keys: Vec<String>,
    /// `atomic` where the map is replaced whole.
    #[serde(
        rename = "x-kubernetes-map-type",
        skip_serializing_if = "Option::is_none"
    )]
    pub map_type: Option<String>,
    /// The keys that must be there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<String>,
    /// The keys that are known.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, NodeId>,
    /// What further keys lead to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_properties: Option<Additional>,
    /// What the list holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<NodeId>,
    /// All of these hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub all_of: Vec<NodeId>,
    /// At least one of these holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub any_of: Vec<NodeId>,
    /// Exactly one of these holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<NodeId>,
    /// This does not hold.
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
    /// What the key `name` leads to, where the schema says.
    pub fn child(&self, name: &str) -> Option<NodeId> {
        match (self.properties.get(name), self.additional_properties) {
            (Some(id), _) => Some(*id),
            (None, Some(Additional::Schema(id))) => Some(id),
            (None, _) => None,
        }
    }

    /// Whether keys beyond `properties` are kept.
    pub fn is_open(&self) -> bool {
        self.preserve_unknown_fields
            || !matches!(
                self.additional_properties,
                None | Some(Additional::Allowed(false))
            )
    }

    /// The nodes of the values that a value of this one holds.
    pub fn inside(&self) -> impl Iterator<Item = NodeId> {
        let additional = match self.additional_properties {
            Some(Additional::Schema(id)) => Some(id),
            _ => None,
        };
        let fields = self.properties.values().copied();
        fields.chain(additional).chain(self.items)
    }

    /// Every node that this one refers to.
    pub fn children(&self) -> impl Iterator<Item = NodeId> {
        self.inside()
            .chain(self.not)
            .chain(self.all_of.iter().copied())
            .chain(self.any_of.iter().copied())
            .chain(self.one_of.iter().copied())
    }
}
