//! Objects that may be applied before their CustomResourceDefinitions.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::crds_beside_users;
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

/// An API group, and the charts that install its CRDs.
struct ChartedGroup {
    group: &'static str,
    charts: &'static [&'static str],
    /// Whether only Flux Kustomizations with gateways are looked at, because elsewhere nearly everybody installs these CRDs
    /// in other ways too. For the same reason, the Gateway API's own group is not in the table.
    is_for_gateways: bool,
}

const GROUPS: [ChartedGroup; 5] = [
    ChartedGroup {
        group: ENVOY_GATEWAY,
        charts: &[CHART, "gateway-crds-helm"],
        is_for_gateways: false,
    },
    ChartedGroup {
        group: "keda.sh",
        charts: &["keda"],
        is_for_gateways: false,
    },
    ChartedGroup {
        group: "cert-manager.io",
        charts: &["cert-manager"],
        is_for_gateways: false,
    },
    ChartedGroup {
        group: "monitoring.coreos.com",
        charts: &["kube-prometheus-stack", "prometheus-operator-crds"],
        is_for_gateways: true,
    },
    ChartedGroup {
        group: "grafana.integreatly.org",
        charts: &["grafana-operator"],
        is_for_gateways: true,
    },
];

/// A Flux Kustomization that applies one of these kinds is one of the gateways'.
const FRONT: [&str; 3] = ["EnvoyProxy", "Gateway", "GatewayClass"];

/// Reports Flux Kustomizations that don't depend on the one that installs the CRDs of their objects, or that install them
/// with a chart themselves.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    if are_installed_first(context) {
        return Vec::new();
    }
    let all = context.dependents();
    let mut found = Vec::new();
    for (flux, users) in by_flux(context) {
        let Some(start) = all.iter().position(|one| one.of.at == flux) else {
            continue;
        };
        let has_gateways = users.iter().any(|object| FRONT.contains(&object.kind()));
        for charted in GROUPS
            .iter()
            .filter(|it| has_gateways || !it.is_for_gateways)
        {
            let mut of_group = users
                .iter()
                .filter(|object| object.group() == charted.group);
            let Some(user) = of_group.next() else {
                continue;
            };
            let Some(installers) = installers(context, charted, user) else {
                continue;
            };
            if is_after(all, start, &installers) {
                continue;
            }
            found.extend(match installers.releases.get(&flux) {
                // Most install the CRDs of Envoy Gateway together with those of the Gateway API, before Flux.
                Some(_) if charted.group == ENVOY_GATEWAY && !is_in_repository(context, flux) => {
                    None
                }
                Some(release) => crds_beside_users::report(context, release, user, flux),
                None => late(context, all, start, user, &installers),
            });
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

/// Whether another given Flux Kustomization applies this one, so that the manifests are more than a part of a repository.
fn is_in_repository(context: &LintContext<'_>, flux: usize) -> bool {
    let mut above = context.delivery.ways(flux).iter();
    above.any(|way| way.flux.is_some())
}

/// Everything that each Flux Kustomization applies.
fn by_flux<'a>(context: &LintContext<'a>) -> BTreeMap<usize, Vec<&'a Object>> {
    let mut by_flux: BTreeMap<usize, Vec<&Object>> = BTreeMap::new();
    for one in context.all() {
        if let Some(flux) = one.way.and_then(|way| way.flux) {
            by_flux.entry(flux).or_default().push(one.object);
        }
    }
    by_flux
}

/// The Flux Kustomizations that install the CRDs of a group.
struct Installers<'a> {
    /// Those that do so with a chart, each with the HelmRelease.
    releases: BTreeMap<usize, &'a Object>,
    /// Those that apply the CRDs themselves, which Flux does before everything else.
    crds: BTreeSet<usize>,
}

impl Installers<'_> {
    fn all(&self) -> impl Iterator<Item = usize> {
        self.crds
            .iter()
            .copied()
            .chain(self.releases.keys().copied())
    }
}

