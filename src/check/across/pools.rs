//! Cilium's address pools: which addresses they contain, which Services they are for, and overlaps between them.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::addresses::Claim;
use super::front::text;
use super::ranges::{Earliest, Ranges};
use super::{Applied, Whole};
use crate::codes;
use crate::model::address::Range;
use envoy_gateway::proxies::Controller;
use envoy_gateway::selector::selects;
use flux_repo::ClusterPlace;
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::finding;
use manifest::value::{Node, Pointer, variable};

/// A block of a pool.
struct Block {
    pointer: Pointer,
    /// The block as written.
    text: String,
    /// `None` if it contains a Flux variable.
    range: Option<Range>,
    /// Whether its first and last address are reserved.
    keeps_ends: bool,
    /// The network that Cilium uses, if the written one has host bits.
    meant: Option<IpNet>,
}

/// An address that something else uses: the object and the path that say so, the address, and what uses it.
type Fixed<'a> = (Applied<'a>, Pointer, IpAddr, String);

/// A CiliumLoadBalancerIPPool.
struct Pool<'a> {
    applied: Applied<'a>,
    blocks: Vec<Block>,
    selector: Option<&'a Node>,
    is_disabled: bool,
}

impl Pool<'_> {
    fn name(&self) -> &str {
        self.applied.object.name()
    }

    fn is_known(&self) -> bool {
        self.blocks.iter().all(|block| block.range.is_some())
    }
}

/// The index of a pool, and the index of a block in it.
type BlockAt = (usize, usize);

/// The pools that may be in the same cluster.
struct Near<'a, 'p> {
    pools: Vec<&'p Pool<'a>>,
    /// Their blocks; the first number is the index in `pools`.
    blocks: Ranges<BlockAt>,
    /// Whether no block contains a Flux variable.
    are_known: bool,
}

impl<'a, 'p> Near<'a, 'p> {
    fn new(pools: Vec<&'p Pool<'a>>) -> Self {
        Near {
            blocks: blocks(pools.iter().copied()),
            are_known: pools.iter().all(|pool| pool.is_known()),
            pools,
        }
    }

    /// The pools that contain an address, in order, each with the first block that does.
    fn holding(&self, address: IpAddr) -> Vec<(&'p Pool<'a>, &'p Block)> {
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
fn blocks<'p, 'a: 'p>(pools: impl Iterator<Item = &'p Pool<'a>>) -> Ranges<BlockAt> {
    Ranges::new(pools.enumerate().flat_map(|(pool, of)| {
        let known = of.blocks.iter().enumerate();
        known.filter_map(move |(block, one)| Some((one.range?, (pool, block))))
    }))
}

/// The pools for each place in the repository, if clusters are told apart.
struct Nearby<'a, 'p, 'w> {
    whole: &'p Whole<'w>,
    pools: &'p [Pool<'a>],
    known: BTreeMap<ClusterPlace<'p>, Near<'a, 'p>>,
}

impl<'a, 'p> Nearby<'a, 'p, '_> {
    fn of(&mut self, object: &Applied<'_>) -> &Near<'a, 'p> {
        let place = self.whole.delivery.place(&object.object.file);
        let pools = self.pools;
        let whole = self.whole;
        self.known.entry(place.clone()).or_insert_with(|| {
            let near = pools.iter().filter(|pool| {
                let there = whole.delivery.place(&pool.applied.object.file);
                place.may_share_cluster(&there)
            });
            Near::new(near.collect())
        })
    }
}

