//! Monitors that look where no proxy or controller is.

use super::front::{
    Controller, Front, OWNER_NAME, OWNER_NAMESPACE, fronts, release_namespace, releases,
};
use super::selector::selects;
use super::{Applied, Whole};
use crate::check::finding;
use crate::diagnostic::{Code, Diagnostic};
use crate::value::{Node, Pointer, variable};

const MONITORING: &str = "monitoring.coreos.com";

/// Labels by which a monitor shows that it is meant for the controller: the chart's (1.5 to 1.9).
const OF_CONTROLLER: [(&str, &str); 2] = [
    ("control-plane", "envoy-gateway"),
    ("app.kubernetes.io/name", "gateway-helm"),
];

/// Monitors for proxies and for the controller that find nothing.
pub fn check(whole: &Whole<'_>) -> Vec<Diagnostic> {
    let fronts = fronts(whole);
    let mut found = Vec::new();
    for monitor in whole.of_kind(MONITORING, "PodMonitor") {
        if is_for_proxies(&monitor) {
            found.extend(for_proxies(whole, &monitor, &fronts));
        }
    }
    for kind in ["PodMonitor", "ServiceMonitor"] {
        for monitor in whole.of_kind(MONITORING, kind) {
            if pairs(&monitor).any(|pair| OF_CONTROLLER.contains(&pair)) {
                found.extend(for_controller(whole, &monitor));
            }
        }
    }
    found
}

fn pairs<'a>(monitor: &Applied<'a>) -> impl Iterator<Item = (&'a str, &'a str)> {
    let map = monitor
        .object
        .node
        .path(&["spec", "selector", "matchLabels"]);
    let map = map.and_then(Node::as_map).into_iter();
    map.flat_map(|map| map.iter())
        .filter_map(|(key, value)| Some((key, value.as_str()?)))
}

/// Whether a monitor shows by its labels that it is meant for Envoy Gateway's proxies, and no others.
fn is_for_proxies(monitor: &Applied<'_>) -> bool {
    let has = |key: &str, value: &str| pairs(monitor).any(|pair| pair == (key, value));
    pairs(monitor).any(|(key, _)| key == OWNER_NAME || key == OWNER_NAMESPACE)
        || has("app.kubernetes.io/managed-by", "envoy-gateway")
        || (has("app.kubernetes.io/name", "envoy") && has("app.kubernetes.io/component", "proxy"))
}

/// The namespaces that a monitor looks into; `None` where it is all, or not known.
fn namespaces<'a>(monitor: &Applied<'a>) -> Option<Vec<&'a str>> {
    let selector = monitor.object.node.path(&["spec", "namespaceSelector"]);
    let any = selector
        .and_then(|selector| selector.get("any"))
        .map(Node::to_json);
    if any == Some(true.into()) {
        return None;
    }
    let names = selector.and_then(|selector| selector.get("matchNames")?.as_list());
    let names: Vec<&str> = names
        .unwrap_or_default()
        .iter()
        .filter_map(Node::as_str)
        .collect();
    let names = if names.is_empty() {
        vec![monitor.object.namespace()]
    } else {
        names
    };
    let is_known = names
        .iter()
        .all(|name| !name.is_empty() && !variable::in_text(name));
    is_known.then_some(names)
}

/// Where in a monitor its namespaces are said: its selector, else its own.
fn place(monitor: &Applied<'_>) -> Pointer {
    let selector = Pointer::root().key("spec").key("namespaceSelector");
    match monitor.object.node.at(&selector) {
        Some(_) => selector,
        None => Pointer::root().key("metadata").key("name"),
    }
}

fn for_proxies(
    whole: &Whole<'_>,
    monitor: &Applied<'_>,
    fronts: &[Front<'_>],
) -> Option<Diagnostic> {
    let near: Vec<&Front> = fronts
        .iter()
        .filter(|front| whole.may_share_cluster(front.gateway.object, monitor.object))
        .filter(|front| front.controller != Controller::Other)
        .collect();
    if near.is_empty()
        || near
            .iter()
            .any(|front| front.controller == Controller::Unknown)
    {
        return None;
    }
    let selector = monitor.object.node.path(&["spec", "selector"]);
    let selected: Vec<&&Front> = near
        .iter()
        .filter(|front| {
            let mut labels = front.pod_labels();
            // Pods have labels of the EnvoyProxy's too, and of Kubernetes.
            let key = if front.setting(&["envoyDaemonSet"]).is_some() {
                "envoyDaemonSet"
            } else {
                "envoyDeployment"
            };
            labels.add(front.setting(&[key, "pod", "labels"]));
            labels.is_open |= front.setting(&[key, "patch"]).is_some();
            selects(selector, &labels) != Some(false)
        })
        .collect();
    let name = monitor.object.name();
    if selected.is_empty() {
        let pointer = Pointer::root().key("spec").key("selector");
        let gateways: Vec<&str> = near
            .iter()
            .map(|front| front.gateway.object.name())
            .collect();
        return Some(
            finding(
                Code::FluxMonitorElsewhere,
                monitor.object,
                &pointer,
                format!("{name} selects the proxies of no gateway"),
            )
            .why("nothing is scraped: dashboards of the proxies stay empty, and alerts never fire")
            .help(format!(
                "select by `app.kubernetes.io/component: proxy`, or by a gateway that is there: {}",
                gateways.join(", ")
            )),
        );
    }
    let watched = namespaces(monitor)?;
    let run: Vec<&str> = selected
        .iter()
        .map(|front| front.namespace())
        .collect::<Option<_>>()?;
    if run.iter().any(|namespace| watched.contains(namespace)) {
        return None;
    }
    Some(elsewhere(monitor, &watched, "proxies run", &run))
}

fn for_controller(whole: &Whole<'_>, monitor: &Applied<'_>) -> Option<Diagnostic> {
    let run: Vec<&str> = releases(whole, "gateway-helm")
        .iter()
        .filter(|release| whole.may_share_cluster(release.object, monitor.object))
        .map(|release| release_namespace(release.object))
        .collect();
    let is_known = run
        .iter()
        .all(|name| !name.is_empty() && !variable::in_text(name));
    let watched = namespaces(monitor)?;
    if run.is_empty() || !is_known || run.iter().any(|namespace| watched.contains(namespace)) {
        return None;
    }
    Some(elsewhere(monitor, &watched, "the controller runs", &run))
}

fn elsewhere(monitor: &Applied<'_>, watched: &[&str], what: &str, run: &[&str]) -> Diagnostic {
    let mut run = run.to_vec();
    run.sort_unstable();
    run.dedup();
    finding(
        Code::FluxMonitorElsewhere,
        monitor.object,
        &place(monitor),
        format!(
            "{} looks into {}, and {what} in {}",
            monitor.object.name(),
            watched.join(", "),
            run.join(", ")
        ),
    )
    .why("nothing is scraped: dashboards stay empty, and alerts never fire")
    .help(format!(
        "write `namespaceSelector: {{ matchNames: [{}] }}`",
        run.join(", ")
    ))
}
