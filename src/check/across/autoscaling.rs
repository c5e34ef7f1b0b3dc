//! Autoscalers of the proxies and of the controller.

use std::collections::BTreeMap;

use super::front::{CHART, Front, release_namespace, text};
use super::{Applied, Whole};
use crate::codes;
use envoy_gateway::controller::DeployMode;
use envoy_gateway::proxies::{Workload, hashed_deployment};
use manifest::diagnostic::suggest::nearest;
use manifest::diagnostic::{Diagnostic, Severity, Span};
use manifest::value::{Node, Pointer, variable};
use manifest::{Object, finding};

/// The name of the controller's Deployment, whatever the release is called (charts 1.5 to 1.9).
const CONTROLLER: &str = "envoy-gateway";

/// Something that scales one workload.
struct Scaler<'a> {
    /// The object that defines it.
    of: Applied<'a>,
    /// Its path in that object.
    pointer: Pointer,
    /// The workload that it scales.
    target: Workload,
    /// Its name in messages.
    what: String,
    /// Whether Envoy Gateway creates it from an EnvoyProxy. It then doesn't set the number of replicas itself.
    is_own: bool,
}

/// Reports autoscalers that conflict with each other, or have nothing to scale.
pub fn check(whole: &Whole<'_>) -> Vec<Diagnostic> {
    let fronts = whole.fronts();
    let scalers = scalers(whole, fronts);
    let mut found = bounds(whole);
    found.extend(twice(whole, &scalers));
    found.extend(fixed(whole, fronts, &scalers));
    found.extend(unknown(whole, fronts, &scalers));
    found
}

/// Everything that scales a workload: ScaledObjects, HorizontalPodAutoscalers, and those that EnvoyProxies and the
/// values of the chart define.
fn scalers<'a>(whole: &Whole<'a>, fronts: &[Front<'a>]) -> Vec<Scaler<'a>> {
    let mut all = Vec::new();
    for front in fronts {
        let place = front.infra.place(&["envoyHpa"]);
        let (Some((proxy, pointer)), Some(target)) = (place, front.workload()) else {
            continue;
        };
        all.push(Scaler {
            of: Applied {
                object: proxy,
                ..front.gateway
            },
            pointer,
            target,
            what: format!("`envoyHpa` of the EnvoyProxy {}", proxy.name()),
            is_own: true,
        });
    }
    for release in whole.releases(CHART) {
        let path = ["spec", "values", "hpa", "enabled"];
        let is_on = release.object.node.path(&path).map(Node::to_json) == Some(true.into());
        if is_on {
            all.push(Scaler {
                of: release,
                pointer: path
                    .iter()
                    .fold(Pointer::root(), |pointer, key| pointer.key(*key)),
                target: Workload {
                    kind: "Deployment",
                    namespace: release_namespace(release.object).to_owned(),
                    name: CONTROLLER.to_owned(),
                },
                what: format!("`hpa` in the values of {}", release.object.identity()),
                is_own: false,
            });
        }
    }
    let pointer = Pointer::root()
        .key("spec")
        .key("scaleTargetRef")
        .key("name");
    for (group, kind) in [
        ("keda.sh", "ScaledObject"),
        ("autoscaling", "HorizontalPodAutoscaler"),
    ] {
        for of in whole.of_kind(group, kind) {
            let wanted = text(of.object, &["spec", "scaleTargetRef", "kind"]);
            if !matches!(wanted, "" | "Deployment") {
                continue;
            }
            all.push(Scaler {
                of,
                pointer: pointer.clone(),
                target: Workload {
                    kind: "Deployment",
                    namespace: of.object.namespace().to_owned(),
                    name: text(of.object, &["spec", "scaleTargetRef", "name"]).to_owned(),
                },
                what: of.object.identity().to_string(),
                is_own: false,
            });
        }
    }
    all.retain(|scaler| {
        let target = &scaler.target;
        !target.name.is_empty()
            && !variable::in_text(&target.name)
            && !variable::in_text(&target.namespace)
    });
    all
}

/// Reports a minimum of replicas above the maximum.
fn bounds(whole: &Whole<'_>) -> Vec<Diagnostic> {
    const ROWS: [(&str, &str, &str, &str, u64, &str); 3] = [
        (
            "keda.sh",
            "ScaledObject",
            "minReplicaCount",
            "maxReplicaCount",
            100,
            "KEDA refuses the object, so nothing is scaled",
        ),
        (
            "keda.sh",
            "ScaledObject",
            "idleReplicaCount",
            "minReplicaCount",
            0,
            "KEDA refuses the object, so nothing is scaled",
        ),
        (
            "autoscaling",
            "HorizontalPodAutoscaler",
            "minReplicas",
            "maxReplicas",
            1,
            "the API server refuses the object, so nothing of its Flux Kustomization is applied",
        ),
    ];
    let mut found = Vec::new();
    for (group, kind, low, high, default, why) in ROWS {
        for of in whole.of_kind(group, kind) {
            let number = |key: &str| {
                of.object
                    .node
                    .path(&["spec", key])
                    .map(|node| node.to_json().as_u64())
            };
            let (Some(Some(least)), most) = (number(low), number(high)) else {
                continue;
            };
            let Some(most) = most.unwrap_or(Some(default)) else {
                continue;
            };
            // KEDA requires fewer replicas when idle, not the same number.
            let is_wrong = if low == "idleReplicaCount" {
                least >= most
            } else {
                least > most
            };
            if !is_wrong {
                continue;
            }
            let pointer = Pointer::root().key("spec");
            let name = of.object.name();
            found.push(
                finding(codes::KEDA_MINIMUM_ABOVE_MAXIMUM, of.object, &pointer.key(low), format!("{name} has {least} as `{low}` and {most} as `{high}`"))
                    .related(other_bound(of.object, &pointer.key(high)), "the other bound")
                    .why(why)
                    .help(if low == "idleReplicaCount" {
                        "`idleReplicaCount` must be less than `minReplicaCount`; remove it unless you scale to zero"
                    } else {
                        "make the maximum at least as large as the minimum"
                    }),
            );
        }
    }
    found
}

/// The place of a bound, where it is given.
fn other_bound(object: &Object, pointer: &Pointer) -> Option<Span> {
    object.node.at(pointer)?;
    object.place_to_change(pointer)
}

/// Whether a ScaledObject takes over an existing HorizontalPodAutoscaler.
fn takes_over(scaler: &Scaler<'_>) -> bool {
    let key = "scaledobject.keda.sh/transfer-hpa-ownership";
    text(scaler.of.object, &["metadata", "annotations", key]) == "true"
}

/// Reports two autoscalers of one workload.
fn twice(whole: &Whole<'_>, scalers: &[Scaler<'_>]) -> Vec<Diagnostic> {
    let mut by_target: BTreeMap<&Workload, Vec<&Scaler>> = BTreeMap::new();
    let mut found = Vec::new();
    for scaler in scalers {
        let others = by_target.entry(&scaler.target).or_default();
        let first = others.iter().find(|first| {
            first.what != scaler.what
                && !takes_over(first)
                && !takes_over(scaler)
                && whole.may_share_cluster(first.of.object, scaler.of.object)
        });
        if let Some(first) = first {
            found.push(
                finding(
                    codes::KEDA_TWO_AUTOSCALERS,
                    scaler.of.object,
                    &scaler.pointer,
                    format!("{} and {} scale the same Deployment, {}", first.what, scaler.what, scaler.target.name),
                )
                .related(first.of.object.place_to_change(&first.pointer), "the other one")
                .why("KEDA refuses the second one, so Flux applies nothing of its Kustomization; without KEDA's admission webhook, both set the number of replicas in turn")
                .help("keep one of the two; a ScaledObject can have all triggers, including CPU and memory"),
            );
        }
        others.push(scaler);
    }
    found
}

