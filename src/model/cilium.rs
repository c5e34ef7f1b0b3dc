//! Cilium's address pools and announcements, and cert-manager's Certificates.

use serde::Serialize;

use super::gateway::check_addresses;
use super::names::{self, Rule};
use super::version::CILIUM_V2;
use super::{ObjectInput, Version};
use crate::config::cilium::Peer;
use crate::config::codes;
use crate::config::types::Overlay;
use crate::config::{Cluster, Pairs, Text};
use manifest::diagnostic::{Diagnostic, Spanned};
use manifest::value::{Node, variable};

/// The Cilium objects to write.
#[derive(Clone, Debug, Default)]
pub struct Cilium {
    /// The CiliumLoadBalancerIPPool.
    pub pool: Option<ObjectInput<Pool>>,
    /// The CiliumL2AnnouncementPolicy.
    pub l2: Option<ObjectInput<L2>>,
    /// The BGP configuration, and the overlays of its three objects: cluster, peer, advertisement.
    pub bgp: Option<(Bgp, [Overlay; 3])>,
}

/// The values for the template of a CiliumLoadBalancerIPPool.
#[derive(Clone, Debug, Serialize)]
pub struct Pool {
    /// The version of the API group `cilium.io` in which it is written.
    pub version: &'static str,
    /// The name of the pool.
    pub name: Text,
    /// The blocks of addresses.
    pub blocks: Vec<Block>,
    /// Whether the first and the last address of a CIDR may be assigned.
    pub first_and_last: bool,
    /// Whether the pool serves only the gateways' Services.
    pub only_gateways: bool,
}

/// A block of addresses: either a network or a range.
#[derive(Clone, Debug, Serialize)]
pub struct Block {
    /// The network, as a CIDR.
    pub cidr: Option<Text>,
    /// The first address of a range.
    pub start: Option<Text>,
    /// The last address of a range.
    pub stop: Option<Text>,
}

/// The values for the template of a CiliumL2AnnouncementPolicy.
#[derive(Clone, Debug, Serialize)]
pub struct L2 {
    /// The name of the policy.
    pub name: Text,
    /// The network interfaces that announce, as regular expressions.
    pub interfaces: Vec<Text>,
    /// The labels of the nodes that announce addresses.
    pub nodes: Pairs,
    /// Whether only the gateways' Services are announced.
    pub only_gateways: bool,
}

/// The values for the templates of the three BGP objects.
#[derive(Clone, Debug, Serialize)]
pub struct Bgp {
    /// The version of the API group `cilium.io` in which they are written.
    pub version: &'static str,
    /// The name of the objects.
    pub name: Text,
    /// The number of the cluster's autonomous system (ASN).
    pub local_asn: Option<Spanned<crate::config::Count>>,
    /// The routers that Cilium peers with.
    pub peers: Vec<Peer>,
    /// The labels of the nodes that run BGP.
    pub nodes: Pairs,
    /// The families of the addresses that are announced: `ipv4`, `ipv6`.
    pub families: Vec<&'static str>,
}

/// The families of the pools and of the gateways' addresses. An address that is a Flux variable counts as IPv4.
fn families(cluster: &Cluster) -> Vec<&'static str> {
    let pools = cluster.cilium.iter().flat_map(|table| table.pools.iter());
    let gateways = cluster.gateways.iter();
    let addresses = gateways.flat_map(|(_, gateway)| gateway.address.iter());
    let is_six = |text: &Text| !variable::in_text(text) && text.contains(':');
    let all: Vec<bool> = pools.chain(addresses).map(is_six).collect();
    let has_four = all.is_empty() || all.contains(&false);
    let both = [("ipv4", has_four), ("ipv6", all.contains(&true))];
    let used = both.into_iter().filter(|(_, is_used)| *is_used);
    used.map(|(family, _)| family).collect()
}

fn unwritten(text: &str) -> Text {
    Spanned::unwritten(text.to_owned())
}

fn linux() -> Pairs {
    Pairs(vec![(unwritten("kubernetes.io/os"), unwritten("linux"))])
}

/// Builds what `[cilium]` asks for, and checks the addresses of all gateways against the pools.
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
    let pool = table.pool.as_ref().map(|pool| ObjectInput {
        values: Pool {
            version: api,
            name: named(&pool.name),
            blocks: table.pools.iter().map(block).collect(),
            first_and_last: on(&pool.first_and_last, false),
            only_gateways: on(&pool.only_gateways, true),
        },
        overlay: pool.overlay(),
    });
    let l2 = table.l2.as_ref().map(|l2| ObjectInput {
        values: L2 {
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
        let values = Bgp {
            version: api,
            name: named(&bgp.name),
            local_asn: bgp.local_asn.clone(),
            peers: bgp.peers.clone(),
            nodes: nodes(&bgp.nodes),
            families: families(cluster),
        };
        (values, overlays)
    });
    if let (Some(pool), true) = (&table.pool, table.pools.is_empty()) {
        problems.push(missing(
            "[cilium.pool] has no addresses to assign",
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

/// The values for the template of a Certificate.
#[derive(Clone, Debug, Serialize)]
pub struct CertificateSet {
    /// The name of the Certificate.
    pub name: Text,
    /// The name of the Secret.
    pub secret: Text,
    /// The DNS names on the certificate.
    pub dns_names: Vec<Text>,
    /// The name of the issuer.
    pub issuer: Text,
    /// The issuer's kind.
    pub issuer_kind: Text,
    /// The settings from `cluster.toml`.
    pub set: crate::config::cert_manager::Certificate,
}

/// A Certificate and its overlay.
pub type Certificate = ObjectInput<CertificateSet>;

/// Builds the Certificates that `[cert_manager]` asks for.
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
                    &format!("the Certificate {} has no DNS names", name.value),
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
        certificates.push(ObjectInput {
            values: CertificateSet {
                name: name.clone(),
                secret: own
                    .secret
                    .clone()
                    .unwrap_or_else(|| name.with(format!("{}-tls", name.value))),
                dns_names,
                issuer,
                issuer_kind: kind.unwrap_or_else(|| unwritten("ClusterIssuer")),
                set: own.clone(),
            },
            overlay: own.overlay(),
        });
    }
    certificates
}
