//! What may be written in a manifest.

use std::collections::BTreeSet;

use super::candidate::{Candidate, CandidateKind};
use super::index::Index;
use super::links::{Part, Reference, reference_at};
use super::outline::{Cursor, Outline};
use crd_validate::schema::node::{NodeId, Schema, Type};
use crd_validate::schema::{Catalogue, KindSchema, Lookup, Selection};
use manifest::value::Pointer;
use manifest::value::pointer::Step;

/// The schemas that a text is written against.
#[derive(Clone, Copy)]
pub struct Schemas<'a> {
    /// All schemas.
    pub catalogue: &'a Catalogue,
    /// The version of each project.
    pub selection: &'a Selection,
}

impl<'a> Schemas<'a> {
    /// The schema of a kind in the version of an `apiVersion`.
    pub fn of(&self, api_version: &str, kind: &str) -> Option<KindSchema<'a>> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        match self.catalogue.look_up(self.selection, group, version, kind) {
            Lookup::Known(schema) => Some(schema),
            _ => None,
        }
    }

    /// The schema of a kind in the newest version of its group.
    pub fn newest(&self, group: &str, kind: &str) -> Option<KindSchema<'a>> {
        let mut entries = self.catalogue.entries().iter();
        let entry = entries.find(|it| it.is(group, kind) && self.selection.has(&it.set))?;
        let version = entry.served.last()?;
        match self.catalogue.look_up(self.selection, group, version, kind) {
            Lookup::Known(schema) => Some(schema),
            _ => None,
        }
    }
}

/// The node of the value at a pointer.
pub fn node_at(schema: &KindSchema<'_>, pointer: &Pointer) -> Option<NodeId> {
    let mut steps = pointer.steps().iter();
    steps.try_fold(schema.version.root, |id, step| match step {
        Step::Key(key) => schema.node(id).child(key),
        Step::Index(_) => schema.node(id).items,
    })
}

/// The object around a value, and the pointers in it.
pub struct ObjectAt<'a> {
    /// The outline of the document.
    outline: &'a Outline,
    /// The text of the file.
    text: &'a str,
    /// The object, in the document.
    object: Pointer,
}

impl<'a> ObjectAt<'a> {
    /// The object around the value at a pointer of a document.
    pub fn new(outline: &'a Outline, text: &'a str, pointer: &Pointer) -> Option<Self> {
        Some(ObjectAt {
            object: outline.object_above(pointer)?,
            outline,
            text,
        })
    }

    /// The pointer in the object of a pointer in the document.
    pub fn pointer(&self, in_document: &Pointer) -> Pointer {
        let below = in_document.steps().iter().skip(self.object.steps().len());
        below.fold(Pointer::root(), |at, step| at.step(step.clone()))
    }

    /// The text of a scalar of the object.
    pub fn value(&self, in_object: &Pointer) -> Option<String> {
        let steps = in_object.steps().iter();
        let pointer = steps.fold(self.object.clone(), |at, step| at.step(step.clone()));
        self.outline.value(self.text, &pointer)
    }

    /// The schema of the object.
    pub fn schema<'s>(&self, schemas: &Schemas<'s>) -> Option<KindSchema<'s>> {
        let root = Pointer::root();
        let api_version = self.value(&root.key("apiVersion"))?;
        schemas.of(&api_version, &self.value(&root.key("kind"))?)
    }

    /// What the value at a pointer of the document refers to.
    pub fn reference(&self, in_document: &Pointer) -> Option<Reference> {
        reference_at(&self.pointer(in_document), &|pointer| self.value(pointer))
    }
}

/// What may be written at a place in a manifest.
pub fn candidates(
    text: &str,
    outline: &Outline,
    cursor: &Cursor,
    schemas: &Schemas<'_>,
    index: &Index,
) -> Vec<Candidate> {
    let known = outline.keys_of(&cursor.container);
    let typed = text.get(cursor.word.clone()).unwrap_or_default();
    let missing = |name: &str| name == typed || !known.contains(&name);
    let Some(object) = ObjectAt::new(outline, text, &cursor.container) else {
        return headings(text, outline, cursor, schemas, &missing);
    };
    if cursor.container.steps().len() == object.object.steps().len()
        && matches!(cursor.key.as_deref(), Some("apiVersion" | "kind"))
    {
        return headings(text, outline, cursor, schemas, &missing);
    }
    let pointer = cursor.pointer();
    let names = match cursor.key {
        Some(_) => object.reference(&pointer).map(|it| names(&it, index)),
        None => None,
    };
    if let Some(names) = names.filter(|names| !names.is_empty()) {
        return names;
    }
    let Some(schema) = object.schema(schemas) else {
        return Vec::new();
    };
    let Some(id) = node_at(&schema, &object.pointer(&pointer)) else {
        return Vec::new();
    };
    match cursor.key {
        Some(_) => values(schema.node(id)),
        None => below(&schema, id, &missing),
    }
}

