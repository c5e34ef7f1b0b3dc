//! What the API server would say of objects, each by itself.

use rayon::prelude::*;

use crd_validate::Passes;
use crd_validate::codes::{RULE_FAILED, SCHEMA_REQUIRED};
use crd_validate::schema::{Catalogue, Lookup, Selection};
use flux_repo::Delivery;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::value::Pointer;

/// Checks each object against its schema and rules.
pub fn check_all(
    objects: &[Object],
    catalogue: &Catalogue,
    selection: &Selection,
) -> Vec<Diagnostic> {
    let passes = Passes::new(catalogue);
    let judge = |object: &Object| judge(object, &passes, catalogue, selection);
    objects.par_iter().flat_map_iter(judge).collect()
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
        if delivery.is_input(at) || delivery.is_deleted(at) {
            return Vec::new();
        }
        let mut found = judge(object, &passes, catalogue, selection);
        if !found.is_empty() && delivery.may_be_patched(at, objects) {
            found.retain(|one| ![SCHEMA_REQUIRED, RULE_FAILED].contains(&one.code));
        }
        found
    };
    let objects_at = objects.par_iter().enumerate();
    objects_at.flat_map_iter(judge).collect()
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
    if let Lookup::Known(schema) = lookup {
        found.extend(passes.check(object, &schema));
    }
    found
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
