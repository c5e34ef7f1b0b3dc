//! The addresses that gateways and Services request.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::lint::front::Front;
use crate::lint::{Applied, LintContext};
use envoy_gateway::address::{
    ANNOTATIONS, AddressRequest, annotated_addresses, requested_addresses,
};
use envoy_gateway::proxies::add_meta;
use envoy_gateway::selector::Labels;
use manifest::Object;
use manifest::value::pointer::Step;
use manifest::value::{Kind, Node, Pointer};

/// The maximum depth to which Helm values are searched.
const DEEPEST: usize = 12;

/// An address that is requested for a Service, and who requests it.
#[derive(Clone, Debug)]
pub(crate) struct ServiceAddressRequest<'a> {
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
    pub ports: Option<BTreeSet<(u64, bool)>>,
    /// The labels of the Service that gets the address.
    pub labels: Labels,
    /// The sharing key: Services with the same one may share the address.
    pub sharing: Option<String>,
    /// Whether the gateway shares its Service with other gateways.
    pub is_merged: bool,
}

/// All requested addresses.
pub(crate) fn address_requests<'a>(context: &LintContext<'a>) -> Vec<ServiceAddressRequest<'a>> {
    let mut requests = Vec::new();
    for front in context.fronts() {
        of_gateway(context, front, &mut requests);
    }
    for service in context.of_kind("", "Service") {
        of_service(context, service, &mut requests);
    }
    for release in context.of_kind("helm.toolkit.fluxcd.io", "HelmRelease") {
        let values = release.object.node.path(&["spec", "values"]);
        let mut pointer = Pointer::root().key("spec").key("values");
        if let Some(values) = values {
            of_values(context, release, values, &mut pointer, 0, &mut requests);
        }
    }
    requests
}

/// The variables whose values are in the object's Flux Kustomization itself.
fn given<'a>(context: &LintContext<'a>, one: Applied<'a>) -> Option<&'a BTreeMap<String, String>> {
    let (_, substitutes) = context.substitutes(one.way)?;
    Some(&substitutes.given)
}

/// The parts of a request that are the same for all addresses of an owner.
struct Asker<'a> {
    owner: Applied<'a>,
    labels: Labels,
    is_merged: bool,
    /// The variables whose values are in the owner's Flux Kustomization itself.
    given: Option<&'a BTreeMap<String, String>>,
}

impl<'a> Asker<'a> {
    /// Adds the addresses in a map of annotations of the owner itself.
    fn annotations(
        &self,
        map: Option<&Node>,
        pointer: &Pointer,
        requests: &mut Vec<ServiceAddressRequest<'a>>,
    ) {
        let place = |key: &str| Some((self.owner.object, pointer.key(key)));
        let written = map.map(|map| annotated_addresses(map, place));
        let written = written.unwrap_or_default().into_iter();
        requests.extend(written.filter_map(|request| self.request(request)));
    }

    /// A request with its owner. It is `None` if the request is in the controller's configuration, because [`of_values`]
    /// finds it in the values of the HelmRelease.
    fn request(&self, request: AddressRequest<'a>) -> Option<ServiceAddressRequest<'a>> {
        let (object, pointer) = request.place?;
        let written = request.text;
        let name = written
            .strip_prefix("${")
            .and_then(|rest| rest.strip_suffix('}'));
        let text = name
            .and_then(|name| self.given?.get(name).cloned())
            .unwrap_or(written);
        Some(ServiceAddressRequest {
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

fn of_gateway<'a>(
    context: &LintContext<'a>,
    front: &Front<'a>,
    requests: &mut Vec<ServiceAddressRequest<'a>>,
) {
    let gateway = front.gateway;
    let asker = Asker {
        owner: gateway,
        labels: front.service_labels(),
        is_merged: front.is_merged(),
        given: given(context, gateway),
    };
    let written = requested_addresses(gateway.object, &front.infra);
    for request in written.into_iter().filter(|it| !it.is_host_name) {
        let is_external = request.is_external;
        if let Some(mut request) = asker.request(request) {
            // External addresses come from no pool, and several Services may have the same one.
            request.ports = is_external.then(|| ports(gateway.object));
            requests.push(request);
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

fn of_service<'a>(
    context: &LintContext<'a>,
    service: Applied<'a>,
    requests: &mut Vec<ServiceAddressRequest<'a>>,
) {
    if crate::lint::front::text(service.object, &["spec", "type"]) != "LoadBalancer" {
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
        given: given(context, service),
    };
    let pointer = Pointer::root().key("metadata").key("annotations");
    asker.annotations(service.object.node.at(&pointer), &pointer, requests);
    let pointer = Pointer::root().key("spec").key("loadBalancerIP");
    if let Some(text) = service.object.node.at(&pointer).and_then(Node::as_str) {
        requests.extend(asker.request(AddressRequest {
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
    context: &LintContext<'a>,
    release: Applied<'a>,
    node: &'a Node,
    pointer: &mut Pointer,
    depth: usize,
    requests: &mut Vec<ServiceAddressRequest<'a>>,
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
                    given: given(context, release),
                };
                asker.annotations(Some(node), pointer, requests);
            }
            for (key, value) in map.iter().filter(|(_, value)| is_deep(value)) {
                pointer.push(Step::Key(key.to_owned()));
                of_values(context, release, value, pointer, depth + 1, requests);
                pointer.pop();
            }
        }
        Kind::List(items) => {
            for (at, value) in items.iter().enumerate().filter(|(_, value)| is_deep(value)) {
                pointer.push(Step::Index(at));
                of_values(context, release, value, pointer, depth + 1, requests);
                pointer.pop();
            }
        }
        _ => {}
    }
}

fn is_deep(node: &Node) -> bool {
    matches!(node.kind, Kind::Map(_) | Kind::List(_))
}
