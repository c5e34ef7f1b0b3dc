//! The family of addresses on which Envoy listens: IPv4, unless the EnvoyProxy's `ipFamily` says otherwise.

use std::net::IpAddr;

use crate::read::text;
use crate::view::{Gateway, GatewayId, Resolved};
use manifest::Object;
use manifest::value::Pointer;

/// An address of a family on which the gateway's Envoy doesn't listen.
#[derive(Clone, Debug)]
pub struct UnansweredAddress<'a> {
    /// The gateway that requests it.
    pub gateway: GatewayId,
    /// The object and the path where it is written, if it is given.
    pub place: Option<(&'a Object, Pointer)>,
    /// The address.
    pub address: IpAddr,
}

/// Whether the Envoy of a gateway listens on the family of an address. Settings that are not given are taken as not set.
pub fn listens_on(gateway: &Gateway<'_>, address: IpAddr) -> bool {
    let settings = gateway.infra.settings.as_ref();
    let family = settings.and_then(|it| text(it, &["ipFamily"]));
    match family.unwrap_or("IPv4") {
        "IPv4" => address.is_ipv4(),
        "IPv6" => address.is_ipv6(),
        _ => true,
    }
}

/// The requested addresses of the other family than the one on which the gateway's Envoy listens. Gateways whose settings
/// are not all given are left out.
pub fn unanswered_addresses<'a>(resolved: &Resolved<'a>) -> Vec<UnansweredAddress<'a>> {
    let gateways = resolved.gateways().iter().enumerate();
    let known = gateways.filter(|(_, it)| it.class.is_some() && it.infra.is_known);
    known
        .flat_map(|(at, gateway)| {
            let requests = gateway.address_requests().into_iter();
            let unanswered = requests.filter_map(|request| {
                let address = request.text.parse().ok()?;
                (!listens_on(gateway, address)).then_some(UnansweredAddress {
                    gateway: GatewayId(at),
                    place: request.place,
                    address,
                })
            });
            unanswered.collect::<Vec<_>>()
        })
        .collect()
}
