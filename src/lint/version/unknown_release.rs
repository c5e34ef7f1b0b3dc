//! Versions of charts that were never released.

use crate::lint::{Applied, LintContext};
use crate::model::Version;
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

/// Charts, each with the newest release in November 2026: major, minor and patch.
const NEWEST: [(&str, (u64, u64, u64)); 7] = [
    ("cert-manager", (1, 21, 2)),
    ("cilium", (1, 20, 2)),
    ("external-dns", (1, 23, 0)),
    ("gateway-crds-helm", (1, 9, 1)),
    ("gateway-helm", (1, 9, 1)),
    ("grafana-operator", (5, 25, 0)),
    ("keda", (2, 21, 0)),
];

/// How many minor or major versions may have been released since then.
const NEWER: u64 = 3;

/// The last patch releases of minor versions of Envoy Gateway that get no more of them.
const LAST: [((u64, u64), u64); 8] = [
    ((1, 0), 2),
    ((1, 1), 4),
    ((1, 2), 8),
    ((1, 3), 3),
    ((1, 4), 6),
    ((1, 5), 9),
    ((1, 6), 7),
    ((1, 7), 5),
];

/// How many patch releases may have been overlooked.
const OVERLOOKED: u64 = 5;

/// Reports exact versions of charts that can't have been released.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let objects = context.all();
    objects.filter_map(|Applied { object, .. }| {
        let (chart, version) = chart_in(&object.node)?;
        let written = version.filter(|version| !variable::in_text(version))?;
        let version = Version::parse(written)?;
        let (_, (major, minor, patch)) = NEWEST.iter().find(|(name, _)| *name == chart)?;
        let is_beyond = version.major >= major + NEWER
            || version.major == *major && version.minor >= minor + NEWER;
        let last = LAST.iter().find(|(minor, _)| {
            chart.starts_with("gateway-") && *minor == (version.major, version.minor)
        });
        let is_after_last = last.is_some_and(|(_, last)| version.patch > last + OVERLOOKED);
        if !is_beyond && !is_after_last {
            return None;
        }
        let path: &[&str] = match object.kind() {
            "HelmRelease" => &["spec", "chart", "spec", "version"],
            "HelmChart" => &["spec", "version"],
            _ => &["spec", "ref", "tag"],
        };
        let pointer = path.iter().fold(Pointer::root(), |at, key| at.key(*key));
        let message = match last.filter(|_| is_after_last) {
            Some(((major, minor), last)) => format!(
                "there is no {chart} {written}; the last release of {major}.{minor} is {major}.{minor}.{last}"
            ),
            None => format!("there is no {chart} {written}; the newest release that is known is {major}.{minor}.{patch}"),
        };
        Some(
            finding(CODE, object, &pointer, message)
                .why("Flux finds no such version, so nothing of the release is installed or changed")
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
                "warning version/unknown-release /spec/ref/tag: there is no gateway-helm v1.18.2; the newest release that is known is 1.9.1"
            ]
        );
        assert_eq!(
            says(chart, "1.5.19"),
            [
                "warning version/unknown-release /spec/ref/tag: there is no gateway-helm 1.5.19; the last release of 1.5 is 1.5.9"
            ]
        );
        for right in ["v1.8.2", "1.10.0", "1.9.7", "v0.0.0-latest", "'${VERSION}'"] {
            assert_eq!(says(chart, right), [""; 0], "{right}");
        }
        assert_eq!(says("oci://example.com/app", "99.0.0"), [""; 0]);
    }
}