/// The keys of the map that a schema describes; or else its values, if an item of a list is typed.
pub fn below(
    schema: &KindSchema<'_>,
    id: NodeId,
    is_missing: &dyn Fn(&str) -> bool,
) -> Vec<Candidate> {
    let node = schema.node(id);
    let is_object = id == schema.version.root;
    let keys = node.properties.iter().filter(|(name, _)| {
        // Only controllers write the status.
        is_missing(name) && !(is_object && name.as_str() == "status")
    });
    let keys = keys.map(|(name, id)| {
        let required = if node.required.contains(name) {
            ", required"
        } else {
            ""
        };
        let detail = format!("{}{required}", schema.type_in_words(*id));
        Candidate::new(name.as_str(), CandidateKind::Key).detail(detail)
    });
    let keys: Vec<Candidate> = keys.collect();
    match keys.is_empty() {
        true => values(node),
        false => keys,
    }
}

/// The values of a closed set.
pub fn values(node: &Schema) -> Vec<Candidate> {
    let default = node.default.as_ref();
    let words = node.enumeration.iter();
    let value = |value: &serde_json::Value| {
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        let candidate = Candidate::new(text, CandidateKind::Value);
        match default == Some(value) {
            true => candidate.detail("default"),
            false => candidate,
        }
    };
    match node.type_ {
        Some(Type::Boolean) => [true, false].map(|it| value(&it.into())).into(),
        _ => words.map(value).collect(),
    }
}

/// What may be written where it is not known yet which kind of object it is.
fn headings(
    text: &str,
    outline: &Outline,
    cursor: &Cursor,
    schemas: &Schemas<'_>,
    is_missing: &dyn Fn(&str) -> bool,
) -> Vec<Candidate> {
    let heading = |key: &str| outline.value(text, &Pointer::root().key(key));
    let entries = schemas.catalogue.entries().iter();
    let entries = entries.filter(|entry| schemas.selection.has(&entry.set));
    let mut found: BTreeSet<String> = BTreeSet::new();
    match cursor.key.as_deref() {
        Some("kind") => {
            let api_version = heading("apiVersion").unwrap_or_default();
            let group = api_version.split_once('/').map_or("", |(group, _)| group);
            let is_open = api_version.is_empty();
            found.extend(
                entries
                    .filter(|entry| is_open || entry.group == group)
                    .map(|entry| entry.kind.to_string()),
            );
        }
        Some("apiVersion") => {
            let kind = heading("kind").unwrap_or_default();
            for entry in entries.filter(|entry| kind.is_empty() || entry.kind == kind) {
                let group = &*entry.group;
                found.extend(entry.served.iter().map(|version| match group {
                    "" => version.clone().into_owned(),
                    _ => format!("{group}/{version}"),
                }));
            }
        }
        None if cursor.container.steps().is_empty() => {
            let keys = ["apiVersion", "kind", "metadata", "spec"].into_iter();
            let keys = keys.filter(|key| is_missing(key));
            return keys
                .map(|key| Candidate::new(key, CandidateKind::Key))
                .collect();
        }
        _ => {}
    }
    let values = found.into_iter();
    values
        .map(|it| Candidate::new(it, CandidateKind::Value))
        .collect()
}

/// The names that a reference may have.
pub fn names(reference: &Reference, index: &Index) -> Vec<Candidate> {
    let named = |name: String| Candidate::new(name, CandidateKind::Name);
    match &reference.part {
        Part::Name => {
            let names = index.names(&reference.kind).into_iter();
            let wanted = reference.namespace.as_deref();
            let mut names: Vec<(bool, Candidate)> = names
                .map(|(name, namespaces)| {
                    let is_near = wanted.is_none_or(|it| namespaces.contains(it));
                    let listed: Vec<String> = namespaces.into_iter().collect();
                    let candidate = named(name);
                    let is_plain = listed.is_empty();
                    let detail = format!("{} in {}", reference.kind, listed.join(", "));
                    let candidate = match is_plain {
                        true => candidate.detail(reference.kind.clone()),
                        false => candidate.detail(detail),
                    };
                    (!is_near, candidate)
                })
                .collect();
            names.sort_by_key(|(is_far, _)| *is_far);
            names.into_iter().map(|(_, candidate)| candidate).collect()
        }
        Part::Namespace => {
            let names = index.names(&reference.kind);
            let namespaces = names.get(&reference.name).cloned().unwrap_or_default();
            let namespaces = match namespaces.is_empty() {
                true => index.names("Namespace").into_keys().collect(),
                false => namespaces,
            };
            namespaces.into_iter().map(named).collect()
        }
        Part::Section(_) => index.sections(reference).into_iter().map(named).collect(),
    }
}
