//! The addresses that gateways and Services ask for; two that ask for one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use super::front::{Front, add_meta};
use super::selector::Labels;
use super::{Applied, Whole};
use crate::codes;
use envoy_gateway::address::{
    ANNOTATIONS, AddressRequest, annotated_addresses, requested_addresses,
};
use manifest::diagnostic::Diagnostic;
use manifest::value::pointer::Step;
use manifest::value::{Kind, Node, Pointer, variable};
use manifest::{Object, finding};

/// How deep values of charts are searched.
const DEEPEST: usize = 12;

/// An address that something asks for.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// The object in which it is written.
    pub object: &'a Object,
    /// Where in the object.
    pub pointer: Pointer,
    /// The object that it is for: the Gateway, where an EnvoyProxy says it.
    pub owner: Applied<'a>,
    /// The address; a Flux variable, where its value is not given beside it.
    pub text: String,
    /// The address, where it is one.
    pub address: Option<IpAddr>,
    /// Whether it is given out of Cilium's pools.
    pub is_of_pools: bool,
    /// The ports, with whether they are UDP, where nobody gives the address out: several Services may have it, as
    /// long as their ports differ.
    ports: Option<BTreeSet<(u64, bool)>>,
    /// The labels of the Service.
    pub labels: Labels,
    /// The key of those with which it shares its addresses.
    sharing: Option<String>,
    /// Whether it is of gateways that share one Service.
    is_merged: bool,
}

/// All addresses that are asked for.
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

/// The variables that an object's Flux Kustomization gives itself.
fn given<'a>(whole: &Whole<'a>, one: Applied<'a>) -> Option<&'a BTreeMap<String, String>> {
    let (_, substitutes) = whole.substitutes(one.way)?;
    Some(&substitutes.given)
}

/// The parts of a claim that are the same for all addresses of one owner.
struct Asker<'a> {
    owner: Applied<'a>,
    labels: Labels,
    is_merged: bool,
    /// The variables that its Flux Kustomization gives itself.
    given: Option<&'a BTreeMap<String, String>>,
}

impl<'a> Asker<'a> {
    /// The addresses in a map of annotations of the owner itself.
    fn annotations(&self, map: Option<&Node>, pointer: &Pointer, claims: &mut Vec<Claim<'a>>) {
        let place = |key: &str| Some((self.owner.object, pointer.key(key)));
        let requests = map.map(|map| annotated_addresses(map, place));
        let requests = requests.unwrap_or_default().into_iter();
        claims.extend(requests.filter_map(|request| self.claim(request)));
    }

    /// The claim of a request; `None` where the controller's configuration makes it: that is found in the values of
    /// the chart's release.
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
            // External addresses are no pool's, and several Services may have them.
            claim.ports = is_external.then(|| ports(gateway.object));
            claims.push(claim);
        }
    }
}

/// The ports of a gateway's listeners; HTTP/3 is left out.
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

/// The annotations in a chart's values: where exactly the chart takes them is its own matter.
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
            // Most maps of most releases hold no address.
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

/// Two that ask for one address.
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

/// What is the same of two claims on one address: the address, or the variable and where its value comes from.
fn key(whole: &Whole<'_>, claim: &Claim<'_>) -> Option<String> {
    if let Some(address) = claim.address {
        return Some(address.to_string());
    }
    let (_, substitutes) = whole.substitutes(claim.owner.way)?;
    let from = &substitutes.from;
    variable::is_all(&claim.text).then(|| format!("{} {from:?}", claim.text))
}

fn in_each_others_way(whole: &Whole<'_>, first: &Claim<'_>, second: &Claim<'_>) -> bool {
    // One Service may ask for an address in several ways, but not twice in one list.
    if first.owner.at == second.owner.at {
        return std::ptr::eq(first.object, second.object) && first.pointer == second.pointer;
    }
    let shares = first.sharing.is_some() && first.sharing == second.sharing;
    let are_apart = match (&first.ports, &second.ports) {
        (None, None) => false,
        (Some(one), Some(other)) => one.is_disjoint(other),
        // Ports of other Services are not gathered.
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
