//! The publishers of DNS records: external-dns, k8s-gateway, and DNSEndpoint objects.
//! [`publisher`](super::publisher) reads their manifests. For external-dns, its sources and its filters on
//! gateways, routes and domains are read from the arguments of a Deployment or the values of a HelmRelease
//! (external-dns 0.22, chart 1.22). Annotations with both prefixes are known, the one before 0.22 and the
//! current one. If a publisher uses templates or regular expressions, its records are marked as uncertain.

use super::publisher::{
    ChartSources, Filter, LEGACY_PREFIX, PREFIX, Publisher, deployment, endpoints, release, stated,
};
use super::selector::Selector;
use super::table::{NoRecord, Record, Records};
use crate::RouteKind;
use crate::declared::{Declared, names};
use crate::index::Key;
use crate::read::text;
use manifest::Object;
use manifest::value::variable;

/// The prefixes of external-dns' annotations: the current one, and the one before 0.22.
pub const PREFIXES: [&str; 2] = [PREFIX, LEGACY_PREFIX];

/// The value of an annotation for external-dns.
pub fn annotation<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    let annotations = object.node.path(&["metadata", "annotations"])?;
    PREFIXES
        .iter()
        .find_map(|prefix| annotations.get(&format!("{prefix}{name}"))?.as_str())
}

/// The publishers among the objects, and the records from DNSEndpoints.
#[derive(Debug, Default)]
pub struct Publishers<'a> {
    all: Vec<Publisher<'a>>,
    /// The records from DNSEndpoints, by hostname.
    endpoints: Vec<(&'a str, Record)>,
}

/// A route at a gateway, with one of its hostnames.
#[derive(Clone, Copy, Debug)]
pub struct RouteQuery<'a> {
    /// The hostname.
    pub hostname: &'a str,
    /// The Gateway.
    pub gateway: &'a Object,
    /// The kind of the route.
    pub kind: RouteKind,
    /// The route.
    pub route: &'a Object,
    /// The target of the gateway's DNS records, if it is set.
    pub target: Option<&'a str>,
}

/// How certain something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Certainty {
    No,
    Perhaps,
    Yes,
}

impl Certainty {
    fn from_bool(holds: bool) -> Self {
        if holds { Certainty::Yes } else { Certainty::No }
    }
}