/// Reports a fixed number of replicas on a workload that is scaled.
fn fixed(whole: &Whole<'_>, fronts: &[Front<'_>], scalers: &[Scaler<'_>]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut said = Vec::new();
    for front in fronts {
        let replicas = front.infra.place(&["envoyDeployment", "replicas"]);
        let (Some((proxy, pointer)), Some(target)) = (replicas, front.workload()) else {
            continue;
        };
        let scaler = scalers.iter().find(|scaler| {
            scaler.target == target
                && whole.may_share_cluster(scaler.of.object, front.gateway.object)
        });
        let Some(scaler) = scaler else {
            continue;
        };
        if said.contains(&(&proxy.file, proxy.name())) {
            continue;
        }
        said.push((&proxy.file, proxy.name()));
        let name = front.gateway.object.name();
        let one = finding(
            codes::KEDA_FIXED_REPLICAS,
            proxy,
            &pointer,
            format!("the proxies of {name} have fixed replicas and are scaled"),
        )
        .related(
            scaler.of.object.place_to_change(&scaler.pointer),
            format!("scaled by {}", scaler.what),
        )
        .help("remove `replicas`; the autoscaler's minimum replaces it");
        found.push(if scaler.is_own {
            one.severity(Severity::Note)
                .why("Envoy Gateway ignores the number as long as `envoyHpa` is set")
        } else {
            one.why("Envoy Gateway resets the number at each reconciliation, so proxies are removed and added again")
        });
    }
    for deployment in whole.of_kind("apps", "Deployment") {
        let pointer = Pointer::root().key("spec").key("replicas");
        let target = Workload {
            kind: "Deployment",
            namespace: deployment.object.namespace().to_owned(),
            name: deployment.object.name().to_owned(),
        };
        let scaler = scalers.iter().find(|scaler| {
            scaler.target == target && whole.may_share_cluster(scaler.of.object, deployment.object)
        });
        if let (Some(scaler), Some(_)) = (scaler, deployment.object.node.at(&pointer)) {
            let name = deployment.object.name();
            found.push(
                finding(
                    codes::KEDA_FIXED_REPLICAS,
                    deployment.object,
                    &pointer,
                    format!("the Deployment {name} has fixed replicas and is scaled"),
                )
                .related(
                    scaler.of.object.span(&scaler.pointer),
                    format!("scaled by {}", scaler.what),
                )
                .why("Flux resets the number at each reconciliation, so Pods are removed and added again")
                .help("remove `replicas`; the autoscaler's minimum replaces it"),
            );
        }
    }
    found
}

