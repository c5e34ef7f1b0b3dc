//! Services that agree to share an address that Cilium doesn't let them share.

use std::collections::BTreeSet;

use super::address_requests::ServiceAddressRequest;
use crate::lint::LintContext;
use crate::lint::front::{Front, text};
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, variable};

manifest::code! {
    "network"/"shared-address", Error, "Services that can't share an address, although they have the same sharing key.",
    r#"
Services with the same `lbipam.cilium.io/sharing-key` may share an address, but only if they fit each other: they have
no port in common, and the same `externalTrafficPolicy`. With `Local`, they must also select the same Pods, so two
gateways never share an address with `Local`, which is Envoy Gateway's default. Services in different namespaces must
allow each other's namespaces with `lbipam.cilium.io/sharing-cross-namespace`. Otherwise, the Service that comes second
stays without an address.

## Wrong

```yaml
kind: EnvoyProxy
spec: { provider: { kubernetes: { envoyService: { externalTrafficPolicy: Local } } } }
---
kind: Service
metadata:
  annotations: { lbipam.cilium.io/ips: 10.10.30.26, lbipam.cilium.io/sharing-key: dns }
```

## Right

```yaml
kind: EnvoyProxy
spec: { provider: { kubernetes: { envoyService: { externalTrafficPolicy: Cluster } } } }
---
kind: Service
metadata:
  annotations: { lbipam.cilium.io/ips: 10.10.30.26, lbipam.cilium.io/sharing-key: dns }
```
"#
}

/// Reports Services with the same address and sharing key that don't fit each other.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut seen: Vec<(&ServiceAddressRequest<'_>, SharingService<'_>)> = Vec::new();
    let mut told = BTreeSet::new();
    for request in context.address_requests() {
        let is_sharing = request.is_of_pools && request.sharing.is_some();
        let (true, Some(_)) = (is_sharing && !request.is_merged, request.address) else {
            continue;
        };
        let Some(service) = service(context, request) else {
            continue;
        };
        for (first, other) in &seen {
            let is_same = first.address == request.address && first.sharing == request.sharing;
            let are_near = context.may_share_cluster(first.owner.object, request.owner.object);
            if !is_same || !are_near || first.owner.at == request.owner.at {
                continue;
            }
            if let Some((reason, help)) = other.refuses(&service)
                && told.insert((first.owner.at, request.owner.at))
            {
                found.push(refused(first, request, &reason, help));
            }
        }
        seen.push((request, service));
    }
    found
}

/// What decides whether a Service may share its address.
struct SharingService<'a> {
    namespace: Option<&'a str>,
    /// The namespaces that it allows besides its own.
    allowed: Vec<&'a str>,
    /// `externalTrafficPolicy`, if it is known.
    policy: Option<&'a str>,
    /// The ports, each with `true` for UDP.
    ports: BTreeSet<(u64, bool)>,
    /// Whether it may select the same Pods as another Service.
    may_select_same: bool,
}

fn service<'a>(
    context: &'a LintContext<'_>,
    request: &'a ServiceAddressRequest<'_>,
) -> Option<SharingService<'a>> {
    const CROSS: &str = "lbipam.cilium.io/sharing-cross-namespace";
    let object = request.owner.object;
    let items = |object: &'a Object, key: &str| {
        let list = object.node.path(&["spec", key]).and_then(Node::as_list);
        list.unwrap_or_default().iter()
    };
    match object.kind() {
        "Service" => Some(SharingService {
            namespace: Some(object.namespace()),
            allowed: split(text(object, &["metadata", "annotations", CROSS])),
            policy: Some(match text(object, &["spec", "externalTrafficPolicy"]) {
                "" => "Cluster",
                written => written,
            }),
            ports: items(object, "ports")
                .filter_map(|port| {
                    let is_udp = port.get("protocol").and_then(Node::as_str) == Some("UDP");
                    Some((port.get("port")?.to_json().as_u64()?, is_udp))
                })
                .collect(),
            may_select_same: true,
        }),
        "Gateway" => {
            let mut fronts = context.fronts().iter();
            let front = fronts.find(|front| front.gateway.at == request.owner.at)?;
            Some(of_gateway(front, items(object, "listeners"), CROSS))
        }
        _ => None,
    }
}

