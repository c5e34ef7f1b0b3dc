//! Runs the passes that look at one object.

use k8s_syntax::names;
use manifest::Object;
use manifest::diagnostic::Diagnostic;

use crate::schema::{Catalogue, KindSchema};
use crate::{builtin, codes, metadata, rules, structure};

/// The request that is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Request {
    /// Server-side apply, as Flux and `kubectl apply --server-side` send it. A null in a field that doesn't allow null
    /// is refused.
    #[default]
    Apply,
    /// The creation of an object, as `kubectl create` sends it. A null in a field that doesn't allow null is dropped.
    Create,
}

/// The passes that look at one object and its schema, with their caches.
#[derive(Debug)]
pub struct Passes<'a> {
    request: Request,
    structure: structure::Structure<'a>,
    rules: rules::Rules,
}

impl<'a> Passes<'a> {
    /// Creates the passes. `catalogue` is used to find the version that has an unknown field.
    pub fn new(catalogue: &'a Catalogue) -> Self {
        Passes {
            request: Request::default(),
            structure: structure::Structure::new(catalogue),
            rules: rules::Rules::new(),
        }
    }

    /// The same passes for another request than server-side apply.
    #[must_use]
    pub fn answering(self, request: Request) -> Self {
        Passes { request, ..self }
    }

    /// Everything that the API server would report on an object: findings on its metadata and its structure,
    /// and if both are valid, on its rules.
    pub fn check(&self, object: &Object, schema: &KindSchema<'_>) -> Vec<Diagnostic> {
        let mut found = metadata::check(object, schema, self.request);
        let unnamed = found.iter().any(|one| one.code == codes::SCHEMA_REQUIRED);
        let examined = self.structure.examine(object, schema, self.request);
        found.extend(examined.findings);
        if names::is_builtin_group(object.group()) {
            // A value of which something is said already needs no second finding.
            let mut others = builtin::check(object);
            others.retain(|other| !found.iter().any(|one| one.pointer == other.pointer));
            // What is said about something inside of a value is more exact than that the value is missing.
            found.retain(|one| !others.iter().any(|other| is_about_inside(one, other)));
            // The server says of a list that one of its entries is not among the known ones.
            found.retain(|one| !others.iter().any(|other| is_about_entry(one, other)));
            found.extend(others);
        }
        if !examined.blocks_rules && !unnamed {
            found.extend(self.rules.check(object, schema, None));
        }
        found
    }

    /// What the API server would report on changing an object, beyond what it says of the new one by itself: transition
    /// rules (those with `oldSelf`), and fields that can't be changed.
    pub fn check_change(
        &self,
        before: &Object,
        after: &Object,
        schema: &KindSchema<'_>,
    ) -> Vec<Diagnostic> {
        if *before.node == *after.node {
            return Vec::new();
        }
        let mut found = builtin::changes(before, after);
        let examined = self.structure.examine(after, schema, self.request);
        if !examined.blocks_rules {
            let alone = self.rules.check(after, schema, None);
            let mut changed = self.rules.check(after, schema, Some(before));
            changed.retain(|one| !alone.contains(one));
            found.extend(changed);
        }
        found
    }
}

/// Whether a finding says that a value is missing or there twice, and another one says something about the inside of the
/// same value.
fn is_about_inside(finding: &Diagnostic, other: &Diagnostic) -> bool {
    let is_coarse = [codes::SCHEMA_REQUIRED, codes::SCHEMA_LIST_KEY].contains(&finding.code);
    let (Some(outer), Some(inner)) = (&finding.pointer, &other.pointer) else {
        return false;
    };
    let inside = inner.strip_prefix(outer.as_str());
    is_coarse && inside.is_some_and(|rest| rest.starts_with('/'))
}

/// Whether a finding says that an entry of a list is not among the known values, and another one says it of the list.
fn is_about_entry(finding: &Diagnostic, other: &Diagnostic) -> bool {
    let (Some(entry), Some(list)) = (&finding.pointer, &other.pointer) else {
        return false;
    };
    let is_value = [finding, other]
        .iter()
        .all(|it| it.code == codes::SCHEMA_VALUE);
    let index = entry.strip_prefix(list.as_str());
    let index = index.and_then(|rest| rest.strip_prefix('/'));
    is_value && index.is_some_and(|index| index.bytes().all(|byte| byte.is_ascii_digit()))
}
