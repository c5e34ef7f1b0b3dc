//! Cilium's L2 announcement policies: which gateways' addresses they announce, and from which nodes.

use std::collections::BTreeSet;

use super::{local_policy, not_announced};
use crate::lint::front::Front;
use crate::lint::{Applied, LintContext};
use envoy_gateway::proxies::Controller;
use envoy_gateway::selector::selects;
use manifest::diagnostic::Diagnostic;
use manifest::value::Node;

/// Reports gateways that no L2 policy covers, and gateways whose address may be announced by a node without a proxy.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let policies: Vec<L2Policy> = context
        .of_kind("cilium.io", "CiliumL2AnnouncementPolicy")
        .map(policy)
        .collect();
    if policies.is_empty() {
        return Vec::new();
    }
    let speaks_bgp: Vec<Applied> = ["CiliumBGPClusterConfig", "CiliumBGPPeeringPolicy"]
        .into_iter()
        .flat_map(|kind| context.of_kind("cilium.io", kind))
        .collect();
    let scaled = local_policy::scaled_workloads(context);
    let mut found = Vec::new();
    let mut told = BTreeSet::new();
    for front in context.fronts() {
        if front.controller != Controller::EnvoyGateway || front.has_load_balancer() != Some(true) {
            continue;
        }
        let near = |one: &&Applied| context.may_share_cluster(one.object, front.gateway.object);
        let own: Vec<&L2Policy> = policies
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
            found.push(not_announced::report(front, policy));
        }
        let covering = own
            .iter()
            .zip(&covers)
            .filter(|(_, covers)| **covers == Some(true));
        let dropped = covering.filter_map(|(policy, _)| {
            let one = local_policy::report(context, front, policy, &scaled)?;
            Some((policy.applied.at, one))
        });
        for (policy, one) in dropped.take(1) {
            // Gateways that share their EnvoyProxies, or have none, have the same mistake.
            let proxies = front.infra.proxies.iter();
            let proxies: Vec<(&str, &str)> = proxies
                .map(|proxy| (proxy.file.as_str(), proxy.name()))
                .collect();
            if told.insert((policy, proxies)) {
                found.push(one);
            }
        }
    }
    found
}

/// A CiliumL2AnnouncementPolicy.
pub(crate) struct L2Policy<'a> {
    /// The object.
    pub applied: Applied<'a>,
    selector: Option<&'a Node>,
    /// Whether it announces the addresses of load balancers.
    has_load_balancers: bool,
    /// Whether it announces external addresses.
    has_external: bool,
}

fn policy(applied: Applied<'_>) -> L2Policy<'_> {
    let spec = |key: &str| applied.object.node.path(&["spec", key]);
    L2Policy {
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
pub(crate) fn announces(policy: &L2Policy<'_>, front: &Front<'_>) -> bool {
    let addresses = || front.gateway.object.node.path(&["spec", "addresses"]);
    policy.has_load_balancers || policy.has_external && addresses().is_some()
}

#[cfg(test)]
mod tests {
    use crate::lint::support::{FRONT, found_in, found_with_front};

    #[test]
    fn gateways_are_announced_by_nodes_that_have_a_proxy() {
        let policy = |rest: &str| {
            format!(
                "
# l2.yaml
apiVersion: cilium.io/v2alpha1
kind: CiliumL2AnnouncementPolicy
metadata: {{name: l2}}
spec: {{{rest}}}"
            )
        };
        let nobody = [
            "warning network/not-announced front.yaml:27 no CiliumL2AnnouncementPolicy covers the Service of external",
        ];
        let open = policy("loadBalancerIPs: true");
        assert_eq!(found_with_front(&[&open]), [""; 0]);
        let single = FRONT.replace("{replicas: 2}", "{replicas: 1}");
        assert_eq!(
            found_in(&format!("{single}{open}\n")),
            [
                "warning network/local-policy front.yaml:27 external is announced by L2 with `externalTrafficPolicy: Local`, so a node without a proxy may announce it"
            ]
        );
        for fitting in [
            "envoyDeployment: {pod: {nodeSelector: {a: b}}}",
            "envoyDaemonSet: {}",
            "envoyService: {externalTrafficPolicy: Cluster}",
        ] {
            let front = FRONT.replace("envoyDeployment: {replicas: 2}", fitting);
            assert_eq!(found_in(&format!("{front}{open}\n")), [""; 0], "{fitting}");
        }
        let written = FRONT.replace(
            "envoyDeployment: {replicas: 2}",
            "envoyService: {externalTrafficPolicy: Local}",
        );
        assert_eq!(
            found_in(&format!("{written}{open}\n")),
            [
                "warning network/local-policy front.yaml:23 external is announced by L2 with `externalTrafficPolicy: Local`, so a node without a proxy may announce it"
            ]
        );
        assert_eq!(found_with_front(&[&policy("externalIPs: true")]), nobody);
        assert_eq!(
            found_with_front(&[&policy(
                "loadBalancerIPs: true, serviceSelector: {matchLabels: {app: x}}"
            )]),
            nobody
        );
        let nodes = |names: &str| {
            policy(&format!(
                "loadBalancerIPs: true, nodeSelector: {{matchExpressions: [{{key: kubernetes.io/hostname, operator: In, values: [{names}]}}]}}"
            ))
        };
        assert_eq!(found_with_front(&[&nodes("a, b")]), [""; 0]);
        assert_eq!(
            found_with_front(&[&nodes("a, b, c")]),
            [
                "warning network/local-policy front.yaml:27 external has 2 proxies for 3 nodes that may announce it, with `externalTrafficPolicy: Local`"
            ]
        );
        let cluster = FRONT.replace(
            "envoyDeployment: {replicas: 2}",
            "envoyService: {externalTrafficPolicy: Cluster}",
        );
        assert_eq!(
            found_in(&format!("{cluster}{}\n", nodes("a, b, c"))),
            [""; 0]
        );
    }
}
