//! Releases that are checked as another one, because the catalogue doesn't have them.

use std::collections::BTreeSet;

use crate::lint::{Applied, LintContext};
use crd_validate::schema::bundle::ENVOY_GATEWAY;
use crd_validate::schema::set::title;
use crd_validate::schema::{Chosen, Reason, Version};
use envoy_gateway::controller::CHART;
use envoy_gateway::controller::helm_charts::{chart_in, version_path};
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Pointer, variable};

manifest::code! {
    "version"/"nearest-release", Note, "A release that is checked as the nearest one in the catalogue.",
    r#"
The catalogue in this program doesn't have this release, so objects are checked as if the nearest one was installed.
Within a minor version, fields are neither added nor removed, but a single rule may differ. A version that is not one
release, such as the range `1.x`, a digest or `latest`, is checked as the release that the note names. To be exact,
update gatewayctl, or import the CRDs of the release with `gatewayctl schemas import --as envoy-gateway@VERSION`.

## Wrong

```yaml
kind: OCIRepository
spec:
  url: oci://docker.io/envoyproxy/gateway-helm
  ref:
    semver: 1.x
```

## Right

```yaml
kind: OCIRepository
spec:
  url: oci://docker.io/envoyproxy/gateway-helm
  ref:
    tag: v1.9.0
```

To disable this check: `gatewayctl validate --ignore version/nearest-release`.
"#
}

/// Reports releases of Envoy Gateway in manifests, and versions given with flags, that are checked as another release. Those
/// in `cluster.toml` are reported where it is read.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    if context.model.is_some() {
        return Vec::new();
    }
    let flags = context.selection.all();
    let flags = flags.filter(|chosen| by(chosen).is_some_and(|by| by.starts_with("--")));
    let mut found: Vec<Diagnostic> = flags.filter_map(declared_elsewhere).collect();
    if let Some(chosen) = context.selection.of(ENVOY_GATEWAY)
        && by(chosen).is_none_or(|by| context.files.contains(by))
    {
        let mut reported = BTreeSet::new();
        for Applied { object, .. } in context.all() {
            let Some((CHART, written)) = chart_in(&object.node) else {
                continue;
            };
            let Some(message) = message(written, chosen) else {
                continue;
            };
            if reported.insert(message.clone()) {
                let path = version_path(&object.node).unwrap_or(&["spec"]);
                let pointer = path.iter().fold(Pointer::root(), |at, key| at.key(*key));
                found.push(explained(finding(CODE, object, &pointer, message), chosen));
            }
        }
    }
    found
}

/// The note for a version that is declared with a flag or in `cluster.toml`, without a place; `None` if the catalogue has the
/// version, or its CRDs.
pub(crate) fn declared_elsewhere(chosen: &Chosen) -> Option<Diagnostic> {
    let Reason::Like {
        declared,
        is_same: false,
        ..
    } = &chosen.reason
    else {
        return None;
    };
    let (name, version) = (title(&chosen.set.project), &chosen.set.version);
    let message = format!("{name} {declared} is checked as {version}");
    Some(explained(Diagnostic::new(CODE, message), chosen))
}

/// Where the version in force is declared.
fn by(chosen: &Chosen) -> Option<&str> {
    match &chosen.reason {
        Reason::Declared(by) | Reason::Like { by, .. } => Some(by),
        Reason::Bundled(_) | Reason::Assumed => None,
    }
}

/// What a chart's version is checked as; `None` if it is the version in force, or not known yet.
fn message(written: Option<&str>, chosen: &Chosen) -> Option<String> {
    let set = &chosen.set;
    let Some(written) = written else {
        return Some(format!(
            "the {CHART} chart has no version that can be read; it is checked as {}",
            set.title()
        ));
    };
    if variable::in_text(written) {
        return None;
    }
    let version = Version::new(written);
    match &chosen.reason {
        _ if version == set.version => None,
        Reason::Like {
            declared,
            is_same: true,
            ..
        } if version == *declared => None,
        _ if version.minor().is_some() => Some(format!(
            "the {CHART} chart {version} is checked as {}",
            set.title()
        )),
        _ => Some(format!(
            "the {CHART} chart's version `{written}` is not one release; it is checked as {}",
            set.title()
        )),
    }
}

fn explained(finding: Diagnostic, chosen: &Chosen) -> Diagnostic {
    let project = &chosen.set.project;
    finding
        .why("single rules or fields of the CRDs that are installed may differ from those that were checked")
        .help(format!(
            "nothing needs to be done; to be exact, update gatewayctl, or import the CRDs: `gatewayctl schemas import --as {project}@VERSION FILES`"
        ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::support::told_without_declaring;

    #[test]
    fn what_a_version_of_the_chart_is_checked_as_is_said_once() {
        let says = |reference: &str| {
            let text = format!(
                "apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {{name: a}}
spec: {{url: oci://docker.io/envoyproxy/gateway-helm, {reference}}}
"
            );
            told_without_declaring(check, "envoy-gateway", "1.9.1", &text)
        };
        for (reference, checked) in [
            ("ref: {tag: v1.9.1}", None),
            ("ref: {tag: '${VERSION}'}", None),
            (
                "ref: {tag: 1.8.99}",
                Some(
                    "/spec/ref/tag: the gateway-helm chart 1.8.99 is checked as Envoy Gateway 1.9.1",
                ),
            ),
            (
                "ref: {tag: 1.10.0-rc.1}",
                Some(
                    "/spec/ref/tag: the gateway-helm chart 1.10.0-rc.1 is checked as Envoy Gateway 1.9.1",
                ),
            ),
            (
                "ref: {semver: 1.x}",
                Some(
                    "/spec/ref/semver: the gateway-helm chart's version `1.x` is not one release; it is checked as Envoy Gateway 1.9.1",
                ),
            ),
            (
                "ref: {tag: latest}",
                Some(
                    "/spec/ref/tag: the gateway-helm chart's version `latest` is not one release; it is checked as Envoy Gateway 1.9.1",
                ),
            ),
            (
                "ref: {digest: sha256:abc}",
                Some(
                    "/spec/ref/digest: the gateway-helm chart has no version that can be read; it is checked as Envoy Gateway 1.9.1",
                ),
            ),
        ] {
            let want: Vec<String> = checked
                .map(|told| format!("note version/nearest-release {told}"))
                .into_iter()
                .collect();
            assert_eq!(says(reference), want, "{reference}");
        }
    }
}
