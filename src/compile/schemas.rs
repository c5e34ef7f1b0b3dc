//! What the API server would say of objects, each by itself.

use rayon::prelude::*;

use super::chart_values;
use crd_validate::Passes;
use crd_validate::codes::{
    RULE_FAILED, SCHEMA_COMBINATION, SCHEMA_REQUIRED, SCHEMA_UNKNOWN_FIELD, SCHEMA_UNKNOWN_KIND,
    SCHEMA_VALUE,
};
use crd_validate::schema::{Catalogue, Chosen, Lookup, Selection};
use crd_validate::structure::unknown::is_probably_misspelt;
use flux_repo::Delivery;
use manifest::Object;
use manifest::diagnostic::{Code, Diagnostic, Severity};
use manifest::value::Pointer;

/// Checks each object against its schema and rules.
pub fn check_all(
    objects: &[Object],
    catalogue: &Catalogue,
    selection: &Selection,
) -> Vec<Diagnostic> {
    let passes = Passes::new(catalogue);
    let judge = |object: &Object| judge(object, &passes, catalogue, selection);
    let mut found: Vec<Diagnostic> = objects.par_iter().flat_map_iter(judge).collect();
    found.extend(chart_values::check(objects, catalogue, selection, &passes));
    found
}

/// Like [`check_all`], but for objects in the files of a repository, changed by patches
/// ([`PatchedObjects`](flux_repo::PatchedObjects)): patches are no objects by themselves, and what an object lacks may
/// come from a patch that can't be followed.
pub fn check_in_files(
    objects: &[Object],
    delivery: &Delivery,
    catalogue: &Catalogue,
    selection: &Selection,
) -> Vec<Diagnostic> {
    let passes = Passes::new(catalogue);
    let judge = |(at, object): (usize, &Object)| {
        // Of what is made from a text with conditions, parts may be missing.
        let is_from_text = || {
            object.is_made
                && object
                    .node
                    .path(&["kind"])
                    .is_none_or(|it| it.span.is_none())
        };
        if delivery.is_input(at) || delivery.is_deleted(at) || is_from_text() {
            return Vec::new();
        }
        let mut found = judge(object, &passes, catalogue, selection);
        if !found.is_empty() && delivery.may_be_patched(at, objects) {
            found.retain(|one| ![SCHEMA_REQUIRED, RULE_FAILED].contains(&one.code));
        }
        found
    };
    let objects_at = objects.par_iter().enumerate();
    let mut found: Vec<Diagnostic> = objects_at.flat_map_iter(judge).collect();
    found.extend(chart_values::check(objects, catalogue, selection, &passes));
    found
}

/// Everything that the API server would say of an object.
fn judge(
    object: &Object,
    passes: &Passes<'_>,
    catalogue: &Catalogue,
    selection: &Selection,
) -> Vec<Diagnostic> {
    if object.api_version().is_empty() || object.kind().is_empty() {
        return vec![not_an_object(object)];
    }
    let lookup = catalogue.look_up(selection, object.group(), object.version(), object.kind());
    let mut found: Vec<Diagnostic> = crd_validate::kind::check(object, &lookup)
        .into_iter()
        .collect();
    if let Lookup::Known(schema) = &lookup {
        found.extend(passes.check(object, schema));
    }
    if let Some(guess) = lookup.guess() {
        found = found.into_iter().map(|one| softened(one, guess)).collect();
    }
    found
}

/// What may differ between two releases of a project.
const DIFFERS: [Code; 6] = [
    RULE_FAILED,
    SCHEMA_COMBINATION,
    SCHEMA_REQUIRED,
    SCHEMA_UNKNOWN_FIELD,
    SCHEMA_UNKNOWN_KIND,
    SCHEMA_VALUE,
];

/// An error that may be none with the release that the cluster has, as a note, or as a warning if it looks like a typing
/// mistake.
fn softened(finding: Diagnostic, guess: &Chosen) -> Diagnostic {
    if !finding.is_error() || !DIFFERS.contains(&finding.code) {
        return finding;
    }
    let (title, project) = (guess.set.title(), &guess.set.project);
    let help = finding.help.clone();
    let help = help.map_or(String::new(), |help| format!("{help}; "));
    let severity = match is_probably_misspelt(&finding) {
        true => Severity::Warning,
        false => Severity::Note,
    };
    finding.severity(severity).help(format!(
        "{help}it was checked against {title}: if the cluster has another release, import its CRDs: `gatewayctl schemas import --as {project}@VERSION FILES`"
    ))
}

fn not_an_object(object: &Object) -> Diagnostic {
    let missing = if object.kind().is_empty() {
        "kind"
    } else {
        "apiVersion"
    };
    let message = match object.node.as_map() {
        Some(_) => format!("the document has no `{missing}`"),
        None => format!(
            "the document is a {}, not a Kubernetes object",
            object.node.type_name()
        ),
    };
    let root = Pointer::root();
    manifest::finding(manifest::codes::YAML_NOT_AN_OBJECT, object, &root, message)
        .why("kustomize and the API server refuse it")
        .help("every object has `apiVersion`, `kind` and `metadata.name`; exclude other YAML from the path")
}
