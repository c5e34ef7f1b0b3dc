//! The rules of a schema (`x-kubernetes-validations`), as the API server evaluates them on creation
//! (apiextensions-apiserver's `schema/cel`, Kubernetes 1.34).
//!
//! - `cel_k8s`: the language.
//! - [`convert`]: an object with its schema to values of the language.
//! - [`program`]: a rule, read once a run.
//! - [`words`]: what findings say.
//!
//! The object is taken as it is once defaults are in. A rule on changes (one that names `oldSelf`) is passed
//! over, unless `optionalOldSelf` asks for it. A rule that can't be read or evaluated is a finding of its own.
//! What hangs on a Flux variable, and on nothing that decides it without, is left open.

pub mod convert;
pub mod program;
pub mod words;

mod place;
mod walk;

#[cfg(test)]
mod tests;

use crate::schema::KindSchema;
use k8s_syntax::pattern::Patterns;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use program::Programs;

/// How many steps all rules of an object may take together; the API server's budget is as many units of cost.
const MOST_STEPS: u64 = 10_000_000;

/// How many steps one evaluation of one rule may take; as above.
const MOST_STEPS_OF_A_RULE: u64 = 1_000_000;

/// How many findings an object gets.
const MOST_FINDINGS: usize = 100;

/// The pass, and what it keeps between objects: rules and patterns, read when first needed.
#[derive(Debug, Default)]
pub struct Rules {
    programs: Programs,
    patterns: Patterns,
}

impl Rules {
    /// A pass.
    pub fn new() -> Self {
        Rules::default()
    }

    /// All rules that an object breaks, in the order of its schema. For objects whose structure holds: see
    /// [`Examined::blocks_rules`](super::structure::Examined::blocks_rules).
    pub fn check(&self, object: &Object, schema: &KindSchema<'_>) -> Vec<Diagnostic> {
        let mut walk = walk::Walk::new(self, object, *schema);
        walk.object();
        walk.findings
    }
}
