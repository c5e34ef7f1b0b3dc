//! `[gateways.NAME.listeners.NAME]`, `passthrough`

use super::gateways::most;
use super::rows::put;
use super::streams::Stream;
use super::{Gateway, Lift};
use crate::import::config::{flag, pairs, text, texts};
use crate::import::files::text as text_at;
use crate::model::listener::{https_name, passthrough_name, usual_secret};
use envoy_gateway::index::NAMESPACE_NAME;
use manifest::value::{Kind, Map, Node, variable};

/// The name of a TLS passthrough listener.
const PASSTHROUGH: &str = "tls-passthrough";

/// The listeners of a Gateway.
pub(super) fn of(gateway: &Node) -> &[Node] {
    gateway
        .path(&["spec", "listeners"])
        .and_then(Node::as_list)
        .unwrap_or_default()
}

/// The Secrets of a listener that terminates TLS.
pub(super) fn certificates(listener: &Node) -> Option<Vec<String>> {
    if !ends_tls(listener) {
        return None;
    }
    let refs = listener
        .path(&["tls", "certificateRefs"])
        .and_then(Node::as_list)?;
    let names = refs.iter().map(|one| {
        let map = one.as_map()?;
        let plain = map
            .iter()
            .all(|(key, _)| matches!(key, "kind" | "name" | "group"));
        let kind = one.get("kind").and_then(Node::as_str).unwrap_or("Secret");
        let name = one.get("name").and_then(Node::as_str)?;
        (plain && kind == "Secret").then(|| name.to_owned())
    });
    names.collect()
}

fn ends_tls(listener: &Node) -> bool {
    let mode = text_at(listener, &["tls", "mode"]);
    match text_at(listener, &["protocol"]) {
        "HTTPS" => mode != "Passthrough",
        "TLS" => mode == "Terminate",
        _ => false,
    }
}

