//! Reads publishers of DNS records from their manifests.

use super::guard::named;
use super::selector::Selector;
use super::table::Record;
use crate::RouteKind;
use crate::read::{flag, has, list, text};
use manifest::Object;
use manifest::value::{Node, variable};

/// A publisher of DNS records.
#[derive(Debug)]
pub struct Publisher<'a> {
    /// Its name as `Kind namespace/name`.
    pub by: String,
    /// The DNS provider, if it is given.
    pub provider: Option<String>,
    /// The routes that it publishes.
    pub filter: Filter<'a>,
}

/// The filter of a publisher. A field that is not set doesn't restrict anything.
#[derive(Debug, Default)]
pub struct Filter<'a> {
    /// The kinds of route; `None` if they are unknown.
    pub kinds: Option<Vec<RouteKind>>,
    /// The name of the gateway.
    pub gateway: Option<&'a str>,
    /// The namespace of the gateway.
    pub gateway_namespace: Option<&'a str>,
    /// The namespace of the route.
    pub namespace: Option<&'a str>,
    /// The GatewayClasses of the gateways.
    pub classes: Vec<&'a str>,
    /// A selector for the labels of the gateway.
    pub gateway_labels: Option<Selector>,
    /// A selector for the labels of the route.
    pub labels: Option<Selector>,
    /// A selector for the annotations of the route.
    pub annotations: Option<Selector>,
    /// The domains that hostnames must be in.
    pub domains: Vec<&'a str>,
    /// The domains that hostnames must not be in.
    pub excluded: Vec<&'a str>,
    /// Whether annotations add hostnames and exclude routes, as with external-dns.
    pub reads_annotations: bool,
    /// Whether there is a restriction that can't be read.
    pub is_open: bool,
}

/// The publisher that a HelmRelease installs, which its chart determines.
pub fn release<'a>(object: &'a Object, charts: &[&'a Object]) -> Option<Publisher<'a>> {
    let values = object.node.path(&["spec", "values"]);
    let mut filter = match chart(object, charts)? {
        "external-dns" => {
            let mut filter = flags(arguments(values.and_then(|it| it.get("extraArgs"))));
            if let Some(values) = values {
                read_values(&mut filter, object, values);
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

/// The value `provider`, which has two forms.
fn provider(values: &Node) -> Option<String> {
    let provider = values.get("provider")?;
    if let Some(name) = provider.as_str() {
        return Some(name.to_owned());
    }
    let image = text(provider, &["webhook", "image", "repository"]);
    let name = text(provider, &["name"])?;
    // A webhook has no name, so its image is used.
    let image = image.filter(|_| name == "webhook");
    let image = image.and_then(|it| it.rsplit('/').next());
    Some(image.unwrap_or(name).to_owned())
}

/// Reads the values of external-dns' chart that restrict it.
fn read_values<'a>(filter: &mut Filter<'a>, object: &'a Object, values: &'a Node) {
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

/// The kind of route for a source of external-dns; `None` if it is another source.
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

/// k8s-gateway answers all DNS queries for routes in its domain (chart 2 and 3).
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

/// The publisher that a Deployment runs, which the image of a container determines.
pub fn deployment(object: &Object) -> Option<Publisher<'_>> {
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

/// Command-line flags and their values, from a list of `--a=b`, or of `--a` and `b`, or from a map.
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

/// The filter that external-dns' flags set.
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

/// The records in a DNSEndpoint.
pub fn endpoints(object: &Object) -> impl Iterator<Item = (&str, Record)> {
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