/// Checks pools, and the addresses that are requested from them.
pub fn check(whole: &Whole<'_>) -> Vec<Diagnostic> {
    let pools: Vec<Pool> = whole
        .of_kind("cilium.io", "CiliumLoadBalancerIPPool")
        .map(read)
        .collect();
    if pools.is_empty() {
        return Vec::new();
    }
    let (fronts, claims) = (whole.fronts(), whole.claims());
    let fixed = fixed_addresses(whole);
    let given: HashSet<IpAddr> = claims.iter().filter_map(|claim| claim.address).collect();
    let asking: HashSet<usize> = claims.iter().map(|claim| claim.owner.at).collect();
    let mut found = Vec::new();
    found.extend(pools.iter().flat_map(host_bits));
    found.extend(routers(whole, &pools, &fixed, &given));
    found.extend(overlaps(whole, &pools));
    let mut nearby = Nearby {
        whole,
        pools: &pools,
        known: BTreeMap::new(),
    };
    for claim in claims.iter().filter(|claim| claim.is_of_pools) {
        found.extend(claimed(claim, nearby.of(&claim.owner)));
    }
    for front in fronts {
        if asking.contains(&front.gateway.at)
            || front.has_load_balancer() != Some(true)
            || front.controller != Controller::EnvoyGateway
        {
            continue;
        }
        let own = &nearby.of(&front.gateway).pools;
        let labels = front.service_labels();
        let is_for_none = !own.is_empty()
            && own
                .iter()
                .all(|pool| selects(pool.selector, &labels) == Some(false));
        if let (true, Some(pool)) = (is_for_none, own.first()) {
            let pointer = Pointer::root().key("metadata").key("name");
            let name = front.gateway.object.name();
            let message = format!("no address pool selects the Service of {name}");
            found.push(selector(
                finding(
                    codes::NETWORK_POOL_SELECTOR,
                    front.gateway.object,
                    &pointer,
                    message,
                ),
                pool,
            ));
        }
    }
    found
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

/// Reports networks with host bits. Cilium uses the whole network.
fn host_bits(pool: &Pool<'_>) -> Vec<Diagnostic> {
    let found = pool.blocks.iter().filter_map(|block| {
        let meant = block.meant?;
        let message = format!("Cilium treats {} as {meant}", block.text);
        let finding = finding(
            codes::NETWORK_INVALID_CIDR,
            pool.applied.object,
            &block.pointer,
            message,
        );
        Some(
            finding
                .severity(Severity::Note)
                .why("host bits are dropped, so the pool may contain more addresses than intended")
                .help(format!("write {meant}, or a longer prefix")),
        )
    });
    found.collect()
}

/// Reports pools that contain the address of a router or of the API server.
fn routers(
    whole: &Whole<'_>,
    pools: &[Pool<'_>],
    fixed: &[Fixed<'_>],
    given: &HashSet<IpAddr>,
) -> Vec<Diagnostic> {
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
        let is_given = given.contains(address);
        if pool.is_disabled || is_given || !whole.may_share_cluster(of.object, pool.applied.object)
        {
            continue;
        }
        let message = format!(
            "the pool {} contains {address}, the address of {what}",
            pool.name()
        );
        found.push(
            finding(codes::NETWORK_POOL_HOLDS_ROUTER, pool.applied.object, &block.pointer, message)
                .related(of.object.place_to_change(pointer), format!("{address} is {what}'s here"))
                .why("Cilium may give it to a Service and announce it: what is behind that address is then out of reach")
                .help("narrow the pool, or give a range with `start` and `stop` beside it"),
        );
    }
    found
}

/// Addresses of things that are not Services: BGP routers, and where Cilium reaches the API server.
fn fixed_addresses<'a>(whole: &Whole<'a>) -> Vec<Fixed<'a>> {
    let mut all = Vec::new();
    for (kind, lists, peers) in [
        ("CiliumBGPClusterConfig", "bgpInstances", "peers"),
        ("CiliumBGPPeeringPolicy", "virtualRouters", "neighbors"),
    ] {
        for config in whole.of_kind("cilium.io", kind) {
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
    for release in whole.of_kind("helm.toolkit.fluxcd.io", "HelmRelease") {
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

/// Reports blocks in the same cluster that overlap.
fn overlaps(whole: &Whole<'_>, pools: &[Pool<'_>]) -> Vec<Diagnostic> {
    let blocks: Vec<(&Pool, &Block, Range)> = pools
        .iter()
        .filter(|pool| !pool.is_disabled)
        .flat_map(|pool| {
            let blocks = pool.blocks.iter();
            blocks.filter_map(move |block| Some((pool, block, block.range?)))
        })
        .collect();
    let mut found = Vec::new();
    let mut before: BTreeMap<ClusterPlace, Earliest> = BTreeMap::new();
    for (at, (pool, block, range)) in blocks.iter().enumerate() {
        let place = whole.delivery.place(&pool.applied.object.file);
        let first = before
            .iter()
            .filter(|(there, _)| there.may_share_cluster(&place))
            .filter_map(|(_, earliest)| earliest.overlapping(*range))
            .min();
        before
            .entry(place)
            .or_insert_with(|| Earliest::new(blocks.iter().map(|(_, _, range)| range.first)))
            .add(*range, at);
        let Some((first, other, _)) = first.and_then(|first| blocks.get(first)) else {
            continue;
        };
        let is_one = first.applied.at == pool.applied.at;
        let message = if is_one {
            format!(
                "{} and {} of the pool {} overlap",
                other.text,
                block.text,
                pool.name()
            )
        } else {
            format!(
                "{} of the pool {} overlaps with {} of {}",
                block.text,
                pool.name(),
                other.text,
                first.name()
            )
        };
        found.push(
            finding(codes::NETWORK_POOL_OVERLAP, pool.applied.object, &block.pointer, message)
                .related(first.applied.object.place_to_change(&other.pointer), "the other block")
                .why("Cilium marks the pool that came last as conflicting, and gives out none of its addresses")
                .help("give each address to one pool; `serviceSelector` does not keep pools apart"),
        );
    }
    found
}

/// How many blocks a finding lists.
const MOST_LISTED: usize = 8;

/// Checks a requested address against the pools that may assign it.
fn claimed(claim: &Claim<'_>, near: &Near<'_, '_>) -> Option<Diagnostic> {
    let address = claim.address?;
    if near.pools.is_empty() || !near.are_known {
        return None;
    }
    let name = claim.owner.object.identity().to_string();
    let about = |code, message| finding(code, claim.object, &claim.pointer, message);
    let holding = near.holding(address);
    let Some((first, block)) = holding.first() else {
        let blocks = near.pools.iter().flat_map(|pool| &pool.blocks);
        let mut listed: Vec<&str> = blocks
            .map(|block| block.text.as_str())
            .filter(|text| !variable::in_text(text))
            .take(MOST_LISTED + 1)
            .collect();
        if listed.len() > MOST_LISTED {
            listed.truncate(MOST_LISTED);
            listed.push("another block");
        }
        let pool = near.pools.first()?;
        let block = pool.blocks.first();
        return Some(
            about(codes::NETWORK_OUTSIDE_POOLS, format!("{address} of {name} is in none of the pools"))
                .related(block.and_then(|block| pool.applied.object.place_to_change(&block.pointer)), "the pools are declared here")
                .why("Cilium only assigns addresses from its pools, so the Service stays pending and its hostnames can't be reached")
                .help(format!("choose an address in {}, or extend a pool", listed.join(" or "))),
        );
    };
    let is_end = |block: &Block| {
        block.keeps_ends
            && block
                .range
                .is_some_and(|range| range.first == address || range.last == address)
    };
    if holding.iter().all(|(_, block)| is_end(block)) {
        return Some(
            about(
                codes::NETWORK_OUTSIDE_POOLS,
                format!(
                    "{address} of {name} is the first or last address of {}, which the pool {} reserves",
                    block.text,
                    first.name()
                ),
            )
            .related(
                first
                    .applied
                    .object
                    .place_to_change(&Pointer::root().key("spec").key("allowFirstLastIPs")),
                "the first and last address are reserved here",
            )
            .why("the Service stays pending, and its hostnames can't be reached")
            .help("choose another address, or write `allowFirstLastIPs: \"Yes\"`"),
        );
    }
    let is_for_another = holding
        .iter()
        .all(|(pool, _)| selects(pool.selector, &claim.labels) == Some(false));
    let message = format!(
        "{address} of {name} is in the pool {}, which doesn't select its Service",
        first.name()
    );
    is_for_another.then(|| selector(about(codes::NETWORK_POOL_SELECTOR, message), first))
}

fn selector(finding: Diagnostic, pool: &Pool<'_>) -> Diagnostic {
    let pointer = Pointer::root().key("spec").key("serviceSelector");
    finding
        .related(pool.applied.object.place_to_change(&pointer), "the pool's selector")
        .why("Cilium only assigns an address to Services that the pool selects, so this one stays pending")
        .help("select by a label that the Service has, such as `app.kubernetes.io/component: proxy` or `gateway.envoyproxy.io/owning-gateway-name`")
}
