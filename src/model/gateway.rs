//! Gateways.

use serde::Serialize;

use super::Laid;
use super::address::{self, Used};
use super::listener::{self, Listener};
use super::names::{self, Rule, short};
use super::stream::streams;
use crate::config;
use crate::config::gateway::AddressAs;
use crate::config::{Cluster, Pairs, Text};
use crate::diagnostic::{Code, Diagnostic, Spanned};
use crate::value::{Entry, Kind, Map, Node, variable};

/// A Gateway, as its template sees it.
#[derive(Clone, Debug, Serialize)]
pub struct Gateway {
    /// Its name.
    pub name: Text,
    /// The GatewayClass.
    pub class: Text,
    /// Annotations that DNS needs.
    pub annotations: Annotations,
    /// What Envoy Gateway makes for it.
    pub infrastructure: Infrastructure,
    /// `spec.addresses`.
    pub addresses: Vec<Text>,
    /// The listeners, in order.
    pub listeners: Vec<Listener>,
}

/// Labels, annotations and parameters of what Envoy Gateway makes for a gateway.
#[derive(Clone, Debug, Serialize)]
pub struct Infrastructure {
    /// Labels.
    pub labels: Pairs,
    /// Annotations.
    pub annotations: Annotations,
    /// The gateway's own EnvoyProxy.
    pub proxy: Option<Text>,
}

/// A map that templates see as nothing where it is empty.
#[derive(Clone, Debug, Default)]
pub struct Annotations(pub Map);

impl Serialize for Annotations {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_empty() {
            return serializer.serialize_none();
        }
        Node::new(Kind::Map(self.0.clone()), None).serialize(serializer)
    }
}

impl Annotations {
    fn add(&mut self, key: impl Into<String>, value: &Text) {
        let node = Node::new(Kind::String(value.value.clone()), value.span);
        self.0.insert(key, node);
    }

    fn extend(&mut self, pairs: &Pairs) {
        for (key, value) in &pairs.0 {
            let entry = Entry {
                key_span: key.span,
                value: Node::new(Kind::String(value.value.clone()), value.span),
            };
            self.0.insert_entry(key.value.clone(), entry);
        }
    }
}

/// The prefix of external-dns' annotations.
pub fn dns_prefix(cluster: &Cluster) -> Text {
    let default = || Spanned::unwritten("external-dns.alpha.kubernetes.io".to_owned());
    cluster
        .dns
        .annotation_prefix
        .clone()
        .unwrap_or_else(default)
}

