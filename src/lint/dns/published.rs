//! Which names of routes are published in a cluster, by what, and with which target.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::{idle_publisher, private_proxied, two_targets, unfiltered_publisher, unpublished};
use crate::lint::Applied;
use envoy_gateway::exposure::build::target;
use envoy_gateway::exposure::dns::{Publishers, RouteQuery, annotation};
use envoy_gateway::exposure::publisher::Publisher;
use envoy_gateway::{Resolved, Route, RouteKind};
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::value::variable;

/// A hostname of a route at a gateway.
pub(crate) struct Name<'r, 'a> {
    /// The hostname.
    pub hostname: &'r str,
    /// The route.
    pub route: &'r Route<'a>,
    /// The index of the `parentRef` by which the route is attached to the gateway.
    pub parent: usize,
    /// The gateway.
    pub gateway: &'a Object,
    /// The target of the gateway's records, if it is set.
    pub target: Option<&'a str>,
    /// The addresses of the gateway.
    pub addresses: Vec<String>,
}

impl Name<'_, '_> {
    /// The question for publishers.
    pub(crate) fn query(&self) -> RouteQuery<'_> {
        RouteQuery {
            hostname: self.hostname,
            gateway: self.gateway,
            kind: self.route.kind,
            route: self.route.object,
            target: self.target,
        }
    }

    /// What the records point to.
    pub(crate) fn leads_to(&self) -> String {
        match self.target {
            Some(target) => target.to_owned(),
            None => self.addresses.join(", "),
        }
    }
}

/// The findings on published names in one cluster, each with its object. `all` are the cluster's objects.
pub(crate) fn check<'a>(
    resolved: &Resolved<'a>,
    all: &[Applied<'a>],
    is_charted: impl Fn(&Object) -> bool,
) -> Vec<(&'a Object, Diagnostic)> {
    let publishers = Publishers::find(all.iter().map(|one| one.object)).and(resolved.declared());
    if publishers.all().is_empty() {
        return Vec::new();
    }
    let names = names(resolved);
    let gateways = resolved.gateways().iter().map(|it| it.object);
    let gateways: Vec<&Object> = gateways.collect();
    let mut found = Vec::new();
    for publisher in publishers.all() {
        let published: Vec<&Name<'_, 'a>> = names
            .iter()
            .filter(|name| {
                let record = publisher.record(&name.query());
                record.is_some_and(|record| record.is_certain)
            })
            .collect();
        found.extend(idle_publisher::report(&gateways, &names, publisher, all));
        found.extend(with_two_targets(&published, publisher));
        found.extend(private_and_proxied(&published, publisher));
        found.extend(published_twice(&published, publisher, publishers.all()));
    }
    found.extend(without_record(&names, &publishers, is_charted));
    found
}

/// The names of all routes at listeners that are sent to Envoy.
fn names<'r, 'a>(resolved: &'r Resolved<'a>) -> Vec<Name<'r, 'a>> {
    let mut names = Vec::new();
    let mut seen = BTreeSet::new();
    for route in resolved.routes() {
        if matches!(route.kind, RouteKind::Tcp | RouteKind::Udp) {
            continue;
        }
        for parent in &route.parents {
            for attachment in &parent.attachments {
                let listener = resolved.listener(attachment.listener);
                let Some(listener) = listener.filter(|listener| listener.is_ready()) else {
                    continue;
                };
                let Some(gateway) = resolved.gateway(listener.gateway) else {
                    continue;
                };
                for hostname in &attachment.hostnames {
                    let key = (hostname, route.key(), route.kind, listener.gateway);
                    if hostname == "*" || !seen.insert(key) {
                        continue;
                    }
                    names.push(Name {
                        hostname,
                        route,
                        parent: parent.place,
                        gateway: gateway.object,
                        target: target(gateway),
                        addresses: gateway.addresses(),
                    });
                }
            }
        }
    }
    names
}

/// Names that one publisher publishes with the targets of two gateways. Each pair of gateways is told once.
fn with_two_targets<'a>(
    published: &[&Name<'_, 'a>],
    publisher: &Publisher<'_>,
) -> Vec<(&'a Object, Diagnostic)> {
    // Only external-dns writes records; k8s-gateway answers each question anew.
    if !publisher.filter.reads_annotations {
        return Vec::new();
    }
    let mut by_hostname: BTreeMap<&str, Vec<&Name<'_, 'a>>> = BTreeMap::new();
    for name in published {
        by_hostname.entry(name.hostname).or_default().push(name);
    }
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for names in by_hostname.values() {
        let Some((first, others)) = names.split_first() else {
            continue;
        };
        let leads = |name: &Name<'_, '_>| {
            let text = name.leads_to();
            (!text.is_empty() && !variable::in_text(&text)).then_some(text)
        };
        let Some(one) = leads(first) else { continue };
        let second = others.iter().find(|name| {
            !std::ptr::eq(name.gateway, first.gateway) && leads(name).is_some_and(|it| it != one)
        });
        let Some(second) = second else { continue };
        if told.insert((first.gateway.name(), second.gateway.name())) {
            found.push((
                second.route.object,
                two_targets::report(first, second, publisher),
            ));
        }
    }
    found
}