fn of_gateway<'a>(
    front: &'a Front<'_>,
    listeners: impl Iterator<Item = &'a Node>,
    cross: &str,
) -> SharingService<'a> {
    let gateway = front.gateway.object;
    let in_gateway = text(gateway, &["spec", "infrastructure", "annotations", cross]);
    let in_proxy = front.setting(&["envoyService", "annotations", cross]);
    let policy = front.setting(&["envoyService", "externalTrafficPolicy"]);
    let is_known =
        front.has_known_settings() && front.setting(&["envoyService", "patch"]).is_none();
    SharingService {
        namespace: front.namespace(),
        allowed: split(in_proxy.and_then(Node::as_str).unwrap_or(in_gateway)),
        policy: policy
            .map_or(Some("Local"), Node::as_str)
            .filter(|_| is_known),
        ports: listeners
            .filter_map(|listener| {
                let is_udp = listener.get("protocol")?.as_str()?.contains("UDP");
                Some((listener.get("port")?.to_json().as_u64()?, is_udp))
            })
            .collect(),
        may_select_same: false,
    }
}

fn split(text: &str) -> Vec<&str> {
    let names = text.split(',').map(str::trim);
    names.filter(|name| !name.is_empty()).collect()
}

impl SharingService<'_> {
    /// Why Cilium doesn't let both share an address, and what to do about it.
    fn refuses(&self, other: &Self) -> Option<(String, &'static str)> {
        if let Some((port, _)) = self.ports.intersection(&other.ports).next() {
            let reason = format!("both have port {port}");
            return Some((reason, "give each its own address, or different ports"));
        }
        if let (Some(one), Some(two)) = (self.namespace, other.namespace)
            && is_known(one)
            && is_known(two)
            && one != two
            && !(self.admits(two) && other.admits(one))
        {
            let reason = format!("one is in the namespace {one}, the other one in {two}");
            return Some((
                reason,
                "annotate both Services with `lbipam.cilium.io/sharing-cross-namespace` and the other's namespace",
            ));
        }
        let (one, two) = (self.policy?, other.policy?);
        if one != two {
            let reason = format!("one has `externalTrafficPolicy: {one}`, the other one `{two}`");
            return Some((reason, "write `externalTrafficPolicy: Cluster` for both"));
        }
        let select_same = self.may_select_same && other.may_select_same;
        (one == "Local" && !select_same).then(|| {
            (
                "with `externalTrafficPolicy: Local` both would have to select the same Pods"
                    .to_owned(),
                "write `externalTrafficPolicy: Cluster` for both, or give each its own address",
            )
        })
    }

    fn admits(&self, namespace: &str) -> bool {
        let mut allowed = self.allowed.iter();
        allowed.any(|name| *name == "*" || *name == namespace || variable::in_text(name))
    }
}

fn is_known(namespace: &str) -> bool {
    !namespace.is_empty() && !variable::in_text(namespace)
}

fn refused(
    first: &ServiceAddressRequest<'_>,
    second: &ServiceAddressRequest<'_>,
    reason: &str,
    help: &str,
) -> Diagnostic {
    let name = |request: &ServiceAddressRequest<'_>| request.owner.object.identity().to_string();
    let message = format!(
        "{} and {} can't share {}: {reason}",
        name(first),
        name(second),
        second.text
    );
    finding(CODE, second.object, &second.pointer, message)
        .related(first.object.place_to_change(&first.pointer), "the other one")
        .why("Cilium gives the address to the Service that came first, and the other one stays without an address")
        .help(help)
}

#[cfg(test)]
mod tests {
    use crate::lint::support::{FRONT, found_in};

    #[test]
    fn services_that_share_an_address_fit_each_other() {
        let says = |policy: &str, namespace: &str, rest: &str, port: u16| {
            let front = FRONT
                .replace(
                    "envoyDeployment: {replicas: 2}",
                    &format!("envoyService: {{externalTrafficPolicy: {policy}}}"),
                )
                .replace(
                    "ips: 10.10.30.26",
                    "ips: 10.10.30.26, lbipam.cilium.io/sharing-key: a",
                );
            let service = format!(
                "
# dns.yaml
apiVersion: v1
kind: Service
metadata: {{name: dns, namespace: {namespace}, annotations: {{lbipam.cilium.io/ips: 10.10.30.26, lbipam.cilium.io/sharing-key: a{rest}}}}}
spec: {{type: LoadBalancer, ports: [{{port: {port}, protocol: TCP}}]}}
"
            );
            found_in(&format!("{front}{service}"))
        };
        let told = |reason: &str| {
            [format!(
                "error network/shared-address dns.yaml:3 Gateway network/external and Service {reason}"
            )]
        };
        assert_eq!(says("Cluster", "network", "", 53), [""; 0]);
        assert_eq!(
            says("Local", "network", "", 53),
            told(
                "network/dns can't share 10.10.30.26: one has `externalTrafficPolicy: Local`, the other one `Cluster`"
            )
        );
        assert_eq!(
            says("Cluster", "network", "", 443),
            told("network/dns can't share 10.10.30.26: both have port 443")
        );
        assert_eq!(
            says("Cluster", "dns", "", 53),
            told(
                "dns/dns can't share 10.10.30.26: one is in the namespace network, the other one in dns"
            )
        );
    }
}
