//! Versions of charts that were never released.

use crate::lint::{Applied, LintContext};
use crate::model::Version;
use crd_validate::schema::bundle::ENVOY_GATEWAY;
use crd_validate::schema::releases;
use crd_validate::schema::set::is_followed;
use envoy_gateway::controller::helm_charts::chart_in;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Pointer, variable};

manifest::code! {
    "version"/"unknown-release", Warning, "A version of a chart that is far beyond its newest release.",
    r#"
The version of a chart is so far beyond the newest release that this program knows that there is probably no such
version. Often two digits were exchanged, or it is the version of another chart. Flux doesn't find the chart, and keeps
the installed version without its newer values. If the chart has really come that far, update gatewayctl.

## Wrong

```yaml
kind: OCIRepository
spec:
  url: oci://docker.io/envoyproxy/gateway-helm
  ref:
    tag: v1.18.2
```

## Right

```yaml
kind: OCIRepository
spec:
  url: oci://docker.io/envoyproxy/gateway-helm
  ref:
    tag: v1.8.2
```
"#
}

/// How many minor or major versions may have been released since this program was: those of a year and a half.
const NEWER: u64 = 6;

/// How many minor versions, counted from the newest one, still get patch releases.
const MAINTAINED: u64 = 2;

/// How many patch releases of a minor version that gets no more of them may have been overlooked.
const OVERLOOKED: u64 = 5;

/// Reports exact versions of charts that can't have been released.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let objects = context.all();
    objects.filter_map(|Applied { object, .. }| {
        let (chart, version) = chart_in(&object.node)?;
        let written = version.filter(|version| !variable::in_text(version))?;
        let version = Version::parse(written)?;
        let (project, releases) =
            releases::of_chart(chart).filter(|(project, _)| is_followed(project))?;
        let newest = Version::parse(releases.newest_chart()?.as_str())?;
        let is_beyond = version.major >= newest.major + NEWER
            || version.major == newest.major && version.minor >= newest.minor + NEWER;
        let last = match project == ENVOY_GATEWAY && version.minor + MAINTAINED <= newest.minor {
            true => releases
                .last_patches()
                .remove(&(version.major, version.minor)),
            false => None,
        };
        let last = last.and_then(|last| Version::parse(last.as_str()));
        let after = last.filter(|last| version.patch > last.patch + OVERLOOKED);
        if !is_beyond && after.is_none() {
            return None;
        }
        let path: &[&str] = match object.kind() {
            "HelmRelease" => &["spec", "chart", "spec", "version"],
            "HelmChart" => &["spec", "version"],
            _ => &["spec", "ref", "tag"],
        };
        let pointer = path.iter().fold(Pointer::root(), |at, key| at.key(*key));
        let message = match after {
            Some(last) => format!(
                "no {chart} {written} is known; the last release of {}.{} is {last}",
                last.major, last.minor
            ),
            None => format!(
                "no {chart} {written} is known; the newest release that is known is {newest}"
            ),
        };
        Some(
            finding(CODE, object, &pointer, message)
                .why("if there is none, Flux finds no such version, so nothing of the release is installed or changed")
                .help("write a version that exists; if this one does, update gatewayctl"),
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::support::told;

    #[test]
    fn a_version_far_beyond_the_newest_does_not_exist() {
        let says = |url: &str, tag: &str| {
            let text = format!(
                "apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {{name: a}}
spec: {{url: {url}, ref: {{tag: {tag}}}}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        let chart = "oci://docker.io/envoyproxy/gateway-helm";
        assert_eq!(
            says(chart, "v1.18.2"),
            [
                "warning version/unknown-release /spec/ref/tag: no gateway-helm v1.18.2 is known; the newest release that is known is 1.9.1"
            ]
        );
        assert_eq!(
            says(chart, "1.5.19"),
            [
                "warning version/unknown-release /spec/ref/tag: no gateway-helm 1.5.19 is known; the last release of 1.5 is 1.5.9"
            ]
        );
        for right in [
            "v1.8.2",
            "1.10.0",
            "1.9.7",
            "1.13.1",
            "2.0.0",
            "v0.0.0-latest",
            "'${VERSION}'",
        ] {
            assert_eq!(says(chart, right), [""; 0], "{right}");
        }
        assert_eq!(says("oci://example.com/app", "99.0.0"), [""; 0]);
    }
}
