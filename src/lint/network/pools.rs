//! Cilium's address pools: which addresses they contain, and which Services they are for.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::address_requests::ServiceAddressRequest;
use super::{address_beside_pool, address_outside_pools, pool_selector};
use crate::lint::ranges::Ranges;
use crate::lint::{Applied, LintContext};
use crate::model::address::Range;
use envoy_gateway::proxies::Controller;
use flux_repo::ClusterPlace;
use manifest::diagnostic::Diagnostic;
use manifest::value::{Node, Pointer};

/// A block of a pool.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// Its path in the pool.
    pub pointer: Pointer,
    /// The block as written.
    pub text: String,
    /// `None` if it contains a Flux variable.
    pub range: Option<Range>,
    /// Whether its first and last address are reserved.
    pub keeps_ends: bool,
    /// The network that Cilium uses, if the written one has host bits.
    pub meant: Option<IpNet>,
}

/// A CiliumLoadBalancerIPPool.
#[derive(Clone, Debug)]
pub(crate) struct Pool<'a> {
    /// The object.
    pub applied: Applied<'a>,
    /// Its blocks.
    pub blocks: Vec<Block>,
    /// The selector of the Services that it is for.
    pub selector: Option<&'a Node>,
    /// Whether it is disabled.
    pub is_disabled: bool,
}

impl Pool<'_> {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        self.applied.object.name()
    }

    fn is_known(&self) -> bool {
        self.blocks.iter().all(|block| block.range.is_some())
    }
}

/// The index of a pool, and the index of a block in it.
pub(crate) type BlockAt = (usize, usize);

/// A pool that contains an address, with the first of its blocks that does.
pub(crate) type HoldingPool<'a, 'p> = (&'p Pool<'a>, &'p Block);

/// The pools that may be in the same cluster.
pub(crate) struct NearPools<'a, 'p> {
    /// The pools.
    pub pools: Vec<&'p Pool<'a>>,
    /// Their blocks; the first number is the index in `pools`.
    blocks: Ranges<BlockAt>,
    /// Whether no block contains a Flux variable.
    are_known: bool,
}

impl<'a, 'p> NearPools<'a, 'p> {
    fn new(pools: Vec<&'p Pool<'a>>) -> Self {
        NearPools {
            blocks: blocks(pools.iter().copied()),
            are_known: pools.iter().all(|pool| pool.is_known()),
            pools,
        }
    }

    /// The pools that contain an address, in order.
    fn holding(&self, address: IpAddr) -> Vec<HoldingPool<'a, 'p>> {
        let mut found = self.blocks.holding(address);
        found.sort_unstable();
        found.dedup_by_key(|(pool, _)| *pool);
        let found = found.into_iter().filter_map(|(pool, block)| {
            let pool = *self.pools.get(pool)?;
            Some((pool, pool.blocks.get(block)?))
        });
        found.collect()
    }
}

/// The blocks of pools, without those that are unknown.
pub(crate) fn blocks<'p, 'a: 'p>(pools: impl Iterator<Item = &'p Pool<'a>>) -> Ranges<BlockAt> {
    Ranges::new(pools.enumerate().flat_map(|(pool, of)| {
        let known = of.blocks.iter().enumerate();
        known.filter_map(move |(block, one)| Some((one.range?, (pool, block))))
    }))
}

/// The pools for each place in the repository, if clusters are told apart.
struct PoolsByPlace<'a, 'p, 'w> {
    context: &'p LintContext<'w>,
    pools: &'p [Pool<'a>],
    known: BTreeMap<ClusterPlace<'p>, NearPools<'a, 'p>>,
}

impl<'a, 'p> PoolsByPlace<'a, 'p, '_> {
    fn of(&mut self, object: &Applied<'_>) -> &NearPools<'a, 'p> {
        let place = self.context.delivery.place(&object.object.file);
        let pools = self.pools;
        let context = self.context;
        self.known.entry(place.clone()).or_insert_with(|| {
            let near = pools.iter().filter(|pool| {
                let there = context.delivery.place(&pool.applied.object.file);
                place.may_share_cluster(&there)
            });
            NearPools::new(near.collect())
        })
    }
}

/// All pools.
pub(crate) fn pools<'a>(context: &LintContext<'a>) -> Vec<Pool<'a>> {
    let pools = context.of_kind("cilium.io", "CiliumLoadBalancerIPPool");
    pools.map(read).collect()
}

