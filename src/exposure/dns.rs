//! Who publishes DNS records: external-dns, k8s-gateway, and DNSEndpoints.
//!
//! Of external-dns its sources, the filters on gateways, routes and domains are read, from the arguments of a
//! Deployment or the values of a HelmRelease (external-dns 0.22, its chart 1.22). The annotations of both prefixes are
//! known, that before 0.22 and that since. What only its templates and regular expressions would tell makes a record
//! uncertain.

use super::guard::named;
use super::selector::Selector;
use super::table::{NoRecord, Record, Records};
use crate::manifest::Object;
use crate::resolve::RouteKind;
use crate::resolve::index::Key;
use crate::resolve::read::{flag, has, list, text};
use crate::value::{Node, variable};

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

#[derive(Debug)]
struct Publisher<'a> {
    by: String,
    provider: Option<String>,
    filter: Filter<'a>,
}

/// What a publisher takes up. Nothing given is no limit.
#[derive(Debug, Default)]
struct Filter<'a> {
    /// The kinds of route; `None` where they are not known.
    kinds: Option<Vec<RouteKind>>,
    gateway: Option<&'a str>,
    gateway_namespace: Option<&'a str>,
    namespace: Option<&'a str>,
    /// The classes of gateways.
    classes: Vec<&'a str>,
    gateway_labels: Option<Selector>,
    labels: Option<Selector>,
    annotations: Option<Selector>,
    domains: Vec<&'a str>,
    excluded: Vec<&'a str>,
    /// Whether annotations add hostnames and keep routes out, as with external-dns.
    reads_annotations: bool,
    /// Whether there is a limit that can't be read.
    is_open: bool,
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

/// The publisher that a HelmRelease is, by its chart.
fn release<'a>(object: &'a Object, charts: &[&'a Object]) -> Option<Publisher<'a>> {
    let values = object.node.path(&["spec", "values"]);
    let mut filter = match chart(object, charts)? {
        "external-dns" => {
            let mut filter = flags(arguments(values.and_then(|it| it.get("extraArgs"))));
            if let Some(values) = values {
                of_values(&mut filter, object, values);
            }
            filter.is_open |= values.is_none();
            filter
        }
        "k8s-gateway" => k8s_gateway(values),
        _ => return None,
    };
    filter.is_open |= has(&object.node, &["spec", "valuesFrom"]);
    Some(Publisher {
        by: named(object),
        provider: values.and_then(provider),
        filter,
    })
}

/// The last part of the name of a release's chart.
fn chart<'a>(object: &'a Object, charts: &[&'a Object]) -> Option<&'a str> {
    let last = |text: &'a str| text.trim_end_matches('/').rsplit('/').next();
    if let Some(name) = text(&object.node, &["spec", "chart", "spec", "chart"]) {
        return last(name);
    }
    let name = text(&object.node, &["spec", "chartRef", "name"])?;
    let mut named = charts.iter().filter(|it| it.name() == name);
    let url = named.find_map(|it| text(&it.node, &["spec", "url"]));
    url.map_or(Some(name), last)
}

/// `provider`, in both its forms.
fn provider(values: &Node) -> Option<String> {
    let provider = values.get("provider")?;
    if let Some(name) = provider.as_str() {
        return Some(name.to_owned());
    }
    let image = text(provider, &["webhook", "image", "repository"]);
    let name = text(provider, &["name"])?;
    // A webhook is named by its image, for want of anything better.
    let image = image.filter(|_| name == "webhook");
    let image = image.and_then(|it| it.rsplit('/').next());
    Some(image.unwrap_or(name).to_owned())
}

/// The values of external-dns' chart that limit it.
fn of_values<'a>(filter: &mut Filter<'a>, object: &'a Object, values: &'a Node) {
    let texts = |key: &str| list(values, &[key]).iter().filter_map(Node::as_str);
    let kinds = filter.kinds.get_or_insert_default();
    kinds.extend(texts("sources").filter_map(source));
    filter.domains.extend(texts("domainFilters"));
    filter.excluded.extend(texts("excludeDomains"));
    for (key, slot) in [
        ("labelFilter", &mut filter.labels),
        ("annotationFilter", &mut filter.annotations),
    ] {
        if let Some(text) = text(values, &[key]) {
            let selector = Selector::parse(text).filter(|_| !variable::in_text(text));
            filter.is_open |= selector.is_none();
            *slot = selector.or(slot.take());
        }
    }
    filter.gateway_namespace = filter
        .gateway_namespace
        .or(text(values, &["gatewayNamespace"]));
    if flag(values, &["namespaced"]) == Some(true) {
        filter.namespace = Some(object.namespace());
    }
}

/// A source of external-dns, where it is a kind of route.
fn source(name: &str) -> Option<RouteKind> {
    match name {
        "gateway-httproute" => Some(RouteKind::Http),
        "gateway-grpcroute" => Some(RouteKind::Grpc),
        "gateway-tlsroute" => Some(RouteKind::Tls),
        "gateway-tcproute" => Some(RouteKind::Tcp),
        "gateway-udproute" => Some(RouteKind::Udp),
        _ => None,
    }
}

/// k8s-gateway answers for all routes in its domain, to whoever asks it (its chart 2 and 3).
fn k8s_gateway(values: Option<&Node>) -> Filter<'_> {
    let watched = values.and_then(|it| it.get("watchedResources"));
    let watched = watched.and_then(Node::as_list).map(|all| {
        let kinds = all.iter().filter_map(Node::as_str);
        kinds.filter_map(RouteKind::parse).collect()
    });
    let domain = values.and_then(|it| text(it, &["domain"]));
    let classes = values.map(|it| list(it, &["filters", "gatewayClasses"]));
    Filter {
        kinds: watched,
        domains: domain.into_iter().flat_map(str::split_whitespace).collect(),
        classes: classes
            .unwrap_or_default()
            .iter()
            .filter_map(Node::as_str)
            .collect(),
        ..Filter::default()
    }
}

