//! Who publishes the names of which gateway, and the annotations and DNSEndpoints for it.

mod problems;

use std::net::IpAddr;

use serde::Serialize;

use super::gateway::Gateway;
use super::names::{self, Rule, short};
use super::route::chosen;
use super::{ObjectInput, Version};
use crate::config::dns::{DnsEndpoint, Publisher, PublisherKind};
use crate::config::gateway::Gateway as Table;
use crate::config::{Cluster, Count, Named, Pairs, Text, Texts};
use envoy_gateway::RouteKind;
use envoy_gateway::declared::DeclaredPublisher;
use manifest::diagnostic::{Diagnostic, Spanned};
use manifest::value::variable;
use problems::{check, no_reader, no_record, two_targets, unread};

/// The prefix of external-dns' annotations since [`NEW_PREFIX_SINCE`].
pub const DNS_PREFIX: &str = "external-dns.kubernetes.io";

/// The prefix of external-dns' annotations before [`NEW_PREFIX_SINCE`].
pub const LEGACY_DNS_PREFIX: &str = "external-dns.alpha.kubernetes.io";

/// The version of external-dns that reads [`DNS_PREFIX`] by default.
const NEW_PREFIX_SINCE: Version = Version::new(0, 22, 0);

/// The sources of external-dns, with the kind of route that each reads.
const SOURCES: [(&str, Option<RouteKind>); 7] = [
    ("gateway-httproute", Some(RouteKind::Http)),
    ("gateway-grpcroute", Some(RouteKind::Grpc)),
    ("gateway-tlsroute", Some(RouteKind::Tls)),
    ("gateway-tcproute", Some(RouteKind::Tcp)),
    ("gateway-udproute", Some(RouteKind::Udp)),
    (SERVICE, None),
    (CRD, None),
];

/// The source that reads the annotation `hostname` of a gateway's Service.
const SERVICE: &str = "service";

/// The source that reads DNSEndpoints.
const CRD: &str = "crd";

/// The kinds of route that are published unless `sources` says something else.
const USUAL_KINDS: [RouteKind; 3] = [RouteKind::Http, RouteKind::Grpc, RouteKind::Tls];

/// What is written to a gateway for its publishers.
#[derive(Clone, Debug, Default)]
pub struct Published {
    /// The prefixes of annotations, each with the target of the records that are made from routes.
    pub targets: Vec<(Text, Text)>,
    /// The prefixes of annotations for the gateway's Service.
    pub prefixes: Vec<Text>,
    /// The gateway's hostname, if its Service is annotated with it.
    pub hostname: Option<Text>,
    /// The labels by which publishers select the gateway.
    pub labels: Pairs,
}

/// The values for the template of a DNSEndpoint.
#[derive(Clone, Debug, Serialize)]
pub struct Endpoint {
    /// The name of the DNSEndpoint.
    pub name: Text,
    /// The records.
    pub records: Vec<Record>,
    /// How long resolvers may keep the records.
    pub ttl: Option<Spanned<Count>>,
    /// Whether Cloudflare proxies the records.
    pub proxied: Option<String>,
    /// The prefixes under which external-dns reads that.
    pub prefixes: Vec<Text>,
}

/// A record of a DNSEndpoint.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// The name.
    pub hostname: Text,
    /// `A`, `AAAA` or `CNAME`.
    pub kind: &'static str,
    /// What it leads to.
    pub targets: Vec<Text>,
}

/// The prefixes of external-dns' annotations, if no publisher is described. External-dns reads only one, which depends
/// on its version. If that is not known, both are written.
fn default_prefixes(cluster: &Cluster) -> Vec<Text> {
    match &cluster.dns.annotation_prefix {
        Some(prefix) => vec![prefix.clone()],
        None => prefixes_of(cluster.versions.external_dns.as_ref()),
    }
}

fn prefixes_of(version: Option<&Text>) -> Vec<Text> {
    let version = version.and_then(|version| Version::parse(version));
    let known: &[&str] = match version {
        Some(version) if version >= NEW_PREFIX_SINCE => &[DNS_PREFIX],
        Some(_) => &[LEGACY_DNS_PREFIX],
        None => &[LEGACY_DNS_PREFIX, DNS_PREFIX],
    };
    let unwritten = |prefix: &&str| Spanned::unwritten((*prefix).to_owned());
    known.iter().map(unwritten).collect()
}

/// The prefixes of annotations that somebody reads.
pub fn prefixes(cluster: &Cluster) -> Vec<Text> {
    let all: Vec<Text> = cluster
        .gateways
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    prefixes_for(cluster, &all)
}

