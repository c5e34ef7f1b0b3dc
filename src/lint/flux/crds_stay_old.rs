//! Releases of Envoy Gateway's chart that leave the CRDs as they are when the chart is upgraded.

use crate::lint::LintContext;
use crate::lint::front::{CHART, ENVOY_GATEWAY, text};
use crd_validate::schema::Version;
use crd_validate::schema::bundle::gateway_api_of;
use flux_repo::DeliveryPath;
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::value::{Node, Pointer};
use manifest::{Object, finding};

manifest::code! {
    "flux"/"crds-stay-old", Warning, "A HelmRelease that doesn't update its chart's CRDs at an upgrade.",
    r#"
Helm installs the CRDs of a chart once. At an upgrade, Flux leaves them as they are, unless `upgrade.crds`
says otherwise. A newer Envoy Gateway then runs with the old CRDs of Envoy Gateway and of the Gateway API.
After the upgrade from 1.7 to 1.8, its controller stops, because it doesn't find `TLSRoute` in version `v1`.
From 1.9 on, it ignores TCPRoutes and UDPRoutes if the CRDs are older than Gateway API 1.6. Other kinds lack
the new fields.

Nothing is wrong until the next upgrade, so `validate` only notes it; `gatewayctl upgrade` reports it as an
error. It is not reported if something else installs the CRDs (the chart `gateway-crds-helm`, or manifests),
or if a patch may set it, which includes those of Flux Kustomizations that are not among the manifests.

## Wrong

```yaml
kind: HelmRelease
metadata:
  name: envoy-gateway
spec:
  chartRef: { kind: OCIRepository, name: envoy-gateway }
```

## Right

```yaml
kind: HelmRelease
metadata:
  name: envoy-gateway
spec:
  chartRef: { kind: OCIRepository, name: envoy-gateway }
  install:
    crds: CreateReplace
  upgrade:
    crds: CreateReplace
```
"#
}

/// The chart that only has the CRDs.
const CRDS_CHART: &str = "gateway-crds-helm";

/// How many Flux Kustomizations may apply each other.
const DEEPEST: usize = 16;

/// Notes releases of the chart that don't update the CRDs.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let releases = context.releases(CHART).filter(|release| {
        let written = text(release.object, &["spec", "upgrade", "crds"]);
        // With `Skip`, somebody has decided that the CRDs come from elsewhere.
        // Argo CD applies the CRDs of charts.
        matches!(written, "" | "Create")
            && release.object.kind() == "HelmRelease"
            && !are_from_elsewhere(context, release.object)
            && is_known(context, release.way)
            && !may_be_patched(context, release.way)
    });
    releases
        .map(|release| {
            let name = release.object.name();
            let message = format!("an upgrade of {name} leaves the CRDs in their present version");
            finding(CODE, release.object, &place(release.object), message)
                .severity(Severity::Note)
                .why("Flux doesn't update the CRDs of a chart by default, and a newer Envoy Gateway needs those of its version")
                .help("add `upgrade: {crds: CreateReplace}` and `install: {crds: CreateReplace}` to `spec`")
        })
        .collect()
}

/// Whether it is known what applies the release: nothing of Flux, or a Flux Kustomization that another given one applies.
/// The usual repository sets how CRDs are treated by a patch of the outermost one.
fn is_known(context: &LintContext<'_>, way: Option<&DeliveryPath>) -> bool {
    let flux = way.and_then(|way| way.flux);
    flux.is_none_or(|flux| {
        let mut above = context.delivery.ways(flux).iter();
        above.any(|way| way.flux.is_some())
    })
}

/// The place of the setting, or else of the name.
fn place(release: &Object) -> Pointer {
    let setting = Pointer::root().key("spec").key("upgrade");
    match release.node.at(&setting) {
        Some(_) => setting,
        None => Pointer::root().key("metadata").key("name"),
    }
}

/// Whether the manifests contain the CRDs, or another release that installs them.
fn are_from_elsewhere(context: &LintContext<'_>, release: &Object) -> bool {
    let crds = context.of_kind("apiextensions.k8s.io", "CustomResourceDefinition");
    let crds = crds.filter(|crd| text(crd.object, &["spec", "group"]) == ENVOY_GATEWAY);
    let mut all = context.releases(CRDS_CHART).chain(crds);
    all.any(|one| context.may_share_cluster(one.object, release))
}

/// Whether a patch on the way of the release, or of the Flux Kustomizations that apply it, may set how CRDs are treated.
fn may_be_patched(context: &LintContext<'_>, way: Option<&DeliveryPath>) -> bool {
    let mut ways: Vec<&DeliveryPath> = way.into_iter().collect();
    for _ in 0..DEEPEST {
        let by = ways.iter().flat_map(|way| &way.patched_by);
        let mut by = by.filter_map(|at| context.objects.get(*at));
        if by.any(|by| by.node.to_json().to_string().contains("crds")) {
            return true;
        }
        let above = ways.iter().filter_map(|way| way.flux);
        ways = above.flat_map(|flux| context.delivery.ways(flux)).collect();
    }
    false
}

