//! Address pools that contain the address of a router or of the API server.

use std::collections::HashSet;
use std::net::IpAddr;

use super::pools::blocks;
use crate::lint::front::text;
use crate::lint::{Applied, LintContext};
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, Pointer};

manifest::code! {
    "network"/"pool-holds-router", Warning, "An address pool that contains the address of a router or of the API server.",
    r#"
A pool contains an address that is already in use: the address of a router in Cilium's BGP configuration, or
of the API server. Cilium doesn't know that the address is in use. When a Service gets it, the nodes announce
it, and the previous owner can't be reached any more. Note that `10.10.30.1/16` is read as `10.10.0.0/16`.

## Wrong

```yaml
kind: CiliumLoadBalancerIPPool
spec:
  blocks:
    - cidr: 10.10.30.0/24
---
kind: CiliumBGPClusterConfig
spec:
  bgpInstances:
    - name: home
      peers:
        - name: router
          peerAddress: 10.10.30.1
```

## Right

```yaml
kind: CiliumLoadBalancerIPPool
spec:
  blocks:
    - start: 10.10.30.20
      stop: 10.10.30.40
```
"#
}

/// An address that something else uses: the object and the path that say so, the address, and what uses it.
type Fixed<'a> = (Applied<'a>, Pointer, IpAddr, String);

/// Reports pools that contain the address of a router or of the API server.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let pools = context.pools();
    if pools.is_empty() {
        return Vec::new();
    }
    let fixed = fixed_addresses(context);
    let requests = context.address_requests().iter();
    let requested: HashSet<IpAddr> = requests.filter_map(|request| request.address).collect();
    let blocks = blocks(pools.iter());
    let mut held: Vec<(usize, usize, usize)> = Vec::new();
    for (at, (_, _, address, _)) in fixed.iter().enumerate() {
        let blocks = blocks.holding(*address);
        held.extend(blocks.into_iter().map(|(pool, block)| (pool, at, block)));
    }
    held.sort_unstable();
    held.dedup_by_key(|(pool, at, _)| (*pool, *at));
    let mut found = Vec::new();
    for (pool, at, block) in held {
        let (Some(pool), Some((of, pointer, address, what))) = (pools.get(pool), fixed.get(at))
        else {
            continue;
        };
        let Some(block) = pool.blocks.get(block) else {
            continue;
        };
        let is_requested = requested.contains(address);
        if pool.is_disabled
            || is_requested
            || !context.may_share_cluster(of.object, pool.applied.object)
        {
            continue;
        }
        let message = format!(
            "the pool {} contains {address}, the address of {what}",
            pool.name()
        );
        found.push(
            finding(CODE, pool.applied.object, &block.pointer, message)
                .related(of.object.place_to_change(pointer), format!("{address} is {what}'s here"))
                .why("Cilium may give it to a Service and announce it: what is behind that address is then out of reach")
                .help("narrow the pool, or give a range with `start` and `stop` beside it"),
        );
    }
    found
}

/// Addresses of things that are not Services: BGP routers, and where Cilium reaches the API server.
fn fixed_addresses<'a>(context: &LintContext<'a>) -> Vec<Fixed<'a>> {
    let mut all = Vec::new();
    for (kind, lists, peers) in [
        ("CiliumBGPClusterConfig", "bgpInstances", "peers"),
        ("CiliumBGPPeeringPolicy", "virtualRouters", "neighbors"),
    ] {
        for config in context.of_kind("cilium.io", kind) {
            let pointer = Pointer::root().key("spec").key(lists);
            let items = config.object.node.at(&pointer).and_then(Node::as_list);
            for (at, instance) in items.unwrap_or_default().iter().enumerate() {
                let items = instance.get(peers).and_then(Node::as_list);
                for (nth, peer) in items.unwrap_or_default().iter().enumerate() {
                    let written = peer
                        .get("peerAddress")
                        .and_then(Node::as_str)
                        .unwrap_or_default();
                    let address = written.split('/').next().and_then(|text| text.parse().ok());
                    let pointer = pointer.index(at).key(peers).index(nth).key("peerAddress");
                    let name = peer.get("name").and_then(Node::as_str);
                    let what =
                        name.map_or("a router".to_owned(), |name| format!("the router {name}"));
                    all.extend(address.map(|address| (config, pointer, address, what)));
                }
            }
        }
    }
    for release in context.of_kind("helm.toolkit.fluxcd.io", "HelmRelease") {
        let address = text(release.object, &["spec", "values", "k8sServiceHost"]);
        let pointer = Pointer::root()
            .key("spec")
            .key("values")
            .key("k8sServiceHost");
        let address = address.parse().ok();
        all.extend(address.map(|address| (release, pointer, address, "the API server".to_owned())));
    }
    all
}
