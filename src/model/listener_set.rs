//! Listeners of teams, in namespaces of their own.

use serde::Serialize;

use super::gateway::Gateway;
use super::listener::{self, Listener, check_all, https_name};
use super::names::{self, Rule};
use super::route::unknown_gateway;
use super::version::LISTENER_SET_V1;
use super::{ObjectInput, Version};
use crate::config::gateway::{Gateway as GatewayTable, Listener as ListenerTable, Protocol};
use crate::config::listener_set::ListenerSet as Table;
use crate::config::{Cluster, Namespaces, Text, codes};
use manifest::diagnostic::{Diagnostic, Spanned};

/// The values for the template of a ListenerSet.
#[derive(Clone, Debug, Serialize)]
pub struct ListenerSet {
    /// The group and version in which it is written.
    pub api_version: &'static str,
    /// `ListenerSet` or `XListenerSet`.
    pub kind: &'static str,
    /// The name of the ListenerSet.
    pub name: Text,
    /// The namespace of the ListenerSet.
    pub namespace: Text,
    /// The gateway that gets the listeners.
    pub gateway: Text,
    /// The namespace of the gateway.
    pub gateway_namespace: Text,
    /// The listeners.
    pub listeners: Vec<Listener>,
}

/// Builds the ListenerSets.
pub fn build(
    cluster: &Cluster,
    gateways: &[ObjectInput<Gateway>],
    namespace: &Text,
    gateway_api: Version,
    problems: &mut Vec<Diagnostic>,
) -> Vec<ObjectInput<ListenerSet>> {
    let (api_version, kind) = match gateway_api >= LISTENER_SET_V1 {
        true => ("gateway.networking.k8s.io/v1", "ListenerSet"),
        false => ("gateway.networking.x-k8s.io/v1alpha1", "XListenerSet"),
    };
    let mut sets = Vec::new();
    for (name, table) in cluster.listener_sets.iter() {
        names::check(Rule::Subdomain, "a ListenerSet's name", name, problems);
        let Some(own) = table.namespace.clone() else {
            problems.push(missing(name, "namespace", "shop"));
            continue;
        };
        names::check(Rule::Label, "a namespace's name", &own, problems);
        let Some(gateway) = gateway_of(cluster, table) else {
            problems.push(missing(name, "gateway", "envoy-external"));
            continue;
        };
        let known: Vec<&str> = gateways.iter().map(|it| it.values.name.as_str()).collect();
        if !known.contains(&gateway.as_str()) {
            problems.push(unknown_gateway(&gateway, &known));
        }
        let listeners = listeners(cluster, name, table, problems);
        if listeners.is_empty() && !table.hostnames.is_given() {
            problems.push(missing(name, "hostnames", "*.shop.example.com"));
        }
        check_all(name, &listeners, problems);
        sets.push(ObjectInput {
            values: ListenerSet {
                api_version,
                kind,
                name: name.clone(),
                namespace: own,
                gateway,
                gateway_namespace: namespace.clone(),
                listeners,
            },
            overlay: table.overlay(),
        });
    }
    sets
}

/// The gateway that a table names, or the only one.
fn gateway_of(cluster: &Cluster, table: &Table) -> Option<Text> {
    let only = cluster
        .gateways
        .first()
        .filter(|_| cluster.gateways.iter().count() == 1);
    table.gateway.clone().or(only.map(|(name, _)| name.clone()))
}

/// The namespaces whose ListenerSets a gateway allows.
pub fn allowed(cluster: &Cluster, gateway: &Text, table: &GatewayTable) -> Option<Namespaces> {
    if table.allowed_listeners.is_some() {
        return table.allowed_listeners.clone();
    }
    let mut namespaces: Vec<Text> = Vec::new();
    for (_, set) in cluster.listener_sets.iter() {
        let is_own = gateway_of(cluster, set).is_some_and(|it| it.value == gateway.value);
        let is_new = |there: &&Text| namespaces.iter().all(|it| it.value != there.value);
        let new = set.namespace.as_ref().filter(|_| is_own).filter(is_new);
        namespaces.extend(new.cloned());
    }
    (!namespaces.is_empty()).then_some(Namespaces::Names(namespaces))
}

fn listeners(
    cluster: &Cluster,
    name: &Text,
    table: &Table,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Listener> {
    let own = |listener: &ListenerTable| ListenerTable {
        certificates: match listener.certificates.is_given() {
            true => listener.certificates.clone(),
            false => table.certificates.clone(),
        },
        namespaces: listener.namespaces.clone().or_else(|| {
            let same = Spanned::unwritten("Same".to_owned());
            Some(Namespaces::From(same))
        }),
        ..listener.clone()
    };
    let has_certificates = table.certificates.is_given();
    if table.hostnames.is_given() && !has_certificates {
        problems.push(missing(name, "certificates", "shop-example-com-tls"));
    }
    let hostnames = table.hostnames.iter().filter(|_| has_certificates);
    let by_hostname = hostnames.map(|hostname| {
        let listener = ListenerTable {
            protocol: Some(hostname.with(Protocol::Https)),
            hostname: Some(hostname.clone()),
            ..ListenerTable::default()
        };
        (hostname.with(https_name(hostname)), own(&listener))
    });
    let written = table.listeners.iter();
    let written = written.map(|(name, listener)| (name.clone(), own(listener)));
    let all: Vec<(Text, ListenerTable)> = by_hostname.chain(written).collect();
    // A Secret of the gateway's namespace is none of the team's.
    let without = Cluster {
        certificates: crate::config::Texts::default(),
        ..cluster.clone()
    };
    let gateway = GatewayTable {
        address: crate::config::Texts {
            items: Vec::new(),
            span: name.span,
        },
        ..GatewayTable::default()
    };
    let built = all.iter().filter_map(|(name, listener)| {
        listener::build_one(&without, &gateway, name, listener, problems)
    });
    built.collect()
}

fn missing(name: &Text, key: &str, example: &str) -> Diagnostic {
    let message = format!("listener_sets.{} has no `{key}`", name.value);
    let why = match key {
        "certificates" => {
            "Envoy Gateway never programs a listener that terminates TLS without a certificate"
        }
        "namespace" => "it would be in no team's namespace",
        "gateway" => {
            "with several gateways there is no default, because it could become public by accident"
        }
        _ => "a ListenerSet needs at least one listener",
    };
    Diagnostic::new(codes::CONFIG_MISSING_KEY, message)
        .at(name.span)
        .why(why)
        .help(format!("add `{key} = \"{example}\"`"))
}

/// The namespaces of ListenerSets, each of which needs a Kustomization of its own.
pub fn namespaces(sets: &[ObjectInput<ListenerSet>]) -> impl Iterator<Item = &Text> {
    sets.iter().map(|set| &set.values.namespace)
}
