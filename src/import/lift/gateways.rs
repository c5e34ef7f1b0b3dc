//! `[gateways.NAME]`, `[dns]`, `domain`, `certificates`

use super::{Form, Gateway, Lift};
use crate::import::config::{flag, list, pairs, text, texts};
use crate::import::files::{GATEWAY_API, text as text_at};
use crate::model::dns::{DNS_PREFIX, LEGACY_DNS_PREFIX};
use crate::model::layout::Group;
use crate::model::names::{self, Rule, short};
use manifest::value::{Map, Node, variable};

/// The suffixes of the annotations for a gateway's DNS name and DNS target.
const HOSTNAME: &str = "/hostname";
const TARGET: &str = "/target";

/// The prefixes of external-dns' annotations that are written by default.
const EXTERNAL_DNS: [&str; 2] = [LEGACY_DNS_PREFIX, DNS_PREFIX];

/// Cilium's annotations with addresses, and the IP family of each.
const ADDRESSES: [(&str, Option<&str>); 2] = [
    ("lbipam.cilium.io/ips", None),
    ("io.cilium/lb-ipam-ips", Some("legacy-annotation")),
];

/// The strings of a map, by key.
fn annotations<'a>(node: &'a Node, path: &[&str]) -> Vec<(&'a str, &'a str)> {
    let map = node.path(path).and_then(Node::as_map);
    let entries = map.into_iter().flat_map(|map| map.iter());
    entries
        .filter_map(|(key, value)| Some((key, value.as_str()?)))
        .collect()
}

const OBJECT: [&str; 2] = ["metadata", "annotations"];
const MADE: [&str; 3] = ["spec", "infrastructure", "annotations"];

/// The most frequent element; the first one if several are equally frequent.
pub(super) fn most<T: Clone + PartialEq>(all: impl IntoIterator<Item = T>) -> Option<T> {
    let mut counted: Vec<(T, usize)> = Vec::new();
    for one in all {
        match counted.iter_mut().find(|(there, _)| *there == one) {
            Some((_, count)) => *count += 1,
            None => counted.push((one, 1)),
        }
    }
    let most = counted.iter().map(|(_, count)| *count).max()?;
    counted
        .into_iter()
        .find(|(_, count)| *count == most)
        .map(|(one, _)| one)
}

