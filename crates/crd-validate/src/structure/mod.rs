//! Structure: fields, types, values, lists and combinations, as the object's schema has them.
//!
//! One walk over the object and its schema, side by side; a node of the schema that the object doesn't
//! reach is never parsed. What counts is what the API server does with a CRD (apiextensions.k8s.io/v1,
//! Kubernetes 1.34) under `fieldValidation=Strict`:
//!
//! - a field that the schema doesn't have is an error, as it is to server-side apply;
//! - a null is dropped before anything is checked, unless the field is nullable;
//! - a missing field with a default is there;
//! - a float without a fraction is a whole number;
//! - lengths count characters, and patterns are searched, not matched from end to end.
//!
//! A text with a Flux variable in it is checked no further than its being text; one that is nothing but a
//! variable may stand for a number or a truth value.

mod combination;
mod list;
mod metadata;
mod number;
mod unknown;
mod walk;
mod words;

#[cfg(test)]
mod tests;

pub use number::integer_range;

use crate::schema::{Catalogue, KindSchema};
use k8s_syntax::pattern::Patterns;
use manifest::Object;
use manifest::diagnostic::Diagnostic;

/// The pass, and what it keeps between objects: compiled patterns.
#[derive(Debug)]
pub struct Structure<'a> {
    catalogue: &'a Catalogue,
    patterns: Patterns,
}

/// What the pass has to say of an object.
#[derive(Debug)]
pub struct Examined {
    /// What is wrong, in the order of the object.
    pub findings: Vec<Diagnostic>,
    /// Whether the API server would not run the schema's rules: where a field is missing, of another type, not
    /// in its enumeration, too long or too many. Other findings don't keep it from that.
    pub blocks_rules: bool,
}

impl<'a> Structure<'a> {
    /// A pass that looks into `catalogue` for the version that has an unknown field.
    pub fn new(catalogue: &'a Catalogue) -> Self {
        Structure {
            catalogue,
            patterns: Patterns::default(),
        }
    }

    /// All that is wrong with an object's structure, in the order of the object.
    pub fn check(&self, object: &Object, schema: &KindSchema<'_>) -> Vec<Diagnostic> {
        self.examine(object, schema).findings
    }

    /// As [`check`](Self::check), and whether the object is fit for rules.
    pub fn examine(&self, object: &Object, schema: &KindSchema<'_>) -> Examined {
        let mut walk = walk::Walk::new(self, object, *schema);
        walk.object();
        Examined {
            blocks_rules: walk.blocks_rules,
            findings: walk.findings(),
        }
    }
}
