//! The types of the fields of `metadata`, which the API server decodes into Go types (meta/v1) before anything else.

use super::MetadataWalk;
use crate::codes;
use crate::passes::Request;
use k8s_syntax::{names, time};
use manifest::diagnostic::suggest::nearest;
use manifest::finding_on_key;
use manifest::value::{Kind, Map, Node, Pointer, variable};

/// The type of a field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Time,
    Whole,
    Flag,
    /// It is checked elsewhere, or may be anything.
    Other,
}

use Shape::{Flag, Other, Text, Time, Whole};

impl Shape {
    /// Whether a value has this type; a null is the same as no value.
    fn holds(self, node: &Node) -> bool {
        match (self, &node.kind) {
            (_, Kind::Null) | (Other, _) => true,
            (Text, Kind::String(_)) | (Flag, Kind::Bool(_)) => true,
            (Time, Kind::String(text)) => variable::in_text(text) || time::is_rfc3339(text),
            (Whole | Flag, Kind::String(text)) => variable::is_all(text),
            (Whole, Kind::Number(number)) => {
                let is_whole = |float: f64| float.fract() == 0.0 && float.abs() < 9.2e18;
                number.as_i64().is_some()
                    || (number.is_f64() && number.as_f64().is_some_and(is_whole))
            }
            _ => false,
        }
    }

    fn want(self) -> &'static str {
        match self {
            Text => "a string",
            Time => "a date and time, like `2026-01-31T08:00:00Z`",
            Whole => "an integer",
            Flag => "`true` or `false`",
            Other => "another value",
        }
    }
}

/// The fields of a Go type.
pub(super) type Fields = &'static [(&'static str, Shape)];

/// The fields of `metadata` (`ObjectMeta`).
pub(super) const METADATA: Fields = &[
    ("annotations", Other),
    ("creationTimestamp", Time),
    ("deletionGracePeriodSeconds", Whole),
    ("deletionTimestamp", Time),
    ("finalizers", Other),
    ("generateName", Text),
    ("generation", Whole),
    ("labels", Other),
    ("managedFields", Other),
    ("name", Text),
    ("namespace", Text),
    ("ownerReferences", Other),
    ("resourceVersion", Text),
    ("selfLink", Text),
    ("uid", Text),
];

/// The fields of an owner (`OwnerReference`).
pub(super) const OWNER: Fields = &[
    ("apiVersion", Text),
    ("blockOwnerDeletion", Flag),
    ("controller", Flag),
    ("kind", Text),
    ("name", Text),
    ("uid", Text),
];

/// The fields of what a manager manages (`ManagedFieldsEntry`).
pub(super) const MANAGED: Fields = &[
    ("apiVersion", Text),
    ("fieldsType", Text),
    ("fieldsV1", Other),
    ("manager", Text),
    ("operation", Text),
    ("subresource", Text),
    ("time", Time),
];

impl MetadataWalk<'_> {
    /// Checks that a map only has these fields, and that they have their types.
    pub(super) fn typed(&mut self, map: &Map, root: &Pointer, fields: Fields) {
        for (key, node) in map.iter() {
            match fields.iter().find(|(known, _)| *known == key) {
                Some((_, shape)) if shape.holds(node) || self.is_dropped(*shape, node) => {}
                Some((_, shape)) => self.wrong_type(&root.key(key), shape.want()),
                None if variable::in_text(key) => {}
                None => self.unknown_field(key, root, fields),
            }
        }
    }

    /// Whether the API server drops a value that doesn't have its type: on server-side apply, a malformed time or number
    /// in the metadata of a custom resource.
    fn is_dropped(&self, shape: Shape, node: &Node) -> bool {
        let is_lenient =
            self.request == Request::Apply && !names::is_builtin_group(self.object.group());
        is_lenient
            && match shape {
                Time => !matches!(node.kind, Kind::List(_) | Kind::Map(_)),
                Whole => matches!(node.kind, Kind::Number(_)),
                _ => false,
            }
    }

    /// Checks that a field is a map of strings.
    pub(super) fn texts(&mut self, map: &Map, root: &Pointer, key: &str) {
        let root = root.key(key);
        match map.get(key).map(|node| &node.kind) {
            Some(Kind::Map(map)) => {
                for (key, _) in map.iter().filter(|(_, value)| !Text.holds(value)) {
                    self.wrong_type(&root.key(key), Text.want());
                }
            }
            None | Some(Kind::Null) => {}
            Some(_) => self.wrong_type(&root, "a map"),
        }
    }

    pub(super) fn wrong_type(&mut self, pointer: &Pointer, want: &str) {
        let message = format!("`{}` must be {want}", pointer.dotted());
        let help = match want {
            "a string" => "put it in quotes".to_owned(),
            _ => format!("write {want}"),
        };
        self.report_as(codes::SCHEMA_TYPE, pointer, message, help);
    }

    fn unknown_field(&mut self, key: &str, root: &Pointer, fields: Fields) {
        let pointer = root.key(key);
        let whole = match fields {
            _ if std::ptr::eq(fields, OWNER) => "an owner",
            _ if std::ptr::eq(fields, MANAGED) => "managed fields",
            _ => "`metadata`",
        };
        let message = format!("`{}` is not a field of {whole}", pointer.dotted());
        let help = match nearest(key, fields.iter().map(|(known, _)| *known)) {
            Some(meant) => format!("write `{meant}`"),
            None if std::ptr::eq(fields, METADATA) => {
                "remove it; your own keys belong under `labels` or `annotations`".to_owned()
            }
            None => "remove it".to_owned(),
        };
        let found = finding_on_key(codes::SCHEMA_UNKNOWN_FIELD, self.object, &pointer, message)
            .why("the API server refuses unknown fields")
            .help(help);
        self.found.push(found);
    }

    /// The items of a list, with their places; a value of another type is reported.
    pub(super) fn items<'n>(
        &mut self,
        map: &'n Map,
        root: &Pointer,
        key: &str,
    ) -> Vec<(Pointer, &'n Node)> {
        let root = root.key(key);
        match map.get(key).map(|node| &node.kind) {
            Some(Kind::List(items)) => items
                .iter()
                .enumerate()
                .map(|(index, item)| (root.index(index), item))
                .collect(),
            None | Some(Kind::Null) => Vec::new(),
            Some(_) => {
                self.wrong_type(&root, "a list");
                Vec::new()
            }
        }
    }
}