/// What the gateway is called in DNS, and what its routes' records point to.
fn dns_names(
    cluster: &Cluster,
    name: &Text,
    table: &config::gateway::Gateway,
) -> (Option<Text>, Option<Text>) {
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

/// Makes a gateway of its table.
pub fn build(
    cluster: &Cluster,
    name: &Text,
    table: &config::gateway::Gateway,
    class: &Text,
    problems: &mut Vec<Diagnostic>,
) -> Laid<Gateway> {
    names::check(Rule::Label, "a gateway's name", name, problems);
    if variable::in_text(name) {
        problems.push(
            Diagnostic::new(Code::ConfigInvalidName, format!("a gateway's name can't be {:?}", name.value))
                .at(name.span)
                .why("it becomes part of file names and of other objects' references, which Flux substitutes at other times or not at all")
                .help("write the name itself"),
        );
    }
    names::check_pairs(
        "infrastructure labels",
        &table.infrastructure.labels,
        true,
        problems,
    );
    names::check_pairs(
        "infrastructure annotations",
        &table.infrastructure.annotations,
        false,
        problems,
    );
    if !table.address.is_given() {
        problems.push(
            Diagnostic::new(
                Code::ConfigMissingKey,
                format!("gateway {} has no address", name.value),
            )
            .at(name.span)
            .with_pointer(format!("/gateways/{}/address", name.value))
            .why("it would get any address of the pool, another one after each new start")
            .help("add `address = \"10.10.30.26\"`; `address = []` if any of the pool will do"),
        );
    }
    let (hostname, target) = dns_names(cluster, name, table);
    let prefix = dns_prefix(cluster);
    let mut annotations = Annotations::default();
    let mut below = Annotations::default();
    if let Some(target) = &target {
        annotations.add(format!("{}/target", prefix.value), target);
    }
    if let Some(hostname) = &hostname {
        names::check(Rule::Hostname, "a DNS name", hostname, problems);
        below.add(format!("{}/hostname", prefix.value), hostname);
    }
    let address_as = table
        .address_as
        .as_ref()
        .map(|how| how.value)
        .unwrap_or_default();
    let mut addresses = Vec::new();
    match address_as {
        AddressAs::Spec => addresses.extend(table.address.iter().cloned()),
        AddressAs::Annotation | AddressAs::LegacyAnnotation => {
            if let Some(joined) = joined(&table.address) {
                below.add(address_annotation(address_as), &joined);
            }
        }
    }
    below.extend(&table.infrastructure.annotations);
    Laid {
        of: Gateway {
            name: name.clone(),
            class: table.class.clone().unwrap_or_else(|| class.clone()),
            annotations,
            infrastructure: Infrastructure {
                labels: table.infrastructure.labels.clone(),
                annotations: below,
                proxy: own_proxy(cluster, name, table),
            },
            addresses,
            listeners: listeners(cluster, name, table, problems),
        },
        overlay: table.overlay(),
    }
}

/// The gateway's own EnvoyProxy, unless its class names it already.
fn own_proxy(cluster: &Cluster, name: &Text, table: &config::gateway::Gateway) -> Option<Text> {
    let own = table.proxy.as_ref()?;
    let own = own.name.clone().unwrap_or_else(|| name.clone());
    let mut classes = cluster.classes.iter().filter(|(class, _)| {
        let of_gateway = table.class.as_ref();
        of_gateway.is_some_and(|of_gateway| of_gateway.value == class.value)
    });
    let named = classes.any(|(_, class)| {
        class
            .proxy
            .as_ref()
            .is_some_and(|proxy| proxy.value == own.value)
    });
    (!named).then_some(own)
}

/// The listeners of a gateway: the defaults and those written, those of streams, those of passthrough.
fn listeners(
    cluster: &Cluster,
    name: &Text,
    table: &config::gateway::Gateway,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Listener> {
    let mut listeners = listener::written(cluster, table, problems);
    let is_written = |name: &str| table.listeners.iter().any(|(there, _)| there.value == name);
    let streams = streams(cluster).into_iter();
    let on = streams.filter(|stream| stream.is_on(name) && !is_written(&stream.name));
    listeners.extend(on.map(|stream| stream.listener()));
    listeners.extend(listener::passthrough(table));
    listener::check_all(name, &listeners, problems);
    listeners
}

fn address_annotation(how: AddressAs) -> &'static str {
    match how {
        AddressAs::LegacyAnnotation => "io.cilium/lb-ipam-ips",
        _ => "lbipam.cilium.io/ips",
    }
}

/// Several addresses as Cilium's annotation has them: with commas between.
fn joined(addresses: &[Text]) -> Option<Text> {
    let (first, last) = (addresses.first()?, addresses.last()?);
    let all: Vec<&str> = addresses.iter().map(|address| address.as_str()).collect();
    let span = first
        .span
        .zip(last.span)
        .map(|(first, last)| first.to(last));
    Some(Spanned::new(all.join(","), span))
}

/// Reads and checks the addresses of all gateways.
pub fn check_addresses(cluster: &Cluster, problems: &mut Vec<Diagnostic>) {
    let mut used = Vec::new();
    for (name, table) in cluster.gateways.iter() {
        for text in table.address.iter() {
            if let Some(address) = address::address(text, problems) {
                used.push(Used {
                    gateway: name.value.clone(),
                    address,
                    span: text.span,
                });
            }
        }
    }
    let Some(cilium) = &cluster.cilium else {
        return;
    };
    for text in &*cilium.pools {
        address::pool(text, problems);
    }
    // Of a pool that is rendered, the object tells.
    if cilium.pool.is_none() {
        address::check_pools(&used, &cilium.pools, problems);
    }
}