/// The Flux Kustomizations that install the CRDs of a group; `None` if that is unknown, or there are none.
fn installers<'a>(
    context: &LintContext<'a>,
    charted: &ChartedGroup,
    user: &Object,
) -> Option<Installers<'a>> {
    let mut installers = Installers {
        releases: BTreeMap::new(),
        crds: BTreeSet::new(),
    };
    for release in charted
        .charts
        .iter()
        .flat_map(|chart| context.releases(chart))
    {
        if !context.may_share_cluster(release.object, user) {
            continue;
        }
        if text(release.object, &["spec", "install", "crds"]) == "Skip" {
            return None;
        }
        // If it is not known what applies a release, its order is not known either.
        let flux = release.way.and_then(|way| way.flux)?;
        installers.releases.insert(flux, release.object);
    }
    for crd in context.of_kind("apiextensions.k8s.io", "CustomResourceDefinition") {
        if text(crd.object, &["spec", "group"]) == charted.group {
            let flux = crd.way.and_then(|way| way.flux)?;
            installers.crds.insert(flux);
        }
    }
    installers.all().next()?;
    Some(installers)
}

/// Whether the Flux Kustomization `start` certainly or perhaps comes after the CRDs: it applies them itself, or depends on
/// one of the others that install them, at least indirectly.
fn is_after(all: &[Dependent<'_>], start: usize, installers: &Installers<'_>) -> bool {
    let mut seen = BTreeSet::from([start]);
    let mut next = VecDeque::from([start]);
    while let Some(at) = next.pop_front() {
        let Some(one) = all.get(at) else { return true };
        let flux = one.of.at;
        let has_release = installers.releases.contains_key(&flux) && at != start;
        if has_release || installers.crds.contains(&flux) {
            return true;
        }
        for need in &one.needs {
            // A Kustomization that is not given may depend on anything.
            let Some(to) = need.found else { return true };
            if seen.insert(to) {
                next.push_back(to);
            }
        }
    }
    false
}

/// Reports a Flux Kustomization that doesn't depend on the one that installs the CRDs.
fn late(
    context: &LintContext<'_>,
    all: &[Dependent<'_>],
    start: usize,
    user: &Object,
    installers: &Installers<'_>,
) -> Option<Diagnostic> {
    let flux = all.get(start)?.of;
    let near = |at: &usize| {
        let installer = all.iter().find(|one| one.of.at == *at);
        installer.filter(|one| context.may_share_cluster(one.of.object, flux.object))
    };
    let installer = installers.all().find_map(|at| near(&at))?.of.object;
    let (name, namespace) = (installer.name(), installer.namespace());
    let pointer = Pointer::root().key("metadata").key("name");
    let message = format!(
        "{} applies {}, but does not depend on {name}, which installs the CRD",
        flux.object.name(),
        format_args!("{} {}", user.kind(), user.name()),
    );
    let entry = match namespace == flux.object.namespace() || namespace.is_empty() {
        true => format!("name: {name}"),
        false => format!("name: {name}, namespace: {namespace}"),
    };
    Some(
        finding(CODE, flux.object, &pointer, message)
            .related(user.span(&Pointer::root().key("kind")), "the object")
            .related(installer.span(&pointer), "this installs its CRD")
            .why("on a new cluster the API server doesn't have the kind yet, so Flux applies nothing of the Kustomization until it tries again")
            .help(format!("add `{{{entry}}}` to its `spec.dependsOn`")),
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
        let keda = [
            ks("keda", ""),
            "
# keda/release.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: keda, namespace: network}
spec: {chart: {spec: {chart: keda}}}
# keda/scaled.yaml
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: app, namespace: network}
"
            .to_owned(),
        ];
        assert_eq!(
            found_in(&keda.concat()),
            [
                "warning flux/crds-beside-users keda/scaled.yaml:2 keda applies ScaledObject app together with the HelmRelease keda, which installs its CRD"
            ]
        );
        let bootstrapped = format!("{}# bootstrap/helmfile.yaml\n", tree("", ""));
        assert_eq!(found_in(&bootstrapped), [""; 0]);
    }
}
