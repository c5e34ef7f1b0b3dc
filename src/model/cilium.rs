//! Address pools, announcements and certificates.

use serde::Serialize;

use super::gateway::check_addresses;
use super::names::{self, Rule};
use super::version::CILIUM_V2;
use super::{Laid, Version};
use crate::codes;
use crate::config::cilium::Peer;
use crate::config::types::Overlay;
use crate::config::{Cluster, Pairs, Text};
use manifest::diagnostic::{Diagnostic, Spanned};
use manifest::value::Node;

/// What Cilium is told.
#[derive(Clone, Debug, Default)]
pub struct Cilium {
    /// The address pool.
    pub pool: Option<Laid<Pool>>,
    /// The L2 announcements.
    pub l2: Option<Laid<L2>>,
    /// The BGP configuration: cluster, peer, advertisement, with what is laid over each.
    pub bgp: Option<(Bgp, [Overlay; 3])>,
}

/// A CiliumLoadBalancerIPPool, as its template sees it.
#[derive(Clone, Debug, Serialize)]
pub struct Pool {
    /// The version of `cilium.io` that it is written in.
    pub version: &'static str,
    /// Its name.
    pub name: Text,
    /// Its blocks.
    pub blocks: Vec<Block>,
    /// Whether the first and last address of a CIDR are given out.
    pub first_and_last: bool,
    /// Whether it is for the gateways' Services alone.
    pub only_gateways: bool,
}

/// A block of addresses: a network, or a range.
#[derive(Clone, Debug, Serialize)]
pub struct Block {
    /// A network.
    pub cidr: Option<Text>,
    /// The first address of a range.
    pub start: Option<Text>,
    /// The last address of a range.
    pub stop: Option<Text>,
}

/// A CiliumL2AnnouncementPolicy, as its template sees it.
#[derive(Clone, Debug, Serialize)]
pub struct L2 {
    /// Its name.
    pub name: Text,
    /// The network interfaces.
    pub interfaces: Vec<Text>,
    /// The labels of the nodes.
    pub nodes: Pairs,
    /// Whether it is for the gateways' Services alone.
    pub only_gateways: bool,
}

/// The three BGP objects, as their templates see them.
#[derive(Clone, Debug, Serialize)]
pub struct Bgp {
    /// The version of `cilium.io` that they are written in.
    pub version: &'static str,
    /// Their name.
    pub name: Text,
    /// The cluster's autonomous system.
    pub local_asn: Option<Spanned<crate::config::Count>>,
    /// The routers.
    pub peers: Vec<Peer>,
    /// The labels of the nodes.
    pub nodes: Pairs,
}

fn unwritten(text: &str) -> Text {
    Spanned::unwritten(text.to_owned())
}

fn linux() -> Pairs {
    Pairs(vec![(unwritten("kubernetes.io/os"), unwritten("linux"))])
}

/// What `[cilium]` asks for. Checks all gateways' addresses against the pools on the way.
pub fn build(cluster: &Cluster, version: Version, problems: &mut Vec<Diagnostic>) -> Cilium {
    check_addresses(cluster, problems);
    let Some(table) = &cluster.cilium else {
        return Cilium::default();
    };
    let api = if version >= CILIUM_V2 {
        "v2"
    } else {
        "v2alpha1"
    };
    let mut named = |name: &Option<Text>| {
        let name = name.clone().unwrap_or_else(|| unwritten("gateways"));
        names::check(Rule::Subdomain, "a Cilium object's name", &name, problems);
        name
    };
    let on =
        |flag: &Option<Spanned<bool>>, default| flag.as_ref().map_or(default, |flag| flag.value);
    let nodes = |nodes: &Pairs| {
        if nodes.0.is_empty() {
            linux()
        } else {
            nodes.clone()
        }
    };
    let pool = table.pool.as_ref().map(|pool| Laid {
        of: Pool {
            version: api,
            name: named(&pool.name),
            blocks: table.pools.iter().map(block).collect(),
            first_and_last: on(&pool.first_and_last, false),
            only_gateways: on(&pool.only_gateways, true),
        },
        overlay: pool.overlay(),
    });
    let l2 = table.l2.as_ref().map(|l2| Laid {
        of: L2 {
            name: named(&l2.name),
            interfaces: l2.interfaces.to_vec(),
            nodes: nodes(&l2.nodes),
            only_gateways: on(&l2.only_gateways, true),
        },
        overlay: l2.overlay(),
    });
    let bgp = table.bgp.as_ref().map(|bgp| {
        let over = |spec: &Option<Node>| Overlay {
            spec: spec.clone(),
            ..Overlay::default()
        };
        let overlays = [
            over(&bgp.cluster_spec),
            over(&bgp.peer_spec),
            over(&bgp.advertisement_spec),
        ];
        let of = Bgp {
            version: api,
            name: named(&bgp.name),
            local_asn: bgp.local_asn.clone(),
            peers: bgp.peers.clone(),
            nodes: nodes(&bgp.nodes),
        };
        (of, overlays)
    });
    if let (Some(pool), true) = (&table.pool, table.pools.is_empty()) {
        problems.push(missing(
            "[cilium.pool] has no addresses",
            pool.name.as_ref(),
            "pools = [\"10.10.30.0/24\"]",
            "[cilium]",
        ));
    }
    if let Some(bgp) = &table.bgp {
        if bgp.local_asn.is_none() {
            problems.push(missing(
                "[cilium.bgp] has no autonomous system",
                bgp.name.as_ref(),
                "local_asn = 64512",
                "[cilium.bgp]",
            ));
        }
        for peer in &bgp.peers {
            let parts = [
                peer.address.is_some(),
                peer.asn.is_some(),
                peer.name.is_some(),
            ];
            if parts.contains(&false) {
                problems.push(missing(
                    "a BGP peer lacks its name, address or autonomous system",
                    peer.name.as_ref().or(peer.address.as_ref()),
                    "name, address and asn",
                    "the peer",
                ));
            }
            if let Some(address) = &peer.address {
                super::address::address(address, problems);
            }
        }
    }
    Cilium { pool, l2, bgp }
}

