//! Nodes that announce an address without running a proxy for it.

use std::collections::BTreeSet;

use super::l2_policies::L2Policy;
use crate::lint::LintContext;
use crate::lint::front::{Front, text};
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, Pointer, variable};

manifest::code! {
    "network"/"local-policy", Warning, "Nodes that announce an address without running a proxy for it.",
    r#"
With `externalTrafficPolicy: Local`, which is Envoy Gateway's default, a node forwards connections only to
proxies on the same node. With L2 announcements, one node answers for the address whether or not a proxy runs
on it. If none does, the node drops every connection. This is reported if a policy lists its nodes and there
are fewer proxies than nodes. With `Cluster`, a node forwards connections to
proxies on any node, but they then see the node's address instead of the client's.

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

/// The names of the workloads that autoscalers scale. Their number of replicas is not fixed.
pub(crate) fn scaled_workloads(context: &LintContext<'_>) -> BTreeSet<String> {
    let scaled = context.of_kind("keda.sh", "ScaledObject");
    scaled
        .chain(context.of_kind("autoscaling", "HorizontalPodAutoscaler"))
        .map(|one| text(one.object, &["spec", "scaleTargetRef", "name"]).to_owned())
        .collect()
}

/// Reports `externalTrafficPolicy: Local` with fewer proxies than nodes that may announce the address.
pub(crate) fn report(
    front: &Front<'_>,
    policy: &L2Policy<'_>,
    scaled: &BTreeSet<String>,
) -> Option<Diagnostic> {
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
            CODE,
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
