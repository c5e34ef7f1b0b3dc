//! `[tunnel]` and `dns.endpoint` of gateways, from DNSEndpoints

use super::{Form, Gateway, Lift};
use crate::import::config::{flag, text, texts};
use crate::import::files::{text as text_at, texts as texts_at};
use crate::import::lift::rows::put;
use crate::model::layout::Group;
use crate::model::tunnel::{NAME, TUNNELS};
use manifest::value::{Kind, Node};

const GROUP: &str = "externaldns.k8s.io";

/// What all records of a DNSEndpoint say.
pub(super) struct Records {
    /// The DNSEndpoint.
    pub(super) object: usize,
    /// The names.
    hostnames: Vec<String>,
    /// The targets, in order.
    targets: Vec<String>,
    /// Whether a record is a CNAME.
    is_alias: bool,
    ttl: Option<Node>,
}

impl Lift<'_> {
    fn records(&self) -> Vec<Records> {
        let objects = self.all(GROUP, "DNSEndpoint").into_iter();
        objects
            .filter_map(|object| records(object, self.node(object)))
            .collect()
    }

    /// The DNSEndpoint with a gateway's hostname, if the hostname is that of its target.
    pub(super) fn endpoint_of(&self, target: &str) -> Option<Records> {
        let mut all = self.records().into_iter();
        all.find(|records| {
            let is_tunnel = records.targets.iter().any(|it| it.ends_with(TUNNELS));
            !is_tunnel && records.hostnames == [target]
        })
    }

    /// Sets `dns.endpoint` of a gateway.
    pub(super) fn endpoint(&mut self, gateway: &Gateway, records: &Records) {
        let name = gateway.name.as_str();
        let mut table = Node::map();
        if self.name(records.object) != name {
            put(&mut table, "name", text(self.name(records.object)));
        }
        let address = self.lifted.config.get(&["gateways", name, "address"]);
        let addresses: Vec<&str> = match address.map(|node| &node.kind) {
            Some(Kind::List(items)) => items.iter().filter_map(Node::as_str).collect(),
            Some(Kind::String(one)) => vec![one.as_str()],
            _ => Vec::new(),
        };
        if records.targets != addresses {
            put(&mut table, "targets", texts(&records.targets));
        }
        if let Some(ttl) = &records.ttl {
            put(&mut table, "ttl", ttl.clone());
        }
        let is_plain = table.as_map().is_some_and(manifest::value::Map::is_empty);
        let value = if is_plain { flag(true) } else { table };
        self.set(&["gateways", name, "dns", "endpoint"], value);
        self.slot_of(
            records.object,
            &["gateways", name, "dns", "endpoint"],
            Form::Object,
            Group::Dns,
            Some(name),
        );
    }

    /// The DNSEndpoint that leads to a Cloudflare tunnel.
    pub(super) fn tunnel(&mut self) {
        let tunnel = self.records().into_iter().find_map(|records| {
            let [target] = records.targets.as_slice() else {
                return None;
            };
            let id = target.strip_suffix(TUNNELS)?.to_owned();
            records.is_alias.then_some((records, id))
        });
        let Some((records, id)) = tunnel else { return };
        let of = |gateway: &Gateway| {
            let (hostname, target) = self.dns_of(gateway.object);
            target.or(hostname)
        };
        let own = self.gateways.iter().filter(|gateway| {
            of(gateway).is_some_and(|target| records.hostnames.contains(&target))
        });
        let own: Vec<&Gateway> = own.collect();
        if own.is_empty() {
            return;
        }
        let mut table = Node::map();
        put(&mut table, "id", text(id));
        if self.gateways.len() > 1 {
            let names = own.iter().map(|gateway| gateway.name.as_str());
            put(&mut table, "gateways", texts(names.collect::<Vec<_>>()));
        }
        let mut targets: Vec<String> = own.iter().filter_map(|gateway| of(gateway)).collect();
        targets.dedup();
        if targets != records.hostnames {
            put(&mut table, "hostnames", texts(&records.hostnames));
        }
        if self.name(records.object) != NAME {
            put(&mut table, "name", text(self.name(records.object)));
        }
        if let Some(proxied) = proxied(self.node(records.object)) {
            put(&mut table, "proxied", flag(proxied));
        }
        self.set(&["tunnel"], table);
        self.slot(records.object, &["tunnel"], Form::Object, Group::Dns);
    }
}

fn records(object: usize, node: &Node) -> Option<Records> {
    let endpoints = node.path(&["spec", "endpoints"])?.as_list()?;
    let mut records = Records {
        object,
        hostnames: Vec::new(),
        targets: Vec::new(),
        is_alias: false,
        ttl: endpoints.first()?.get("recordTTL").cloned(),
    };
    for endpoint in endpoints {
        let hostname = text_at(endpoint, &["dnsName"]).to_owned();
        if !records.hostnames.contains(&hostname) {
            records.hostnames.push(hostname);
        }
        for target in texts_at(endpoint, "targets") {
            if !records.targets.iter().any(|there| there == target) {
                records.targets.push(target.to_owned());
            }
        }
        records.is_alias |= text_at(endpoint, &["recordType"]) == "CNAME";
    }
    Some(records)
}

/// Whether Cloudflare proxies the records, if a DNSEndpoint says so.
fn proxied(node: &Node) -> Option<bool> {
    let endpoints = node.path(&["spec", "endpoints"])?.as_list()?;
    let specific = endpoints.first()?.get("providerSpecific")?.as_list()?;
    let proxied = specific
        .iter()
        .find(|one| text_at(one, &["name"]).ends_with("/cloudflare-proxied"))?;
    text_at(proxied, &["value"]).parse().ok()
}
