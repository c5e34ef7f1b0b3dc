//! Networks that should not be trusted: that of everybody, and that of the cluster's Services.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::lint::front::{ENVOY_GATEWAY, text};
use crate::lint::{Applied, LintContext};
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, Pointer};

manifest::code! {
    "network"/"trusted-cidr", Warning, "A trusted network that includes everybody, or no client at all.",
    r#"
A network is trusted that should not be. `0.0.0.0/0` and `::/0` trust the whole Internet: any client can send
`X-Forwarded-For` and so choose the client address that is used for logs, rate limits and rules. In a
SecurityPolicy, such a rule admits everybody. Trusting the Services' network has no effect: connections come
from Pods and nodes, never from a Service's address, so the proxy in front of the gateway is treated as the
client.

## Wrong

```yaml
kind: ClientTrafficPolicy
spec:
  clientIPDetection:
    xForwardedFor:
      trustedCIDRs: [0.0.0.0/0]
```

## Right

```yaml
kind: ClientTrafficPolicy
spec:
  clientIPDetection:
    xForwardedFor:
      trustedCIDRs: [10.42.0.0/16]
```
"#
}

/// The shortest prefix of a network that can be the Services' network and nothing else: the API server refuses larger
/// networks (Kubernetes 1.34: 20 host bits).
const LONGEST_HOST: u8 = 20;

/// Checks the trusted networks of ClientTrafficPolicies and SecurityPolicies.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let services = service_addresses(context);
    let mut found = Vec::new();
    for policy in context.of_kind(ENVOY_GATEWAY, "ClientTrafficPolicy") {
        let pointer = Pointer::root()
            .key("spec")
            .key("clientIPDetection")
            .key("xForwardedFor")
            .key("trustedCIDRs");
        for (pointer, written, net) in networks(&policy, &pointer) {
            if net.prefix_len() == 0 {
                found.push(everybody(&policy, &pointer, written));
            } else if let Some(service) = service_network(context, &policy, net, &services) {
                found.push(of_services(&policy, &pointer, written, service));
            }
        }
    }
    for policy in context.of_kind(ENVOY_GATEWAY, "SecurityPolicy") {
        found.extend(open_rules(&policy));
    }
    found
}

fn networks<'a>(policy: &Applied<'a>, pointer: &Pointer) -> Vec<(Pointer, &'a str, IpNet)> {
    let items = policy.object.node.at(pointer).and_then(Node::as_list);
    let items = items.unwrap_or_default().iter().enumerate();
    items
        .filter_map(|(at, item)| {
            let written = item.as_str()?;
            Some((pointer.index(at), written, written.parse().ok()?))
        })
        .collect()
}

fn everybody(policy: &Applied<'_>, pointer: &Pointer, written: &str) -> Diagnostic {
    finding(
        CODE,
        policy.object,
        pointer,
        format!("{written} trusts X-Forwarded-For from everybody"),
    )
    .why("every client can choose the address that logs, rate limits and rules for client addresses use")
    .help("list only the networks of your own proxies, such as the Pods' network, 10.42.0.0/16")
}

fn of_services(
    policy: &Applied<'_>,
    pointer: &Pointer,
    written: &str,
    service: &Known<'_>,
) -> Diagnostic {
    finding(
        CODE,
        policy.object,
        pointer,
        format!("{written} is the Services' network, which no connection comes from"),
    )
    .related(
        service.of.object.span(&service.pointer),
        format!("{} is a Service's address", service.address),
    )
    .why("proxies in front of the gateway connect from their Pods' addresses, which are not trusted, so every client seems to have the proxy's address")
    .help("list the Pods' network")
}

/// An address of a Service inside the cluster.
struct Known<'a> {
    of: Applied<'a>,
    pointer: Pointer,
    address: IpAddr,
}

