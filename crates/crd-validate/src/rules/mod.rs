//! Evaluates the rules of a schema (`x-kubernetes-validations`) as the API server does on creation
//! (apiextensions-apiserver's `schema/cel`, Kubernetes 1.34).
//!
//! - `cel_k8s`: the language.
//! - [`convert`]: from an object with its schema to CEL values.
//! - [`program`]: parsed rules; each is parsed once a run.
//! - `words`: the texts of findings.
//!
//! Rules see the object with its defaults. A transition rule (one that uses `oldSelf`) is skipped where there is no
//! earlier value, unless it has `optionalOldSelf`. A rule that can't be parsed or evaluated is reported too. If the result of a rule depends on a
//! Flux variable, nothing is reported.

pub mod convert;
pub mod program;
pub(crate) mod words;

mod place;
mod walk;

#[cfg(test)]
mod tests;

use crate::schema::KindSchema;
use crate::schema::node::Rule;
use k8s_syntax::pattern::Patterns;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::value::Pointer;
use program::Programs;

/// The maximum number of steps of all rules of an object. The API server's budget has as many units of cost.
const MOST_STEPS: u64 = 10_000_000;

/// The maximum number of steps of one evaluation of one rule, as in the API server.
const MOST_STEPS_OF_A_RULE: u64 = 1_000_000;

/// The maximum number of findings for an object.
const MOST_FINDINGS: usize = 100;

/// What is wrong with an object of `kind` that violates a rule at `pointer`, in words; `None` if only the rule itself is known.
pub fn refusal(kind: &str, pointer: &Pointer, rule: &Rule) -> Option<String> {
    words::refusal(kind, pointer, rule)
}

/// The pass, with a cache of parsed rules and compiled patterns.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    programs: Programs,
    patterns: Patterns,
}

impl Rules {
    /// Creates the pass.
    pub(crate) fn new() -> Self {
        Rules::default()
    }

    /// All rules that an object breaks, in the order of its schema. The structure of the object must be valid: see
    /// [`Examined::blocks_rules`](super::structure::Examined::blocks_rules).
    /// `before` is the object that it replaces, if it is a change.
    pub(crate) fn check(
        &self,
        object: &Object,
        schema: &KindSchema<'_>,
        before: Option<&Object>,
    ) -> Vec<Diagnostic> {
        let mut walk = walk::RuleWalk::new(self, object, *schema, before);
        walk.object();
        walk.findings
    }
}
