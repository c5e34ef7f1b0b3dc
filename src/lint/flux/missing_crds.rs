//! Objects that may be applied before their CustomResourceDefinitions.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::dependencies::Dependent;
use crate::lint::LintContext;
use crate::lint::front::{CHART, ENVOY_GATEWAY, text};
use manifest::diagnostic::Diagnostic;
use manifest::value::Pointer;
use manifest::{Object, finding};

manifest::code! {
    "flux"/"missing-crds", Warning, "Objects that may be applied before their CRDs.",
    r#"
A Flux Kustomization applies objects whose CustomResourceDefinitions come with a chart that another
Kustomization installs, but it doesn't depend on that one. On a new cluster, the API server doesn't know these
kinds, and Flux applies nothing from the Kustomization until the CRDs exist. If the CRDs are installed before
Flux, set `install.crds: Skip` in the HelmRelease to say so.

## Wrong

```yaml
kind: Kustomization
metadata:
  name: envoy-gateway-config
spec:
  path: ./kubernetes/apps/network/envoy-gateway/config
```

## Right

```yaml
kind: Kustomization
metadata:
  name: envoy-gateway-config
spec:
  path: ./kubernetes/apps/network/envoy-gateway/config
  dependsOn:
    - name: envoy-gateway
```
"#
}

/// API groups that gateways' objects use, and the charts that install their CRDs. The Gateway API's own group is left
/// out, because nearly everybody installs those CRDs in other ways too.
const CHARTS: [(&str, &[&str]); 4] = [
    (ENVOY_GATEWAY, &[CHART, "gateway-crds-helm"]),
    ("keda.sh", &["keda"]),
    (
        "monitoring.coreos.com",
        &["kube-prometheus-stack", "prometheus-operator-crds"],
    ),
    ("grafana.integreatly.org", &["grafana-operator"]),
];

/// A Flux Kustomization that applies one of these kinds is one of the gateways'.
const FRONT: [&str; 3] = ["EnvoyProxy", "Gateway", "GatewayClass"];

/// Reports Flux Kustomizations with gateways that don't depend on the one that installs the CRDs of their objects.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    if are_installed_first(context) {
        return Vec::new();
    }
    let all = context.dependents();
    let mut found = Vec::new();
    for (flux, users) in front_doors(context) {
        let Some(start) = all.iter().position(|one| one.of.at == flux) else {
            continue;
        };
        for (group, charts) in CHARTS {
            let Some(user) = users.iter().find(|object| object.group() == group) else {
                continue;
            };
            let Some(installers) = installers(context, group, charts, user) else {
                continue;
            };
            found.extend(late(context, all, start, user, &installers));
        }
    }
    found
}

/// Whether files show that CRDs are installed before Flux: a bootstrap with helmfile, or with CRDs of its own.
fn are_installed_first(context: &LintContext<'_>) -> bool {
    context.files.iter().any(|file| {
        let file = file.to_lowercase();
        file.contains("bootstrap") && (file.contains("helmfile") || file.contains("crds"))
    })
}

/// The Flux Kustomizations that apply parts of the gateways, with everything that they apply.
fn front_doors<'a>(context: &LintContext<'a>) -> BTreeMap<usize, Vec<&'a Object>> {
    let mut by_flux: BTreeMap<usize, Vec<&Object>> = BTreeMap::new();
    for one in context.all() {
        if let Some(flux) = one.way.and_then(|way| way.flux) {
            by_flux.entry(flux).or_default().push(one.object);
        }
    }
    by_flux.retain(|_, objects| objects.iter().any(|object| FRONT.contains(&object.kind())));
    by_flux
}

/// The Flux Kustomizations that install the CRDs of a group; `None` if that is unknown, or there are none.
fn installers(
    context: &LintContext<'_>,
    group: &str,
    charts: &[&str],
    user: &Object,
) -> Option<BTreeSet<usize>> {
    let mut installers = BTreeSet::new();
    let mut add = |flux: Option<usize>| flux.map(|flux| installers.insert(flux));
    for chart in charts {
        for release in context.releases(chart) {
            let skips = text(release.object, &["spec", "install", "crds"]) == "Skip";
            if !skips && context.may_share_cluster(release.object, user) {
                // If it is not known what applies a release, its order is not known either.
                add(release.way.and_then(|way| way.flux))?;
            } else if skips {
                return None;
            }
        }
    }
    for crd in context.of_kind("apiextensions.k8s.io", "CustomResourceDefinition") {
        if text(crd.object, &["spec", "group"]) == group {
            add(crd.way.and_then(|way| way.flux))?;
        }
    }
    (!installers.is_empty()).then_some(installers)
}

/// Whether `start` depends on none of the installers, not even indirectly.
fn late(
    context: &LintContext<'_>,
    all: &[Dependent<'_>],
    start: usize,
    user: &Object,
    installers: &BTreeSet<usize>,
) -> Option<Diagnostic> {
    let mut seen = BTreeSet::from([start]);
    let mut next = VecDeque::from([start]);
    while let Some(at) = next.pop_front() {
        let one = all.get(at)?;
        if installers.contains(&one.of.at) {
            return None;
        }
        for need in &one.needs {
            // A Kustomization that is not given may depend on anything.
            let to = need.found?;
            if seen.insert(to) {
                next.push_back(to);
            }
        }
    }
    let flux = all.get(start)?.of;
    let installer = installers.iter().find_map(|at| context.objects.get(*at))?;
    let pointer = Pointer::root().key("metadata").key("name");
    let message = format!(
        "{} applies {}, but does not depend on {}, which installs the CRD",
        flux.object.name(),
        format_args!("{} {}", user.kind(), user.name()),
        installer.name()
    );
    Some(
        finding(CODE, flux.object, &pointer, message)
            .related(user.span(&Pointer::root().key("kind")), "the object")
            .related(installer.span(&pointer), "this installs its CRD")
            .why("on a new cluster the API server doesn't have the kind yet, so Flux applies nothing of the Kustomization until it tries again")
            .help(format!("add `{}` to its `dependsOn`", installer.name())),
    )
}

#[cfg(test)]
mod tests {
    use crate::lint::flux::dependencies::tests::ks;
    use crate::lint::support::found_in;

    #[test]
    fn crds_come_before_what_needs_them() {
        let tree = |needs: &str, values: &str| {
            let parts = [
                ks("envoy", ""),
                ks("config", needs),
                "
# envoy/release.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: envoy-gateway, namespace: network}
spec:
  chart: {spec: {chart: gateway-helm}}
  "
                .to_owned(),
                values.to_owned(),
                "
# config/proxy.yaml
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: envoy, namespace: network}"
                    .to_owned(),
            ];
            format!("{}\n", parts.concat())
        };
        assert_eq!(
            found_in(&tree("", "")),
            [
                "warning flux/missing-crds net/config.yaml:3 config applies EnvoyProxy envoy, but does not depend on envoy, which installs the CRD"
            ]
        );
        assert_eq!(found_in(&tree("dependsOn: [{name: envoy}]", "")), [""; 0]);
        assert_eq!(found_in(&tree("dependsOn: [{name: other}]", "")), [""; 0]);
        assert_eq!(found_in(&tree("", "install: {crds: Skip}")), [""; 0]);
        let bootstrapped = format!("{}# bootstrap/helmfile.yaml\n", tree("", ""));
        assert_eq!(found_in(&bootstrapped), [""; 0]);
    }
}
