//! What the API server says of one object.

use manifest::Object;
use manifest::diagnostic::Diagnostic;

use crate::schema::{Catalogue, KindSchema};
use crate::{codes, metadata, rules, structure};

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
        let unnamed = found.iter().any(|one| one.code == codes::SCHEMA_REQUIRED);
        let examined = self.structure.examine(object, schema);
        found.extend(examined.findings);
        if !examined.blocks_rules && !unnamed {
            found.extend(self.rules.check(object, schema));
        }
        found
    }
}