/// Gateways whose private address Cloudflare is to proxy.
fn private_and_proxied<'a>(
    published: &[&Name<'_, 'a>],
    publisher: &Publisher<'_>,
) -> Vec<(&'a Object, Diagnostic)> {
    if publisher.provider.as_deref() != Some("cloudflare") {
        return Vec::new();
    }
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for name in published {
        let is_proxied = match annotation(name.route.object, "cloudflare-proxied") {
            Some(text) => text == "true",
            None => publisher.is_proxied,
        };
        let leads_to = name.leads_to();
        let address = leads_to
            .split(',')
            .map(str::trim)
            .find(|text| is_private(text));
        let Some(address) = address.filter(|_| is_proxied) else {
            continue;
        };
        let key = (name.gateway.namespace(), name.gateway.name());
        if told.insert(key) {
            found.push((
                name.gateway,
                private_proxied::report(name, address, publisher),
            ));
        }
    }
    found
}

/// A private name that a public publisher publishes, although another one is there for its gateway.
fn published_twice<'a>(
    published: &[&Name<'_, 'a>],
    publisher: &Publisher<'a>,
    all: &[Publisher<'a>],
) -> Option<(&'a Object, Diagnostic)> {
    if !unfiltered_publisher::is_open(publisher) {
        return None;
    }
    let object = publisher.object?;
    published.iter().find_map(|name| {
        let other = all.iter().find(|other| {
            other.provider != publisher.provider
                && unfiltered_publisher::is_restricted(other)
                && other.record(&name.query()).is_some_and(|it| it.is_certain)
        })?;
        let leads_to = name.leads_to();
        let is_internal = !leads_to.is_empty() && leads_to.split(", ").all(is_private);
        let report = || unfiltered_publisher::report(publisher, object, other, name);
        is_internal.then(|| (object, report()))
    })
}

/// Whether a text is an address that can't be reached from the Internet.
fn is_private(text: &str) -> bool {
    match text.parse() {
        Ok(IpAddr::V4(address)) => {
            let [first, second, ..] = address.octets();
            let is_shared = first == 100 && (64..128).contains(&second);
            address.is_private() || address.is_loopback() || address.is_link_local() || is_shared
        }
        Ok(IpAddr::V6(address)) => address.is_unique_local() || address.is_unicast_link_local(),
        Err(_) => false,
    }
}

/// Names for which nothing publishes a record, although a publisher selects their gateway and route. There is one finding
/// for each publisher, kind of route and domain.
fn without_record<'a>(
    names: &[Name<'_, 'a>],
    publishers: &Publishers<'_>,
    is_charted: impl Fn(&Object) -> bool,
) -> Vec<(&'a Object, Diagnostic)> {
    let by_name = |hostname: &str| {
        let mut endpoints = publishers.endpoints().iter();
        endpoints.any(|(there, _)| covers(there, hostname))
    };
    let asked = |hostname: &str| -> Vec<RouteQuery<'_>> {
        let alike = names.iter().filter(|name| covers(name.hostname, hostname));
        alike.map(|name| name.query()).collect()
    };
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    // Charts may create further records for their own routes.
    for name in names.iter().filter(|name| !is_charted(name.route.object)) {
        let is_refused = annotation(name.route.object, "controller").is_some();
        if is_refused || variable::in_text(name.hostname) || by_name(name.hostname) {
            continue;
        }
        let queries = asked(name.hostname);
        let mut all = publishers.all().iter();
        if all.any(|publisher| {
            queries
                .iter()
                .any(|query| publisher.record(query).is_some())
        }) {
            continue;
        }
        let mut all = publishers.all().iter();
        let Some(publisher) = all.find(|publisher| publisher.filter.admits(&name.query())) else {
            continue;
        };
        let is_kind = !publisher.filter.has_kind(name.route.kind);
        let domain = match is_kind {
            true => "",
            false => domain(name.hostname),
        };
        if told.insert((publisher.by.as_str(), name.route.kind, domain)) {
            found.push((
                name.route.object,
                unpublished::report(name, publisher, is_kind),
            ));
        }
    }
    found
}

/// Whether a name is the same as another one, or a wildcard that covers it.
fn covers(name: &str, hostname: &str) -> bool {
    let below = name
        .strip_prefix("*.")
        .and_then(|rest| hostname.strip_suffix(rest));
    name == hostname || below.is_some_and(|rest| rest.ends_with('.'))
}

