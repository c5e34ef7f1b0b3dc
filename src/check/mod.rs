//! Checks objects: one file a pass. Each finding says what is wrong with an object, where, and what to do about it.
//!
//! - [`across`]: cross rules, on objects that don't fit each other, the network or the versions in force.
//! - [`kind`]: whether the chosen schemas have the object's kind and version.
//! - [`lua`]: whether scripts can be parsed.
//! - [`structure`]: fields, types, values, lists and combinations, by the object's schema.
//! - [`metadata`]: names, labels, annotations and owners.
//! - [`rules`]: the CEL rules of the schema, if the structure is valid.
//! - [`upgrade`]: what another version would report that this one doesn't.

pub mod across;
pub mod kind;
pub mod lua;
pub mod metadata;
pub mod rules;
pub mod structure;
pub mod upgrade;

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::manifest::Object;
use crate::schema::{Catalogue, KindSchema};
use crate::value::{Node, Pointer, pointer::Step};

/// The passes that look at one object and its schema, with their caches.
#[derive(Debug)]
pub struct Passes<'a> {
    structure: structure::Structure<'a>,
    rules: rules::Rules,
}

impl<'a> Passes<'a> {
    /// Creates the passes. `catalogue` is used to find the version that has an unknown field.
    pub fn new(catalogue: &'a Catalogue) -> Self {
        Passes {
            structure: structure::Structure::new(catalogue),
            rules: rules::Rules::new(),
        }
    }

    /// Everything that the API server would report on creating an object: findings on its metadata and its structure,
    /// and if both are valid, on its rules.
    pub fn check(&self, object: &Object, schema: &KindSchema<'_>) -> Vec<Diagnostic> {
        let mut found = metadata::check(object, schema);
        let unnamed = found.iter().any(|one| one.code == Code::SchemaRequired);
        let examined = self.structure.examine(object, schema);
        found.extend(examined.findings);
        if !examined.blocks_rules && !unnamed {
            found.extend(self.rules.check(object, schema));
        }
        found
    }
}

/// A finding on the value at `pointer`. The object, the place in its file and the place in `cluster.toml` are filled
/// in.
pub fn finding(
    code: Code,
    object: &Object,
    pointer: &Pointer,
    message: impl Into<String>,
) -> Diagnostic {
    let span = object.span(pointer);
    about(code, object, pointer, message, span, object.origin(pointer))
}

/// Like [`finding`], but on the key at the end of `pointer`, not on its value.
pub fn finding_on_key(
    code: Code,
    object: &Object,
    pointer: &Pointer,
    message: impl Into<String>,
) -> Diagnostic {
    let span = key_span(&object.node, pointer).or_else(|| object.span(pointer));
    let origin = object
        .origins
        .as_ref()
        .and_then(|origins| key_span(origins, pointer))
        .or_else(|| object.origin(pointer));
    about(code, object, pointer, message, span, origin)
}

fn about(
    code: Code,
    object: &Object,
    pointer: &Pointer,
    message: impl Into<String>,
    span: Option<Span>,
    origin: Option<Span>,
) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(code, message)
        .at(span)
        .in_file(&object.file);
    diagnostic.origin = origin;
    diagnostic.object = Some(object.reference());
    diagnostic.pointer = Some(pointer.to_string());
    diagnostic
}

fn key_span(root: &Node, pointer: &Pointer) -> Option<Span> {
    let (Step::Key(key), above) = (pointer.steps().last()?, pointer.parent()?) else {
        return None;
    };
    root.at(&above)?.as_map()?.entry(key)?.key_span
}
