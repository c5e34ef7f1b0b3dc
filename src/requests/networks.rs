//! Where requests come from: names of networks, and addresses that stand for all of a network.
//!
//! What happens to a request may depend on the client's address. So a network is tried with its first and its last address,
//! and with those at the borders of every network that a SecurityPolicy names: between them, nothing can change.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use crate::config::codes;
use crate::config::{Named, Text, Texts};
use envoy_gateway::exposure::reach::is_public;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::{listed, nearest};
use manifest::value::{Kind, Node};

/// The most addresses that stand for a network.
const MOST_ADDRESSES: usize = 64;

/// The networks of RFC 1918, which `lan` means where `[networks]` doesn't say what it is.
const PRIVATE: [&str; 3] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

/// Addresses that stand for anybody on the Internet, the preferred ones first. No rule should name them.
const ANYBODY: [[u8; 4]; 3] = [[203, 0, 113, 1], [198, 51, 100, 1], [192, 0, 2, 1]];

/// Where a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is not given.
    Unknown,
    /// From anybody on the Internet.
    Internet,
    /// From a network, by the name that the test gives.
    Network(String, Vec<IpNet>),
    /// From an address.
    Address(IpAddr),
}

impl Origin {
    /// The end of a sentence about a request: ` from the Internet`.
    pub fn shown(&self) -> String {
        match self {
            Origin::Unknown => String::new(),
            Origin::Internet => " from the Internet".to_owned(),
            Origin::Network(name, _) => format!(" from {name}"),
            Origin::Address(address) => format!(" from {address}"),
        }
    }

    /// Whether the request comes from the Internet, from where internal gateways can't be reached.
    pub fn is_internet(&self) -> bool {
        match self {
            Origin::Internet => true,
            // Hosts in internal networks have global IPv6 addresses, too.
            Origin::Address(address) => address.is_ipv4() && is_public(*address),
            Origin::Unknown | Origin::Network(..) => false,
        }
    }

    /// The addresses to try. `named` are the networks that policies name.
    pub fn addresses(&self, named: &[IpNet]) -> Vec<Option<IpAddr>> {
        match self {
            Origin::Unknown => vec![None],
            Origin::Address(address) => vec![Some(*address)],
            Origin::Internet => {
                let mut all = ANYBODY.iter().map(|it| IpAddr::V4(Ipv4Addr::from(*it)));
                let is_named = |address: &IpAddr| {
                    named
                        .iter()
                        .any(|it| it.prefix_len() > 1 && it.contains(address))
                };
                let free = all.clone().find(|address| !is_named(address));
                vec![free.or_else(|| all.next())]
            }
            Origin::Network(_, networks) => {
                let mut all = BTreeSet::new();
                for network in networks {
                    all.extend([first(network), network.broadcast()]);
                    for other in named.iter().filter(|other| network.contains(*other)) {
                        all.extend([first(other), other.broadcast()]);
                        all.extend(after(other.broadcast()).filter(|it| network.contains(it)));
                    }
                }
                all.into_iter().take(MOST_ADDRESSES).map(Some).collect()
            }
        }
    }
}

/// The first address of a network that a host can have.
fn first(network: &IpNet) -> IpAddr {
    network.hosts().next().unwrap_or(network.network())
}

fn after(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(it) => it
            .to_bits()
            .checked_add(1)
            .map(|it| Ipv4Addr::from_bits(it).into()),
        IpAddr::V6(it) => {
            let next = it.to_bits().checked_add(1);
            next.map(|it| std::net::Ipv6Addr::from_bits(it).into())
        }
    }
}

/// The networks that policies name in rules about the client's address.
pub fn named_in<'o>(objects: impl IntoIterator<Item = &'o Object>) -> Vec<IpNet> {
    let mut found = BTreeSet::new();
    for object in objects {
        if matches!(object.kind(), "SecurityPolicy" | "ClientTrafficPolicy") {
            collect(&object.node, &mut found);
        }
    }
    found.into_iter().collect()
}

fn collect(node: &Node, found: &mut BTreeSet<IpNet>) {
    match &node.kind {
        Kind::String(text) => found.extend(network(text)),
        Kind::List(items) => items.iter().for_each(|item| collect(item, found)),
        Kind::Map(map) => map.iter().for_each(|(_, value)| collect(value, found)),
        _ => {}
    }
}

