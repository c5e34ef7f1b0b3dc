//! `[client_traffic]`, `[backend_traffic]`, and those of gateways.

use super::rows::{self, BACKEND, CLIENT, KEEPALIVE, put};
use super::{Form, Lift, PolicyTargets, policy_targets};
use crate::import::config::{flag, pairs, text, texts};
use crate::import::files::{ENVOY, text as text_at};
use crate::model::layout::Group;
use manifest::value::{Kind, Map, Node};

/// One of the two kinds of policies.
struct TrafficPolicyKind {
    kind: &'static str,
    table: &'static str,
    group: Group,
    lift: fn(&Lift, &Node) -> Map,
}

const SORTS: [TrafficPolicyKind; 2] = [
    TrafficPolicyKind {
        kind: "ClientTrafficPolicy",
        table: "client_traffic",
        group: Group::ClientTraffic,
        lift: |_, node| client(node),
    },
    TrafficPolicyKind {
        kind: "BackendTrafficPolicy",
        table: "backend_traffic",
        group: Group::BackendTraffic,
        lift: |lift, node| backend(node, lift.has_compressor()),
    },
];

impl Lift<'_> {
    pub(super) fn traffic(&mut self) {
        for sort in &SORTS {
            self.sort(sort);
        }
    }

    fn sort(&mut self, sort: &TrafficPolicyKind) {
        let mut policies: Vec<(usize, PolicyTargets)> = Vec::new();
        for at in self.all(ENVOY, sort.kind) {
            let targets = policy_targets(self.node(at));
            let known = targets.gateways.iter().all(|name| self.has_gateway(name));
            if targets.at_gateway && known {
                policies.push((at, targets));
            }
        }
        let single =
            |targets: &PolicyTargets| match (targets.gateways.as_slice(), &targets.listener) {
                ([one], None) => Some(one.clone()),
                _ => None,
            };
        // The shared policy is the one for all gateways, else the first one for several; else the only one, unless it
        // is named after its gateway.
        let shared = policies.iter().find(|(_, targets)| targets.all);
        let shared = shared.or_else(|| {
            policies
                .iter()
                .find(|(_, targets)| targets.gateways.len() > 1)
        });
        let shared = shared.or_else(|| match policies.as_slice() {
            [only] if single(&only.1).is_none_or(|gateway| gateway != self.name(only.0)) => {
                Some(only)
            }
            _ => None,
        });
        let shared = shared.map(|(at, _)| *at);
        let mut have_own: Vec<String> = Vec::new();
        for (at, targets) in &policies {
            if Some(*at) == shared {
                continue;
            }
            let Some(gateway) = single(targets).filter(|gateway| !have_own.contains(gateway))
            else {
                continue;
            };
            let path = ["gateways", gateway.as_str(), sort.table];
            self.extend(&path, (sort.lift)(self, self.node(*at)));
            if self.name(*at) != gateway {
                self.set(&[path[0], path[1], path[2], "name"], text(self.name(*at)));
            }
            self.slot_of(*at, &path, Form::Object, sort.group, Some(&gateway));
            have_own.push(gateway);
        }
        let Some((at, targets)) = policies.into_iter().find(|(at, _)| Some(*at) == shared) else {
            return;
        };
        let mut table = (sort.lift)(self, self.node(at));
        if self.name(at) != "envoy" {
            table.insert("name", text(self.name(at)));
        }
        let rest = self.gateways.iter().map(|gateway| gateway.name.clone());
        let rest: Vec<String> = rest.filter(|name| !have_own.contains(name)).collect();
        if targets.all {
            table.insert("attach", text("selector"));
        } else if targets.gateways.is_empty() || targets.gateways != rest {
            let named = if targets.gateways.is_empty() {
                rest.clone()
            } else {
                targets.gateways
            };
            // If every gateway has its own, the shared one attaches to the targets in `spec`.
            let named = match named.is_empty() {
                true => self
                    .gateways
                    .iter()
                    .map(|gateway| gateway.name.clone())
                    .collect(),
                false => named,
            };
            table.insert("gateways", texts(named));
        }
        self.extend(&[sort.table], table);
        self.slot(at, &[sort.table], Form::Object, sort.group);
    }
}