impl<'a> Publishers<'a> {
    /// Finds the publishers among the objects.
    pub fn find(objects: impl IntoIterator<Item = &'a Object, IntoIter: Clone>) -> Self {
        let objects = objects.into_iter();
        let mut charts = ChartSources::new();
        for chart in objects.clone().filter(|it| it.kind() == "OCIRepository") {
            charts.entry(chart.name()).or_default().push(chart);
        }
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

    /// Adds the publishers that are managed elsewhere. One that is among the objects, too, is known better from there, so
    /// nothing that is stated counts for a provider that an object writes to.
    pub fn and(mut self, declared: &Declared) -> Self {
        let is_found = |provider: &Option<String>| {
            let mut all = self.all.iter();
            all.any(|it| it.provider.is_some() && it.provider == *provider)
        };
        let all = declared.publishers.iter();
        let new: Vec<Publisher<'a>> = all
            .filter(|it| !is_found(&it.provider))
            .map(stated)
            .collect();
        self.all.extend(new);
        self
    }

    /// The publishers that read routes.
    pub fn all(&self) -> &[Publisher<'a>] {
        &self.all
    }

    /// The records from DNSEndpoints, by hostname.
    pub fn endpoints(&self) -> &[(&'a str, Record)] {
        &self.endpoints
    }

    /// Whether there is neither a publisher nor a record.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty() && self.endpoints.is_empty()
    }

    /// The records of a hostname that DNSEndpoints contain.
    pub fn written(&self, hostname: &str) -> impl Iterator<Item = &Record> {
        let named = self.endpoints.iter();
        named
            .filter(move |(name, _)| *name == hostname)
            .map(|(_, record)| record)
    }

    /// The DNS records of a hostname, given the routes that have it.
    pub fn records(&self, asked: &[RouteQuery<'_>]) -> Records {
        let mut all: Vec<Record> = Vec::new();
        for one in asked {
            let published = self.all.iter().filter_map(|it| it.record(one));
            for record in published.chain(self.written(one.hostname).cloned()) {
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
    /// The record of a route's hostname; `None` if the publisher doesn't select it.
    pub fn record(&self, asked: &RouteQuery<'_>) -> Option<Record> {
        let sure = self.filter.takes(asked);
        (sure != Certainty::No).then(|| Record {
            by: self.by.clone(),
            provider: self.provider.clone(),
            // Only external-dns uses the annotation; k8s-gateway answers with the address of the gateway.
            target: asked
                .target
                .filter(|_| self.filter.reads_annotations)
                .map(str::to_owned),
            is_certain: sure == Certainty::Yes,
        })
    }
}

impl Filter<'_> {
    /// Whether the filters on gateways, routes and annotations certainly admit a route, whatever its kind and hostname are.
    pub fn admits(&self, asked: &RouteQuery<'_>) -> bool {
        !self.is_open && !self.is_out(asked)
    }

    /// Whether the publisher reads routes of this kind. It is so if that is not known.
    pub fn has_kind(&self, kind: RouteKind) -> bool {
        self.kinds
            .as_ref()
            .is_none_or(|kinds| kinds.contains(&kind))
    }

    fn is_out(&self, asked: &RouteQuery<'_>) -> bool {
        let (gateway, route) = (Key::of(asked.gateway), Key::of(asked.route));
        let same = |filter: Option<&str>, found: &str| {
            filter.is_none_or(|it| text_is(it, found) != Certainty::No)
        };
        let class = text(&asked.gateway.node, &["spec", "gatewayClassName"]).unwrap_or_default();
        let labels = |selector: &Option<Selector>, object: &Object, below: &str| {
            let map = object.node.path(&["metadata", below]);
            let label = |key: &str| map.and_then(|map| map.get(key)?.as_str());
            selector.as_ref().is_none_or(|it| it.matches(label))
        };
        asked.hostname == "*"
            || self
                .stated_gateways
                .as_ref()
                .is_some_and(|all| !names(all, gateway))
            || !same(self.gateway, gateway.name)
            || !same(self.gateway_namespace, gateway.namespace)
            || !same(self.namespace, route.namespace)
            || !(self.classes.is_empty() || self.classes.contains(&class))
            || !labels(&self.gateway_labels, asked.gateway, "labels")
            || !labels(&self.labels, asked.route, "labels")
            || !labels(&self.annotations, asked.route, "annotations")
            || (self.reads_annotations && is_left_out(asked))
    }

    fn takes(&self, asked: &RouteQuery<'_>) -> Certainty {
        if self.is_out(asked) {
            return Certainty::No;
        }
        let kinds = match &self.kinds {
            Some(kinds) => Certainty::from_bool(kinds.contains(&asked.kind)),
            None => Certainty::Perhaps,
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
        let excluded = match excluded.unwrap_or(Certainty::No) {
            Certainty::Yes => Certainty::No,
            Certainty::Perhaps => Certainty::Perhaps,
            Certainty::No => Certainty::Yes,
        };
        let open = if self.is_open {
            Certainty::Perhaps
        } else {
            Certainty::Yes
        };
        kinds
            .min(included.unwrap_or(Certainty::Yes))
            .min(excluded)
            .min(open)
    }
}

/// Whether annotations on the route keep external-dns from publishing the hostname.
fn is_left_out(asked: &RouteQuery<'_>) -> bool {
    let source = annotation(asked.route, "gateway-hostname-source");
    let named = annotation(asked.route, "hostname").unwrap_or_default();
    let is_named = named.split(',').any(|name| name.trim() == asked.hostname);
    is_refused(asked.route) || (source == Some("annotation-only") && !is_named)
}

/// Whether a route tells external-dns to ignore it.
fn is_refused(route: &Object) -> bool {
    annotation(route, "controller").is_some_and(|it| it != "dns-controller")
}

/// Whether two texts are equal. It is uncertain if a Flux variable is in one of them.
fn text_is(one: &str, other: &str) -> Certainty {
    match one == other {
        true => Certainty::Yes,
        false if variable::in_text(one) || variable::in_text(other) => Certainty::Perhaps,
        false => Certainty::No,
    }
}

/// Whether a hostname is equal to a domain or below it.
fn within(hostname: &str, domain: &str) -> Certainty {
    let suffix = domain.trim_start_matches('.');
    let is_below = hostname
        .strip_suffix(suffix)
        .is_some_and(|rest| rest.ends_with('.') || (rest.is_empty() && !domain.starts_with('.')));
    match is_below || suffix.is_empty() {
        true => Certainty::Yes,
        false if variable::in_text(hostname) || variable::in_text(domain) => Certainty::Perhaps,
        false => Certainty::No,
    }
}
