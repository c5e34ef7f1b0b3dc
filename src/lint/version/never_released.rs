//! Versions of Envoy Gateway's chart that were never released.

use crate::lint::LintContext;
use envoy_gateway::read::text;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::Pointer;

manifest::code! {
    "version"/"never-released", Warning, "A version of Envoy Gateway's chart that was never released.",
    r#"
The chart `gateway-helm` is asked for in a version that is far above the newest one that gatewayctl knows. It is
probably the version of another chart: Flux can't fetch the chart, and nothing is installed or updated. If the
version exists, gatewayctl is too old to check it; get a newer one.

## Wrong

```yaml
kind: OCIRepository
spec: {url: oci://docker.io/envoyproxy/gateway-helm, ref: {tag: v1.18.2}}
```

## Right

```yaml
kind: OCIRepository
spec: {url: oci://docker.io/envoyproxy/gateway-helm, ref: {tag: v1.9.0}}
```
"#
}

/// The newest minor version that is known.
const NEWEST: (u64, u64) = (1, 9);

/// How many minor versions later a release can be that this program doesn't know yet: a release every four months makes
/// that more than a year.
const LATER: u64 = 4;

/// Where an object has the version of a chart.
const PLACES: [&[&str]; 4] = [
    &["spec", "ref", "tag"],
    &["spec", "ref", "semver"],
    &["spec", "chart", "spec", "version"],
    &["spec", "version"],
];

/// Reports releases of the controller's chart in such a version.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for release in context.controllers() {
        let Some(version) = &release.version else {
            continue;
        };
        let (major, minor) = version.minor;
        // Builds of the main branch have the version 0.0.0.
        if major == 0 || (major == NEWEST.0 && minor <= NEWEST.1 + LATER) {
            continue;
        }
        let is_here = |path: &&&[&str]| text(&version.by.node, path).is_some();
        let path = PLACES.iter().find(is_here).copied().unwrap_or_default();
        let place = path.iter().fold(Pointer::root(), |at, key| at.key(*key));
        let message = format!("there is no Envoy Gateway {}", version.text);
        let one = finding(CODE, version.by, &place, message)
            .why("Flux can't fetch the chart, so nothing is installed or updated")
            .help(format!(
                "write a version that exists; the newest one that is known here is of {}.{}",
                NEWEST.0, NEWEST.1
            ));
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::support::told;
    use crd_validate::schema::Catalogue;

    #[test]
    fn the_newest_version_is_that_of_the_catalogue() {
        let catalogue = Catalogue::embedded();
        let versions = catalogue.versions("envoy-gateway");
        let newest = versions.iter().filter_map(|it| it.minor()).max();
        assert_eq!(newest, Some(NEWEST));
    }

    #[test]
    fn a_version_that_was_never_released_is_told() {
        let with = |tag: &str| {
            let text = format!(
                "apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {{name: envoy-gateway, namespace: network}}
spec: {{url: oci://docker.io/envoyproxy/gateway-helm, ref: {{tag: {tag}}}}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: envoy-gateway, namespace: network}}
spec: {{chartRef: {{kind: OCIRepository, name: envoy-gateway}}}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(
            with("v1.18.2"),
            ["warning version/never-released /spec/ref/tag: there is no Envoy Gateway 1.18.2"]
        );
        assert_eq!(with("v1.9.1"), [""; 0]);
        assert_eq!(with("v0.0.0-latest"), [""; 0]);
    }
}
