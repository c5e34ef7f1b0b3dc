//! `[external.NAME]`, from HTTPRoutes whose only backend is a Backend

use super::rows::SettingType::{Text, Texts};
use super::rows::{self, Row, put};
use super::{Form, Lift, listeners};
use crate::import::config::{flag, pairs, text, texts};
use crate::import::files::{ENVOY, GATEWAY_API, only_item, text as text_at, texts as texts_at};
use crate::model::attach::may_cover;
use crate::model::layout::Group;
use manifest::value::{Kind, Map, Node};

/// `[external.NAME]`, from the rule of its route.
const EXTERNAL_ROUTE: &[Row] = &[("timeout", "timeouts.request", Text)];

/// `[external.NAME.backend]`.
const BACKEND_OBJECT: &[Row] = &[("protocols", "spec.appProtocols", Texts)];

/// The objects of an external host.
struct Host {
    route: usize,
    backend: usize,
    tls: Option<usize>,
}

impl Lift<'_> {
    pub(super) fn external(&mut self) {
        let mut used: Vec<usize> = Vec::new();
        for route in self.all(GATEWAY_API, "HTTPRoute") {
            let Some(host) = self.host(route) else {
                continue;
            };
            if used.contains(&host.backend) {
                continue;
            }
            if let Some(table) = self.host_table(&host) {
                used.push(host.backend);
                self.host_slots(&host, table);
            }
        }
        let enabled = ["chart", "enable_backend"];
        let is_on = self.lifted.config.get(&enabled).and_then(Node::as_bool);
        if !used.is_empty() && is_on == Some(true) {
            self.lifted.config.take(&enabled);
        }
    }

    /// The Backend of a route, and the policy with the TLS to it.
    fn host(&self, route: usize) -> Option<Host> {
        let node = self.node(route);
        let reference = only_item(only_item(node, &["spec", "rules"])?, &["backendRefs"])?;
        let namespace = text_at(reference, &["namespace"]);
        let is_here = namespace.is_empty() || namespace == self.door.namespace;
        if text_at(reference, &["kind"]) != "Backend" || !is_here {
            return None;
        }
        let parents = node.path(&["spec", "parentRefs"])?.as_list()?;
        let is_known = |parent: &Node| self.has_gateway(text_at(parent, &["name"]));
        if parents.is_empty() || !parents.iter().all(is_known) {
            return None;
        }
        let name = text_at(reference, &["name"]);
        let named = |at: &usize| self.name(*at) == name;
        let backend = self.all(ENVOY, "Backend").into_iter().find(named)?;
        let is_of_backend = |at: &usize| {
            let target = only_item(self.node(*at), &["spec", "targetRefs"]);
            target.is_some_and(|target| {
                text_at(target, &["kind"]) == "Backend" && text_at(target, &["name"]) == name
            })
        };
        let policies = self.all(GATEWAY_API, "BackendTLSPolicy").into_iter();
        Some(Host {
            route,
            backend,
            tls: policies.into_iter().find(is_of_backend),
        })
    }

    fn host_table(&self, host: &Host) -> Option<Node> {
        let (route, backend) = (self.node(host.route), self.node(host.backend));
        let name = self.name(host.route);
        let rule = only_item(route, &["spec", "rules"])?;
        let mut table = as_node(rows::lift(EXTERNAL_ROUTE, rule, ""));
        let hostnames = texts_at(route.get("spec")?, "hostnames");
        if hostnames.is_empty() {
            return None;
        }
        let domain = self.domain.as_ref();
        if domain.is_none_or(|domain| hostnames != [format!("{name}.{domain}")]) {
            put(&mut table, "hostnames", texts(hostnames));
        }
        self.parents(route, &mut table)?;
        if let Some(one) = only_item(rule, &["matches"])
            && text_at(one, &["path", "type"]) == "PathPrefix"
        {
            put(&mut table, "path", text(text_at(one, &["path", "value"])));
        }
        filters(rule, &mut table);
        let (kind, addresses, port) = addresses(backend)?;
        let first = addresses.first()?;
        if first.starts_with("${") && first.ends_with('}') {
            put(&mut table, "address_type", text(kind));
        }
        let insecure = backend.path(&["spec", "tls", "insecureSkipVerify"]);
        let insecure = insecure.and_then(Node::as_bool) == Some(true);
        let has_tls = insecure || host.tls.is_some();
        let usual = if has_tls { 443 } else { 80 };
        if port.as_i64() != Some(usual) {
            put(&mut table, "port", port);
        }
        let settings = rows::lift(BACKEND_OBJECT, backend, "");
        if !settings.is_empty() {
            put(&mut table, "backend", as_node(settings));
        }
        if self.name(host.backend) != name {
            put(&mut table, "backend.name", text(self.name(host.backend)));
        }
        match host.tls {
            Some(_) if insecure => return None,
            Some(policy) => {
                let name = (kind == "name").then_some(first.as_str());
                put(&mut table, "tls", self.tls(policy, host, name));
            }
            None if insecure => put(&mut table, "tls.insecure", flag(true)),
            None => {}
        }
        put(&mut table, "address", texts(addresses));
        Some(table)
    }

    /// The gateways and the listener of a route.
    pub(super) fn parents(&self, route: &Node, table: &mut Node) -> Option<()> {
        let parents = route.path(&["spec", "parentRefs"])?.as_list()?;
        let of = |key: &str| -> Vec<String> {
            let mut all: Vec<String> = Vec::new();
            for parent in parents {
                let name = text_at(parent, &[key]);
                if !all.iter().any(|there| there == name) {
                    all.push(name.to_owned());
                }
            }
            all
        };
        let hostnames = texts_at(route.get("spec")?, "hostnames");
        let gateways = of("name");
        let listeners = of("sectionName");
        let is_default = |gateway: &&super::Gateway| {
            let own = listeners::of(self.node(gateway.object));
            let mut https = own
                .iter()
                .filter(|one| text_at(one, &["protocol"]) == "HTTPS");
            let first = https.next();
            let name = first.map(|one| text_at(one, &["name"]));
            let hostname = first.map_or("", |one| text_at(one, &["hostname"]));
            let serves =
                hostname.is_empty() || hostnames.iter().any(|name| may_cover(hostname, name));
            https.next().is_none() && serves && name == listeners.first().map(String::as_str)
        };
        let mut here = self
            .gateways
            .iter()
            .filter(|gateway| gateways.contains(&gateway.name));
        match listeners.as_slice() {
            [all] if all.is_empty() => put(table, "listener", text("*")),
            [_] if here.all(|gateway| is_default(&gateway)) => {}
            [one] => put(table, "listener", text(one.as_str())),
            _ => {}
        }
        if self.gateways.len() > 1 {
            put(table, "gateways", texts(gateways));
        }
        Some(())
    }

    fn tls(&self, policy: usize, host: &Host, address: Option<&str>) -> Node {
        let node = self.node(policy);
        let mut settings = Node::map();
        let hostname = text_at(node, &["spec", "validation", "hostname"]);
        if address != Some(hostname) {
            put(&mut settings, "hostname", text(hostname));
        }
        let path = ["spec", "validation", "caCertificateRefs"];
        let refs = node.path(&path).and_then(Node::as_list).unwrap_or_default();
        if !refs.is_empty() {
            let names = refs.iter().map(|one| text_at(one, &["name"]));
            put(&mut settings, "ca", texts(names));
            let is_secret = |one: &Node| text_at(one, &["kind"]) == "Secret";
            if refs.iter().all(is_secret) {
                put(&mut settings, "ca_kind", text("Secret"));
            }
        }
        if self.name(policy) != self.name(host.backend) {
            put(&mut settings, "name", text(self.name(policy)));
        }
        match settings.as_map().is_some_and(Map::is_empty) {
            true => flag(true),
            false => settings,
        }
    }

    fn host_slots(&mut self, host: &Host, table: Node) {
        let name = self.name(host.route);
        if let Kind::Map(table) = table.kind {
            self.extend(&["external", name], table);
        }
        let group = Group::External;
        self.slot(host.route, &["external", name], Form::Object, group);
        let backend = ["external", name, "backend"];
        self.slot(host.backend, &backend, Form::Object, group);
        if let Some(tls) = host.tls {
            self.slot(tls, &["external", name, "tls"], Form::Object, group);
        }
    }
}

