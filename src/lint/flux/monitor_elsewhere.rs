//! Monitors that look in namespaces without proxies or controller.

use std::collections::BTreeSet;

use crate::lint::front::{CHART, Front, release_namespace};
use crate::lint::{Applied, LintContext};
use envoy_gateway::proxies::{Controller, OWNER_NAME, OWNER_NAMESPACE};
use envoy_gateway::read::list;
use envoy_gateway::selector::{Labels, selects};
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, Pointer, variable};

manifest::code! {
    "flux"/"monitor-elsewhere", Warning, "A monitor for a namespace in which no proxy or controller runs.",
    r#"
A PodMonitor for proxies, or a ServiceMonitor or PodMonitor for the controller, selects namespaces in which
none of them runs, or a gateway that doesn't exist. Prometheus scrapes nothing, dashboards stay empty and
alerts never fire. Without a `namespaceSelector`, a monitor selects only its own namespace. In
`GatewayNamespace` mode, proxies run in the namespace of their gateway; otherwise they run in the controller's
namespace.

## Wrong

```yaml
kind: PodMonitor
metadata:
  name: envoy-proxy
  namespace: observability
spec:
  selector:
    matchLabels:
      app.kubernetes.io/component: proxy
      app.kubernetes.io/name: envoy
```

## Right

```yaml
kind: PodMonitor
metadata:
  name: envoy-proxy
  namespace: observability
spec:
  namespaceSelector:
    matchNames: [network]
  selector:
    matchLabels:
      app.kubernetes.io/component: proxy
      app.kubernetes.io/name: envoy
```
"#
}

const MONITORING: &str = "monitoring.coreos.com";

/// The labels of a monitor that is meant for the controller, as the chart sets them (1.5 to 1.9).
const OF_CONTROLLER: [(&str, &str); 2] = [
    ("control-plane", "envoy-gateway"),
    ("app.kubernetes.io/name", "gateway-helm"),
];

/// Reports monitors for the proxies and the controller that find nothing.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let proxies: Vec<Proxies> = context
        .fronts()
        .iter()
        .filter(|front| front.controller != Controller::Other)
        .map(proxies)
        .collect();
    let mut found = Vec::new();
    for monitor in context.of_kind(MONITORING, "PodMonitor") {
        if is_for_proxies(&monitor) {
            found.extend(for_proxies(context, &monitor, &proxies));
        }
    }
    for kind in ["PodMonitor", "ServiceMonitor"] {
        for monitor in context.of_kind(MONITORING, kind) {
            if pairs(&monitor).any(|pair| OF_CONTROLLER.contains(&pair)) {
                found.extend(for_controller(context, &monitor));
            }
        }
    }
    found
}

/// The labels and values that a monitor selects by.
pub(super) fn pairs<'a>(monitor: &Applied<'a>) -> impl Iterator<Item = (&'a str, &'a str)> {
    let map = monitor
        .object
        .node
        .path(&["spec", "selector", "matchLabels"]);
    let map = map.and_then(Node::as_map).into_iter();
    map.flat_map(|map| map.iter())
        .filter_map(|(key, value)| Some((key, value.as_str()?)))
}

/// Whether the labels in a monitor's selector show that it is only meant for Envoy Gateway's proxies.
pub(super) fn is_for_proxies(monitor: &Applied<'_>) -> bool {
    let has = |key: &str, value: &str| pairs(monitor).any(|pair| pair == (key, value));
    pairs(monitor).any(|(key, _)| key == OWNER_NAME || key == OWNER_NAMESPACE)
        || has("app.kubernetes.io/managed-by", "envoy-gateway")
        || (has("app.kubernetes.io/name", "envoy") && has("app.kubernetes.io/component", "proxy"))
        || reads_envoy(monitor)
}

/// Whether a monitor reads the figures of Envoy, from something that is called Envoy.
fn reads_envoy(monitor: &Applied<'_>) -> bool {
    let endpoints = list(&monitor.object.node, &["spec", "podMetricsEndpoints"]).iter();
    let mut paths = endpoints.filter_map(|it| it.get("path")?.as_str());
    paths.any(|path| path == "/stats/prometheus")
        && pairs(monitor).any(|(_, value)| value.contains("envoy"))
}

/// Whether the labels in a monitor's selector show that it is meant for the controller.
pub(super) fn is_for_controller(monitor: &Applied<'_>) -> bool {
    pairs(monitor).any(|pair| OF_CONTROLLER.contains(&pair))
}

/// The namespaces that a monitor selects; `None` if it selects all, or that is unknown.
pub(super) fn namespaces<'a>(monitor: &Applied<'a>) -> Option<Vec<&'a str>> {
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

/// The path that sets a monitor's namespaces: its selector, else its own namespace.
fn place(monitor: &Applied<'_>) -> Pointer {
    let selector = Pointer::root().key("spec").key("namespaceSelector");
    match monitor.object.node.at(&selector) {
        Some(_) => selector,
        None => Pointer::root().key("metadata").key("name"),
    }
}

