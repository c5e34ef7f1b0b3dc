//! Who publishes DNS records: external-dns, k8s-gateway, and DNSEndpoints.
//!
//! [`publisher`](super::publisher) reads them. Of external-dns its sources, the filters on gateways, routes and domains are read, from the arguments of a
//! Deployment or the values of a HelmRelease (external-dns 0.22, its chart 1.22). The annotations of both prefixes are
//! known, that before 0.22 and that since. What only its templates and regular expressions would tell makes a record
//! uncertain.

use super::publisher::{Filter, Publisher, deployment, endpoints, release};
use super::selector::Selector;
use super::table::{NoRecord, Record, Records};
use crate::RouteKind;
use crate::index::Key;
use crate::read::text;
use manifest::Object;
use manifest::value::variable;

/// The prefixes of external-dns' annotations: since 0.22, and before.
const PREFIXES: [&str; 2] = [
    "external-dns.kubernetes.io/",
    "external-dns.alpha.kubernetes.io/",
];

/// An annotation of external-dns.
pub fn annotation<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    let annotations = object.node.path(&["metadata", "annotations"])?;
    PREFIXES
        .iter()
        .find_map(|prefix| annotations.get(&format!("{prefix}{name}"))?.as_str())
}

/// The publishers at hand, and the records that DNSEndpoints hold.
#[derive(Debug, Default)]
pub struct Publishers<'a> {
    all: Vec<Publisher<'a>>,
    /// Names, and the objects and targets that give them.
    endpoints: Vec<(&'a str, Record)>,
}

/// A route at a gateway, under one of its hostnames.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The hostname.
    pub hostname: &'a str,
    /// The Gateway.
    pub gateway: &'a Object,
    /// The kind of route.
    pub kind: RouteKind,
    /// The route.
    pub route: &'a Object,
    /// Where the gateway's records lead, where it is said.
    pub target: Option<&'a str>,
}

/// How sure something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sure {
    No,
    Perhaps,
    Yes,
}

impl Sure {
    fn of(holds: bool) -> Self {
        if holds { Sure::Yes } else { Sure::No }
    }
}

impl<'a> Publishers<'a> {
    /// Those among the objects.
    pub fn of(objects: &'a [Object]) -> Self {
        let charts: Vec<&Object> = objects
            .iter()
            .filter(|it| it.kind() == "OCIRepository")
            .collect();
        let mut publishers = Publishers::default();
        for object in objects {
            match object.kind() {
                "HelmRelease" => publishers.all.extend(release(object, &charts)),
                "Deployment" => publishers.all.extend(deployment(object)),
                "DNSEndpoint" => publishers.endpoints.extend(endpoints(object)),
                _ => {}
            }
        }
        publishers
    }

    /// The records of a hostname, for the routes that have it.
    pub fn records(&self, asked: &[Asked<'_>]) -> Records {
        let mut all: Vec<Record> = Vec::new();
        for one in asked {
            let published = self.all.iter().filter_map(|it| it.record(one));
            let known = self
                .endpoints
                .iter()
                .filter(|(name, _)| *name == one.hostname);
            for record in published.chain(known.map(|(_, record)| record.clone())) {
                let same = all
                    .iter_mut()
                    .find(|it| it.by == record.by && it.target == record.target);
                match same {
                    Some(same) => same.is_certain |= record.is_certain,
                    None => all.push(record),
                }
            }
        }
        all.sort();
        let none = match (all.is_empty(), asked.iter().all(|one| one.hostname == "*")) {
            (false, _) => None,
            (true, true) => Some(NoRecord::Nameless),
            (true, false)
                if self.all.is_empty() && !asked.iter().all(|it| is_refused(it.route)) =>
            {
                Some(NoRecord::NotKnown)
            }
            _ => Some(NoRecord::Nobody),
        };
        Records { all, none }
    }
}

impl Publisher<'_> {
    fn record(&self, asked: &Asked<'_>) -> Option<Record> {
        let sure = self.filter.takes(asked);
        (sure != Sure::No).then(|| Record {
            by: self.by.clone(),
            provider: self.provider.clone(),
            // Only external-dns heeds the annotation; k8s-gateway answers with the gateway's address.
            target: asked
                .target
                .filter(|_| self.filter.reads_annotations)
                .map(str::to_owned),
            is_certain: sure == Sure::Yes,
        })
    }
}

