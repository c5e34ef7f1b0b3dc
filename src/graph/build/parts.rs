//! The parts of the picture, each from one resolved object.

use super::named;
use crate::graph::model::{Faults, Gateway, Listener, Name, Route};
use envoy_gateway::condition::{Condition, Conditions, Status, kind};
use envoy_gateway::exposure::build::{is_redirect, listener_name, namespaces, reach_of, target};
use envoy_gateway::helm_routes::RELEASE;
use envoy_gateway::index::Key;
use envoy_gateway::read::{int, list, text};
use envoy_gateway::view;
use envoy_gateway::{Resolved, RouteKind};

pub(super) fn gateway(one: &view::Gateway<'_>) -> Gateway {
    let reach = reach_of(one);
    let class = text(&one.object.node, &["spec", "gatewayClassName"]).unwrap_or_default();
    let mut faults = faults(one.conditions.iter());
    if one.class.is_none() {
        faults.push(format!("class {class}: unknown, or another controller's"));
    }
    Gateway {
        name: named(one.object),
        class: class.to_owned(),
        side: reach.side,
        side_why: reach.why,
        addresses: one.addresses(),
        target: target(one).map(str::to_owned),
        is_foreign: one.class.is_none(),
        faults,
        ..Gateway::default()
    }
}

/// A gateway that routes refer to but that is not among the objects.
pub(super) fn absent(key: Key<'_>) -> Gateway {
    let reach = envoy_gateway::exposure::reach::reach(key.name, "", &[], None);
    Gateway {
        name: Name {
            kind: "Gateway".to_owned(),
            namespace: key.namespace.to_owned(),
            name: key.name.to_owned(),
            cluster: None,
        },
        side: reach.side,
        side_why: reach.why,
        is_foreign: true,
        faults: vec!["not in these manifests".to_owned()],
        ..Gateway::default()
    }
}

pub(super) fn listener(resolved: &Resolved<'_>, one: &view::Listener<'_>) -> Listener {
    Listener {
        name: listener_name(resolved, one),
        port: format!("{} {}", one.protocol, one.port),
        hostname: one.hostname.map(str::to_owned),
        namespaces: namespaces(one).to_string(),
        policies: Vec::new(),
        faults: faults(one.conditions.iter()),
    }
}

pub(super) fn route(one: &view::Route<'_>) -> Route {
    let redirects: Option<Vec<String>> = one.rules.iter().map(|it| redirect(it.node)).collect();
    let redirect = redirects.and_then(|all| {
        let mut all = all.into_iter();
        let first = all.next()?;
        all.all(|it| it == first).then_some(first)
    });
    let release = text(&one.object.node, &["metadata", "annotations", RELEASE]);
    Route {
        name: named(one.object),
        release: release.map(str::to_owned),
        hostnames: one.hostnames.iter().map(|it| (*it).to_owned()).collect(),
        held: None,
        has_hostnames: !matches!(one.kind, RouteKind::Tcp | RouteKind::Udp),
        redirect,
        ..Route::default()
    }
}

/// The Service of a route that a chart creates, if the chart determines its name, which is usually the name
/// of the release.
pub(super) fn service_of_chart<'a>(one: &view::Route<'a>) -> Option<&'a str> {
    let is_open = |rule: &view::Rule<'_>| {
        rule.backends.is_empty() && list(rule.node, &["filters"]).is_empty()
    };
    let release = text(&one.object.node, &["metadata", "annotations", RELEASE])?;
    one.rules.iter().any(is_open).then_some(release)
}

/// The status of a redirect and what it changes; `None` if the rule doesn't redirect.
pub(super) fn redirect(rule: &manifest::value::Node) -> Option<String> {
    if !is_redirect(rule) {
        return None;
    }
    let filters = list(rule, &["filters"]).iter();
    let redirect = filters.filter_map(|it| it.get("requestRedirect")).next()?;
    let status = int(redirect, &["statusCode"]).unwrap_or(302);
    let scheme = text(redirect, &["scheme"]);
    let host = text(redirect, &["hostname"]);
    let to = match (scheme, host) {
        (Some(scheme), Some(host)) => format!("{scheme}://{host}"),
        (Some(only), None) | (None, Some(only)) => only.to_owned(),
        (None, None) => "another URL".to_owned(),
    };
    Some(format!("{status} {to}"))
}

/// A hostname with its labels in reverse order, so that hostnames of the same domain are sorted together.
pub(super) fn reversed_labels(hostname: &str) -> String {
    let labels: Vec<&str> = hostname.rsplit('.').collect();
    labels.join(".")
}

pub(super) fn faults_of(route: &view::Route<'_>) -> Faults {
    let conditions: Vec<&Conditions> = route.parents.iter().map(|it| &it.conditions).collect();
    faults(conditions.into_iter().flat_map(|it| it.iter()))
}

/// The reasons and messages of conditions that report a problem, without duplicates.
pub(super) fn faults<'c>(conditions: impl Iterator<Item = &'c Condition>) -> Faults {
    let mut found = Vec::new();
    for condition in conditions {
        let is_refused = condition.kind == kind::CONFLICTED || condition.status == Status::False;
        if condition.is_bad() && is_refused {
            let line = format!("{}: {}", condition.reason, condition.message);
            if !found.contains(&line) {
                found.push(line);
            }
        }
    }
    found
}