fn as_node(map: Map) -> Node {
    Node::new(Kind::Map(map), None)
}

/// The kind of a Backend's addresses, the addresses, and their port, if all of them are alike.
fn addresses(backend: &Node) -> Option<(&'static str, Vec<String>, Node)> {
    let endpoints = backend.path(&["spec", "endpoints"])?.as_list()?;
    let (kind, field, key) = match endpoints.first()?.get("ip").is_some() {
        true => ("ip", "ip", "address"),
        false => ("name", "fqdn", "hostname"),
    };
    let port = endpoints.first()?.path(&[field, "port"])?;
    let address = |endpoint: &Node| {
        let here = endpoint.get(field)?;
        let has_port = here.get("port") == Some(port);
        here.get(key)?
            .as_str()
            .filter(|_| has_port)
            .map(str::to_owned)
    };
    let all: Option<Vec<String>> = endpoints.iter().map(address).collect();
    Some((kind, all?, Node::from_json(port.to_json())))
}

/// The `Host` header, and the headers to set.
fn filters(rule: &Node, table: &mut Node) {
    let filters = rule.get("filters").and_then(Node::as_list);
    for filter in filters.unwrap_or_default() {
        let host = text_at(filter, &["urlRewrite", "hostname"]);
        if !host.is_empty() {
            put(table, "host_header", text(host));
        }
        let set = filter.path(&["requestHeaderModifier", "set"]);
        let set = set.and_then(Node::as_list).unwrap_or_default();
        let headers: Vec<(&str, &str)> = set
            .iter()
            .map(|one| (text_at(one, &["name"]), text_at(one, &["value"])))
            .collect();
        if !headers.is_empty() {
            put(table, "headers", pairs(headers));
        }
    }
}
