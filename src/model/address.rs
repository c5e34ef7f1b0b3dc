//! Parsing and checks of IP addresses, networks and address pools.

use std::net::IpAddr;

use ipnet::IpNet;

use super::codes;
use crate::config::Text;
use manifest::diagnostic::{Diagnostic, Span};
use manifest::value::variable;

/// A range of addresses; both ends are included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first address.
    pub first: IpAddr,
    /// The last address, of the same family as the first.
    pub last: IpAddr,
}

impl Range {
    /// Whether the range contains an address.
    pub fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.first.is_ipv4() && self.first <= address && address <= self.last
    }
}

/// Parses an IP address and reports a text that isn't one. Returns `None` for a Flux variable, too.
pub fn address(text: &Text, problems: &mut Vec<Diagnostic>) -> Option<IpAddr> {
    if variable::in_text(text) {
        return None;
    }
    match text.parse() {
        Ok(address) => Some(address),
        Err(_) => {
            let help = if text.contains('/') {
                "remove the `/…`: a gateway has an address, only a pool has a network"
            } else if text.contains(',') {
                "write several addresses as a list: [\"10.10.30.26\", \"fd00::26\"]"
            } else {
                "write an IPv4 address (10.10.30.26), an IPv6 address (fd00::26) or a Flux variable (${ADDRESS})"
            };
            problems.push(
                Diagnostic::new(
                    codes::NETWORK_INVALID_ADDRESS,
                    format!("{:?} is not an IP address", text.value),
                )
                .at(text.span)
                .why("the load balancer would assign no address to the gateway, or a different one")
                .help(help),
            );
            None
        }
    }
}

/// Parses a network and reports a text that isn't one or has host bits set. Returns `None` for a Flux
/// variable, too.
pub fn network(text: &Text, problems: &mut Vec<Diagnostic>) -> Option<IpNet> {
    if variable::in_text(text) {
        return None;
    }
    let Ok(net) = text.parse::<IpNet>() else {
        problems.push(
            Diagnostic::new(
                codes::NETWORK_INVALID_CIDR,
                format!("{:?} is not a network", text.value),
            )
            .at(text.span)
            .why("the API server or Envoy would refuse it")
            .help("write an address and a prefix length, such as 10.42.0.0/16 or fd00::/48"),
        );
        return None;
    };
    if net.network() != net.addr() {
        problems.push(
            Diagnostic::new(
                codes::NETWORK_INVALID_CIDR,
                format!(
                    "{} is an address inside a network, not a network",
                    text.value
                ),
            )
            .at(text.span)
            .why("the bits after the prefix are ignored, so the network is a different one than it seems")
            .help(format!("write {}", net.trunc())),
        );
        return None;
    }
    Some(net)
}

/// Parses a pool: a network, or the first and the last address with `-` between them.
pub fn pool(text: &Text, problems: &mut Vec<Diagnostic>) -> Option<Range> {
    if variable::in_text(text) {
        return None;
    }
    let Some((first, last)) = text.split_once('-') else {
        let net = network(text, problems)?;
        return Some(Range {
            first: net.network(),
            last: net.broadcast(),
        });
    };
    match (
        first.trim().parse::<IpAddr>(),
        last.trim().parse::<IpAddr>(),
    ) {
        (Ok(first), Ok(last)) if first.is_ipv4() == last.is_ipv4() && first <= last => {
            Some(Range { first, last })
        }
        _ => {
            problems.push(
                Diagnostic::new(codes::NETWORK_INVALID_CIDR, format!("{:?} is not a range of addresses", text.value))
                    .at(text.span)
                    .why("Cilium would refuse the pool")
                    .help("write the first and the last address, both IPv4 or both IPv6: 10.10.30.20-10.10.30.40"),
            );
            None
        }
    }
}

/// An address that a gateway requests, with its source position.
#[derive(Clone, Debug)]
pub struct RequestedAddress {
    /// The gateway's name.
    pub gateway: String,
    /// The requested address.
    pub address: IpAddr,
    /// The position of the address in `cluster.toml`.
    pub span: Option<Span>,
}

/// Reports addresses outside all pools. Nothing is reported unless all pools could be read, because a Flux variable
/// among them may stand for anything.
pub fn check_pools(used: &[RequestedAddress], pools: &[Text], problems: &mut Vec<Diagnostic>) {
    let mut ignored = Vec::new();
    let ranges: Vec<Option<Range>> = pools.iter().map(|text| pool(text, &mut ignored)).collect();
    if ranges.is_empty() || ranges.iter().any(Option::is_none) {
        return;
    }
    for one in used {
        if ranges
            .iter()
            .flatten()
            .any(|range| range.contains(one.address))
        {
            continue;
        }
        let listed: Vec<&str> = pools.iter().map(|pool| pool.as_str()).collect();
        problems.push(
            Diagnostic::new(
                codes::NETWORK_OUTSIDE_POOLS,
                format!("the address {} of {} is in none of the pools", one.address, one.gateway),
            )
            .at(one.span)
            .related(pools.first().and_then(|pool| pool.span), "the pools are declared here")
            .why("Cilium assigns only addresses from its pools, so the gateway's Service would stay pending")
            .help(format!("choose an address in {}, or extend a pool", listed.join(" or "))),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifest::diagnostic::Spanned;

    fn text(text: &str) -> Text {
        Spanned::unwritten(text.to_owned())
    }

    #[test]
    fn the_help_for_host_bits_names_the_network() {
        let mut problems = Vec::new();
        assert_eq!(network(&text("10.10.30.7/24"), &mut problems), None);
        assert_eq!(problems[0].help.as_deref(), Some("write 10.10.30.0/24"));
        assert!(network(&text("fd00::/48"), &mut problems).is_some());
        assert_eq!(problems.len(), 1);
    }

    #[test]
    fn pools_include_their_first_and_last_address() {
        let mut problems = Vec::new();
        let range = pool(&text("10.10.30.20-10.10.30.40"), &mut problems).expect("a range");
        for (address, inside) in [
            ("10.10.30.20", true),
            ("10.10.30.40", true),
            ("10.10.30.41", false),
            ("fd00::1", false),
        ] {
            assert_eq!(
                range.contains(address.parse().expect("an address")),
                inside,
                "{address}"
            );
        }
        assert_eq!(pool(&text("10.10.30.40-10.10.30.20"), &mut problems), None);
        assert_eq!(pool(&text("${POOL}"), &mut problems), None);
        assert_eq!(problems.len(), 1);
    }
}
