//! The addresses that gateways and Services request, and requests of the same address.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use super::front::Front;
use super::{Applied, Whole};
use crate::codes;
use envoy_gateway::address::{
    ANNOTATIONS, AddressRequest, annotated_addresses, requested_addresses,
};
use envoy_gateway::proxies::add_meta;
use envoy_gateway::selector::Labels;
use manifest::diagnostic::Diagnostic;
use manifest::value::pointer::Step;
use manifest::value::{Kind, Node, Pointer, variable};
use manifest::{Object, finding};

/// The maximum depth to which Helm values are searched.
const DEEPEST: usize = 12;

/// A requested address.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// The object that contains the request.
    pub object: &'a Object,
    /// The path of the request in `object`.
    pub pointer: Pointer,
    /// The object that the address is for: the Gateway, also if the request is in an EnvoyProxy.
    pub owner: Applied<'a>,
    /// The address as text, or a Flux variable whose value is not in the Flux Kustomization itself.
    pub text: String,
    /// The address; `None` if the text is not an IP address.
    pub address: Option<IpAddr>,
    /// Whether Cilium assigns it from its pools.
    pub is_of_pools: bool,
    /// For an external address, which no controller assigns: the ports of the gateway, each with `true` for UDP.
    /// Several Services may have such an address if their ports differ.
    ports: Option<BTreeSet<(u64, bool)>>,
    /// The labels of the Service that gets the address.
    pub labels: Labels,
    /// The sharing key: Services with the same one may share the address.
    sharing: Option<String>,
    /// Whether the gateway shares its Service with other gateways.
    is_merged: bool,
}

/// All requested addresses.
pub fn claims<'a>(whole: &Whole<'a>) -> Vec<Claim<'a>> {
    let mut claims = Vec::new();
    for front in whole.fronts() {
        of_gateway(whole, front, &mut claims);
    }
    for service in whole.of_kind("", "Service") {
        of_service(whole, service, &mut claims);
    }
    for release in whole.of_kind("helm.toolkit.fluxcd.io", "HelmRelease") {
        let values = release.object.node.path(&["spec", "values"]);
        let mut pointer = Pointer::root().key("spec").key("values");
        if let Some(values) = values {
            of_values(whole, release, values, &mut pointer, 0, &mut claims);
        }
    }
    claims
}

/// The variables whose values are in the object's Flux Kustomization itself.
fn given<'a>(whole: &Whole<'a>, one: Applied<'a>) -> Option<&'a BTreeMap<String, String>> {
    let (_, substitutes) = whole.substitutes(one.way)?;
    Some(&substitutes.given)
}

/// The parts of a claim that are the same for all addresses of an owner.
struct Asker<'a> {
    owner: Applied<'a>,
    labels: Labels,
    is_merged: bool,
    /// The variables whose values are in the owner's Flux Kustomization itself.
    given: Option<&'a BTreeMap<String, String>>,
}

impl<'a> Asker<'a> {
    /// Adds the addresses in a map of annotations of the owner itself.
    fn annotations(&self, map: Option<&Node>, pointer: &Pointer, claims: &mut Vec<Claim<'a>>) {
        let place = |key: &str| Some((self.owner.object, pointer.key(key)));
        let requests = map.map(|map| annotated_addresses(map, place));
        let requests = requests.unwrap_or_default().into_iter();
        claims.extend(requests.filter_map(|request| self.claim(request)));
    }