fn keepalive(node: &Node) -> Option<Node> {
    let map = node.path(&["spec", "tcpKeepalive"])?.as_map()?;
    let settings = rows::lift(KEEPALIVE, node.path(&["spec", "tcpKeepalive"])?, "");
    Some(match map.is_empty() || settings.is_empty() {
        true => flag(true),
        false => Node::new(Kind::Map(settings), None),
    })
}

fn client(node: &Node) -> Map {
    let mut table = Node::new(Kind::Map(rows::lift(CLIENT, node, "")), None);
    if let Some(keepalive) = keepalive(node) {
        put(&mut table, "tcp_keepalive", keepalive);
    }
    let proxy = node.path(&["spec", "proxyProtocol"]).and_then(Node::as_map);
    if let Some(proxy) = proxy {
        let optional = proxy.get("optional").and_then(Node::as_bool) == Some(true);
        let value = if optional {
            text("optional")
        } else {
            flag(true)
        };
        put(&mut table, "proxy_protocol", value);
    }
    let merges = node
        .path(&["spec", "path", "disableMergeSlashes"])
        .and_then(Node::as_bool);
    if let Some(merges) = merges {
        put(&mut table, "path.merge_slashes", flag(!merges));
    }
    let set = node.path(&["spec", "headers", "earlyRequestHeaders", "set"]);
    let set = set.and_then(Node::as_list).unwrap_or_default();
    let headers: Vec<(&str, &str)> = set
        .iter()
        .map(|header| (text_at(header, &["name"]), text_at(header, &["value"])))
        .collect();
    if !headers.is_empty() {
        put(&mut table, "headers.set", pairs(headers));
    }
    client_ca(node, &mut table);
    // `http2 = {}` must be rendered as `http2: {}`.
    if node.path(&["spec", "http2"]).is_some() && table.get("http2").is_none() {
        put(&mut table, "http2", Node::map());
    }
    into_map(table)
}

/// The authorities of the clients' certificates, if all of them are of the same kind.
fn client_ca(node: &Node, table: &mut Node) {
    let refs = node.path(&["spec", "tls", "clientValidation", "caCertificateRefs"]);
    let refs = refs.and_then(Node::as_list).unwrap_or_default();
    let kind = |one: &Node| text_at(one, &["kind"]).to_owned();
    let Some(first) = refs.first().map(kind) else {
        return;
    };
    let is_known = matches!(first.as_str(), "Secret" | "ConfigMap");
    if is_known && refs.iter().all(|one| kind(one) == first) {
        let names = refs.iter().map(|one| text_at(one, &["name"]));
        put(table, "tls.client_ca", texts(names));
        if first != "Secret" {
            put(table, "tls.client_ca_kind", text(first));
        }
    }
}

fn backend(node: &Node, compressor: bool) -> Map {
    let mut table = Node::new(Kind::Map(rows::lift(BACKEND, node, "")), None);
    if let Some(keepalive) = keepalive(node) {
        put(&mut table, "tcp_keepalive", keepalive);
    }
    let usual = if compressor {
        "compressor"
    } else {
        "compression"
    };
    let mut fields = [usual, "compression"].into_iter();
    let field = fields.find(|field| node.path(&["spec", field]).is_some());
    let field = field.unwrap_or(usual);
    let types = node.path(&["spec", field]).and_then(Node::as_list);
    let types: Option<Vec<&str>> = types.and_then(|types| {
        types
            .iter()
            .map(|one| one.get("type").and_then(Node::as_str))
            .collect()
    });
    if let Some(types) = types.filter(|types| !types.is_empty()) {
        put(&mut table, "compression", texts(types));
        if field != usual {
            put(&mut table, "compression_as", text(field));
        }
    }
    super::rate_limit::lift(node, !compressor, &mut table);
    let statuses = node.path(&["spec", "retry", "retryOn", "httpStatusCodes"]);
    if let Some(statuses) = statuses.filter(|statuses| {
        statuses
            .as_list()
            .is_some_and(|all| all.iter().all(|one| one.as_i64().is_some()))
    }) {
        put(
            &mut table,
            "retry.statuses",
            Node::from_json(statuses.to_json()),
        );
    }
    into_map(table)
}

fn into_map(table: Node) -> Map {
    match table.kind {
        Kind::Map(map) => map,
        _ => Map::default(),
    }
}