/// The last two labels of a hostname.
fn domain(hostname: &str) -> &str {
    let mut dots = hostname.rmatch_indices('.').map(|(at, _)| at);
    let start = dots.nth(1).map_or(0, |at| at + 1);
    hostname.get(start..).unwrap_or(hostname)
}

#[cfg(test)]
pub(super) mod tests {
    use crate::lint::attachment::cluster::check;
    use crate::lint::support::told;

    /// Two gateways at which a route is attached to the ones that `parents` names, and a publisher.
    pub(in crate::lint::dns) fn says(
        parents: &[&str],
        hostname: &str,
        values: &str,
    ) -> Vec<String> {
        let gateway = |name: &str, address: &str| {
            format!(
                "apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: {name}, namespace: network, labels: {{side: {name}}}}}
spec:
  gatewayClassName: envoy
  infrastructure: {{annotations: {{lbipam.cilium.io/ips: {address}}}}}
  listeners: [{{name: https, protocol: HTTPS, port: 443, allowedRoutes: {{namespaces: {{from: All}}}}, tls: {{certificateRefs: [{{name: a}}]}}}}]
---
"
            )
        };
        let parents: Vec<String> = parents
            .iter()
            .map(|name| format!("{{name: {name}, namespace: network}}"))
            .collect();
        let text = format!(
            "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: envoy}}
spec: {{controllerName: gateway.envoyproxy.io/gatewayclass-controller}}
---
{}{}apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: dns, namespace: network}}
spec:
  chart: {{spec: {{chart: external-dns, version: 1.23.0}}}}
  values: {{provider: {{name: cloudflare}}, {values}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: shop, namespace: shop}}
spec:
  hostnames: [{hostname}]
  parentRefs: [{}]
  rules: [{{backendRefs: [{{name: shop, port: 80}}]}}]
",
            gateway("external", "10.10.30.26"),
            gateway("internal", "10.10.30.27"),
            parents.join(", ")
        );
        let found = told(check, "1.9.0", &[("a.yaml", &text)]);
        found
            .into_iter()
            .filter(|one| one.contains(" dns/"))
            .collect()
    }

    #[test]
    fn a_name_has_one_target() {
        let values = "sources: [gateway-httproute]";
        let both = ["external", "internal"];
        assert_eq!(
            says(&both, "shop.example.com", values),
            [
                "warning dns/two-targets /spec/parentRefs/1: shop.example.com has two targets: 10.10.30.26 of external and 10.10.30.27 of internal"
            ]
        );
        let filtered = "sources: [gateway-httproute], extraArgs: [--gateway-name=external]";
        assert_eq!(says(&both, "shop.example.com", filtered), [""; 0]);
        assert_eq!(says(&both[..1], "shop.example.com", values), [""; 0]);
    }

    #[test]
    fn cloudflare_proxies_no_private_address() {
        let values = "sources: [gateway-httproute], extraArgs: [--cloudflare-proxied]";
        assert_eq!(
            says(&["external"], "shop.example.com", values),
            [
                "error dns/private-proxied /metadata/name: Cloudflare can't proxy for 10.10.30.26, the private address of external"
            ]
        );
    }

    #[test]
    fn a_public_zone_gets_no_internal_names() {
        let second = |filter: &str| {
            format!(
                "sources: [gateway-httproute]{filter}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: router, namespace: network}}
spec:
  chart: {{spec: {{chart: external-dns, version: 1.23.0}}}}
  values: {{provider: {{name: webhook}}, sources: [gateway-httproute], extraArgs: [--gateway-name=internal]"
            )
        };
        assert_eq!(
            says(&["internal"], "nas.example.com", &second("}")),
            [
                "warning dns/unfiltered-publisher /metadata/name: HelmRelease network/dns publishes the names of internal, too, such as nas.example.com"
            ]
        );
        let filtered = second(", extraArgs: [--gateway-name=external]}");
        assert_eq!(says(&["internal"], "nas.example.com", &filtered), [""; 0]);
    }

    #[test]
    fn a_name_is_published_by_somebody() {
        let domain = "sources: [gateway-httproute], domainFilters: [example.com]";
        assert_eq!(says(&["external"], "shop.example.com", domain), [""; 0]);
        assert_eq!(
            says(&["external"], "shop.example.org", domain),
            [
                "warning dns/unpublished /spec/hostnames/0: nothing publishes shop.example.org: it is outside of the domains of HelmRelease network/dns"
            ]
        );
        assert_eq!(
            says(
                &["external"],
                "shop.example.com",
                "sources: [gateway-grpcroute]"
            ),
            [
                "warning dns/unpublished /spec/hostnames/0: nothing publishes shop.example.com: HelmRelease network/dns doesn't read HTTPRoutes"
            ]
        );
        let other = "sources: [gateway-httproute], extraArgs: [--gateway-name=internal]";
        assert_eq!(says(&["external"], "shop.example.com", other), [""; 0]);
    }
}