/// A network, or the network of a single address.
fn network(text: &str) -> Option<IpNet> {
    let network = text.parse::<IpNet>().ok();
    network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// The networks that tests may name.
#[derive(Clone, Debug, Default)]
pub struct Networks(Vec<(String, Vec<IpNet>)>);

impl Networks {
    /// Reads `[networks]`. Adds what is wrong with it to `problems`.
    pub fn read(table: &Named<Texts>, problems: &mut Vec<Diagnostic>) -> Self {
        let mut all = Vec::new();
        for (name, texts) in table.iter() {
            let mut networks = Vec::new();
            for text in texts.iter() {
                match network(text) {
                    Some(network) => networks.push(network.trunc()),
                    None => problems.push(
                        Diagnostic::new(
                            codes::CONFIG_INVALID_VALUE,
                            format!("`{}` is not a network", text.value),
                        )
                        .at(text.span)
                        .why("it is not known which addresses the network has")
                        .help("write an address or a CIDR, such as 10.10.30.0/24"),
                    ),
                }
            }
            all.push((name.value.clone(), networks));
        }
        Networks(all)
    }

    /// Adds the networks of another table; those that are there already are kept.
    pub fn add(&mut self, other: Networks) {
        for (name, networks) in other.0 {
            if !self.0.iter().any(|(known, _)| *known == name) {
                self.0.push((name, networks));
            }
        }
    }

    /// What `from` means.
    ///
    /// # Errors
    /// If it is neither an address, nor a network, nor the name of one.
    pub fn origin(&self, from: &Text) -> Result<Origin, Box<Diagnostic>> {
        let name = from.value.as_str();
        let own = self.0.iter().find(|(known, _)| known == name);
        if let Some((_, networks)) = own.filter(|(_, networks)| !networks.is_empty()) {
            return Ok(Origin::Network(name.to_owned(), networks.clone()));
        }
        match name {
            "internet" => return Ok(Origin::Internet),
            "lan" => {
                let private = PRIVATE
                    .iter()
                    .filter_map(|text| text.parse().ok())
                    .collect();
                return Ok(Origin::Network("lan".to_owned(), private));
            }
            _ => {}
        }
        if let Ok(address) = name.parse() {
            return Ok(Origin::Address(address));
        }
        if let Ok(network) = name.parse::<IpNet>() {
            return Ok(Origin::Network(name.to_owned(), vec![network.trunc()]));
        }
        let own = self.0.iter().map(|(name, _)| name.as_str());
        let known: Vec<&str> = ["internet", "lan"].into_iter().chain(own).collect();
        let help = match nearest(name, known.iter().copied()) {
            Some(near) => format!("write `{near}`"),
            None => format!(
                "write an address, a network, or a name; these are known: {}",
                listed(known.iter())
            ),
        };
        let message = format!("`{name}` is not a network that is known");
        Err(Box::new(
            Diagnostic::new(codes::CONFIG_UNKNOWN_REFERENCE, message)
                .at(from.span)
                .why("it is not known where the request comes from, so the test is not run")
                .help(format!("{help}; `[networks]` gives names to networks")),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|text| text.parse().expect(text)).collect()
    }

    fn tried(origin: &Origin, named: &[&str]) -> Vec<String> {
        let addresses = origin.addresses(&networks(named));
        addresses
            .into_iter()
            .flatten()
            .map(|it| it.to_string())
            .collect()
    }

    #[test]
    fn a_network_is_tried_at_each_border_of_the_networks_that_rules_name() {
        let lan = Origin::Network("lan".to_owned(), networks(&["10.10.30.0/24"]));
        assert_eq!(tried(&lan, &[]), ["10.10.30.1", "10.10.30.255"]);
        assert_eq!(
            tried(&lan, &["10.10.30.64/26", "192.0.2.0/24"]),
            [
                "10.10.30.1",
                "10.10.30.65",
                "10.10.30.127",
                "10.10.30.128",
                "10.10.30.255"
            ]
        );
    }

    #[test]
    fn anybody_on_the_internet_is_nobody_that_a_rule_names() {
        assert_eq!(tried(&Origin::Internet, &["0.0.0.0/0"]), ["203.0.113.1"]);
        assert_eq!(
            tried(&Origin::Internet, &["203.0.113.0/24"]),
            ["198.51.100.1"]
        );
    }
}
