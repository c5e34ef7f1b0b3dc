//! Nodes that announce an address without running a proxy for it.

use std::collections::BTreeMap;

use super::l2_policies::L2Policy;
use crate::lint::front::{Front, text};
use crate::lint::{Applied, LintContext};
use manifest::diagnostic::Diagnostic;
use manifest::value::{Node, Pointer, variable};
use manifest::{Object, finding};

manifest::code! {
    "network"/"local-policy", Warning, "Nodes that announce an address without running a proxy for it.",
    r#"
With `externalTrafficPolicy: Local`, which is Envoy Gateway's default, a node forwards connections only to
proxies on the same node. With L2 announcements, one node answers for the address whether or not a proxy runs
on it, so Cilium calls the two incompatible. If no proxy runs there, the node drops every connection. This is not
reported if the proxies run on every node (as a DaemonSet), if a policy lists its nodes and there are as many
proxies, or if the EnvoyProxy decides on which nodes its proxies run. If the number of nodes is not known, it is
reported if `Local` is written, or if there may be only one proxy. With `Cluster`, a node forwards
connections to proxies on any node. They then see the node's address instead of the client's, unless Cilium
forwards with `loadBalancer.mode: dsr`. With BGP, only nodes with a proxy announce the address.

## Wrong

```yaml
kind: CiliumL2AnnouncementPolicy
spec:
  loadBalancerIPs: true
  nodeSelector:
    matchExpressions:
      - key: kubernetes.io/hostname
        operator: In
        values: [node-a, node-b, node-c]
```

## Right

```yaml
kind: EnvoyProxy
spec:
  provider:
    type: Kubernetes
    kubernetes:
      envoyService:
        externalTrafficPolicy: Cluster
```
"#
}

/// The smallest number of replicas of each workload that is scaled, by its name.
pub(crate) fn scaled_workloads(context: &LintContext<'_>) -> BTreeMap<String, u64> {
    let least = |one: &Applied<'_>, key: &str, default: u64| {
        let least = one.object.node.path(&["spec", key]);
        let least = least.and_then(|node| node.to_json().as_u64());
        let name = text(one.object, &["spec", "scaleTargetRef", "name"]);
        (name.to_owned(), least.unwrap_or(default))
    };
    let scaled = context.of_kind("keda.sh", "ScaledObject");
    let autoscalers = context.of_kind("autoscaling", "HorizontalPodAutoscaler");
    scaled
        .map(|one| least(&one, "minReplicaCount", 0))
        .chain(autoscalers.map(|one| least(&one, "minReplicas", 1)))
        .collect()
}

/// The place of the setting: in the EnvoyProxy, or else the name of the gateway.
fn place<'a>(front: &Front<'a>) -> (&'a Object, Pointer) {
    let written = front
        .infra
        .place(&["envoyService", "externalTrafficPolicy"]);
    let name = Pointer::root().key("metadata").key("name");
    written.unwrap_or((front.gateway.object, name))
}

/// Reports `externalTrafficPolicy: Local` if a node without a proxy may announce the address.
pub(crate) fn report(
    context: &LintContext<'_>,
    front: &Front<'_>,
    policy: &L2Policy<'_>,
    scaled: &BTreeMap<String, u64>,
) -> Option<Diagnostic> {
    let written = front.setting(&["envoyService", "externalTrafficPolicy"]);
    // Envoy Gateway's own default is `Local`.
    let is_local = written.is_none_or(|written| written.as_str() == Some("Local"));
    if !is_local || front.setting(&["envoyService", "patch"]).is_some() {
        return None;
    }
    let is_daemon_set = front.setting(&["envoyDaemonSet"]).is_some();
    let proxies = fewest_proxies(front, scaled)?;
    let selector = policy.applied.object.node.path(&["spec", "nodeSelector"]);
    let nodes = selector.and_then(named_nodes);
    let is_enough = match nodes {
        Some(nodes) => proxies >= nodes,
        // Several proxies may be enough for a cluster of unknown size, unless somebody wrote `Local`.
        None => is_pinned(front) || (proxies > 1 && written.is_none()),
    };
    if is_daemon_set || is_enough {
        return None;
    }
    Some(explained(context, front, policy, nodes, proxies))
}

/// The finding; `nodes` is the number of nodes that may announce, if it is known.
fn explained(
    context: &LintContext<'_>,
    front: &Front<'_>,
    policy: &L2Policy<'_>,
    nodes: Option<u64>,
    proxies: u64,
) -> Diagnostic {
    let (object, pointer) = place(front);
    let name = front.gateway.object.name();
    let message = match (nodes, proxies) {
        (Some(nodes), 1) => format!(
            "{name} has 1 proxy for {nodes} nodes that may announce it, with `externalTrafficPolicy: Local`"
        ),
        (Some(nodes), _) => format!(
            "{name} has {proxies} proxies for {nodes} nodes that may announce it, with `externalTrafficPolicy: Local`"
        ),
        (None, _) => format!(
            "{name} is announced by L2 with `externalTrafficPolicy: Local`, so a node without a proxy may announce it"
        ),
    };
    let in_proxy = match context.model.is_some() {
        true => "set `external_traffic_policy = \"Cluster\"` in [proxy]",
        false => "write `externalTrafficPolicy: Cluster` into `envoyService` of the EnvoyProxy",
    };
    let spec = Pointer::root().key("spec");
    let of_nodes = spec.key("nodeSelector");
    let by = match policy.applied.object.node.at(&of_nodes) {
        Some(_) => policy.applied.object.span(&of_nodes),
        None => policy.applied.object.span(&spec),
    };
    let label = match nodes {
        Some(_) => "the nodes are listed here",
        None => "this policy announces it",
    };
    finding(CODE, object, &pointer, message)
            .related(by, label)
            .why("the node that announces the address may have no proxy, and then drops every connection")
            .help(format!(
                "{in_proxy}, run the proxies as a DaemonSet on all nodes that announce, or announce by BGP"
            ))
}

/// The smallest number of proxies that a gateway may have; `None` if it is not known.
fn fewest_proxies(front: &Front<'_>, scaled: &BTreeMap<String, u64>) -> Option<u64> {
    let workload = front.workload();
    let of_gateway = front.gateway.object.name();
    let name = workload
        .as_ref()
        .map_or(of_gateway, |workload| workload.name.as_str());
    let number = |node: &Node| node.to_json().as_u64();
    if let Some(own) = front.setting(&["envoyHpa"]) {
        return own.get("minReplicas").map_or(Some(1), number);
    }
    let replicas = || front.setting(&["envoyDeployment", "replicas"]);
    match scaled.get(name) {
        Some(least) => Some(*least),
        None => replicas().map_or(Some(1), number),
    }
}

/// Whether the EnvoyProxy decides on which nodes its proxies run, so that they may be those that announce.
fn is_pinned(front: &Front<'_>) -> bool {
    const KEYS: [&str; 3] = ["affinity", "nodeSelector", "topologySpreadConstraints"];
    front.setting(&["envoyDeployment", "patch"]).is_some()
        || KEYS
            .iter()
            .any(|key| front.setting(&["envoyDeployment", "pod", key]).is_some())
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