/// The publisher that a Deployment is, by the image of a container.
fn deployment(object: &Object) -> Option<Publisher<'_>> {
    let containers = list(&object.node, &["spec", "template", "spec", "containers"]);
    let image = |it: &Node| {
        let image = text(it, &["image"])?;
        let name = image.rsplit('/').next()?;
        Some(name.split([':', '@']).next()? == "external-dns")
    };
    let container = containers.iter().find(|it| image(it) == Some(true))?;
    let given = arguments(container.get("args"));
    let provider = given.iter().find(|(name, _)| *name == "provider");
    Some(Publisher {
        by: named(object),
        provider: provider.map(|(_, value)| (*value).to_owned()),
        filter: flags(given.clone()),
    })
}

/// Flags and their values: a list of `--a=b`, or of `--a` and `b`, or a map.
fn arguments(node: Option<&Node>) -> Vec<(&str, &str)> {
    let mut found: Vec<(&str, &str)> = Vec::new();
    if let Some(map) = node.and_then(Node::as_map) {
        for (name, value) in map.iter() {
            let name = name.trim_start_matches('-');
            let many = value
                .as_list()
                .unwrap_or_default()
                .iter()
                .filter_map(Node::as_str);
            found.extend(
                value
                    .as_str()
                    .into_iter()
                    .chain(many)
                    .map(|value| (name, value)),
            );
        }
        return found;
    }
    let texts = node.and_then(Node::as_list).unwrap_or_default().iter();
    for text in texts.filter_map(Node::as_str) {
        match (text.strip_prefix("--"), found.last_mut()) {
            (Some(flag), _) => found.push(flag.split_once('=').unwrap_or((flag, ""))),
            (None, Some((_, value))) if value.is_empty() => *value = text,
            _ => {}
        }
    }
    found
}

/// What external-dns' flags limit it to.
fn flags<'a>(given: Vec<(&'a str, &'a str)>) -> Filter<'a> {
    let mut filter = Filter {
        reads_annotations: true,
        kinds: Some(Vec::new()),
        ..Filter::default()
    };
    let selector = |value: &str, slot: &mut Option<Selector>| {
        *slot = Selector::parse(value).filter(|_| !variable::in_text(value));
        slot.is_none()
    };
    for (name, value) in given {
        match name {
            "source" => filter.kinds.get_or_insert_default().extend(source(value)),
            "gateway-name" => filter.gateway = Some(value),
            "gateway-namespace" => filter.gateway_namespace = Some(value),
            "namespace" => filter.namespace = Some(value).filter(|it| !it.is_empty()),
            "gateway-label-filter" => filter.is_open |= selector(value, &mut filter.gateway_labels),
            "label-filter" => filter.is_open |= selector(value, &mut filter.labels),
            "annotation-filter" => filter.is_open |= selector(value, &mut filter.annotations),
            "domain-filter" => filter.domains.push(value),
            "exclude-domains" => filter.excluded.push(value),
            "regex-domain-filter" | "regex-domain-exclusion" | "annotation-prefix" => {
                filter.is_open = true
            }
            _ => {}
        }
    }
    filter
}

/// The records of a DNSEndpoint.
fn endpoints(object: &Object) -> impl Iterator<Item = (&str, Record)> {
    let endpoints = list(&object.node, &["spec", "endpoints"]).iter();
    endpoints.filter_map(|endpoint| {
        let kind = text(endpoint, &["recordType"]).unwrap_or("A");
        let is_address = matches!(kind, "A" | "AAAA" | "CNAME");
        let targets: Vec<&str> = list(endpoint, &["targets"])
            .iter()
            .filter_map(Node::as_str)
            .collect();
        let record = Record {
            by: named(object),
            provider: None,
            target: (!targets.is_empty()).then(|| targets.join(", ")),
            is_certain: true,
        };
        Some((text(endpoint, &["dnsName"])?, record)).filter(|_| is_address)
    })
}
