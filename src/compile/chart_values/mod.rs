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
        // Go's types say nothing about what the controller requires of its configuration.
        let is_missing = one.code == SCHEMA_REQUIRED && (has_more || is_configuration(one));
        is_inside && !is_missing && one.code != SCHEMA_UNKNOWN_FIELD
    });
    let found = found.into_iter().map(|one| {
        match (is_configuration(&one), one.code == SCHEMA_TYPE) {
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

/// Whether a finding is about the controller's own configuration.
fn is_configuration(finding: &Diagnostic) -> bool {
    let pointer = finding.pointer.as_deref();
    pointer.is_some_and(|at| at.starts_with("/spec/values/config/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifest::diagnostic::Sources;

    fn said(text: &str) -> Vec<String> {
        let catalogue = Catalogue::embedded();
        let selection = Selection::newest(&catalogue);
        let release = format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: envoy-gateway}}
spec:
  chart: {{spec: {{chart: gateway-helm, version: 1.9.1}}}}
  values: {text}
"
        );
        let mut sources = Sources::default();
        let id = sources.add("a.yaml", release.as_str());
        let (documents, _) = manifest::read(&sources, id);
        let objects: Vec<Object> = documents
            .into_iter()
            .map(|it| Object::new(it.node, "a.yaml"))
            .collect();
        let found = check(&objects, &catalogue, &selection, &Passes::new(&catalogue));
        let lines = found.iter().map(|one| {
            let severity = one.severity.as_str();
            format!("{severity} {}: {}", one.code, one.message)
        });
        lines.collect()
    }

    #[test]
    fn the_controllers_configuration_is_judged_by_its_types() {
        assert_eq!(
            said(
                "{config: {envoyGateway: {logging: {level: {default: loud}}, extensionApis: {enableBackend: 'yes'}}}}"
            ),
            [
                "warning schema/value: `spec.values.config.envoyGateway.logging.level.default` can't be \"loud\"",
                "error schema/type: `spec.values.config.envoyGateway.extensionApis.enableBackend` must be `true` or `false`, not a string",
            ]
        );
        assert_eq!(
            said(
                "{config: {envoyGateway: {extensionApis: {enableBackend: true}}}, deployment: {replicas: '2'}}"
            ),
            [""; 0]
        );
    }

    #[test]
    fn what_the_chart_copies_into_the_deployment_is_judged_as_there() {
        assert_eq!(
            said(
                "{deployment: {envoyGateway: {resources: [1Gi]}, pod: {nodeSelector: {disk: true}}}}"
            ),
            [
                "error schema/type: `spec.values.deployment.envoyGateway.resources` must be a map, not a list",
                "error schema/type: `spec.values.deployment.pod.nodeSelector.disk` must be a string, not a boolean",
            ]
        );
    }
}
