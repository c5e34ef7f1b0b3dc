//! Filter chains: what Envoy does with a connection, chosen by the name that the client asks for in its TLS handshake.
//!
//! All listeners on one port of an Envoy become one listener of Envoy. In it, each HTTPS listener has a filter chain for
//! its hostname, and each route at a TLS listener has one for its hostnames there. A TLS listener without a route is
//! given a chain for *all* names that leads nowhere, whatever its hostname is, because Envoy takes no listener without
//! a chain; several such listeners share it. If two chains are for the same name, or two are for all names, Envoy
//! refuses the listener: the port stays closed, or keeps its old configuration until Envoy is restarted.

use std::collections::BTreeMap;

use super::listeners_by_envoy;
use crate::view::{Attachment, Listener, ListenerId, Resolved, Route, RouteId, RouteKind};

/// Where a filter chain comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// An HTTPS listener.
    Listener,
    /// A route at a TLS listener.
    Route(RouteId),
    /// A TLS listener without a route.
    Empty,
}

/// A filter chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterChain {
    /// The listener that it belongs to.
    pub listener: ListenerId,
    /// Where it comes from.
    pub source: Source,
    /// The names that it is for, as Envoy compares them; empty for all names.
    pub names: Vec<String>,
}

/// Two filter chains that Envoy can't tell apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// The first of them.
    pub first: FilterChain,
    /// The second of them.
    pub second: FilterChain,
    /// The name that both are for; `None` for all names.
    pub name: Option<String>,
}

/// The filter chains that make Envoy refuse a port. Each chain is only named in the first clash that it has a part in
/// as the second.
pub fn clashes(resolved: &Resolved<'_>) -> Vec<Clash> {
    let ports = listeners_by_envoy(resolved)
        .into_iter()
        .flat_map(|listeners| by_port(resolved, listeners));
    ports
        .flat_map(|listeners| clashes_of_port(&chains(resolved, &listeners)))
        .collect()
}

fn by_port(resolved: &Resolved<'_>, listeners: Vec<ListenerId>) -> Vec<Vec<ListenerId>> {
    let mut ports: BTreeMap<i64, Vec<ListenerId>> = BTreeMap::new();
    for id in listeners {
        if let Some(listener) = resolved
            .listener(id)
            .filter(|it| it.is_ready() && it.is_tls())
        {
            ports.entry(listener.port).or_default().push(id);
        }
    }
    ports.into_values().collect()
}

/// The filter chains of listeners that share a port, those of HTTPS listeners first.
fn chains(resolved: &Resolved<'_>, listeners: &[ListenerId]) -> Vec<FilterChain> {
    let of_kind = |protocol: &'static str| {
        let all = listeners.iter();
        all.filter_map(|id| Some((*id, resolved.listener(*id)?)))
            .filter(move |(_, listener)| listener.protocol == protocol)
    };
    let https = of_kind("HTTPS").map(|(id, listener)| FilterChain {
        listener: id,
        source: Source::Listener,
        names: names(listener.hostname),
    });
    let mut all: Vec<FilterChain> = https.collect();
    let mut has_empty = false;
    for (id, listener) in of_kind("TLS") {
        if listener.routes.is_empty() {
            let empty = FilterChain {
                listener: id,
                source: Source::Empty,
                names: Vec::new(),
            };
            all.extend((!has_empty).then_some(empty));
            has_empty = true;
        }
        all.extend(of_routes(resolved, id, listener));
    }
    all
}

/// The filter chains of the routes at a TLS listener. What depends on Flux variables is left out.
fn of_routes(resolved: &Resolved<'_>, id: ListenerId, listener: &Listener<'_>) -> Vec<FilterChain> {
    let mut found = Vec::new();
    // Of several TCPRoutes only the oldest is sent to Envoy.
    let mut has_tcp = false;
    for at in &listener.routes {
        let Some(route) = resolved.route(*at) else {
            continue;
        };
        let chain = |names| FilterChain {
            listener: id,
            source: Source::Route(*at),
            names,
        };
        match route.kind {
            RouteKind::Tls => {
                // Two references to the same listener make two chains.
                let known = attachments(route, id).filter(|it| !it.is_unknown);
                found.extend(known.map(|it| {
                    let hosts = it.hostnames.iter();
                    chain(hosts.flat_map(|host| names(Some(host))).collect())
                }));
            }
            RouteKind::Tcp if !has_tcp => {
                has_tcp = true;
                found.push(chain(names(listener.hostname)));
            }
            _ => {}
        }
    }
    found
}

fn attachments<'v>(route: &'v Route<'_>, at: ListenerId) -> impl Iterator<Item = &'v Attachment> {
    let all = route.parents.iter().flat_map(|it| &it.attachments);
    all.filter(move |it| it.listener == at)
}

/// The names of a hostname; none for all hostnames.
fn names(hostname: Option<&str>) -> Vec<String> {
    let named = hostname.filter(|it| *it != "*");
    named.map(str::to_lowercase).into_iter().collect()
}

fn clashes_of_port(chains: &[FilterChain]) -> Vec<Clash> {
    let mut first_for: BTreeMap<Option<&str>, &FilterChain> = BTreeMap::new();
    let mut found = Vec::new();
    for chain in chains {
        let named = chain.names.iter().map(|name| Some(name.as_str()));
        let all = chain.names.is_empty().then_some(None);
        let mut clash = None;
        for name in named.chain(all) {
            let first = *first_for.entry(name).or_insert(chain);
            if !std::ptr::eq(first, chain) {
                clash = clash.or(Some((first, name)));
            }
        }
        found.extend(clash.map(|(first, name)| Clash {
            first: first.clone(),
            second: chain.clone(),
            name: name.map(str::to_owned),
        }));
    }
    found
}