/// The prefixes of annotations that the publishers of some gateways read.
pub fn prefixes_for(cluster: &Cluster, gateways: &[Text]) -> Vec<Text> {
    if cluster.dns.publishers.is_empty() {
        return default_prefixes(cluster);
    }
    let mut all: Vec<Text> = Vec::new();
    let publishers = cluster.dns.publishers.iter();
    let own = publishers.filter(|(_, it)| gateways.iter().any(|gateway| is_for(it, gateway)));
    for (_, publisher) in own {
        for prefix in publisher_prefixes(cluster, publisher) {
            if all.iter().all(|there| there.value != prefix.value) {
                all.push(prefix);
            }
        }
    }
    all
}

/// The prefixes that a publisher reads; none if it reads no annotations.
fn publisher_prefixes(cluster: &Cluster, publisher: &Publisher) -> Vec<Text> {
    if kind_of(publisher) != PublisherKind::ExternalDns {
        return Vec::new();
    }
    match (&publisher.annotation_prefix, &publisher.version) {
        (Some(prefix), _) => vec![prefix.with(prefix.trim_end_matches('/').to_owned())],
        (None, Some(version)) => prefixes_of(Some(version)),
        (None, None) => default_prefixes(cluster),
    }
}

fn kind_of(publisher: &Publisher) -> PublisherKind {
    let kind = publisher.kind.as_ref();
    kind.map(|kind| kind.value).unwrap_or_default()
}

/// Whether a publisher is for a gateway.
fn is_for(publisher: &Publisher, gateway: &str) -> bool {
    let mut named = publisher.gateways.iter();
    !publisher.gateways.is_given() || named.any(|there| there.value == gateway)
}

/// Whether a publisher reads a source, as far as it is known.
fn reads(publisher: &Publisher, source: &str) -> bool {
    let mut sources = publisher.sources.iter();
    !publisher.sources.is_given() || sources.any(|there| there.value == source)
}

/// The gateway's hostname in DNS, and the target of its routes' DNS records.
pub fn names_of(cluster: &Cluster, name: &Text, table: &Table) -> (Option<Text>, Option<Text>) {
    let on = |flag: &Option<Spanned<bool>>| flag.as_ref().map(|flag| flag.value);
    let enabled = on(&table.dns.enabled).unwrap_or_else(|| {
        on(&cluster.dns.enabled) != Some(false)
            || table.dns.target.is_some()
            || table.dns.hostname.is_some()
    });
    if !enabled {
        return (None, None);
    }
    let derived = cluster
        .domain
        .as_ref()
        .map(|domain| domain.with(format!("{}.{}", short(name), domain.value)));
    let hostname = table.dns.hostname.clone().or(derived);
    let target = table.dns.target.clone().or_else(|| hostname.clone());
    (hostname, target)
}

/// What is written to a gateway for its publishers.
pub fn of_gateway(
    cluster: &Cluster,
    name: &Text,
    table: &Table,
    problems: &mut Vec<Diagnostic>,
) -> Published {
    let (hostname, target) = names_of(cluster, name, table);
    if let Some(hostname) = &hostname {
        names::check(Rule::Hostname, "a DNS name", hostname, problems);
    }
    let has_endpoint = endpoint_of(table).is_some();
    let publishers = &cluster.dns.publishers;
    if publishers.is_empty() {
        let prefixes = default_prefixes(cluster);
        let targets = prefixes.iter().cloned();
        return Published {
            targets: target.map_or_else(Vec::new, |target| {
                targets.map(|prefix| (prefix, target.clone())).collect()
            }),
            prefixes,
            hostname: hostname.filter(|_| !has_endpoint),
            labels: Pairs::default(),
        };
    }
    let mut published = Published {
        hostname: hostname.filter(|_| !has_endpoint),
        ..Published::default()
    };
    let own = publishers.iter().filter(|(_, it)| is_for(it, name));
    for (_, publisher) in own.clone() {
        published
            .labels
            .0
            .extend(publisher.gateway_labels.0.clone());
        let target = publisher.target.as_ref().or(target.as_ref());
        for prefix in publisher_prefixes(cluster, publisher) {
            let mut others = published.targets.iter();
            let other = others.find(|(there, _)| there.value == prefix.value);
            match (other, target) {
                (Some((_, other)), Some(target)) if other.value != target.value => {
                    let problem = two_targets(name, &prefix, other, target);
                    // It is the same mistake for each of their gateways.
                    if problems.iter().all(|told| told.span != problem.span) {
                        problems.push(problem);
                    }
                }
                (None, Some(target)) => published.targets.push((prefix.clone(), target.clone())),
                _ => {}
            }
            let is_new = |all: &[Text]| all.iter().all(|there| there.value != prefix.value);
            if reads(publisher, SERVICE) && is_new(&published.prefixes) {
                published.prefixes.push(prefix);
            }
        }
    }
    let written = table.dns.target.as_ref().or(table.dns.hostname.as_ref());
    if let Some(written) = written.filter(|_| published.targets.is_empty()) {
        problems.push(unread(name, written.span));
    }
    let reads_endpoints = own.clone().any(|(_, publisher)| {
        kind_of(publisher) == PublisherKind::ExternalDns && reads(publisher, CRD)
    });
    if has_endpoint && !reads_endpoints {
        problems.push(no_reader(name));
    }
    published
}

