//! `[network_policies]`

use super::rows::put;
use super::{Form, Lift};
use crate::import::config::{flag, text, texts};
use crate::import::files::text as text_at;
use crate::model::layout::Group;
use envoy_gateway::index::NAMESPACE_NAME;
use envoy_gateway::proxies::{OWNER_NAME, OWNER_NAMESPACE};
use manifest::value::{Kind, Map, Node};

/// The kinds of policy, with their groups, the path of the labels of their Pods, and the field with the sources' ports.
const KINDS: [(&str, &str, &str); 2] = [
    ("networking.k8s.io", "NetworkPolicy", "podSelector"),
    ("cilium.io", "CiliumNetworkPolicy", "endpointSelector"),
];

/// The key by which Cilium selects Pods of a namespace.
const CILIUM_NAMESPACE: &str = "k8s:io.kubernetes.pod.namespace";

/// The ports of metrics, and of probes.
const METRICS: &str = "19001";
const OWN: [&str; 3] = [METRICS, "19002", "19003"];

/// Who may reach what, of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sources {
    clients: Vec<String>,
    client_namespaces: Vec<String>,
    metrics_from: Vec<String>,
}

impl Lift<'_> {
    pub(super) fn network_policies(&mut self) {
        let found = KINDS.into_iter().find_map(|(group, kind, selector)| {
            let policies = self.all(group, kind).into_iter();
            let own: Vec<(usize, Option<String>)> = policies
                .filter_map(|at| Some((at, self.owner(at, selector)?)))
                .collect();
            (!own.is_empty()).then_some((kind, own))
        });
        let Some((kind, own)) = found else { return };
        self.set(&["network_policies", "kind"], text(kind));
        let sources = own.iter().map(|(at, _)| sources(self.node(*at)));
        let sources: Vec<Sources> = sources.collect();
        let metrics = sources.iter().find(|it| !it.metrics_from.is_empty());
        if let Some(metrics) = metrics {
            let path = ["network_policies", "metrics_from"];
            self.set(&path, texts(&metrics.metrics_from));
        }
        for ((at, gateway), sources) in own.iter().zip(&sources) {
            match gateway {
                Some(gateway) => self.policy_of_gateway(*at, gateway, sources),
                None => self.policy_of_controller(*at),
            }
        }
        if own.iter().all(|(_, gateway)| gateway.is_some()) {
            self.set(&["network_policies", "controller", "enabled"], flag(false));
        }
        for gateway in self.gateways.clone() {
            let has_own =
                |(_, name): &(usize, Option<String>)| name.as_ref() == Some(&gateway.name);
            if !own.iter().any(has_own) {
                let path = ["gateways", &gateway.name, "network_policy", "enabled"];
                self.set(&path, flag(false));
            }
        }
    }

    /// The gateway whose proxies a policy is about, or `None` for the controller; nothing for other Pods.
    fn owner(&self, at: usize, selector: &str) -> Option<Option<String>> {
        let labels = self.node(at).path(&["spec", selector, "matchLabels"])?;
        let label = |key: &str| labels.get(key).and_then(Node::as_str);
        if label("control-plane") == Some("envoy-gateway") {
            return Some(None);
        }
        let name = label(OWNER_NAME)?;
        let is_here = label(OWNER_NAMESPACE).is_none_or(|it| it == self.door.namespace);
        (is_here && self.has_gateway(name)).then(|| Some(name.to_owned()))
    }

    fn policy_of_gateway(&mut self, at: usize, gateway: &str, sources: &Sources) {
        let mut table = Node::map();
        if self.name(at) != gateway {
            put(&mut table, "name", text(self.name(at)));
        }
        if !sources.clients.is_empty() {
            put(&mut table, "clients", texts(&sources.clients));
        }
        if !sources.client_namespaces.is_empty() {
            put(
                &mut table,
                "client_namespaces",
                texts(&sources.client_namespaces),
            );
        }
        if let Kind::Map(table) = table.kind {
            self.extend_if_any(&["gateways", gateway, "network_policy"], table);
        }
        let path = ["gateways", gateway, "network_policy"];
        self.slot_of(
            at,
            &path,
            Form::Object,
            Group::NetworkPolicies,
            Some(gateway),
        );
    }

    fn policy_of_controller(&mut self, at: usize) {
        let chart = self.lifted.config.get(&["chart", "name"]);
        let usual = chart.and_then(Node::as_str).unwrap_or("envoy-gateway");
        if self.name(at) != usual {
            let path = ["network_policies", "controller", "name"];
            self.set(&path, text(self.name(at)));
        }
        let path = ["network_policies", "controller"];
        self.slot(at, &path, Form::Object, Group::NetworkPolicies);
    }

    fn extend_if_any(&mut self, path: &[&str], table: Map) {
        if !table.is_empty() {
            self.extend(path, table);
        }
    }
}

/// Reads who may reach the listeners and the metrics.
fn sources(policy: &Node) -> Sources {
    let mut found = Sources::default();
    let rules = policy.path(&["spec", "ingress"]).and_then(Node::as_list);
    for rule in rules.unwrap_or_default() {
        let ports = ports(rule);
        let are_own = ports.iter().all(|port| OWN.contains(&port.as_str()));
        let namespaces = namespaces(rule);
        if ports == [METRICS] {
            found.metrics_from.extend(namespaces);
        } else if !are_own {
            found.clients.extend(cidrs(rule));
            found.client_namespaces.extend(namespaces);
        }
    }
    found
}

fn items<'a>(node: &'a Node, key: &str) -> &'a [Node] {
    node.get(key).and_then(Node::as_list).unwrap_or_default()
}

/// The ports of a rule, in both kinds of policy.
fn ports(rule: &Node) -> Vec<String> {
    let cilium = items(rule, "toPorts")
        .iter()
        .flat_map(|it| items(it, "ports"));
    let all = items(rule, "ports").iter().chain(cilium);
    let number = |port: &Node| {
        let port = port.get("port")?;
        let number = port.as_i64().map(|number| number.to_string());
        number.or_else(|| port.as_str().map(str::to_owned))
    };
    all.filter_map(number).collect()
}

fn cidrs(rule: &Node) -> Vec<String> {
    let blocks = items(rule, "from").iter();
    let blocks = blocks.map(|peer| text_at(peer, &["ipBlock", "cidr"]));
    let cilium = items(rule, "fromCIDR").iter().filter_map(Node::as_str);
    let all = blocks.chain(cilium).filter(|cidr| !cidr.is_empty());
    all.map(str::to_owned).collect()
}

fn namespaces(rule: &Node) -> Vec<String> {
    let peers = items(rule, "from").iter();
    let named =
        peers.map(|peer| text_at(peer, &["namespaceSelector", "matchLabels", NAMESPACE_NAME]));
    let endpoints = items(rule, "fromEndpoints").iter();
    let cilium = endpoints.map(|peer| text_at(peer, &["matchLabels", CILIUM_NAMESPACE]));
    let all = named.chain(cilium).filter(|name| !name.is_empty());
    all.map(str::to_owned).collect()
}