fn missing(message: &str, near: Option<&Text>, what: &str, table: &str) -> Diagnostic {
    Diagnostic::new(codes::CONFIG_MISSING_KEY, message)
        .at(near.and_then(|near| near.span))
        .why("the API server would refuse the object")
        .help(format!("add `{what}` to {table}"))
}

fn block(text: &Text) -> Block {
    match text.split_once('-') {
        Some((start, stop)) if !text.contains('/') && !text.contains("${") => Block {
            cidr: None,
            start: Some(text.with(start.trim().to_owned())),
            stop: Some(text.with(stop.trim().to_owned())),
        },
        _ => Block {
            cidr: Some(text.clone()),
            start: None,
            stop: None,
        },
    }
}

/// A Certificate, as its template sees it.
#[derive(Clone, Debug, Serialize)]
pub struct CertificateSet {
    /// Its name.
    pub name: Text,
    /// The Secret.
    pub secret: Text,
    /// The names on it.
    pub dns_names: Vec<Text>,
    /// The issuer.
    pub issuer: Text,
    /// The issuer's kind.
    pub issuer_kind: Text,
    /// How long it is valid.
    pub duration: Option<Text>,
}

/// A Certificate and what is laid over it.
pub type Certificate = Laid<CertificateSet>;

/// The certificates that `[cert_manager]` asks for.
pub fn certificates(cluster: &Cluster, problems: &mut Vec<Diagnostic>) -> Vec<Certificate> {
    let Some(table) = &cluster.cert_manager else {
        return Vec::new();
    };
    let mut certificates = Vec::new();
    for (name, own) in table.certificates.iter() {
        names::check(Rule::Subdomain, "a Certificate's name", name, problems);
        let Some(issuer) = own.issuer.clone().or_else(|| table.issuer.clone()) else {
            problems.push(missing(
                &format!("the Certificate {} has no issuer", name.value),
                Some(name),
                "issuer = \"letsencrypt-production\"",
                "[cert_manager]",
            ));
            continue;
        };
        let domain = cluster.domain.as_ref();
        let dns_names = match (own.dns_names.is_given(), domain) {
            (true, _) => own.dns_names.to_vec(),
            (false, Some(domain)) => {
                vec![domain.clone(), domain.with(format!("*.{}", domain.value))]
            }
            (false, None) => {
                problems.push(missing(
                    &format!("the Certificate {} has no names", name.value),
                    Some(name),
                    "dns_names = [\"example.com\"]",
                    "it, or a `domain` at the top",
                ));
                continue;
            }
        };
        for dns_name in &dns_names {
            names::check(
                Rule::Hostname,
                "a name on a certificate",
                dns_name,
                problems,
            );
        }
        let kind = own
            .issuer_kind
            .clone()
            .or_else(|| table.issuer_kind.clone());
        certificates.push(Laid {
            of: CertificateSet {
                name: name.clone(),
                secret: own
                    .secret
                    .clone()
                    .unwrap_or_else(|| name.with(format!("{}-tls", name.value))),
                dns_names,
                issuer,
                issuer_kind: kind.unwrap_or_else(|| unwritten("ClusterIssuer")),
                duration: own.duration.clone(),
            },
            overlay: own.overlay(),
        });
    }
    certificates
}
