//! Checks the structure of objects: fields, types, values, lists and combinations, by the object's schema.
//!
//! The object and its schema are walked together. Parts of the schema that the object doesn't use are never parsed.
//! The checks are those of the API server for CRDs (apiextensions.k8s.io/v1, Kubernetes 1.34) with
//! `fieldValidation=Strict`:
//!
//! - an unknown field is an error, as it is for server-side apply;
//! - a null is dropped before anything is checked, unless the field is nullable;
//! - a missing field with a default has the default;
//! - a float without a fraction is an integer;
//! - lengths count characters, and a pattern may match any part of a string.
//!
//! A string that contains a Flux variable is only checked for being a string. A string that consists of a variable
//! may also stand for a number or a boolean.

mod combination;
mod list;
mod metadata;
mod number;
pub mod unknown;
mod walk;
mod words;

#[cfg(test)]
mod tests;

pub use number::integer_range;

use crate::passes::Request;
use crate::schema::{Catalogue, KindSchema};
use k8s_syntax::pattern::Patterns;
use manifest::Object;
use manifest::diagnostic::Diagnostic;

/// The pass, with a cache of compiled patterns.
#[derive(Debug)]
pub struct Structure<'a> {
    catalogue: &'a Catalogue,
    patterns: Patterns,
}

/// The result for an object.
#[derive(Debug)]
pub(crate) struct Examined {
    /// The findings, in the order of the object.
    pub findings: Vec<Diagnostic>,
    /// Whether the API server would skip the schema's rules: if a field is missing, has the wrong type or a value
    /// that is not in its enumeration, or is too long. Other findings don't have that effect.
    pub blocks_rules: bool,
}

impl<'a> Structure<'a> {
    /// Creates the pass. `catalogue` is used to find the version that has an unknown field.
    pub fn new(catalogue: &'a Catalogue) -> Self {
        Structure {
            catalogue,
            patterns: Patterns::default(),
        }
    }

    /// All findings on an object's structure, in the order of the object.
    pub fn check(
        &self,
        object: &Object,
        schema: &KindSchema<'_>,
        request: Request,
    ) -> Vec<Diagnostic> {
        self.examine(object, schema, request).findings
    }

    /// Like [`check`](Self::check), and also whether rules can be evaluated.
    pub(crate) fn examine(
        &self,
        object: &Object,
        schema: &KindSchema<'_>,
        request: Request,
    ) -> Examined {
        let mut walk = walk::StructureWalk::new(self, object, *schema, request);
        walk.object();
        Examined {
            blocks_rules: walk.blocks_rules,
            findings: walk.findings(),
        }
    }
}