fn endpoint_of(table: &Table) -> Option<DnsEndpoint> {
    table.dns.endpoint.as_ref()?.settings()
}

/// The DNSEndpoints with the hostnames of gateways.
pub fn endpoints(cluster: &Cluster, problems: &mut Vec<Diagnostic>) -> Vec<ObjectInput<Endpoint>> {
    let mut built = Vec::new();
    for (gateway, table) in cluster.gateways.iter() {
        let Some(endpoint) = endpoint_of(table) else {
            continue;
        };
        let targets = match endpoint.targets.is_given() {
            true => &endpoint.targets,
            false => &table.address,
        };
        let (hostname, _) = names_of(cluster, gateway, table);
        let (Some(hostname), false) = (hostname, targets.is_empty()) else {
            problems.push(no_record(gateway));
            continue;
        };
        let name = endpoint.name.clone().unwrap_or_else(|| gateway.clone());
        names::check(Rule::Subdomain, "a DNSEndpoint's name", &name, problems);
        built.push(ObjectInput {
            values: Endpoint {
                name,
                records: records(&hostname, targets),
                ttl: endpoint.ttl.clone(),
                proxied: None,
                prefixes: Vec::new(),
            },
            overlay: endpoint.overlay(),
        });
    }
    built
}

/// A record for each type of target. A Flux variable is taken for an IPv4 address.
pub fn records(hostname: &Text, targets: &[Text]) -> Vec<Record> {
    let kind = |target: &Text| match target.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => "A",
        Ok(IpAddr::V6(_)) => "AAAA",
        Err(_) if target.starts_with("${") && target.ends_with('}') => "A",
        Err(_) => "CNAME",
    };
    let of_kind = |wanted: &'static str| {
        let targets = targets.iter().filter(|target| kind(target) == wanted);
        Record {
            hostname: hostname.clone(),
            kind: wanted,
            targets: targets.cloned().collect(),
        }
    };
    let all = ["A", "AAAA", "CNAME"].into_iter().map(of_kind);
    all.filter(|record| !record.targets.is_empty()).collect()
}

/// What is stated about the publishers.
pub fn declared(
    publishers: &Named<Publisher>,
    gateways: &[ObjectInput<Gateway>],
    namespace: &Text,
    problems: &mut Vec<Diagnostic>,
) -> Vec<DeclaredPublisher> {
    let publishers = publishers.iter().map(|(name, publisher)| {
        check(publisher, problems);
        let own = chosen(gateways, &publisher.gateways, problems).into_iter();
        let kinds = publisher.sources.iter().filter_map(|source| {
            let mut known = SOURCES.iter();
            known.find(|(there, _)| *there == source.value)?.1
        });
        let domains = publisher.domains.iter();
        DeclaredPublisher {
            name: format!("dns.publishers.{}", name.value),
            gateways: own
                .map(|gateway| (namespace.value.clone(), gateway.value))
                .collect(),
            kinds: match publisher.sources.is_given() {
                true => kinds.collect(),
                false => USUAL_KINDS.to_vec(),
            },
            // What a Flux variable will be isn't known.
            domains: match publisher.domains.iter().any(|it| variable::in_text(it)) {
                true => Vec::new(),
                false => domains.map(|domain| domain.value.clone()).collect(),
            },
            provider: publisher.provider.as_ref().map(|it| it.value.clone()),
            reads_annotations: kind_of(publisher) == PublisherKind::ExternalDns,
            span: name.span,
        }
    });
    publishers.collect()
}

/// The targets of the DNS records of gateways.
pub fn targets_of(cluster: &Cluster, gateways: &[Text]) -> Texts {
    let mut items: Vec<Text> = Vec::new();
    for (name, table) in cluster.gateways.iter() {
        if gateways.iter().all(|gateway| gateway.value != name.value) {
            continue;
        }
        let (_, target) = names_of(cluster, name, table);
        let is_new = |target: &Text| items.iter().all(|there| there.value != target.value);
        items.extend(target.filter(is_new));
    }
    Texts { items, span: None }
}
