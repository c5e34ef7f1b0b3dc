//! Whether the gateways' addresses are announced, by a node that has a proxy.

use std::collections::BTreeSet;

use super::front::{Front, text};
use super::{Applied, Whole};
use crate::codes;
use envoy_gateway::proxies::Controller;
use envoy_gateway::selector::selects;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, Pointer, variable};

/// Reports gateways that no L2 policy covers, and gateways whose address may be announced by a node without a proxy.
pub fn check(whole: &Whole<'_>) -> Vec<Diagnostic> {
    let policies: Vec<Policy> = whole
        .of_kind("cilium.io", "CiliumL2AnnouncementPolicy")
        .map(policy)
        .collect();
    if policies.is_empty() {
        return Vec::new();
    }
    let speaks_bgp: Vec<Applied> = ["CiliumBGPClusterConfig", "CiliumBGPPeeringPolicy"]
        .into_iter()
        .flat_map(|kind| whole.of_kind("cilium.io", kind))
        .collect();
    let scaled = scaled_names(whole);
    let mut found = Vec::new();
    for front in whole.fronts() {
        if front.controller != Controller::EnvoyGateway || front.has_load_balancer() != Some(true) {
            continue;
        }
        let near = |one: &&Applied| whole.may_share_cluster(one.object, front.gateway.object);
        let own: Vec<&Policy> = policies
            .iter()
            .filter(|policy| near(&&policy.applied))
            .collect();
        let labels = front.service_labels();
        let covers: Vec<Option<bool>> = own
            .iter()
            .map(|policy| {
                if announces(policy, front) {
                    selects(policy.selector, &labels)
                } else {
                    Some(false)
                }
            })
            .collect();
        let has_bgp = speaks_bgp.iter().any(|one| near(&one));
        if let (Some(policy), false) = (
            own.first(),
            has_bgp || covers.iter().any(|one| *one != Some(false)),
        ) {
            found.push(not_announced(front, policy));
        }
        let covering = own
            .iter()
            .zip(&covers)
            .filter(|(_, covers)| **covers == Some(true));
        found.extend(
            covering
                .filter_map(|(policy, _)| local(front, policy, &scaled))
                .next(),
        );
    }
    found
}

/// A CiliumL2AnnouncementPolicy.
struct Policy<'a> {
    applied: Applied<'a>,
    selector: Option<&'a Node>,
    /// Whether it announces the addresses of load balancers.
    has_load_balancers: bool,
    /// Whether it announces external addresses.
    has_external: bool,
}

fn policy(applied: Applied<'_>) -> Policy<'_> {
    let spec = |key: &str| applied.object.node.path(&["spec", key]);
    Policy {
        applied,
        selector: spec("serviceSelector"),
        has_load_balancers: is_true(spec("loadBalancerIPs")),
        has_external: is_true(spec("externalIPs")),
    }
}

fn is_true(node: Option<&Node>) -> bool {
    node.is_some_and(|node| node.to_json() == serde_json::Value::Bool(true))
}

/// Whether a policy announces the kind of address that the gateway has.
fn announces(policy: &Policy<'_>, front: &Front<'_>) -> bool {
    let addresses = || front.gateway.object.node.path(&["spec", "addresses"]);
    policy.has_load_balancers || policy.has_external && addresses().is_some()
}

fn not_announced(front: &Front<'_>, policy: &Policy<'_>) -> Diagnostic {
    let pointer = Pointer::root().key("metadata").key("name");
    let name = front.gateway.object.name();
    let is_off = !announces(policy, front);
    let (at, help) = if is_off {
        (
            "loadBalancerIPs",
            "write `loadBalancerIPs: true` in the policy",
        )
    } else {
        (
            "serviceSelector",
            "select by a label that the Service has, such as `app.kubernetes.io/component: proxy`, or remove `serviceSelector`",
        )
    };
    finding(
        codes::NETWORK_NOT_ANNOUNCED,
        front.gateway.object,
        &pointer,
        format!("no CiliumL2AnnouncementPolicy covers the Service of {name}"),
    )
    .related(policy.applied.object.span(&Pointer::root().key("spec").key(at)), "this policy doesn't cover it")
    .why("no node announces its address, so unless something else does, nobody can reach the gateway")
    .help(help)
}

/// The names of the workloads that autoscalers scale. Their number of replicas is not fixed.
fn scaled_names(whole: &Whole<'_>) -> BTreeSet<String> {
    let scaled = whole.of_kind("keda.sh", "ScaledObject");
    scaled
        .chain(whole.of_kind("autoscaling", "HorizontalPodAutoscaler"))
        .map(|one| text(one.object, &["spec", "scaleTargetRef", "name"]).to_owned())
        .collect()
}

/// Reports `externalTrafficPolicy: Local` with fewer proxies than nodes that may announce the address.
fn local(front: &Front<'_>, policy: &Policy<'_>, scaled: &BTreeSet<String>) -> Option<Diagnostic> {
    let written = front.setting(&["envoyService", "externalTrafficPolicy"]);
    // Envoy Gateway's own default is `Local`.
    if written.is_some_and(|written| written.as_str() != Some("Local")) {
        return None;
    }
    let workload = front.workload()?;
    let is_scaled = front.setting(&["envoyHpa"]).is_some() || scaled.contains(&workload.name);
    if workload.kind == "DaemonSet" || is_scaled {
        return None;
    }
    let replicas = match front.setting(&["envoyDeployment", "replicas"]) {
        Some(replicas) => replicas.to_json().as_u64()?,
        None => 1,
    };
    let nodes = named_nodes(policy.applied.object.node.path(&["spec", "nodeSelector"])?)?;
    if replicas >= nodes {
        return None;
    }
    let pointer = Pointer::root().key("metadata").key("name");
    let proxies = if replicas == 1 {
        "1 proxy".to_owned()
    } else {
        format!("{replicas} proxies")
    };
    Some(
        finding(
            codes::NETWORK_LOCAL_POLICY,
            front.gateway.object,
            &pointer,
            format!(
                "{} has {proxies} for {nodes} nodes that may announce it, with `externalTrafficPolicy: Local`",
                front.gateway.object.name()
            ),
        )
        .related(policy.applied.object.span(&Pointer::root().key("spec").key("nodeSelector")), "the nodes are listed here")
        .why("the node that announces the address may have no proxy, and then drops every connection")
        .help("write `externalTrafficPolicy: Cluster` in the EnvoyProxy, run a DaemonSet, or announce from fewer nodes"),
    )
}

/// The number of nodes that a selector lists by hostname; `None` if it selects in another way.
fn named_nodes(selector: &Node) -> Option<u64> {
    const HOSTNAME: &str = "kubernetes.io/hostname";
    let pairs = selector.get("matchLabels").and_then(Node::as_map);
    if pairs.is_some_and(|pairs| pairs.contains_key(HOSTNAME)) {
        return Some(1);
    }
    let rules = selector.get("matchExpressions").and_then(Node::as_list)?;
    let rule = rules.iter().find(|rule| {
        rule.get("key").and_then(Node::as_str) == Some(HOSTNAME)
            && rule.get("operator").and_then(Node::as_str) == Some("In")
    })?;
    let values = rule.get("values").and_then(Node::as_list)?;
    let is_known = values.iter().all(|value| {
        value
            .as_str()
            .is_some_and(|value| !variable::in_text(value))
    });
    // Other requirements may exclude some of these nodes.
    let is_only = rules.len() == 1 && pairs.is_none_or(|pairs| pairs.is_empty());
    (is_known && is_only).then_some(values.len() as u64)
}
