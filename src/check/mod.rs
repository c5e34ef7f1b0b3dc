//! Passes over objects, one file a pass. Each says what is wrong with an object, where, and what to do.
//!
//! - [`across`]: whether objects fit each other, the network and the versions in force.
//! - [`kind`]: whether the chosen schemas have the object's kind and version.
//! - [`lua`]: whether scripts parse.
//! - [`structure`]: fields, types, values, lists and combinations, as the object's schema has them.
//! - [`metadata`]: names, labels, annotations and owners.
//! - [`rules`]: the schema's rules in CEL, where the structure holds.
//! - [`upgrade`]: what another version would find, compared with what this one does.

pub mod across;
pub mod kind;
pub mod lua;
pub mod metadata;
pub mod rules;
pub mod structure;
pub mod upgrade;

use crate::codes;
use manifest::diagnostic::{Code, Diagnostic, Span};
use manifest::Object;
use crate::schema::{Catalogue, KindSchema};
use manifest::value::{Node, Pointer, pointer::Step};

/// The passes that look at one object and its schema, and what they keep between objects.
#[derive(Debug)]
pub struct Passes<'a> {
    structure: structure::Structure<'a>,
    rules: rules::Rules,
}

impl<'a> Passes<'a> {
    /// The passes, looking into `catalogue` for the version that has an unknown field.
    pub fn new(catalogue: &'a Catalogue) -> Self {
        Passes {
            structure: structure::Structure::new(catalogue),
            rules: rules::Rules::new(),
        }
    }

    /// All that the API server would say of an object on creation: its metadata, its structure, and where these
    /// hold, its rules.
    pub fn check(&self, object: &Object, schema: &KindSchema<'_>) -> Vec<Diagnostic> {
        let mut found = metadata::check(object, schema);
        let unnamed = found.iter().any(|one| one.code == codes::SCHEMA_REQUIRED);
        let examined = self.structure.examine(object, schema);
        found.extend(examined.findings);
        if !examined.blocks_rules && !unnamed {
            found.extend(self.rules.check(object, schema));
        }
        found
    }
}

/// A finding on what `pointer` leads to: the object, the place in its file and the place in `cluster.toml`
/// are filled in.
pub fn finding(
    code: Code,
    object: &Object,
    pointer: &Pointer,
    message: impl Into<String>,
) -> Diagnostic {
    let span = object.span(pointer);
    about(code, object, pointer, message, span, object.origin(pointer))
}

/// As [`finding`], but on the key that `pointer` ends with, not on its value.
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