/// The fixed addresses of Services: in Services, and in the values of charts (`clusterIP` of DNS).
fn service_addresses<'a>(context: &LintContext<'a>) -> Vec<Known<'a>> {
    const PATHS: [(&str, &str, &[&str]); 3] = [
        ("", "Service", &["spec", "clusterIP"]),
        (
            "helm.toolkit.fluxcd.io",
            "HelmRelease",
            &["spec", "values", "service", "clusterIP"],
        ),
        (
            "helm.toolkit.fluxcd.io",
            "HelmRelease",
            &["spec", "values", "clusterIP"],
        ),
    ];
    PATHS
        .iter()
        .flat_map(|(group, kind, path)| {
            context.of_kind(group, kind).filter_map(|of| {
                let address = text(of.object, path).parse().ok()?;
                let pointer = path
                    .iter()
                    .fold(Pointer::root(), |pointer, key| pointer.key(*key));
                Some(Known {
                    of,
                    pointer,
                    address,
                })
            })
        })
        .collect()
}

/// The Service address that shows that a network is the Services' network.
fn service_network<'a, 'b>(
    context: &LintContext<'_>,
    policy: &Applied<'_>,
    net: IpNet,
    services: &'b [Known<'a>],
) -> Option<&'b Known<'a>> {
    if net.max_prefix_len() - net.prefix_len() > LONGEST_HOST {
        return None;
    }
    services.iter().find(|known| {
        net.contains(&known.address) && context.may_share_cluster(known.of.object, policy.object)
    })
}

/// Reports rules that allow everybody by address, and require nothing else.
fn open_rules(policy: &Applied<'_>) -> Vec<Diagnostic> {
    let pointer = Pointer::root()
        .key("spec")
        .key("authorization")
        .key("rules");
    let rules = policy.object.node.at(&pointer).and_then(Node::as_list);
    let mut found = Vec::new();
    for (at, rule) in rules.unwrap_or_default().iter().enumerate() {
        let is_only_addresses = rule.get("action").and_then(Node::as_str) == Some("Allow")
            && rule.get("operation").is_none()
            && rule
                .get("principal")
                .and_then(Node::as_map)
                .is_some_and(|principal| principal.iter().all(|(key, _)| key == "clientCIDRs"));
        if !is_only_addresses {
            continue;
        }
        let pointer = pointer.index(at).key("principal").key("clientCIDRs");
        let open = networks(policy, &pointer)
            .into_iter()
            .find(|(_, _, net)| net.prefix_len() == 0);
        if let Some((pointer, written, _)) = open {
            found.push(
                finding(
                    CODE,
                    policy.object,
                    &pointer,
                    format!("the rule allows everybody: {written} is the whole Internet"),
                )
                .why("the policy seems to restrict access but doesn't, and the rules after this one have no effect")
                .help("list the intended networks, or remove the policy"),
            );
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::lint::support::found_with_front;

    #[test]
    fn nobody_trusts_everybody_or_the_services() {
        let trusts = |cidr: &str| {
            format!(
                "
# policy.yaml
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {{name: a, namespace: network}}
spec: {{clientIPDetection: {{xForwardedFor: {{trustedCIDRs: ['{cidr}']}}}}}}
# dns.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: coredns, namespace: kube-system}}
spec: {{values: {{service: {{clusterIP: 10.43.0.10}}}}}}"
            )
        };
        for fine in ["10.42.0.0/16", "10.0.0.0/8", "${PODS}", "fd00::/48"] {
            assert_eq!(found_with_front(&[&trusts(fine)]), [""; 0], "{fine}");
        }
        assert_eq!(
            found_with_front(&[&trusts("10.43.0.0/16")]),
            [
                "warning network/trusted-cidr policy.yaml:4 10.43.0.0/16 is the Services' network, which no connection comes from"
            ]
        );
        assert_eq!(
            found_with_front(&[&trusts("::/0")]),
            [
                "warning network/trusted-cidr policy.yaml:4 ::/0 trusts X-Forwarded-For from everybody"
            ]
        );
        let guard = |rule: &str| {
            format!(
                "
# guard.yaml
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {{name: a, namespace: network}}
spec: {{authorization: {{defaultAction: Deny, rules: [{rule}]}}}}"
            )
        };
        assert_eq!(
            found_with_front(&[&guard(
                "{action: Allow, principal: {clientCIDRs: [10.0.0.0/8, 0.0.0.0/0]}}"
            )]),
            [
                "warning network/trusted-cidr guard.yaml:4 the rule allows everybody: 0.0.0.0/0 is the whole Internet"
            ]
        );
        assert_eq!(
            found_with_front(&[&guard(
                "{action: Deny, principal: {clientCIDRs: [0.0.0.0/0]}}"
            )]),
            [""; 0]
        );
    }
}