/// The proxies of a gateway, and their labels.
struct Proxies<'a> {
    front: &'a Front<'a>,
    labels: Labels,
}

fn proxies<'a>(front: &'a Front<'a>) -> Proxies<'a> {
    let mut labels = front.pod_labels();
    // Pods also have labels from the EnvoyProxy and from Kubernetes.
    let key = if front.setting(&["envoyDaemonSet"]).is_some() {
        "envoyDaemonSet"
    } else {
        "envoyDeployment"
    };
    labels.add(front.setting(&[key, "pod", "labels"]));
    labels.is_open |= front.setting(&[key, "patch"]).is_some();
    Proxies { front, labels }
}

fn for_proxies(
    context: &LintContext<'_>,
    monitor: &Applied<'_>,
    proxies: &[Proxies<'_>],
) -> Option<Diagnostic> {
    let near = || {
        let all = proxies.iter();
        all.filter(|one| context.may_share_cluster(one.front.gateway.object, monitor.object))
    };
    let is_unknown = |one: &Proxies<'_>| one.front.controller == Controller::Unknown;
    if near().next().is_none() || near().any(is_unknown) {
        return None;
    }
    let selector = monitor.object.node.path(&["spec", "selector"]);
    let watched = namespaces(monitor);
    let mut run = Vec::new();
    for one in near().filter(|one| selects(selector, &one.labels) != Some(false)) {
        let namespace = one.front.namespace()?;
        if watched.as_ref()?.contains(&namespace) {
            return None;
        }
        run.push(namespace);
    }
    if !run.is_empty() {
        return Some(elsewhere(monitor, &watched?, "proxies run", &run));
    }
    let name = monitor.object.name();
    let gateways: BTreeSet<&str> = near().map(|one| one.front.gateway.object.name()).collect();
    let gateways: Vec<&str> = gateways.into_iter().collect();
    let pointer = Pointer::root().key("spec").key("selector");
    let message = format!("{name} selects the proxies of no gateway");
    Some(
        finding(CODE, monitor.object, &pointer, message)
            .why(
                "nothing is scraped, so dashboards of the proxies stay empty and alerts never fire",
            )
            .help(format!(
                "select by `app.kubernetes.io/component: proxy`, or by a gateway that exists: {}",
                gateways.join(", ")
            )),
    )
}

fn for_controller(context: &LintContext<'_>, monitor: &Applied<'_>) -> Option<Diagnostic> {
    let run: Vec<&str> = context
        .releases(CHART)
        .filter(|release| context.may_share_cluster(release.object, monitor.object))
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
        CODE,
        monitor.object,
        &place(monitor),
        format!(
            "{} looks in {}, but {what} in {}",
            monitor.object.name(),
            watched.join(", "),
            run.join(", ")
        ),
    )
    .why("nothing is scraped, so dashboards stay empty and alerts never fire")
    .help(format!(
        "write `namespaceSelector: {{ matchNames: [{}] }}`",
        run.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use crate::lint::support::found_with_front;

    #[test]
    fn monitors_look_where_something_runs() {
        let monitor = |kind: &str, namespace: &str, labels: &str, rest: &str| {
            format!(
                "
# monitor.yaml
apiVersion: monitoring.coreos.com/v1
kind: {kind}
metadata: {{name: m, namespace: {namespace}}}
spec:
  selector: {{matchLabels: {{{labels}}}}}
  {rest}"
            )
        };
        let proxies = "app.kubernetes.io/component: proxy, app.kubernetes.io/name: envoy";
        let says = |namespace: &str, labels: &str, rest: &str| {
            found_with_front(&[&monitor("PodMonitor", namespace, labels, rest)])
        };
        assert_eq!(says("network", proxies, ""), [""; 0]);
        assert_eq!(
            says("o11y", proxies, "namespaceSelector: {any: true}"),
            [""; 0]
        );
        assert_eq!(
            says(
                "o11y",
                proxies,
                "namespaceSelector: {matchNames: [network]}"
            ),
            [""; 0]
        );
        assert_eq!(
            says("o11y", "app.kubernetes.io/component: proxy", ""),
            [""; 0]
        );
        assert_eq!(
            says("o11y", proxies, ""),
            [
                "warning flux/monitor-elsewhere monitor.yaml:3 m looks in o11y, but proxies run in network"
            ]
        );
        assert_eq!(
            says(
                "network",
                "gateway.envoyproxy.io/owning-gateway-name: internal",
                ""
            ),
            ["warning flux/monitor-elsewhere monitor.yaml:5 m selects the proxies of no gateway"]
        );
        let controller = |namespace: &str| {
            found_with_front(&[&monitor(
                "ServiceMonitor",
                namespace,
                "control-plane: envoy-gateway",
                "",
            )])
        };
        assert_eq!(controller("network"), [""; 0]);
        assert_eq!(
            controller("o11y"),
            [
                "warning flux/monitor-elsewhere monitor.yaml:3 m looks in o11y, but the controller runs in network"
            ]
        );
    }
}