impl Filter<'_> {
    fn takes(&self, asked: &Asked<'_>) -> Sure {
        let (gateway, route) = (Key::of(asked.gateway), Key::of(asked.route));
        let same = |filter: Option<&str>, found: &str| {
            filter.is_none_or(|it| text_is(it, found) != Sure::No)
        };
        let class = text(&asked.gateway.node, &["spec", "gatewayClassName"]).unwrap_or_default();
        let labels = |selector: &Option<Selector>, object: &Object, below: &str| {
            let map = object.node.path(&["metadata", below]);
            let label = |key: &str| map.and_then(|map| map.get(key)?.as_str());
            selector.as_ref().is_none_or(|it| it.matches(label))
        };
        let is_out = asked.hostname == "*"
            || !same(self.gateway, gateway.name)
            || !same(self.gateway_namespace, gateway.namespace)
            || !same(self.namespace, route.namespace)
            || !(self.classes.is_empty() || self.classes.contains(&class))
            || !labels(&self.gateway_labels, asked.gateway, "labels")
            || !labels(&self.labels, asked.route, "labels")
            || !labels(&self.annotations, asked.route, "annotations")
            || (self.reads_annotations && is_left_out(asked));
        if is_out {
            return Sure::No;
        }
        let kinds = match &self.kinds {
            Some(kinds) => Sure::of(kinds.contains(&asked.kind)),
            None => Sure::Perhaps,
        };
        let included = self
            .domains
            .iter()
            .map(|domain| within(asked.hostname, domain))
            .max();
        let excluded = self
            .excluded
            .iter()
            .map(|domain| within(asked.hostname, domain))
            .max();
        let excluded = match excluded.unwrap_or(Sure::No) {
            Sure::Yes => Sure::No,
            Sure::Perhaps => Sure::Perhaps,
            Sure::No => Sure::Yes,
        };
        let open = if self.is_open {
            Sure::Perhaps
        } else {
            Sure::Yes
        };
        kinds
            .min(included.unwrap_or(Sure::Yes))
            .min(excluded)
            .min(open)
    }
}

/// Whether annotations of the route keep external-dns from it.
fn is_left_out(asked: &Asked<'_>) -> bool {
    let source = annotation(asked.route, "gateway-hostname-source");
    let named = annotation(asked.route, "hostname").unwrap_or_default();
    let is_named = named.split(',').any(|name| name.trim() == asked.hostname);
    is_refused(asked.route) || (source == Some("annotation-only") && !is_named)
}

/// Whether a route says that external-dns is to leave it alone.
fn is_refused(route: &Object) -> bool {
    annotation(route, "controller").is_some_and(|it| it != "dns-controller")
}

/// Whether two texts are one, as far as Flux variables let it be known.
fn text_is(one: &str, other: &str) -> Sure {
    match one == other {
        true => Sure::Yes,
        false if variable::in_text(one) || variable::in_text(other) => Sure::Perhaps,
        false => Sure::No,
    }
}

/// Whether a hostname is a domain, or lies in it.
fn within(hostname: &str, domain: &str) -> Sure {
    let suffix = domain.trim_start_matches('.');
    let is_below = hostname
        .strip_suffix(suffix)
        .is_some_and(|rest| rest.ends_with('.') || (rest.is_empty() && !domain.starts_with('.')));
    match is_below || suffix.is_empty() {
        true => Sure::Yes,
        false if variable::in_text(hostname) || variable::in_text(domain) => Sure::Perhaps,
        false => Sure::No,
    }
}