impl Lift<'_> {
    pub(super) fn find_gateways(&mut self) {
        for object in self.all(GATEWAY_API, "Gateway") {
            let node = self.node(object);
            let name = self.name(object);
            let class = text_at(node, &["spec", "gatewayClassName"]);
            if variable::in_text(name) || !names::follows(Rule::Label, name) {
                continue;
            }
            // Creates its table, so that the tables keep this order.
            self.extend(&["gateways", name], Map::default());
            self.gateways.push(Gateway {
                object,
                name: name.to_owned(),
                class: class.to_owned(),
                proxy: None,
            });
        }
    }

    /// The DNS name of the gateway, and the target of the DNS records of its routes.
    pub(super) fn dns_of(&self, object: usize) -> (Option<String>, Option<String>) {
        let of = |path: &[&str], suffix: &str| {
            let key = format!("{}{suffix}", self.prefix);
            let all = annotations(self.node(object), path).into_iter();
            all.filter(|(there, _)| *there == key)
                .map(|(_, value)| value.to_owned())
                .next()
        };
        (of(&MADE, HOSTNAME), of(&OBJECT, TARGET))
    }

    /// The domain, the prefix of the annotations, and the certificate of most listeners.
    pub(super) fn dns(&mut self) {
        let nodes: Vec<&Node> = self
            .gateways
            .iter()
            .map(|gateway| self.node(gateway.object))
            .collect();
        let prefixes = nodes.iter().flat_map(|node| {
            let made = annotations(node, &MADE)
                .into_iter()
                .map(|(key, _)| key.strip_suffix(HOSTNAME));
            let own = annotations(node, &OBJECT)
                .into_iter()
                .map(|(key, _)| key.strip_suffix(TARGET));
            made.chain(own)
                .flatten()
                .filter(|prefix| prefix.contains("dns"))
                .collect::<Vec<_>>()
        });
        let prefixes: Vec<&str> = prefixes.collect();
        let has_both = EXTERNAL_DNS.iter().all(|prefix| prefixes.contains(prefix));
        let prefix = match has_both {
            true => Some(LEGACY_DNS_PREFIX.to_owned()),
            false => most(prefixes).map(str::to_owned),
        };
        let certificates = nodes.iter().flat_map(|node| {
            let listeners = node.path(&["spec", "listeners"]).and_then(Node::as_list);
            let listeners = listeners.unwrap_or_default().iter();
            listeners
                .filter_map(super::listeners::certificates)
                .collect::<Vec<_>>()
        });
        let certificates = most(certificates);
        let routes = self.all(GATEWAY_API, "HTTPRoute");
        let routes: Vec<String> = routes
            .into_iter()
            .flat_map(|at| annotations(self.node(at), &OBJECT))
            .filter_map(|(key, _)| key.strip_suffix("/controller"))
            .filter(|prefix| EXTERNAL_DNS.contains(prefix))
            .map(str::to_owned)
            .collect();
        let of_routes = |prefix: &&str| routes.iter().any(|there| there == prefix);
        match &prefix {
            Some(_) if has_both => {}
            Some(prefix) => self.set(&["dns", "annotation_prefix"], text(prefix.as_str())),
            None => {
                let used: Vec<&str> = EXTERNAL_DNS.into_iter().filter(of_routes).collect();
                match used.as_slice() {
                    [] => self.set(&["dns", "enabled"], flag(false)),
                    [only] => self.set(&["dns", "annotation_prefix"], text(*only)),
                    _ => {}
                }
            }
        }
        self.prefix = prefix.unwrap_or_default();
        self.has_both_prefixes = has_both;
        self.domain = self.find_domain();
        if let Some(domain) = self.domain.clone() {
            self.set(&["domain"], text(domain));
        }
        if let Some(certificates) = certificates {
            self.set(&["certificates"], texts(certificates));
        }
    }

    /// The domain of most gateways' DNS names; else the one that contains all of them.
    fn find_domain(&self) -> Option<String> {
        let names = self.gateways.iter().filter_map(|gateway| {
            let (hostname, _) = self.dns_of(gateway.object);
            Some((gateway.name.as_str(), hostname?))
        });
        let names: Vec<(&str, String)> = names.collect();
        let derived = names.iter().filter_map(|(gateway, hostname)| {
            let rest = hostname.strip_prefix(short(gateway))?.strip_prefix('.')?;
            Some(rest.to_owned())
        });
        let is_domain = |text: &String| {
            names::follows(Rule::Subdomain, text) && (text.contains('.') || variable::in_text(text))
        };
        let above = names.iter().filter_map(|(_, hostname)| {
            let (first, rest) = hostname.split_once('.')?;
            (!first.contains('$')).then(|| rest.to_owned())
        });
        most(derived.filter(is_domain)).or_else(|| {
            let all: Vec<String> = above.filter(is_domain).collect();
            let same = all.iter().all(|other| Some(other) == all.first());
            all.first()
                .filter(|_| same && all.len() == names.len())
                .cloned()
        })
    }

    pub(super) fn lift_gateways(&mut self) {
        let streams = self.streams();
        for gateway in self.gateways.clone() {
            let name = gateway.name.as_str();
            self.address(&gateway);
            self.gateway_dns(&gateway);
            self.listeners(&gateway, &streams);
            self.slot_of(
                gateway.object,
                &["gateways", name],
                Form::Gateway,
                Group::Gateways,
                Some(name),
            );
        }
    }

    fn address(&mut self, gateway: &Gateway) {
        let node = self.node(gateway.object);
        let table = ["gateways", gateway.name.as_str()];
        let set = |lift: &mut Self, addresses: Vec<&str>, how: Option<&str>| {
            lift.set(&[table[0], table[1], "address"], texts(addresses));
            if let Some(how) = how {
                lift.set(&[table[0], table[1], "address_as"], text(how));
            }
        };
        for (key, how) in ADDRESSES {
            let all = annotations(node, &MADE).into_iter();
            let found = all
                .filter(|(there, _)| *there == key)
                .map(|(_, value)| value)
                .next();
            let Some(found) = found else { continue };
            let parts: Vec<&str> = match variable::in_text(found) {
                true => vec![found],
                false => found.split(',').collect(),
            };
            // If there are blanks between them, for example, the list would be rendered differently.
            if parts
                .iter()
                .all(|part| variable::in_text(part) || part.parse::<std::net::IpAddr>().is_ok())
            {
                return set(self, parts, how);
            }
        }
        let listed = node
            .path(&["spec", "addresses"])
            .and_then(Node::as_list)
            .unwrap_or_default();
        let values: Vec<&str> = listed
            .iter()
            .filter(|address| text_at(address, &["type"]) == "IPAddress")
            .map(|address| text_at(address, &["value"]))
            .collect();
        if values.is_empty() || values.len() != listed.len() {
            self.set(&["gateways", &gateway.name, "address"], list::<&str>([]));
        } else {
            set(self, values, Some("spec"));
        }
    }

    /// `dns`, and the annotations that no setting renders.
    fn gateway_dns(&mut self, gateway: &Gateway) {
        let name = gateway.name.as_str();
        let (hostname, target) = self.dns_of(gateway.object);
        let endpoint = match (&hostname, &target) {
            (None, Some(target)) => self.endpoint_of(target),
            _ => None,
        };
        let hostname = hostname.or_else(|| target.clone().filter(|_| endpoint.is_some()));
        let derived = self
            .domain
            .as_ref()
            .map(|domain| format!("{}.{domain}", short(name)));
        let is_off = self.lifted.config.get(&["dns", "enabled"]).is_some();
        let on = match (&hostname, &target) {
            (Some(hostname), Some(target)) => {
                if Some(hostname) != derived.as_ref() {
                    self.set(
                        &["gateways", name, "dns", "hostname"],
                        text(hostname.as_str()),
                    );
                }
                if target != hostname {
                    self.set(&["gateways", name, "dns", "target"], text(target.as_str()));
                }
                true
            }
            _ => {
                if !is_off && derived.is_some() {
                    self.set(&["gateways", name, "dns", "enabled"], flag(false));
                }
                false
            }
        };
        if let Some(endpoint) = &endpoint {
            self.endpoint(gateway, endpoint);
        }
        let is_hostname = |key: &str| {
            let prefix = key.strip_suffix(HOSTNAME);
            prefix.is_some_and(|prefix| {
                prefix == self.prefix || self.has_both_prefixes && EXTERNAL_DNS.contains(&prefix)
            })
        };
        let node = self.node(gateway.object);
        let made = annotations(node, &MADE).into_iter();
        let addresses = self
            .lifted
            .config
            .get(&["gateways", name, "address_as"])
            .and_then(Node::as_str);
        let has_address = self.lifted.config.get(&["gateways", name, "address"]);
        let has_address =
            has_address.is_some_and(|node| node.as_list().is_none_or(|all| !all.is_empty()));
        let own = made.filter(|(key, _)| {
            let is_address = has_address
                && ADDRESSES
                    .iter()
                    .any(|(there, how)| there == key && *how == addresses);
            let is_name = on && is_hostname(key);
            !is_address && !is_name
        });
        let own: Vec<(&str, &str)> = own.collect();
        if !own.is_empty() {
            self.set(
                &["gateways", name, "infrastructure", "annotations"],
                pairs(own),
            );
        }
        let labels = annotations(node, &["spec", "infrastructure", "labels"]);
        if !labels.is_empty() {
            self.set(
                &["gateways", name, "infrastructure", "labels"],
                pairs(labels),
            );
        }
    }
}