/// What becomes of an upgrade: an error for each release that `found` notes, and a warning for each that leaves the CRDs
/// to something else.
pub(crate) fn at_upgrade(
    objects: &[Object],
    found: &[Diagnostic],
    from: &Version,
    to: &Version,
) -> Vec<Diagnostic> {
    if from.minor() == to.minor() {
        return Vec::new();
    }
    let consequence = consequence(from, to);
    let noted = found.iter().filter(|one| one.code == CODE).map(|one| {
        let mut one = one.clone().severity(Severity::Error);
        one.message =
            format!("this release leaves the CRDs in version {from} when it is upgraded to {to}");
        one.why(consequence.clone())
    });
    let gateway_api = gateway_api_of(to).map(|set| set.title());
    let needed = match gateway_api {
        Some(gateway_api) => format!("Envoy Gateway {to} and {gateway_api}"),
        None => format!("Envoy Gateway {to}"),
    };
    let releases =
        envoy_gateway::controller::HelmCharts::new(&objects.iter().collect::<Vec<_>>(), |_, _| {
            true
        });
    let skipping = releases.releases(CHART).iter().filter_map(|release| {
        let release = objects.get(release.at)?;
        let pointer = Pointer::root().key("spec").key("upgrade").key("crds");
        let is_skip = release.node.at(&pointer).and_then(Node::as_str) == Some("Skip");
        let message = format!("something else must bring the CRDs of {needed} first");
        is_skip.then(|| {
            finding(CODE, release, &pointer, message)
                .severity(Severity::Warning)
                .why(consequence.clone())
                .help("update whatever installs the CRDs (`gateway-crds-helm`, manifests), or write `CreateReplace`")
        })
    });
    noted.chain(skipping).collect()
}

/// What happens if a version runs with the CRDs of an older one.
fn consequence(from: &Version, to: &Version) -> String {
    let crosses = |minor: (u64, u64)| from.minor() < Some(minor) && to.minor() >= Some(minor);
    let mut all = Vec::new();
    if crosses((1, 8)) {
        all.push("with the old CRDs the controller stops: `no matches for kind \"TLSRoute\" in version \"gateway.networking.k8s.io/v1\"`");
    }
    if crosses((1, 9)) {
        all.push("TCPRoutes and UDPRoutes are ignored without a word until the CRDs are those of Gateway API 1.6");
    }
    if all.is_empty() {
        all.push("the API server removes or refuses the fields that the new version adds");
    }
    all.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::support::{objects, with_context};
    use flux_repo::fixture::tree;

    fn release(rest: &str) -> String {
        format!(
            "
# a.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: envoy-gateway, namespace: network}}
spec:
  chart: {{spec: {{chart: gateway-helm, version: 1.7.5}}}}
  {rest}
"
        )
    }

    #[test]
    fn a_release_that_leaves_the_crds_is_noted() {
        let says = |text: &str| {
            with_context(&tree(text), |context| {
                check(context)
                    .into_iter()
                    .map(|one| format!("{} {}", one.severity.as_str(), one.message))
                    .collect::<Vec<_>>()
            })
        };
        let noted = ["note an upgrade of envoy-gateway leaves the CRDs in their present version"];
        assert_eq!(says(&release("interval: 1h")), noted);
        for right in ["upgrade: {crds: CreateReplace}", "upgrade: {crds: Skip}"] {
            assert_eq!(says(&release(right)), [""; 0], "{right}");
        }
        let crds = release("interval: 1h").replace("gateway-helm", "gateway-crds-helm");
        let both = format!("{}{}", release(""), crds.replace("# a.yaml", "# b.yaml"));
        assert_eq!(says(&both), [""; 0]);
    }

    #[test]
    fn crds_that_something_else_installs_must_come_first() {
        let text = release("upgrade: {crds: Skip}").replace("\n# a.yaml\n", "");
        let all = objects("a.yaml", &text);
        let at = |from: &str, to: &str| {
            let found = at_upgrade(&all, &[], &Version::new(from), &Version::new(to));
            found
                .into_iter()
                .map(|one| (one.message, one.why.unwrap_or_default()))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            at("1.8.3", "1.9.0"),
            [(
                "something else must bring the CRDs of Envoy Gateway 1.9.0 and Gateway API 1.6.1 first"
                    .to_owned(),
                "TCPRoutes and UDPRoutes are ignored without a word until the CRDs are those of Gateway API 1.6"
                    .to_owned()
            )]
        );
        assert_eq!(at("1.8.0", "1.8.3").len(), 0);
    }
}
