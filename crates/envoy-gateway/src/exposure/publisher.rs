//! Reads publishers of DNS records from their manifests.

use std::borrow::Cow;
use std::collections::HashMap;

use super::guard::named;
use super::selector::Selector;
use super::table::Record;
use crate::RouteKind;
use crate::declared::DeclaredPublisher;
use crate::read::{flag, has, list, text};
use manifest::Object;
use manifest::diagnostic::Span;
use manifest::value::{Node, Pointer, variable};

/// A publisher of DNS records.
#[derive(Debug)]
pub struct Publisher<'a> {
    /// The HelmRelease or Deployment; `None` if it is managed elsewhere, and only stated.
    pub object: Option<&'a Object>,
    /// The place of its name.
    pub span: Option<Span>,
    /// The prefixes of the annotations that external-dns reads; `None` if they are unknown, or it is another publisher.
    pub prefixes: Option<AnnotationPrefixes>,
    /// The owner of its records; `None` if it marks none, or if that is not known.
    pub owner: Option<&'a str>,
    /// Whether it writes through a webhook, so that the provider's name doesn't tell where to.
    pub is_webhook: bool,
    /// Whether Cloudflare proxies its records unless an annotation says otherwise.
    pub is_proxied: bool,
    /// Its name as `Kind namespace/name`.
    pub by: String,
    /// The DNS provider, if it is given.
    pub provider: Option<String>,
    /// The routes that it publishes.
    pub filter: Filter<'a>,
}

/// The prefixes of the annotations that external-dns reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnotationPrefixes {
    /// The prefixes, each with a slash at the end.
    pub read: Vec<String>,
    /// What decides them.
    pub by: PrefixReason,
}

/// What decides which prefix external-dns reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrefixReason {
    /// The version of the chart, whose image is that of the same minor version unless something else is set.
    Chart,
    /// The tag of the image.
    Image,
    /// A setting.
    Setting,
}

/// The prefix of external-dns' annotations since version 0.22.
pub const PREFIX: &str = "external-dns.kubernetes.io/";

/// The prefix of external-dns' annotations before version 0.22.
pub const LEGACY_PREFIX: &str = "external-dns.alpha.kubernetes.io/";

/// The minor version of external-dns that reads the new prefix by default.
const NEW_PREFIX_SINCE: u64 = 22;

/// The owner according to the flags and the values of the chart. Without a setting, it is `default`.
fn owner<'a>(
    flags: &[(&'a str, &'a str)],
    setting: Option<&'a str>,
    registry: Option<&'a str>,
) -> Option<&'a str> {
    let flag = |name: &str| {
        let mut flags = flags.iter();
        flags
            .find(|(there, _)| *there == name)
            .map(|(_, value)| *value)
    };
    let registry = flag("registry").or(registry).unwrap_or("txt");
    let owner = flag("txt-owner-id").or(setting).unwrap_or("default");
    (registry != "noop" && !variable::in_text(owner)).then_some(owner)
}

/// Whether the flags let Cloudflare proxy records by default.
fn is_proxied(flags: &[(&str, &str)]) -> bool {
    let mut flags = flags.iter();
    flags.any(|(name, value)| *name == "cloudflare-proxied" && *value != "false")
}

/// The prefixes according to the flags, the tag of the image and the minor version of the chart (whose version is 1.N for
/// external-dns 0.N).
fn prefixes(
    flags: &[(&str, &str)],
    setting: Option<&str>,
    image: Option<&str>,
    chart: Option<u64>,
) -> Option<AnnotationPrefixes> {
    let flag = |name: &str| {
        let mut flags = flags.iter();
        flags
            .find(|(there, _)| *there == name)
            .map(|(_, value)| *value)
    };
    let image = image.and_then(minor_of);
    let own = setting
        .or(flag("annotation-prefix"))
        .filter(|text| !text.is_empty());
    let (mut read, by) = match (own, image, chart) {
        (Some(own), _, _) => {
            let own = own.trim_end_matches('/');
            (vec![format!("{own}/")], PrefixReason::Setting)
        }
        (None, Some(minor), _) => (vec![default_prefix(minor)], PrefixReason::Image),
        (None, None, Some(minor)) => (vec![default_prefix(minor)], PrefixReason::Chart),
        (None, None, None) => return None,
    };
    if flag("enable-legacy-annotation-prefix").is_some_and(|value| value != "false") {
        read.push(LEGACY_PREFIX.to_owned());
    }
    let is_known = read.iter().all(|prefix| !variable::in_text(prefix));
    is_known.then_some(AnnotationPrefixes { read, by })
}

/// The prefix that a minor version of external-dns reads by default.
fn default_prefix(minor: u64) -> String {
    match minor >= NEW_PREFIX_SINCE {
        true => PREFIX.to_owned(),
        false => LEGACY_PREFIX.to_owned(),
    }
}

