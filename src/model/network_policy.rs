//! What may reach the Pods of the proxies and of the controller.
//!
//! The ports are those that Envoy Gateway gives its Pods (1.5 to 1.9).

use serde::Serialize;

use super::ObjectInput;
use super::address;
use super::gateway::Gateway;
use super::listener::Listener;
use super::listener_set::ListenerSet;
use super::names::{self, Rule as NameRule};
use super::proxy::Proxy;
use crate::config::chart::Deploy;
use crate::config::gateway::{Gateway as GatewayTable, Protocol, TlsMode};
use crate::config::network_policy::{
    ControllerNetworkPolicy, GatewayNetworkPolicy, NetworkPolicies, NetworkPolicyKind,
};
use crate::config::{Cluster, Count, Text, Texts, codes};
use envoy_gateway::proxies::{OWNER_NAME, OWNER_NAMESPACE, inner_port};
use manifest::diagnostic::{Diagnostic, Spanned};
use manifest::value::Node;

/// The port of the proxies' metrics, and of the controller's.
const METRICS: i64 = 19001;

/// The ports of a proxy's Pod that the kubelet asks: the shutdown manager, and whether Envoy is ready.
const PROXY_PROBES: [i64; 2] = [19002, 19003];

/// The ports of the controller that proxies connect to: their configuration (xDS), and Wasm modules.
const FOR_PROXIES: [i64; 2] = [18000, 18002];

/// The port of the controller that the rate limit service connects to.
const FOR_RATE_LIMIT: i64 = 18001;

/// The port of the controller's webhook.
const WEBHOOK: i64 = 9443;

/// The port of the controller that the kubelet asks.
const CONTROLLER_PROBES: i64 = 8081;

/// The label of the controller's Pods, which its chart sets.
const CONTROLLER: (&str, &str) = ("control-plane", "envoy-gateway");

/// The label of all Pods that the controller makes.
const MADE: (&str, &str) = ("app.kubernetes.io/managed-by", "envoy-gateway");

/// The key of the label that tells them apart.
const COMPONENT: &str = "app.kubernetes.io/component";

/// The values for the template of a policy.
#[derive(Clone, Debug, Serialize)]
pub struct NetworkPolicy {
    /// The kind of the policy.
    #[serde(skip)]
    pub kind: NetworkPolicyKind,
    /// The gateway that it is for; `None` for the controller.
    #[serde(skip)]
    pub gateway: Option<Text>,
    /// The name of the policy.
    pub name: Text,
    /// The labels of the Pods that it is about.
    pub pods: Vec<Label>,
    /// What may reach them.
    pub rules: Vec<Rule>,
}

/// A label.
#[derive(Clone, Debug, Serialize)]
pub struct Label {
    /// The key.
    pub key: &'static str,
    /// The value.
    pub value: Text,
}

/// Something that may reach some ports. If nothing is set but the ports, everything may.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Rule {
    /// Networks.
    pub cidrs: Vec<Text>,
    /// The Pods of namespaces.
    pub namespaces: Vec<Text>,
    /// The Pods with labels.
    pub pods: Vec<Label>,
    /// Whether these Pods may be in any namespace, and not only in that of the policy.
    pub everywhere: bool,
    /// What Cilium calls entities, where it can say more than Kubernetes.
    pub entities: Vec<&'static str>,
    /// The ports.
    pub ports: Vec<Port>,
}

/// A port of a Pod.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Port {
    /// `TCP` or `UDP`.
    pub protocol: &'static str,
    /// Its number.
    pub number: i64,
    /// The same as text.
    pub text: String,
}

impl Port {
    fn new(protocol: &'static str, number: i64) -> Self {
        Port {
            protocol,
            number,
            text: number.to_string(),
        }
    }
}

fn tcp(ports: impl IntoIterator<Item = i64>) -> Vec<Port> {
    let ports = ports.into_iter();
    ports.map(|number| Port::new("TCP", number)).collect()
}

