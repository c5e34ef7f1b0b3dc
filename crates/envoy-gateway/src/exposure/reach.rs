//! The side of the network that a gateway faces.
//! No object states it. These are the signs, the most reliable first: an IPv4 address that is reachable from the
//! whole Internet; a word in the gateway's name, in the name of its class, or in the target of its DNS
//! records; a global IPv6 address. A private address proves nothing, because there may be a router or a tunnel in front of
//! it. Nor does a global IPv6 address beside a private IPv4 one: hosts in networks with both have such addresses, and a
//! firewall decides who reaches them.

use std::net::IpAddr;

use super::table::{Reach, Side};

/// Words in names that indicate a side.
const WORDS: &[(Side, &[&str])] = &[
    (
        Side::External,
        &["external", "ext", "public", "internet", "wan", "dmz"],
    ),
    (
        Side::Internal,
        &[
            "internal", "int", "private", "priv", "lan", "local", "intranet",
        ],
    ),
];

/// Determines a gateway's side from its name, its class, its addresses and the target of its DNS records.
pub fn reach(name: &str, class: &str, addresses: &[String], target: Option<&str>) -> Reach {
    let parsed: Vec<IpAddr> = addresses
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect();
    let public = |is_wanted: fn(&IpAddr) -> bool| {
        let mut wanted = parsed.iter().filter(|address| is_wanted(address));
        let address = wanted.find(|address| is_public(**address))?;
        Some(Reach {
            side: Side::External,
            why: format!("its address {address} is public"),
        })
    };
    if let Some(reach) = public(IpAddr::is_ipv4) {
        return reach;
    }
    // Only the first label of a target is used; the rest is the domain.
    let target = target.map(|it| it.split('.').next().unwrap_or(it));
    let texts = [
        ("its name", Some(name)),
        ("its class's name", Some(class)),
        ("the target of its DNS records", target),
    ];
    for (what, text) in texts {
        if let Some((side, word)) = text.and_then(word) {
            return Reach {
                side,
                why: format!("{what} contains `{word}`"),
            };
        }
    }
    match parsed.iter().any(IpAddr::is_ipv4) {
        true => Reach::default(),
        false => public(IpAddr::is_ipv6).unwrap_or_default(),
    }
}

/// The side that a word in a name indicates; `None` if there is none, or if there are words for both sides.
fn word(name: &str) -> Option<(Side, &'static str)> {
    let parts = || name.split(['-', '_', '.']).map(str::to_lowercase);
    let found = |description: &[&'static str]| {
        description
            .iter()
            .copied()
            .find(|word| parts().any(|part| part == *word))
    };
    let mut sides = WORDS
        .iter()
        .filter_map(|(side, description)| Some((*side, found(description)?)));
    match (sides.next(), sides.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// Whether an address can be reached from anywhere (without the special networks of RFC 6890).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => {
            let [first, second, ..] = it.octets();
            let is_shared = first == 100 && (64..128).contains(&second);
            !(it.is_private()
                || it.is_loopback()
                || it.is_link_local()
                || it.is_unspecified()
                || it.is_multicast()
                || it.is_broadcast()
                || is_shared)
        }
        IpAddr::V6(it) => matches!(it.segments(), [0x2000..=0x3fff, ..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_public_addresses_determine_the_side() {
        type Row<'a> = (&'a str, &'a str, &'a [&'a str], Option<&'a str>, Side);
        let rows: &[Row<'_>] = &[
            (
                "envoy-external",
                "envoy",
                &["10.10.30.26"],
                None,
                Side::External,
            ),
            (
                "envoy-internal",
                "envoy",
                &["10.10.30.25"],
                None,
                Side::Internal,
            ),
            ("internal", "envoy", &["203.0.113.9"], None, Side::External),
            ("main", "envoy-private", &[], None, Side::Internal),
            (
                "main",
                "envoy",
                &[],
                Some("ingress-ext.example.com"),
                Side::External,
            ),
            (
                "main",
                "envoy",
                &["10.10.30.26"],
                Some("lan.example.com"),
                Side::Internal,
            ),
            (
                "main",
                "envoy",
                &["100.64.0.1", "fd00::1"],
                Some("www.external.com"),
                Side::Unknown,
            ),
            ("external-internal", "envoy", &[], None, Side::Unknown),
            ("extra", "envoy", &["${ADDRESS}"], None, Side::Unknown),
            ("main", "envoy", &["2001:db8::1"], None, Side::External),
            (
                "envoy-internal",
                "envoy",
                &["10.10.30.25", "2001:db8::1"],
                None,
                Side::Internal,
            ),
            (
                "envoy-internal",
                "envoy",
                &["2001:db8::1"],
                None,
                Side::Internal,
            ),
            (
                "main",
                "envoy",
                &["10.10.30.25", "2001:db8::1"],
                None,
                Side::Unknown,
            ),
        ];
        for (name, class, addresses, target, want) in rows {
            let addresses: Vec<String> = addresses.iter().map(|it| (*it).to_owned()).collect();
            let reach = reach(name, class, &addresses, *target);
            assert_eq!(reach.side, *want, "{name} {class} {addresses:?} {target:?}");
            assert_eq!(reach.why.is_empty(), *want == Side::Unknown, "{reach:?}");
        }
    }
}
