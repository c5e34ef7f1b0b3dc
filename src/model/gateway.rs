//! Gateways, with their addresses and DNS annotations.

use serde::Serialize;

use super::ObjectInput;
use super::address::{self, RequestedAddress};
use super::dns;
use super::listener::{self, Listener};
use super::listener_set;
use super::names::{self, Rule};
use super::stream::streams;
use crate::config;
use crate::config::codes;
use crate::config::gateway::AddressAs;
use crate::config::{Cluster, Namespaces, Pairs, Text};
use manifest::diagnostic::{Diagnostic, Spanned};
use manifest::value::{Entry, Kind, Map, Node, variable};

/// The values for the template of a Gateway.
#[derive(Clone, Debug, Serialize)]
pub struct Gateway {
    /// The name of the Gateway.
    pub name: Text,
    /// The name of the GatewayClass.
    pub class: Text,
    /// The labels by which publishers of DNS records select it.
    pub labels: Pairs,
    /// The annotations for external-dns.
    pub annotations: Annotations,
    /// Labels, annotations and parameters for the objects that Envoy Gateway creates for it.
    pub infrastructure: Infrastructure,
    /// The entries of `spec.addresses`.
    pub addresses: Vec<Text>,
    /// The namespaces whose ListenerSets may add listeners.
    pub allowed_listeners: Option<Namespaces>,
    /// The listeners, in the order in which they are written.
    pub listeners: Vec<Listener>,
}

/// Labels, annotations and parameters for the objects that Envoy Gateway creates for a gateway.
#[derive(Clone, Debug, Serialize)]
pub struct Infrastructure {
    /// Labels for these objects.
    pub labels: Pairs,
    /// Annotations for these objects.
    pub annotations: Annotations,
    /// The name of the gateway's own EnvoyProxy.
    pub proxy: Option<Text>,
}

/// A map that serializes as nothing if it is empty, so that templates can test for it.
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

/// Builds a gateway from its table.
pub fn build(
    cluster: &Cluster,
    name: &Text,
    table: &config::gateway::Gateway,
    class: &Text,
    problems: &mut Vec<Diagnostic>,
) -> ObjectInput<Gateway> {
    names::check(Rule::Label, "a gateway's name", name, problems);
    if variable::in_text(name) {
        problems.push(
            Diagnostic::new(codes::CONFIG_INVALID_NAME, format!("a gateway's name can't be {:?}", name.value))
                .at(name.span)
                .why("the name is used in file names and in references of other objects, where Flux substitutes variables at another time or never")
                .help("write the name without a variable"),
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
                codes::CONFIG_MISSING_KEY,
                format!("gateway {} has no address", name.value),
            )
            .at(name.span)
            .with_pointer(format!("/gateways/{}/address", name.value))
            .why("it would get any address of the pool, possibly a different one each time it is created")
            .help("add `address = \"10.10.30.26\"`; or `address = []` if any address of the pool is acceptable"),
        );
    }
    let published = dns::of_gateway(cluster, name, table, problems);
    let mut annotations = Annotations::default();
    let mut below = Annotations::default();
    for (prefix, target) in &published.targets {
        annotations.add(format!("{}/target", prefix.value), target);
    }
    if let Some(hostname) = &published.hostname {
        for prefix in &published.prefixes {
            below.add(format!("{}/hostname", prefix.value), hostname);
        }
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
    ObjectInput {
        values: Gateway {
            name: name.clone(),
            class: table.class.clone().unwrap_or_else(|| class.clone()),
            labels: published.labels,
            annotations,
            infrastructure: Infrastructure {
                labels: table.infrastructure.labels.clone(),
                annotations: below,
                proxy: own_proxy(cluster, name, table),
            },
            addresses,
            allowed_listeners: listener_set::allowed(cluster, name, table),
            listeners: listeners(cluster, name, table, problems),
        },
        overlay: table.overlay(),
    }
}

/// The gateway's own EnvoyProxy, unless the gateway's class refers to it already.
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

/// The listeners of a gateway: the default and written ones, those of TCP and UDP streams, and those for TLS
/// passthrough.
fn listeners(
    cluster: &Cluster,
    name: &Text,
    table: &config::gateway::Gateway,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Listener> {
    let mut listeners = listener::written(cluster, table, problems);
    listeners.extend(listener::of_domains(table, problems));
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

/// Joins several addresses with commas, as Cilium's annotation needs them.
fn joined(addresses: &[Text]) -> Option<Text> {
    let (first, last) = (addresses.first()?, addresses.last()?);
    let all: Vec<&str> = addresses.iter().map(|address| address.as_str()).collect();
    let span = first
        .span
        .zip(last.span)
        .map(|(first, last)| first.to(last));
    Some(Spanned::new(all.join(","), span))
}

/// Parses and checks the addresses of all gateways.
pub fn check_addresses(cluster: &Cluster, problems: &mut Vec<Diagnostic>) {
    let mut used = Vec::new();
    for (name, table) in cluster.gateways.iter() {
        for text in table.address.iter() {
            if let Some(address) = address::address(text, problems) {
                used.push(RequestedAddress {
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