fn label((key, value): (&'static str, &str)) -> Label {
    Label {
        key,
        value: Spanned::unwritten(value.to_owned()),
    }
}

/// Builds the policies of the gateways, and that of the controller.
pub fn build(
    cluster: &Cluster,
    gateways: &[ObjectInput<Gateway>],
    proxies: &[ObjectInput<Proxy>],
    sets: &[ObjectInput<ListenerSet>],
    namespace: &Text,
    problems: &mut Vec<Diagnostic>,
) -> Vec<ObjectInput<NetworkPolicy>> {
    let shared = cluster.network_policies.clone().unwrap_or_default();
    check(&shared, problems);
    let mut policies = Vec::new();
    for (name, table) in cluster.gateways.iter() {
        let own = table.network_policy.clone();
        let is_wanted = own.is_some() || cluster.network_policies.is_some();
        let own = own.unwrap_or_default();
        if !is_wanted || own.enabled.as_ref().is_some_and(|on| !on.value) {
            continue;
        }
        let mut built = gateways.iter().map(|gateway| &gateway.values);
        let Some(gateway) = built.find(|gateway| gateway.name.value == name.value) else {
            continue;
        };
        let sets = sets.iter().map(|set| &set.values);
        let sets = sets.filter(|set| set.gateway.value == name.value);
        let listeners: Vec<&Listener> = gateway
            .listeners
            .iter()
            .chain(sets.flat_map(|set| &set.listeners))
            .collect();
        let proxy = proxy_of(name, proxies);
        let ports = listener_ports(has_http3(cluster, table), &listeners, name, proxy, problems);
        let policy = of_gateway(&shared, &own, name, namespace, ports, problems);
        policies.push(policy);
    }
    let controller = &shared.controller;
    // A controller that is installed elsewhere may be in another namespace.
    let release = cluster.chart.release.enabled.as_ref();
    let is_here = release.is_none_or(|on| on.value);
    let is_on = controller.enabled.as_ref().map_or(is_here, |on| on.value);
    if cluster.network_policies.is_some() && is_on {
        policies.push(of_controller(cluster, &shared, controller, problems));
    }
    policies
}

fn check(shared: &NetworkPolicies, problems: &mut Vec<Diagnostic>) {
    for cidr in shared.clients.iter() {
        address::network(cidr, problems);
    }
    for name in shared
        .client_namespaces
        .iter()
        .chain(shared.metrics_from.iter())
    {
        names::check(NameRule::Label, "a namespace's name", name, problems);
    }
}

fn kind_of(shared: &NetworkPolicies) -> NetworkPolicyKind {
    let kind = shared.kind.as_ref();
    kind.map(|kind| kind.value).unwrap_or_default()
}

fn of_gateway(
    shared: &NetworkPolicies,
    own: &GatewayNetworkPolicy,
    gateway: &Text,
    namespace: &Text,
    ports: Vec<Port>,
    problems: &mut Vec<Diagnostic>,
) -> ObjectInput<NetworkPolicy> {
    let name = own.name.clone().unwrap_or_else(|| gateway.clone());
    names::check(NameRule::Subdomain, "a policy's name", &name, problems);
    for cidr in own.clients.iter() {
        address::network(cidr, problems);
    }
    for there in own.client_namespaces.iter() {
        names::check(NameRule::Label, "a namespace's name", there, problems);
    }
    let has_own = own.clients.is_given() || own.client_namespaces.is_given();
    let (clients, namespaces) = match has_own {
        true => (&own.clients, &own.client_namespaces),
        false => (&shared.clients, &shared.client_namespaces),
    };
    let mut rules = from_clients(clients, namespaces, &ports);
    rules.push(from_kubelet(tcp(PROXY_PROBES)));
    rules.extend(to_metrics(shared));
    ObjectInput {
        values: NetworkPolicy {
            kind: kind_of(shared),
            gateway: Some(gateway.clone()),
            name,
            pods: vec![
                Label {
                    key: OWNER_NAME,
                    value: gateway.clone(),
                },
                Label {
                    key: OWNER_NAMESPACE,
                    value: namespace.clone(),
                },
            ],
            rules,
        },
        overlay: own.overlay(),
    }
}

/// Who may reach the listeners. A rule has one kind of source, because Cilium can't combine them.
fn from_clients(clients: &Texts, namespaces: &Texts, ports: &[Port]) -> Vec<Rule> {
    let rule = Rule {
        ports: ports.to_vec(),
        ..Rule::default()
    };
    if !clients.is_given() && !namespaces.is_given() {
        return vec![Rule {
            entities: vec!["all"],
            ..rule
        }];
    }
    let by_network = Rule {
        cidrs: clients.to_vec(),
        ..rule.clone()
    };
    let by_namespace = Rule {
        namespaces: namespaces.to_vec(),
        ..rule
    };
    let rules = [by_network, by_namespace].into_iter();
    rules
        .filter(|rule| !rule.cidrs.is_empty() || !rule.namespaces.is_empty())
        .collect()
}

/// Kubernetes can't name the kubelet. The ports tell nothing but whether the Pod is well.
fn from_kubelet(ports: Vec<Port>) -> Rule {
    Rule {
        entities: vec!["host"],
        ports,
        ..Rule::default()
    }
}

fn to_metrics(shared: &NetworkPolicies) -> Option<Rule> {
    let from = &shared.metrics_from;
    (!from.is_empty()).then(|| Rule {
        namespaces: from.to_vec(),
        ports: tcp([METRICS]),
        ..Rule::default()
    })
}

fn of_controller(
    cluster: &Cluster,
    shared: &NetworkPolicies,
    own: &ControllerNetworkPolicy,
    problems: &mut Vec<Diagnostic>,
) -> ObjectInput<NetworkPolicy> {
    let name = own.name.clone().or_else(|| cluster.chart.name.clone());
    let name = name.unwrap_or_else(|| Spanned::unwritten("envoy-gateway".to_owned()));
    names::check(NameRule::Subdomain, "a policy's name", &name, problems);
    // Where proxies run beside their gateways, these may be gateways of any namespace.
    let deploy = cluster.chart.deploy.as_ref();
    let deploy = deploy.map(|deploy| deploy.value).unwrap_or_default();
    let component = |component: &str, ports: Vec<Port>| Rule {
        pods: vec![label((COMPONENT, component)), label(MADE)],
        everywhere: component == "proxy" && deploy == Deploy::GatewayNamespace,
        ports,
        ..Rule::default()
    };
    let mut rules = vec![component("proxy", tcp(FOR_PROXIES))];
    if cluster.chart.rate_limit.redis.is_some() {
        rules.push(component("ratelimit", tcp([FOR_RATE_LIMIT])));
    }
    rules.push(Rule {
        entities: vec!["kube-apiserver", "remote-node", "host"],
        ports: tcp([WEBHOOK]),
        ..Rule::default()
    });
    rules.push(from_kubelet(tcp([CONTROLLER_PROBES])));
    rules.extend(to_metrics(shared));
    ObjectInput {
        values: NetworkPolicy {
            kind: kind_of(shared),
            gateway: None,
            name,
            pods: vec![label(CONTROLLER)],
            rules,
        },
        overlay: own.overlay(),
    }
}

/// The ports of a gateway's proxies that its listeners have in the Pods.
fn listener_ports(
    has_http3: bool,
    listeners: &[&Listener],
    gateway: &Text,
    proxy: Option<&ObjectInput<Proxy>>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Port> {
    let kubernetes = ["provider", "kubernetes"];
    let spec = proxy.and_then(|proxy| proxy.overlay.spec.as_ref());
    let is_on = |node: Option<&Node>| node.and_then(Node::as_bool) == Some(true);
    let merges = spec.and_then(|spec| spec.get("mergeGateways"));
    let is_told = |problem: &Diagnostic| merges.is_some_and(|it| it.span == problem.span);
    if is_on(merges) && !problems.iter().any(is_told) {
        problems.push(merged(gateway, merges));
    }
    let settings = spec.and_then(|spec| spec.path(&kubernetes));
    let is_same = is_on(settings.and_then(|it| it.get("useListenerPortAsContainerPort")));
    let mut ports: Vec<Port> = Vec::new();
    for listener in listeners {
        let Count::Number(number) = listener.port.value else {
            problems.push(unknown_port(listener));
            continue;
        };
        let number = match is_same {
            true => number,
            false => inner_port(number),
        };
        for port in protocols(listener, has_http3) {
            let port = Port::new(port, number);
            if !ports.contains(&port) {
                ports.push(port);
            }
        }
    }
    ports
}

/// The transport protocols of a listener.
fn protocols(listener: &Listener, has_http3: bool) -> &'static [&'static str] {
    let mode = listener.tls_mode.as_ref().map(|mode| mode.value);
    match listener.protocol.value {
        Protocol::Udp => &["UDP"],
        Protocol::Https if has_http3 && mode != Some(TlsMode::Passthrough) => &["TCP", "UDP"],
        _ => &["TCP"],
    }
}

fn has_http3(cluster: &Cluster, table: &GatewayTable) -> bool {
    let tables = [&table.client_traffic, &cluster.client_traffic];
    let mut set = tables.into_iter().flatten();
    let flag = set.find_map(|it| it.http3.as_ref());
    flag.is_some_and(|flag| flag.value)
}

/// The gateway's own EnvoyProxy, or else the shared one.
fn proxy_of<'a>(
    gateway: &Text,
    proxies: &'a [ObjectInput<Proxy>],
) -> Option<&'a ObjectInput<Proxy>> {
    let of = |wanted: Option<&str>| {
        let mut all = proxies.iter();
        all.find(|proxy| proxy.values.gateway.as_ref().map(|it| it.as_str()) == wanted)
    };
    of(Some(gateway.as_str())).or_else(|| of(None))
}

fn merged(gateway: &Text, merges: Option<&Node>) -> Diagnostic {
    let message = format!(
        "the proxies of {} are also those of other gateways (`mergeGateways`)",
        gateway.value
    );
    Diagnostic::new(codes::CONFIG_CONTRADICTION, message)
        .at(merges.and_then(|node| node.span).or(gateway.span))
        .why(
            "they have no label with the gateway's name, so its NetworkPolicy would select nothing",
        )
        .help(
            "write `network_policy.enabled = false`, and a policy of your own for the GatewayClass",
        )
}

fn unknown_port(listener: &Listener) -> Diagnostic {
    let message = format!(
        "the port of listener {} is not known, so its NetworkPolicy isn't either",
        listener.name.value
    );
    Diagnostic::new(codes::CONFIG_INVALID_VALUE, message)
        .at(listener.port.span)
        .why("the port in the Pod follows from the port of the listener: below 1024, it is moved up by 10000")
        .help("write the number of the port")
}