    /// The claim of a request. It is `None` if the request is in the controller's configuration, because [`of_values`]
    /// finds it in the values of the HelmRelease.
    fn claim(&self, request: AddressRequest<'a>) -> Option<Claim<'a>> {
        let (object, pointer) = request.place?;
        let written = request.text;
        let name = written
            .strip_prefix("${")
            .and_then(|rest| rest.strip_suffix('}'));
        let text = name
            .and_then(|name| self.given?.get(name).cloned())
            .unwrap_or(written);
        Some(Claim {
            object,
            pointer,
            owner: self.owner,
            address: text.parse().ok(),
            text,
            is_of_pools: request.is_of_pools,
            ports: None,
            labels: self.labels.clone(),
            sharing: request.sharing,
            is_merged: self.is_merged,
        })
    }
}

fn of_gateway<'a>(whole: &Whole<'a>, front: &Front<'a>, claims: &mut Vec<Claim<'a>>) {
    let gateway = front.gateway;
    let asker = Asker {
        owner: gateway,
        labels: front.service_labels(),
        is_merged: front.is_merged(),
        given: given(whole, gateway),
    };
    let requests = requested_addresses(gateway.object, &front.infra);
    for request in requests.into_iter().filter(|it| !it.is_host_name) {
        let is_external = request.is_external;
        if let Some(mut claim) = asker.claim(request) {
            // External addresses come from no pool, and several Services may have the same one.
            claim.ports = is_external.then(|| ports(gateway.object));
            claims.push(claim);
        }
    }
}

/// The ports of a gateway's listeners, each with `true` for UDP. The UDP ports of HTTP/3 are left out.
fn ports(gateway: &Object) -> BTreeSet<(u64, bool)> {
    let listeners = gateway.node.path(&["spec", "listeners"]);
    let listeners = listeners.and_then(Node::as_list).unwrap_or_default().iter();
    let port = |listener: &Node| {
        let is_udp = listener.get("protocol")?.as_str()?.contains("UDP");
        Some((listener.get("port")?.to_json().as_u64()?, is_udp))
    };
    listeners.filter_map(port).collect()
}

fn of_service<'a>(whole: &Whole<'a>, service: Applied<'a>, claims: &mut Vec<Claim<'a>>) {
    if super::front::text(service.object, &["spec", "type"]) != "LoadBalancer" {
        return;
    }
    let mut labels = Labels {
        // A patch may add labels.
        is_open: service.way.is_some_and(|way| !way.patched_by.is_empty()),
        ..Labels::default()
    };
    labels.add(service.object.node.path(&["metadata", "labels"]));
    let namespace = Some(service.object.namespace()).filter(|namespace| !namespace.is_empty());
    add_meta(&mut labels, namespace, Some(service.object.name()));
    let asker = Asker {
        owner: service,
        labels,
        is_merged: false,
        given: given(whole, service),
    };
    let pointer = Pointer::root().key("metadata").key("annotations");
    asker.annotations(service.object.node.at(&pointer), &pointer, claims);
    let pointer = Pointer::root().key("spec").key("loadBalancerIP");
    if let Some(text) = service.object.node.at(&pointer).and_then(Node::as_str) {
        claims.extend(asker.claim(AddressRequest {
            place: Some((service.object, pointer)),
            text: text.to_owned(),
            is_of_pools: true,
            is_external: false,
            is_host_name: false,
            sharing: None,
        }));
    }
}

/// Adds the addresses in annotations anywhere in Helm values. It is not known what the chart does with them.
fn of_values<'a>(
    whole: &Whole<'a>,
    release: Applied<'a>,
    node: &'a Node,
    pointer: &mut Pointer,
    depth: usize,
    claims: &mut Vec<Claim<'a>>,
) {
    let is_off = |node: &Node| {
        let enabled = node.get("enabled").and_then(Node::as_bool);
        enabled == Some(false)
    };
    if depth > DEEPEST || is_off(node) {
        return;
    }
    match &node.kind {
        Kind::Map(map) => {
            // This check is fast, and most maps in Helm values contain no addresses.
            if ANNOTATIONS.iter().any(|it| map.contains_key(it.key)) {
                let asker = Asker {
                    owner: release,
                    labels: Labels {
                        is_open: true,
                        ..Labels::default()
                    },
                    is_merged: false,
                    given: given(whole, release),
                };
                asker.annotations(Some(node), pointer, claims);
            }
            for (key, value) in map.iter().filter(|(_, value)| is_deep(value)) {
                pointer.push(Step::Key(key.to_owned()));
                of_values(whole, release, value, pointer, depth + 1, claims);
                pointer.pop();
            }
        }
        Kind::List(items) => {
            for (at, value) in items.iter().enumerate().filter(|(_, value)| is_deep(value)) {
                pointer.push(Step::Index(at));
                of_values(whole, release, value, pointer, depth + 1, claims);
                pointer.pop();
            }
        }
        _ => {}
    }
}