/// Reports requested addresses that no pool assigns, and gateways that no pool selects.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let pools = context.pools();
    if pools.is_empty() {
        return Vec::new();
    }
    let mut near = PoolsByPlace {
        context,
        pools,
        known: BTreeMap::new(),
    };
    let requests = context.address_requests();
    let mut found = Vec::new();
    for request in requests.iter().filter(|request| request.is_of_pools) {
        let near = near.of(&request.owner);
        let Some(address) = request.address.filter(|_| near.are_known) else {
            continue;
        };
        let holding = near.holding(address);
        let outside = address_outside_pools::report(request, address, near, &holding);
        found.extend(outside.or_else(|| pool_selector::report(request, address, &holding)));
    }
    let announces_external: Vec<Applied> = context
        .of_kind("cilium.io", "CiliumL2AnnouncementPolicy")
        .filter(|one| is_on(one.object.node.path(&["spec", "externalIPs"])))
        .collect();
    for front in context.fronts() {
        let own = |request: &&ServiceAddressRequest| request.owner.at == front.gateway.at;
        let is_announced = announces_external
            .iter()
            .any(|one| context.may_share_cluster(one.object, front.gateway.object));
        // A gateway that requests an address from a pool, too, has it.
        if is_announced
            || requests
                .iter()
                .filter(own)
                .any(|request| request.is_of_pools)
        {
            continue;
        }
        for request in requests.iter().filter(own).filter(|it| it.ports.is_some()) {
            let near = near.of(&request.owner);
            let Some(address) = request.address else {
                continue;
            };
            let holding = near.holding(address);
            found.extend(address_beside_pool::report(front, request, &holding));
        }
    }
    let asking: HashSet<usize> = requests.iter().map(|request| request.owner.at).collect();
    for front in context.fronts() {
        let is_served =
            front.has_load_balancer() == Some(true) && front.controller == Controller::EnvoyGateway;
        if is_served && !asking.contains(&front.gateway.at) {
            found.extend(pool_selector::report_gateway(
                front,
                near.of(&front.gateway),
            ));
        }
    }
    found
}

fn is_on(node: Option<&Node>) -> bool {
    node.and_then(Node::as_bool) == Some(true)
}

fn read(applied: Applied<'_>) -> Pool<'_> {
    let object = applied.object;
    let spec = Pointer::root().key("spec");
    let allows = object
        .node
        .path(&["spec", "allowFirstLastIPs"])
        .map(Node::to_json);
    let keeps_ends = allows == Some("No".into()) || allows == Some(false.into());
    let mut blocks = Vec::new();
    // Before Cilium 1.15, the field was called `cidrs`.
    for key in ["blocks", "cidrs"] {
        let pointer = spec.key(key);
        let items = object.node.at(&pointer).and_then(Node::as_list);
        for (at, item) in items.unwrap_or_default().iter().enumerate() {
            blocks.push(block(item, pointer.index(at), keeps_ends));
        }
    }
    let disabled = object.node.path(&["spec", "disabled"]).map(Node::to_json);
    Pool {
        applied,
        blocks,
        selector: object.node.path(&["spec", "serviceSelector"]),
        is_disabled: disabled == Some(true.into()),
    }
}

fn block(item: &Node, pointer: Pointer, keeps_ends: bool) -> Block {
    let value = |key: &str| item.get(key).and_then(Node::as_str);
    if let Some(cidr) = value("cidr") {
        let net = cidr.parse::<IpNet>().ok();
        return Block {
            pointer: pointer.key("cidr"),
            text: cidr.to_owned(),
            range: net.map(|net| Range {
                first: net.network(),
                last: net.broadcast(),
            }),
            // Networks of one or two addresses have no ends to reserve.
            keeps_ends: keeps_ends
                && net.is_some_and(|net| net.max_prefix_len() - net.prefix_len() > 1),
            meant: net
                .map(|net| net.trunc())
                .filter(|meant| Some(*meant) != net),
        };
    }
    let (start, stop) = (value("start"), value("stop"));
    let ends = start
        .and_then(|start| start.parse().ok())
        .zip(stop.or(start).and_then(|stop| stop.parse().ok()));
    Block {
        pointer: pointer.key("start"),
        text: format!(
            "{} to {}",
            start.unwrap_or_default(),
            stop.or(start).unwrap_or_default()
        ),
        range: ends.map(|(first, last)| Range { first, last }),
        keeps_ends: false,
        meant: None,
    }
}

#[cfg(test)]
pub mod tests {
    use crate::lint::support::found_with_front;

    pub fn pool(name: &str, block: &str, rest: &str) -> String {
        format!(
            "
# {name}.yaml
apiVersion: cilium.io/v2
kind: CiliumLoadBalancerIPPool
metadata: {{name: {name}}}
spec:
  blocks: [{block}]
  {rest}"
        )
    }

    #[test]
    fn pools_are_kept_apart_and_off_the_routers() {
        let (one, two) = (
            pool("a", "{cidr: 10.10.30.0/24}", ""),
            pool("b", "{start: 10.10.30.200, stop: 10.10.31.9}", ""),
        );
        assert_eq!(
            found_with_front(&[&one, &two]),
            [
                "error network/pool-overlap b.yaml:5 10.10.30.200 to 10.10.31.9 of the pool b overlaps with 10.10.30.0/24 of a"
            ]
        );
        let off = pool(
            "b",
            "{start: 10.10.30.200, stop: 10.10.31.9}",
            "disabled: true",
        );
        assert_eq!(found_with_front(&[&one, &off]), [""; 0]);
        let router = "
# bgp.yaml
apiVersion: cilium.io/v2
kind: CiliumBGPClusterConfig
metadata: {name: bgp}
spec: {bgpInstances: [{name: home, peers: [{name: router, peerAddress: 10.10.30.1}]}]}";
        assert_eq!(
            found_with_front(&[&one, router]),
            [
                "warning network/pool-holds-router a.yaml:5 the pool a contains 10.10.30.1, the address of the router router"
            ]
        );
    }
}