/// The namespaces whose routes may attach, in the form of `cluster.toml`.
pub(super) fn namespaces(listener: &Node) -> Option<Node> {
    let given = listener.path(&["allowedRoutes", "namespaces"])?;
    match text_at(given, &["from"]) {
        from @ ("Same" | "All") => Some(text(from)),
        "Selector" => {
            let selector = given.get("selector")?.as_map()?;
            let (key, value) = selector.iter().next().filter(|_| selector.len() == 1)?;
            match (key, &value.kind) {
                ("matchLabels", Kind::Map(labels)) => {
                    let labels: Option<Vec<(&str, &str)>> = labels
                        .iter()
                        .map(|(key, value)| Some((key, value.as_str()?)))
                        .collect();
                    match labels?.as_slice() {
                        [(NAMESPACE_NAME, name)] if !matches!(*name, "Same" | "All") => {
                            Some(text(*name))
                        }
                        labels => Some(pairs(labels.iter().copied())),
                    }
                }
                ("matchExpressions", Kind::List(items)) => {
                    let [one] = items.as_slice() else { return None };
                    let fits = text_at(one, &["key"]) == NAMESPACE_NAME
                        && text_at(one, &["operator"]) == "In";
                    let names = one.get("values")?.as_list()?;
                    let names: Option<Vec<&str>> = names.iter().map(Node::as_str).collect();
                    names.filter(|names| fits && names.len() > 1).map(texts)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// The kinds of routes that may attach.
pub(super) fn kinds(listener: &Node) -> Option<Vec<&str>> {
    let kinds = listener.path(&["allowedRoutes", "kinds"])?.as_list()?;
    kinds
        .iter()
        .map(|kind| kind.get("kind").and_then(Node::as_str))
        .collect()
}

/// The settings of a listener that differ from the defaults.
fn settings(listener: &Node, certificates_above: Option<&Vec<String>>) -> Map {
    let mut table = Map::default();
    let name = text_at(listener, &["name"]);
    let protocol = text_at(listener, &["protocol"]);
    let by_name = match name {
        "http" => "HTTP",
        "https" => "HTTPS",
        _ => "",
    };
    if protocol != by_name && matches!(protocol, "HTTP" | "HTTPS" | "TLS" | "TCP" | "UDP") {
        table.insert("protocol", text(protocol));
    }
    let port = match protocol {
        "HTTP" => Some(80),
        "HTTPS" | "TLS" => Some(443),
        _ => None,
    };
    match listener.get("port") {
        Some(given) if given.as_i64().is_some() && given.as_i64() != port => {
            table.insert("port", Node::from_json(given.to_json()));
        }
        Some(given) if given.as_str().is_some_and(variable::in_text) => {
            table.insert("port", Node::from_json(given.to_json()));
        }
        _ => {}
    }
    if let Some(hostname) = listener.get("hostname").and_then(Node::as_str) {
        table.insert("hostname", text(hostname));
    }
    let mode = text_at(listener, &["tls", "mode"]);
    let default = if protocol == "TLS" { "Passthrough" } else { "" };
    if mode != default && matches!(mode, "Terminate" | "Passthrough") {
        table.insert("tls_mode", text(mode));
    }
    if ends_tls(listener) {
        let own = certificates(listener).unwrap_or_default();
        if Some(&own) != certificates_above {
            table.insert("certificates", texts(own));
        }
    }
    if let Some(kinds) = kinds(listener) {
        table.insert("kinds", texts(kinds));
    }
    let default = match protocol {
        "HTTP" => Some("Same"),
        "HTTPS" | "TLS" => Some("All"),
        _ => None,
    };
    if let Some(namespaces) = namespaces(listener)
        && namespaces.as_str() != default
    {
        table.insert("namespaces", namespaces);
    }
    table
}

/// The namespaces whose ListenerSets a gateway allows.
fn allowed_listeners(gateway: &Node) -> Option<Node> {
    let allowed = gateway.path(&["spec", "allowedListeners", "namespaces"])?;
    let mut alike = Node::map();
    let copy = Node::from_json(allowed.to_json());
    put(&mut alike, "allowedRoutes.namespaces", copy);
    namespaces(&alike)
}

/// Takes the listeners at the end that `domains` renders away, and returns their domains.
fn take_domains(own: &mut Vec<&Node>) -> Vec<(String, Map)> {
    let is_named = |one: &&&Node| {
        let hostname = text_at(one, &["hostname"]);
        let is_plain = !hostname.is_empty() && !variable::in_text(hostname);
        is_plain && text_at(one, &["name"]) == https_name(hostname)
    };
    let count = own.iter().rev().take_while(is_named).count();
    let tail = own.split_off(own.len() - count);
    let mut domains: Vec<(String, Map)> = Vec::new();
    let mut wanted = Vec::new();
    for one in &tail {
        let hostname = text_at(one, &["hostname"]);
        let domain = hostname.strip_prefix("*.").unwrap_or(hostname);
        if domains.last().is_some_and(|(last, _)| last == domain) {
            continue;
        }
        let secrets = certificates(one).unwrap_or_default();
        let mut table = Map::default();
        for (key, name, usual) in [
            ("apex", domain.to_owned(), false),
            ("wildcard", format!("*.{domain}"), true),
        ] {
            let is_there = tail.iter().any(|one| text_at(one, &["hostname"]) == name);
            if is_there {
                wanted.push((name, secrets.clone()));
            }
            if is_there != usual {
                table.insert(key, flag(is_there));
            }
        }
        if secrets != [usual_secret(domain)] {
            table.insert("certificates", texts(&secrets));
        }
        domains.push((domain.to_owned(), table));
    }
    let is_whole = wanted.len() == tail.len()
        && wanted
            .iter()
            .zip(&tail)
            .all(|((hostname, secrets), one)| *one == &domain_listener(hostname, secrets));
    if !is_whole {
        own.extend(tail);
        return Vec::new();
    }
    domains
}

/// The listener that `domains` renders for a hostname.
fn domain_listener(hostname: &str, secrets: &[String]) -> Node {
    let secrets = secrets.iter();
    let secrets = secrets.map(|name| serde_json::json!({"kind": "Secret", "name": name}));
    let secrets: Vec<_> = secrets.collect();
    Node::from_json(serde_json::json!({
        "name": https_name(hostname), "protocol": "HTTPS", "port": 443, "hostname": hostname,
        "allowedRoutes": {"namespaces": {"from": "All"}}, "tls": {"certificateRefs": secrets},
    }))
}

/// The hostname of a listener that `passthrough` renders.
fn passed_through(listener: &Node, name: &str) -> Option<String> {
    let hostname = listener.get("hostname").and_then(Node::as_str)?;
    let want = serde_json::json!({
        "name": name, "protocol": "TLS", "port": 443, "hostname": hostname,
        "allowedRoutes": {"namespaces": {"from": "All"}}, "tls": {"mode": "Passthrough"},
    });
    (Node::from_json(want) == *listener).then(|| hostname.to_owned())
}

/// The hostnames of the listeners at the end that `passthrough` renders.
fn passthrough(listeners: &[Node]) -> Vec<String> {
    let is_named = |one: &&Node| text_at(one, &["name"]).starts_with(PASSTHROUGH);
    let count = listeners.iter().rev().take_while(is_named).count();
    let tail = listeners.get(listeners.len() - count..).unwrap_or_default();
    let hostnames = tail.iter().enumerate().map(|(at, one)| {
        let hostname = text_at(one, &["hostname"]);
        passed_through(one, &passthrough_name(at, hostname))
    });
    hostnames.collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// The listeners that `passthrough` doesn't render.
pub(super) fn without_passthrough(gateway: &Node) -> &[Node] {
    let all = of(gateway);
    all.get(..all.len() - passthrough(all).len())
        .unwrap_or_default()
}

/// The order in which [`listener::written`](crate::model::listener::written) renders listeners.
fn order<'a>(written: &[(&'a str, bool)]) -> Vec<&'a str> {
    let has = |name: &str| written.iter().any(|(there, _)| *there == name);
    let https_follows = has("http") && !has("https");
    let mut order = Vec::new();
    if !has("http") {
        order.push("http");
    }
    if !has("https") && !https_follows {
        order.push("https");
    }
    for (name, on) in written {
        if *on {
            order.push(name);
        }
        if *name == "http" && https_follows {
            order.push("https");
        }
    }
    order
}

impl Lift<'_> {
    pub(super) fn listeners(&mut self, gateway: &Gateway, streams: &[Stream]) {
        let node = self.node(gateway.object);
        let path = ["gateways", gateway.name.as_str()];
        let hostnames = passthrough(of(node));
        if !hostnames.is_empty() {
            self.set(&[path[0], path[1], "passthrough"], texts(hostnames));
        }
        let is_stream = |listener: &&Node| {
            let name = text_at(listener, &["name"]);
            !streams
                .iter()
                .any(|stream| stream.name == name && stream.gateways.contains(&gateway.name))
        };
        let mut own: Vec<&Node> = without_passthrough(node).iter().filter(is_stream).collect();
        let domains = take_domains(&mut own);
        let has_domains = !domains.is_empty();
        for (domain, table) in domains {
            self.extend(&[path[0], path[1], "domains", &domain], table);
        }
        if let Some(allowed) = allowed_listeners(node) {
            self.set(&[path[0], path[1], "allowed_listeners"], allowed);
        }
        let certificates = self.certificates_of(gateway, &own);
        let of_gateway = [path[0], path[1], "certificates"];
        let has_certificates = self.lifted.config.get(&of_gateway).is_some();
        let names: Vec<&str> = own
            .iter()
            .map(|listener| text_at(listener, &["name"]))
            .collect();
        let mut tables: Vec<(&str, Map)> = Vec::new();
        for listener in &own {
            tables.push((
                text_at(listener, &["name"]),
                settings(listener, certificates.as_ref()),
            ));
        }
        let mut written: Vec<(&str, bool)> = Vec::new();
        for name in ["http", "https"] {
            if !names.contains(&name) {
                written.push((name, false));
            }
        }
        let is_default = |name: &str| matches!(name, "http" | "https");
        let needed = tables
            .iter()
            .filter(|(name, table)| !is_default(name) || !table.is_empty());
        let off = written.clone();
        written.extend(needed.map(|(name, _)| (*name, true)));
        if order(&written) != names {
            written = off;
            written.extend(names.iter().map(|name| (*name, true)));
        }
        for (name, on) in written {
            if has_domains && !has_certificates && name == "https" && !on {
                continue;
            }
            let own = tables.iter().find(|(there, _)| *there == name);
            let table = match (on, own) {
                (true, Some((_, table))) => table.clone(),
                _ => [("enabled", flag(false))].into_iter().collect(),
            };
            self.extend(&[path[0], path[1], "listeners", name], table);
        }
    }

    /// The certificates of most listeners of a gateway. They are set if they differ from those of the cluster.
    fn certificates_of(&mut self, gateway: &Gateway, listeners: &[&Node]) -> Option<Vec<String>> {
        let above = self
            .lifted
            .config
            .get(&["certificates"])
            .map(|node| match &node.kind {
                Kind::List(items) => items
                    .iter()
                    .filter_map(Node::as_str)
                    .map(str::to_owned)
                    .collect(),
                _ => node
                    .as_str()
                    .map(str::to_owned)
                    .into_iter()
                    .collect::<Vec<_>>(),
            });
        let all: Vec<Vec<String>> = listeners
            .iter()
            .filter_map(|one| certificates(one))
            .collect();
        let own = most(all.iter().cloned())?;
        if Some(&own) == above.as_ref() || all.contains(above.as_ref().unwrap_or(&Vec::new())) {
            return above;
        }
        self.set(
            &["gateways", &gateway.name, "certificates"],
            texts(own.iter().map(String::as_str)),
        );
        Some(own)
    }
}
