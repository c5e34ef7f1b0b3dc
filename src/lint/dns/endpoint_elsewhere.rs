//! DNSEndpoints that lead to another address than the gateway's.

use std::net::IpAddr;

use crate::lint::Applied;
use envoy_gateway::Resolved;
use envoy_gateway::exposure::dns::annotation;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, Pointer};

manifest::code! {
    "dns"/"endpoint-elsewhere", Warning, "A DNSEndpoint for a gateway's name with another address than the gateway's.",
    r#"
The records of a gateway's routes point to the name in its annotation `target`. A DNSEndpoint gives that name
a private address that the gateway doesn't have, and that no other gateway or Service of the cluster requests.
Clients of all routes of the gateway reach something else, or nothing.

## Wrong

```yaml
kind: Gateway # with the address 10.10.30.26
metadata:
  annotations:
    external-dns.kubernetes.io/target: external.example.com
---
kind: DNSEndpoint
spec:
  endpoints:
    - dnsName: external.example.com
      recordType: A
      targets: [10.10.30.62]
```

## Right

```yaml
kind: Gateway # with the address 10.10.30.26
metadata:
  annotations:
    external-dns.kubernetes.io/target: external.example.com
---
kind: DNSEndpoint
spec:
  endpoints:
    - dnsName: external.example.com
      recordType: A
      targets: [10.10.30.26]
```
"#
}

/// Reports addresses of DNSEndpoints for a gateway's target. `requested` are all addresses that are requested in the cluster.
pub(crate) fn check<'a>(
    resolved: &Resolved<'a>,
    all: &[Applied<'a>],
    requested: &[IpAddr],
) -> Vec<(&'a Object, Diagnostic)> {
    let mut found = Vec::new();
    for one in all.iter().filter(|one| one.object.kind() == "DNSEndpoint") {
        let list = Pointer::root().key("spec").key("endpoints");
        let endpoints = one.object.node.at(&list).and_then(Node::as_list);
        for (at, endpoint) in endpoints.unwrap_or_default().iter().enumerate() {
            let name = endpoint.get("dnsName").and_then(Node::as_str);
            let gateway = resolved
                .gateways()
                .iter()
                .find(|gateway| name.is_some() && annotation(gateway.object, "target") == name);
            let Some(gateway) = gateway else { continue };
            let pointer = list.index(at).key("targets");
            let addresses: Vec<IpAddr> = gateway
                .addresses()
                .iter()
                .filter_map(|text| text.parse().ok())
                .collect();
            let targets = endpoint.get("targets").and_then(Node::as_list);
            let targets: Option<Vec<IpAddr>> = targets
                .unwrap_or_default()
                .iter()
                .map(|target| target.as_str()?.parse().ok())
                .collect();
            let targets = targets.unwrap_or_default();
            let is_elsewhere = |target: &IpAddr| {
                let is_private = matches!(target, IpAddr::V4(target) if target.is_private());
                is_private && !addresses.contains(target) && !requested.contains(target)
            };
            let is_wrong = !addresses.is_empty() && targets.iter().all(is_elsewhere);
            let (Some(target), Some(address), true) =
                (targets.first(), addresses.first(), is_wrong)
            else {
                continue;
            };
            let message = format!(
                "{} leads to {target}, and {} has the address {address}",
                name.unwrap_or_default(),
                gateway.object.name()
            );
            let place = Pointer::root().key("metadata").key("name");
            let diagnostic = finding(CODE, one.object, &pointer.index(0), message)
                .related(
                    gateway.object.span(&place),
                    "the records of its routes point to this name",
                )
                .why("clients of all routes of the gateway reach something else, or nothing")
                .help(format!("write {address}"));
            found.push((one.object, diagnostic));
        }
    }
    found
}
