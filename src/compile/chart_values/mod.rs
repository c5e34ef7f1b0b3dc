//! What Helm and the API server would say of the values of Helm releases.
//!
//! - For Envoy Gateway's chart, which has no schema of its values, the catalogue has the types of those that the chart copies
//!   unchanged, of every minor version.
//! - For other charts, the user imports `values.schema.json`: see [`json`].

pub mod json;

use crd_validate::Passes;
use crd_validate::codes::{SCHEMA_REQUIRED, SCHEMA_TYPE, SCHEMA_UNKNOWN_FIELD};
use crd_validate::schema::bundle::ENVOY_GATEWAY;
use crd_validate::schema::{Catalogue, KindSchema, Selection};
use envoy_gateway::controller::{CHART, HelmCharts};
use manifest::Object;
use manifest::diagnostic::{Diagnostic, Severity};

/// The group and kind of the values of Envoy Gateway's chart in the catalogue.
const OWN: (&str, &str) = ("values.gateway-helm", "GatewayHelmValues");

/// The path to the values of a release, with a slash at its end.
const VALUES: &str = "/spec/values/";

/// Checks the values of all Helm releases whose charts have a schema.
pub fn check(
    objects: &[Object],
    catalogue: &Catalogue,
    selection: &Selection,
    passes: &Passes<'_>,
) -> Vec<Diagnostic> {
    if !objects.iter().any(|object| object.kind() == "HelmRelease") {
        return Vec::new();
    }
    let given: Vec<&Object> = objects.iter().collect();
    let charts = HelmCharts::new(&given, |_, _| true);
    let mut found = Vec::new();
    let schemas = json::Schemas::new(catalogue);
    for (chart, release) in charts.all() {
        let Some(object) = given.get(release.at) else {
            continue;
        };
        let version = release.version.as_ref();
        found.extend(schemas.check(object, chart, version.map(|it| it.text.as_str())));
        if chart == CHART {
            let declared = selection.of(ENVOY_GATEWAY).map(|it| it.declared().minor());
            let minor = version.map(|it| it.minor).or(declared.flatten());
            let values = minor.and_then(|minor| own_values(catalogue, selection, minor));
            found.extend(values.map_or_else(Vec::new, |values| own(object, &values, passes)));
        }
    }
    // The order of charts is that of a hash table.
    found.sort_by_key(|one| one.span.map(|span| (span.source, span.start)));
    found
}

/// The schema of the values of Envoy Gateway's chart in a minor version.
fn own_values<'a>(
    catalogue: &'a Catalogue,
    selection: &'a Selection,
    minor: (u64, u64),
) -> Option<KindSchema<'a>> {
    let mut entries = catalogue.entries().iter();
    let entry =
        entries.find(|entry| entry.is(OWN.0, OWN.1) && entry.set.version.minor() == Some(minor))?;
    let compiled = entry.compiled()?;
    Some(KindSchema {
        entry,
        chosen: selection.of(ENVOY_GATEWAY)?,
        compiled,
        version: compiled.header().versions.first()?,
    })
}

/// Checks the values of a release of Envoy Gateway's chart. Keys that nobody reads are reported by another rule
/// (`version/chart-value`).
fn own(release: &Object, values: &KindSchema<'_>, passes: &Passes<'_>) -> Vec<Diagnostic> {
    let has_more = release.node.path(&["spec", "valuesFrom"]).is_some();
    let mut found = passes.check(release, values);
    found.retain(|one| {
        let is_inside = one
            .pointer
            .as_deref()
            .is_some_and(|at| at.starts_with(VALUES));
        let may_be_elsewhere = has_more && one.code == SCHEMA_REQUIRED;
        is_inside && !may_be_elsewhere && one.code != SCHEMA_UNKNOWN_FIELD
    });
    let found = found.into_iter().map(|one| {
        let is_configuration = one
            .pointer
            .as_deref()
            .is_some_and(|at| at.starts_with("/spec/values/config/"));
        match (is_configuration, one.code == SCHEMA_TYPE) {
            (true, true) => one.why("Envoy Gateway can't read its configuration, and doesn't start"),
            (true, false) => one
                .why("Envoy Gateway refuses such a configuration, or ignores it")
                .severity(Severity::Warning),
            (false, _) => one.why(
                "the API server refuses the Deployment or HorizontalPodAutoscaler, so Helm's installation or upgrade fails",
            ),
        }
    });
    found.collect()
}
