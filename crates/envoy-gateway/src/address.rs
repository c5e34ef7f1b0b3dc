//! The addresses that a gateway's Service requests.

use super::infra::GatewayInfra;
use super::read::{list, text};
use super::view::Gateway;
use manifest::Object;
use manifest::value::{Node, Pointer};

/// An annotation with which a Service requests addresses.
#[derive(Clone, Copy, Debug)]
pub struct AddressAnnotation {
    /// The key of the annotation.
    pub key: &'static str,
    /// The key of the annotation with which the Service agrees to share its addresses; empty if there is none.
    pub sharing: &'static str,
    /// Whether Cilium assigns the addresses from its pools.
    pub is_of_pools: bool,
}

/// The annotations with which Services request addresses.
pub const ANNOTATIONS: [AddressAnnotation; 5] = [
    AddressAnnotation {
        key: "lbipam.cilium.io/ips",
        sharing: "lbipam.cilium.io/sharing-key",
        is_of_pools: true,
    },
    AddressAnnotation {
        key: "io.cilium/lb-ipam-ips",
        sharing: "io.cilium/lb-ipam-sharing-key",
        is_of_pools: true,
    },
    AddressAnnotation {
        key: "metallb.io/loadBalancerIPs",
        sharing: "metallb.io/allow-shared-ip",
        is_of_pools: false,
    },
    AddressAnnotation {
        key: "metallb.universe.tf/loadBalancerIPs",
        sharing: "metallb.universe.tf/allow-shared-ip",
        is_of_pools: false,
    },
    AddressAnnotation {
        key: "kube-vip.io/loadbalancerIPs",
        sharing: "",
        is_of_pools: false,
    },
];

/// A requested address.
#[derive(Clone, Debug)]
pub struct AddressRequest<'a> {
    /// The object and the path where it is written; `None` if it comes from the controller's own configuration.
    pub place: Option<(&'a Object, Pointer)>,
    /// The address as written: an IP address, a host name or a Flux variable.
    pub text: String,
    /// Whether Cilium assigns it from its pools.
    pub is_of_pools: bool,
    /// Whether it is in `spec.addresses`. These become the Service's external IPs, which no controller assigns.
    pub is_external: bool,
    /// Whether its type in `spec.addresses` is not `IPAddress`, so it is a host name.
    pub is_host_name: bool,
    /// The sharing key: Services with the same one may share the address.
    pub sharing: Option<String>,
}

/// The addresses that annotations of a Service request. `place_of` returns the object and the path of the annotation
/// with a given key.
pub fn annotated_addresses<'a>(
    annotations: &Node,
    place_of: impl Fn(&str) -> Option<(&'a Object, Pointer)>,
) -> Vec<AddressRequest<'a>> {
    let mut found = Vec::new();
    for annotation in ANNOTATIONS {
        let value = |key: &str| annotations.get(key).and_then(Node::as_str);
        let parts = value(annotation.key).unwrap_or_default().split(',');
        for part in parts.map(str::trim).filter(|part| !part.is_empty()) {
            found.push(AddressRequest {
                place: place_of(annotation.key),
                text: part.to_owned(),
                is_of_pools: annotation.is_of_pools,
                is_external: false,
                is_host_name: false,
                sharing: value(annotation.sharing).map(str::to_owned),
            });
        }
    }
    found
}

/// The addresses that a gateway requests: by the annotations of its Service (those of the EnvoyProxy override those of
/// the gateway itself), by `loadBalancerIP` of the EnvoyProxy, and by `spec.addresses`.
pub fn requested_addresses<'a>(
    gateway: &'a Object,
    infra: &GatewayInfra<'a>,
) -> Vec<AddressRequest<'a>> {
    let in_proxy = ["envoyService", "annotations"];
    let in_gateway = Pointer::root().key("spec").key("infrastructure");
    let in_gateway = in_gateway.key("annotations");
    let of_proxy = infra.kubernetes(&in_proxy).and_then(Node::as_map);
    let own = gateway.node.at(&in_gateway).and_then(Node::as_map);
    let is_of_proxy = |key: &str| of_proxy.is_some_and(|map| map.contains_key(key));
    let mut all = Node::map();
    if let Some(map) = all.as_map_mut() {
        let both = [own, of_proxy].into_iter().flatten();
        both.flat_map(|given| given.iter())
            .for_each(|(key, value)| {
                map.insert(key, value.clone());
            });
    }
    let mut found = annotated_addresses(&all, |key| match is_of_proxy(key) {
        true => infra.place(&[in_proxy.as_slice(), &[key]].concat()),
        false => Some((gateway, in_gateway.key(key))),
    });
    let fixed = ["envoyService", "loadBalancerIP"];
    if let Some(text) = infra.kubernetes(&fixed).and_then(Node::as_str) {
        found.push(AddressRequest {
            place: infra.place(&fixed),
            text: text.to_owned(),
            is_of_pools: true,
            is_external: false,
            is_host_name: false,
            sharing: None,
        });
    }
    let listed = list(&gateway.node, &["spec", "addresses"]).iter();
    let pointer = Pointer::root().key("spec").key("addresses");
    found.extend(listed.enumerate().filter_map(|(at, address)| {
        Some(AddressRequest {
            place: Some((gateway, pointer.index(at).key("value"))),
            text: text(address, &["value"])?.to_owned(),
            is_of_pools: false,
            is_external: true,
            is_host_name: text(address, &["type"]).is_some_and(|kind| kind != "IPAddress"),
            sharing: None,
        })
    }));
    found
}

impl<'a> Gateway<'a> {
    /// The addresses that the gateway requests.
    pub fn address_requests(&self) -> Vec<AddressRequest<'a>> {
        requested_addresses(self.object, &self.infra)
    }

    /// The addresses in the gateway's status: only those of `spec.addresses`, if there are any.
    pub fn status_addresses(&self) -> Vec<AddressRequest<'a>> {
        let mut all = self.address_requests();
        if all.iter().any(|it| it.is_external) {
            all.retain(|it| it.is_external);
        }
        all
    }

    /// The addresses that the gateway requests, as written, without duplicates.
    pub fn addresses(&self) -> Vec<String> {
        let mut seen = std::collections::HashSet::new();
        let texts = self.address_requests().into_iter().map(|it| it.text);
        texts.filter(|it| seen.insert(it.clone())).collect()
    }
}