/// Reports an autoscaler for a gateway's Deployment that doesn't exist.
fn unknown(whole: &Whole<'_>, fronts: &[Front<'_>], scalers: &[Scaler<'_>]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for scaler in scalers
        .iter()
        .filter(|scaler| !scaler.is_own && scaler.of.object.kind() != "HelmRelease")
    {
        let near: Vec<&Front> = fronts
            .iter()
            .filter(|front| whole.may_share_cluster(front.gateway.object, scaler.of.object))
            .collect();
        // All gateways must be known, because it may be the Deployment of another one.
        let Some(workloads) = near
            .iter()
            .map(|front| front.workload())
            .collect::<Option<Vec<_>>>()
        else {
            continue;
        };
        let target = &scaler.target;
        let is_made = target.name == CONTROLLER
            || workloads.iter().any(|made| made == target)
            || is_someone_elses(whole, scaler);
        if is_made || target.namespace.is_empty() {
            continue;
        }
        let Some(meant) = meant(&near, &workloads, target) else {
            continue;
        };
        found.push(not_made(scaler, meant, &near));
    }
    found
}

/// Whether another given Deployment or release has that name. Charts name their Deployments after the release.
fn is_someone_elses(whole: &Whole<'_>, scaler: &Scaler<'_>) -> bool {
    let own: Vec<usize> = whole.releases(CHART).map(|one| one.at).collect();
    let deployments = whole.of_kind("apps", "Deployment");
    let mut all = deployments.chain(whole.of_kind("helm.toolkit.fluxcd.io", "HelmRelease"));
    all.any(|one| {
        !one.object.name().is_empty()
            && scaler.target.name.starts_with(one.object.name())
            && one.object.namespace() == scaler.target.namespace
            && !own.contains(&one.at)
            && whole.may_share_cluster(one.object, scaler.of.object)
    })
}

/// The workload that was probably meant: one with the gateway's name, its name in the other mode, or a similar name.
fn meant<'a>(
    fronts: &[&Front<'_>],
    workloads: &'a [Workload],
    target: &Workload,
) -> Option<&'a Workload> {
    let by_gateway = fronts.iter().zip(workloads).find(|(front, made)| {
        let gateway = front.gateway.object;
        let hashed = hashed_deployment(gateway.namespace(), gateway.name());
        let start = hashed.rsplit_once('-').map_or("", |(start, _)| start);
        let is_named = target.name == gateway.name() || target.name == hashed;
        let has_hash = target.name.rsplit_once('-').is_some_and(|(rest, hash)| {
            rest == start && hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        let is_there =
            target.namespace == gateway.namespace() || target.namespace == made.namespace;
        is_there && (is_named || has_hash)
    });
    let near = || {
        let names = workloads
            .iter()
            .filter(|made| made.namespace == target.namespace)
            .map(|made| made.name.as_str());
        let name = nearest(&target.name, names).filter(|_| target.name.contains("envoy"))?;
        workloads
            .iter()
            .find(|made| made.name == name && made.namespace == target.namespace)
    };
    by_gateway.map(|(_, made)| made).or_else(near)
}

fn not_made(scaler: &Scaler<'_>, meant: &Workload, fronts: &[&Front<'_>]) -> Diagnostic {
    let target = &scaler.target;
    let message = if meant.name == target.name && meant.kind == target.kind {
        format!(
            "the Deployment {} is in the namespace {}, not in {}",
            target.name, meant.namespace, target.namespace
        )
    } else if meant.kind == "DaemonSet" {
        format!(
            "the proxies are a DaemonSet, so there is no Deployment {}",
            target.name
        )
    } else {
        format!("Envoy Gateway creates no Deployment {}", target.name)
    };
    let mode = fronts.first().and_then(|front| front.deploy_mode.as_ref());
    let mode = match mode {
        Some(DeployMode::GatewayNamespace) => {
            "in GatewayNamespace mode, a gateway's Deployment has the name and the namespace of the gateway"
        }
        _ => {
            "in ControllerNamespace mode, a gateway's Deployment is named `envoy-NAMESPACE-NAME-HASH` and is in the controller's namespace"
        }
    };
    let help = if meant.kind == "DaemonSet" {
        "remove the autoscaler; a DaemonSet has one proxy on each node".to_owned()
    } else {
        format!(
            "scale the Deployment {} in the namespace {}; {mode}",
            meant.name, meant.namespace
        )
    };
    finding(codes::KEDA_UNKNOWN_DEPLOYMENT, scaler.of.object, &scaler.pointer, message)
        .why("there is nothing to scale, so the autoscaler never becomes ready, and Flux may wait for it")
        .help(help)
}