fn is_deep(node: &Node) -> bool {
    matches!(node.kind, Kind::Map(_) | Kind::List(_))
}

/// Reports addresses that are requested twice.
pub fn check(whole: &Whole<'_>) -> Vec<Diagnostic> {
    let mut by_address: HashMap<String, Vec<&Claim>> = HashMap::new();
    let mut found = Vec::new();
    for claim in whole.claims() {
        let Some(key) = key(whole, claim) else {
            continue;
        };
        let others = by_address.entry(key).or_default();
        let first = others
            .iter()
            .find(|first| in_each_others_way(whole, first, claim));
        match first {
            Some(first) if first.owner.at == claim.owner.at => found.push(repeated(claim)),
            Some(first) => found.push(duplicate(first, claim)),
            None => {}
        }
        others.push(claim);
    }
    found
}

/// A key that is equal for two claims of the same address: the address, or the variable and the ConfigMaps and Secrets
/// that its value comes from.
fn key(whole: &Whole<'_>, claim: &Claim<'_>) -> Option<String> {
    if let Some(address) = claim.address {
        return Some(address.to_string());
    }
    let (_, substitutes) = whole.substitutes(claim.owner.way)?;
    let from = &substitutes.from;
    variable::is_all(&claim.text).then(|| format!("{} {from:?}", claim.text))
}

fn in_each_others_way(whole: &Whole<'_>, first: &Claim<'_>, second: &Claim<'_>) -> bool {
    // A Service may request the same address in several ways, but not twice in one list.
    if first.owner.at == second.owner.at {
        return std::ptr::eq(first.object, second.object) && first.pointer == second.pointer;
    }
    let shares = first.sharing.is_some() && first.sharing == second.sharing;
    let are_apart = match (&first.ports, &second.ports) {
        (None, None) => false,
        (Some(one), Some(other)) => one.is_disjoint(other),
        // The ports of other Services are not known here.
        _ => true,
    };
    let are_merged = first.is_merged && second.is_merged;
    !shares
        && !are_apart
        && !are_merged
        && whole.may_share_cluster(first.owner.object, second.owner.object)
}

fn repeated(claim: &Claim<'_>) -> Diagnostic {
    let name = claim.owner.object.identity();
    let message = format!("{name} requests the address {} twice", claim.text);
    finding(
        codes::NETWORK_DUPLICATE_ADDRESS,
        claim.object,
        &claim.pointer,
        message,
    )
    .why("a Service gets each address only once, so another address was probably intended")
    .help("remove one of the two, or write the intended address")
}

fn duplicate(first: &Claim<'_>, second: &Claim<'_>) -> Diagnostic {
    let name = |claim: &Claim<'_>| claim.owner.object.identity().to_string();
    let (why, help) = if second.ports.is_some() {
        (
            "both have a listener on the same port of it, so it is undefined which gateway gets a connection",
            "give each gateway its own address, or different ports",
        )
    } else {
        (
            "the load balancer gives the address to the first Service, so the other one stays pending and its hostnames can't be reached",
            "give each gateway its own address, or the same sharing key if their ports differ",
        )
    };
    finding(
        codes::NETWORK_DUPLICATE_ADDRESS,
        second.object,
        &second.pointer,
        format!(
            "{} and {} request the same address, {}",
            name(first),
            name(second),
            second.text
        ),
    )
    .related(
        first.object.place_to_change(&first.pointer),
        format!("{} requests it here", name(first)),
    )
    .why(why)
    .help(help)
}
