//! Addresses, networks and pools.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::config::Text;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::value::variable;

/// Addresses from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first.
    pub first: IpAddr,
    /// The last; of the same family.
    pub last: IpAddr,
}

impl Range {
    /// Whether an address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.first.is_ipv4() && self.first <= address && address <= self.last
    }
}

/// Reads an address, reporting one that is none; `None` for a Flux variable too.
pub fn address(text: &Text, problems: &mut Vec<Diagnostic>) -> Option<IpAddr> {
    if variable::in_text(text) {
        return None;
    }
    match text.parse() {
        Ok(address) => Some(address),
        Err(_) => {
            let help = if text.contains('/') {
                "leave the `/…` out: a gateway has an address, a pool has a network"
            } else if text.contains(',') {
                "write several addresses as a list: [\"10.10.30.26\", \"fd00::26\"]"
            } else {
                "write an IPv4 address (10.10.30.26), an IPv6 address (fd00::26) or a Flux variable (${ADDRESS})"
            };
            problems.push(
                Diagnostic::new(
                    Code::NetworkInvalidAddress,
                    format!("{:?} is no address", text.value),
                )
                .at(text.span)
                .why("the load balancer would give the gateway no address, or another one")
                .help(help),
            );
            None
        }
    }
}

/// Reads a network, reporting one that is none or has host bits; `None` for a Flux variable too.
pub fn network(text: &Text, problems: &mut Vec<Diagnostic>) -> Option<IpNet> {
    if variable::in_text(text) {
        return None;
    }
    let Ok(net) = text.parse::<IpNet>() else {
        problems.push(
            Diagnostic::new(
                Code::NetworkInvalidCidr,
                format!("{:?} is no network", text.value),
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
                Code::NetworkInvalidCidr,
                format!(
                    "{} is an address inside a network, not a network",
                    text.value
                ),
            )
            .at(text.span)
            .why("the bits after the prefix would be ignored, so it doesn't mean what it says")
            .help(format!("write {}", net.trunc())),
        );
        return None;
    }
    Some(net)
}

/// Reads a pool: a network, or two addresses with `-` between them.
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
                Diagnostic::new(Code::NetworkInvalidCidr, format!("{:?} is no range of addresses", text.value))
                    .at(text.span)
                    .why("Cilium would refuse the pool")
                    .help("write the first and the last address, both of one family: 10.10.30.20-10.10.30.40"),
            );
            None
        }
    }
}

/// A gateway's address and where it was written.
#[derive(Clone, Debug)]
pub struct Used {
    /// The gateway.
    pub gateway: String,
    /// The address.
    pub address: IpAddr,
    /// Its place.
    pub span: Option<Span>,
}

/// Reports addresses outside every pool. Pools count only where all of them could be read: a Flux variable among them
/// could hold anything.
pub fn check_pools(used: &[Used], pools: &[Text], problems: &mut Vec<Diagnostic>) {
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
                Code::NetworkOutsidePools,
                format!("{} of {} is in none of the pools", one.address, one.gateway),
            )
            .at(one.span)
            .related(pools.first().and_then(|pool| pool.span), "the pools are declared here")
            .why("Cilium gives out addresses of its pools only: the gateway's Service would stay pending")
            .help(format!("choose an address in {}, or widen a pool", listed.join(" or "))),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Spanned;

    fn text(text: &str) -> Text {
        Spanned::unwritten(text.to_owned())
    }

    #[test]
    fn networks_with_host_bits_are_told_their_network() {
        let mut problems = Vec::new();
        assert_eq!(network(&text("10.10.30.7/24"), &mut problems), None);
        assert_eq!(problems[0].help.as_deref(), Some("write 10.10.30.0/24"));
        assert!(network(&text("fd00::/48"), &mut problems).is_some());
        assert_eq!(problems.len(), 1);
    }

    #[test]
    fn pools_hold_their_ends() {
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
