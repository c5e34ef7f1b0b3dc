//! Objects that may be applied before their CustomResourceDefinitions are.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Whole;
use super::dependencies::{Waiting, waiting};
use super::front::{CHART, ENVOY_GATEWAY, text};
use crate::check::finding;
use crate::diagnostic::{Code, Diagnostic};
use crate::manifest::Object;
use crate::value::Pointer;

/// API groups of the front door's objects, and the charts that bring their CRDs. The Gateway API's own are left
/// out: nearly everybody installs them by other means too.
const CHARTS: [(&str, &[&str]); 4] = [
    (ENVOY_GATEWAY, &[CHART, "gateway-crds-helm"]),
    ("keda.sh", &["keda"]),
    (
        "monitoring.coreos.com",
        &["kube-prometheus-stack", "prometheus-operator-crds"],
    ),
    ("grafana.integreatly.org", &["grafana-operator"]),
];

/// The kinds by which a Flux Kustomization is one of the front door's.
const FRONT: [&str; 3] = ["EnvoyProxy", "Gateway", "GatewayClass"];

/// Flux Kustomizations of the front door that don't depend on what installs their objects' CRDs.
pub fn check(whole: &Whole<'_>) -> Vec<Diagnostic> {
    if are_installed_first(whole) {
        return Vec::new();
    }
    let all = waiting(whole);
    let mut found = Vec::new();
    for (flux, users) in front_doors(whole) {
        let Some(start) = all.iter().position(|one| one.of.at == flux) else {
            continue;
        };
        for (group, charts) in CHARTS {
            let Some(user) = users.iter().find(|object| object.group() == group) else {
                continue;
            };
            let Some(installers) = installers(whole, group, charts, user) else {
                continue;
            };
            found.extend(late(whole, &all, start, user, &installers));
        }
    }
    found
}

/// Whether files tell that CRDs are installed before Flux is: a bootstrap with helmfile, or with CRDs of its own.
fn are_installed_first(whole: &Whole<'_>) -> bool {
    whole.files.iter().any(|file| {
        let file = file.to_lowercase();
        file.contains("bootstrap") && (file.contains("helmfile") || file.contains("crds"))
    })
}

/// Flux Kustomizations that apply part of the front door, with all that they apply.
fn front_doors<'a>(whole: &Whole<'a>) -> BTreeMap<usize, Vec<&'a Object>> {
    let mut by_flux: BTreeMap<usize, Vec<&Object>> = BTreeMap::new();
    for one in whole.all() {
        if let Some(flux) = one.way.and_then(|way| way.flux) {
            by_flux.entry(flux).or_default().push(one.object);
        }
    }
    by_flux.retain(|_, objects| objects.iter().any(|object| FRONT.contains(&object.kind())));
    by_flux
}

/// The Flux Kustomizations that bring the CRDs of a group; `None` where that can't be told, or none does.
fn installers(
    whole: &Whole<'_>,
    group: &str,
    charts: &[&str],
    user: &Object,
) -> Option<BTreeSet<usize>> {
    let mut installers = BTreeSet::new();
    let mut add = |flux: Option<usize>| flux.map(|flux| installers.insert(flux));
    for chart in charts {
        for release in whole.releases(chart) {
            let skips = text(release.object, &["spec", "install", "crds"]) == "Skip";
            if !skips && whole.may_share_cluster(release.object, user) {
                // A release that is applied by nobody knows whom could come first or last.
                add(release.way.and_then(|way| way.flux))?;
            } else if skips {
                return None;
            }
        }
    }
    for crd in whole.of_kind("apiextensions.k8s.io", "CustomResourceDefinition") {
        if text(crd.object, &["spec", "group"]) == group {
            add(crd.way.and_then(|way| way.flux))?;
        }
    }
    (!installers.is_empty()).then_some(installers)
}

/// Whether `start` reaches none of the installers through its dependencies.
fn late(
    whole: &Whole<'_>,
    all: &[Waiting<'_>],
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
            // One that is not at hand may depend on anything.
            let to = need.found?;
            if seen.insert(to) {
                next.push_back(to);
            }
        }
    }
    let flux = all.get(start)?.of;
    let installer = installers.iter().find_map(|at| whole.objects.get(*at))?;
    let pointer = Pointer::root().key("metadata").key("name");
    let message = format!(
        "{} applies {}, and does not depend on {}, which installs the CRD",
        flux.object.name(),
        format_args!("{} {}", user.kind(), user.name()),
        installer.name()
    );
    Some(
        finding(Code::FluxMissingCrds, flux.object, &pointer, message)
            .related(user.span(&Pointer::root().key("kind")), "the object")
            .related(installer.span(&pointer), "what installs its CRD")
            .why("on a new cluster the API server does not know the kind: Flux applies nothing of the Kustomization until it tries again")
            .help(format!("add `{}` to its `dependsOn`", installer.name())),
    )
}