/// The second number of a version, such as 22 for `v0.22.0@sha256:…`.
fn minor_of(version: &str) -> Option<u64> {
    let mut parts = version.trim_start_matches('v').split('.');
    parts.next()?.parse::<u64>().ok()?;
    parts.next()?.parse().ok()
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
    /// The gateways that somebody states, by namespace and name; `None` if nobody does.
    pub stated_gateways: Option<Vec<(String, String)>>,
    /// The domains that hostnames must be in.
    pub domains: Vec<Cow<'a, str>>,
    /// The domains that hostnames must not be in.
    pub excluded: Vec<&'a str>,
    /// Whether annotations add hostnames and exclude routes, as with external-dns.
    pub reads_annotations: bool,
    /// Whether there is a restriction that can't be read.
    pub is_open: bool,
}

/// The OCIRepositories with each name.
pub type ChartSources<'a> = HashMap<&'a str, Vec<&'a Object>>;

/// The publisher that a HelmRelease installs, which its chart determines.
pub fn release<'a>(object: &'a Object, charts: &ChartSources<'a>) -> Option<Publisher<'a>> {
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
    let value = |path: &[&str]| values.and_then(|values| text(values, path));
    // Values that are not given may set another image or prefix.
    let is_known = filter.reads_annotations && !has(&object.node, &["spec", "valuesFrom"]);
    let extra = arguments(values.and_then(|it| it.get("extraArgs")));
    let prefixes = prefixes(
        &extra,
        value(&["annotationPrefix"]),
        value(&["image", "tag"]),
        chart_version(object, charts).and_then(minor_of),
    );
    let by_value = values.and_then(|values| flag(values, &["cloudflare", "proxied"]));
    Some(Publisher {
        object: Some(object),
        span: name_span(object),
        prefixes: prefixes.filter(|_| is_known),
        owner: owner(&extra, value(&["txtOwnerId"]), value(&["registry"])),
        is_webhook: value(&["provider", "name"]).or(value(&["provider"])) == Some("webhook"),
        is_proxied: by_value == Some(true) || is_proxied(&extra),
        by: named(object),
        provider: values.and_then(provider),
        filter,
    })
}

/// The last part of the name of a release's chart.
fn chart<'a>(object: &'a Object, charts: &ChartSources<'a>) -> Option<&'a str> {
    let last = |text: &'a str| text.trim_end_matches('/').rsplit('/').next();
    if let Some(name) = text(&object.node, &["spec", "chart", "spec", "chart"]) {
        return last(name);
    }
    let name = text(&object.node, &["spec", "chartRef", "name"])?;
    let mut named = charts.get(name).into_iter().flatten();
    let url = named.find_map(|it| text(&it.node, &["spec", "url"]));
    url.map_or(Some(name), last)
}

/// The version of a release's chart.
fn chart_version<'a>(object: &'a Object, charts: &ChartSources<'a>) -> Option<&'a str> {
    if let Some(version) = text(&object.node, &["spec", "chart", "spec", "version"]) {
        return Some(version);
    }
    let name = text(&object.node, &["spec", "chartRef", "name"])?;
    let mut named = charts.get(name).into_iter().flatten();
    let version = text(&named.next()?.node, &["spec", "ref", "tag"])?;
    // Several sources of that name may have different versions.
    named
        .all(|it| text(&it.node, &["spec", "ref", "tag"]) == Some(version))
        .then_some(version)
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
    let domains = texts("domainFilters").map(Cow::Borrowed);
    filter.domains.extend(domains);
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
        domains: domain
            .into_iter()
            .flat_map(str::split_whitespace)
            .map(Cow::Borrowed)
            .collect(),
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
    let tag = text(container, &["image"]).and_then(|image| image.rsplit_once(':'));
    let tag = tag.map(|(_, tag)| tag).filter(|tag| !tag.contains('/'));
    Some(Publisher {
        object: Some(object),
        span: name_span(object),
        prefixes: prefixes(&given, None, tag, None),
        owner: owner(&given, None, None),
        is_webhook: provider.is_some_and(|(_, value)| *value == "webhook"),
        is_proxied: is_proxied(&given),
        by: named(object),
        provider: provider.map(|(_, value)| (*value).to_owned()),
        filter: flags(given.clone()),
    })
}

/// A publisher that is managed elsewhere, as somebody states it.
pub fn stated<'a>(publisher: &DeclaredPublisher) -> Publisher<'a> {
    let domains = publisher.domains.iter();
    Publisher {
        object: None,
        span: publisher.span,
        prefixes: None,
        owner: None,
        is_webhook: false,
        is_proxied: false,
        by: publisher.name.clone(),
        provider: publisher.provider.clone(),
        filter: Filter {
            kinds: Some(publisher.kinds.clone()),
            stated_gateways: Some(publisher.gateways.clone()),
            domains: domains.map(|domain| Cow::Owned(domain.clone())).collect(),
            reads_annotations: publisher.reads_annotations,
            ..Filter::default()
        },
    }
}

fn name_span(object: &Object) -> Option<Span> {
    object.span(&Pointer::root().key("metadata").key("name"))
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
            "domain-filter" => filter.domains.push(Cow::Borrowed(value)),
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
