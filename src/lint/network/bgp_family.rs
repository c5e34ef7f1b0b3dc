//! Addresses of a family that BGP doesn't announce.

use std::net::IpAddr;

use crate::lint::{Applied, LintContext};
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, Pointer};

manifest::code! {
    "network"/"bgp-family", Warning, "An address of a family that no BGP peer is told about.",
    r#"
`families` of a CiliumBGPPeerConfig lists the kinds of routes that Cilium announces to a router. If it only has
`afi: ipv4`, no IPv6 address is announced, and the other way round. This is reported if an address is requested from
Cilium's pools whose family is missing for all peers, and no L2 policy announces addresses.

## Wrong

```yaml
kind: Gateway
spec:
  infrastructure:
    annotations:
      lbipam.cilium.io/ips: 192.0.2.10,2001:db8::10
---
kind: CiliumBGPPeerConfig
spec:
  families:
    - afi: ipv4
      safi: unicast
```

## Right

```yaml
kind: Gateway
spec:
  infrastructure:
    annotations:
      lbipam.cilium.io/ips: 192.0.2.10,2001:db8::10
---
kind: CiliumBGPPeerConfig
spec:
  families:
    - afi: ipv4
      safi: unicast
    - afi: ipv6
      safi: unicast
```
"#
}

/// Reports each family of requested addresses that no peer's configuration has.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let configs: Vec<Applied> = context
        .of_kind("cilium.io", "CiliumBGPPeerConfig")
        .collect();
    let Some(first) = configs.first() else {
        return Vec::new();
    };
    let announces = |one: &Applied<'_>| context.may_share_cluster(one.object, first.object);
    let has_others = context
        .of_kind("cilium.io", "CiliumL2AnnouncementPolicy")
        .chain(context.of_kind("cilium.io", "CiliumBGPPeeringPolicy"))
        .any(|one| announces(&one));
    let clusters = context.of_kind("cilium.io", "CiliumBGPClusterConfig");
    if has_others
        || clusters
            .filter(announces)
            .any(|one| has_other_peers(one.object, &configs))
    {
        return Vec::new();
    }
    let near: Vec<&Applied> = configs.iter().filter(|one| announces(one)).collect();
    // Without `families`, both are announced.
    let Some(listed) = near
        .iter()
        .map(|one| families(one.object))
        .collect::<Option<Vec<_>>>()
    else {
        return Vec::new();
    };
    let listed: Vec<&str> = listed.into_iter().flatten().collect();
    let pointer = Pointer::root().key("spec").key("families");
    let mut found = Vec::new();
    for (afi, title) in [("ipv4", "IPv4"), ("ipv6", "IPv6")] {
        if listed.iter().any(|one| one.eq_ignore_ascii_case(afi)) {
            continue;
        }
        let is_of = |address: IpAddr| address.is_ipv6() == (afi == "ipv6");
        let mut requests = context.address_requests().iter();
        let request = requests.find(|request| {
            request.is_of_pools
                && request.address.is_some_and(is_of)
                && context.may_share_cluster(request.owner.object, first.object)
        });
        let Some(request) = request else { continue };
        let message = format!(
            "{} is an {title} address, and BGP announces no {title} addresses",
            request.text
        );
        found.push(
            finding(CODE, first.object, &pointer, message)
                .related(request.object.place_to_change(&request.pointer), "the address")
                .why("no router learns the way to this address, so nobody can reach it")
                .help(format!(
                    "add `{{afi: {afi}, safi: unicast}}` with the same `advertisements` to `spec.families`"
                )),
        );
    }
    found
}

/// Whether a peer has no configuration, or one that is not given.
fn has_other_peers(cluster: &Object, configs: &[Applied<'_>]) -> bool {
    let list = |node: &'_ Node, key: &str| -> Vec<Node> {
        let items = node.get(key).and_then(Node::as_list).unwrap_or_default();
        items.to_vec()
    };
    let Some(spec) = cluster.node.get("spec") else {
        return true;
    };
    let peers = list(spec, "bgpInstances")
        .into_iter()
        .flat_map(|one| list(&one, "peers"));
    let mut names = peers.map(|peer| {
        let name = peer.path(&["peerConfigRef", "name"]).and_then(Node::as_str);
        name.map(str::to_owned)
    });
    names.any(|name| {
        !configs
            .iter()
            .any(|one| Some(one.object.name()) == name.as_deref())
    })
}

/// The families of a configuration; `None` if it lists none.
fn families(config: &Object) -> Option<Vec<&str>> {
    let list = config.node.path(&["spec", "families"])?.as_list()?;
    let families = list.iter().filter_map(|one| one.get("afi")?.as_str());
    Some(families.collect())
}

#[cfg(test)]
mod tests {
    use crate::lint::support::{FRONT, found_in};

    #[test]
    fn every_family_of_addresses_is_announced() {
        let says = |families: &str, address: &str| {
            let front = FRONT.replace("10.10.30.26", address);
            found_in(&format!(
                "{front}
# bgp.yaml
apiVersion: cilium.io/v2
kind: CiliumBGPPeerConfig
metadata: {{name: a}}
spec: {{{families}}}
---
apiVersion: cilium.io/v2
kind: CiliumBGPClusterConfig
metadata: {{name: a}}
spec: {{bgpInstances: [{{name: a, peers: [{{name: a, peerConfigRef: {{name: a}}}}]}}]}}
"
            ))
        };
        let four = "families: [{afi: ipv4, safi: unicast}]";
        assert_eq!(says(four, "10.10.30.26"), [""; 0]);
        assert_eq!(
            says(four, "'2001:db8::1'"),
            [
                "warning network/bgp-family bgp.yaml:4 2001:db8::1 is an IPv6 address, and BGP announces no IPv6 addresses"
            ]
        );
        assert_eq!(says("", "'2001:db8::1'"), [""; 0]);
    }
}
