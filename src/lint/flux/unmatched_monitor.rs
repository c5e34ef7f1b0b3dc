//! Monitors of applications whose selector or port matches nothing, although the application is at hand.

use super::monitor_elsewhere::{is_for_controller, is_for_proxies, namespaces, pairs};
use crate::lint::reference::names::is_sure;
use crate::lint::{Applied, LintContext};
use envoy_gateway::helm_routes::{HELM, release_namespace};
use envoy_gateway::read::{list, text};
use envoy_gateway::selector::{Labels, selects};
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::{listed, misspelt};
use manifest::finding;
use manifest::value::{Node, Pointer, variable};

manifest::code! {
    "flux"/"unmatched-monitor", Warning, "A monitor whose selector or port matches nothing.",
    r#"
A ServiceMonitor selects Services by the labels in their own `metadata`, not by those of the Pods, and its `port` is
the name of a port of the Service, not a number. A PodMonitor selects Pods by their labels, and its `port` is the name
of a port of a container. Both only look in their own namespace, unless `namespaceSelector` says otherwise. Prometheus
finds no target otherwise, dashboards stay empty and alerts never fire. This is reported if the Service or the
workload that is meant is among the manifests.

## Wrong

```yaml
kind: Service
metadata: { name: shop }
spec: { selector: { app: shop }, ports: [{ name: metrics, port: 9100 }] }
---
kind: ServiceMonitor
spec:
  selector: { matchLabels: { app: shop } }
  endpoints: [{ port: metrics }]
```

## Right

```yaml
kind: Service
metadata: { name: shop, labels: { app: shop } }
spec: { selector: { app: shop }, ports: [{ name: metrics, port: 9100 }] }
---
kind: ServiceMonitor
spec:
  selector: { matchLabels: { app: shop } }
  endpoints: [{ port: metrics }]
```
"#
}

const WHY: &str = "Prometheus finds no target, so dashboards stay empty and alerts never fire";

/// Something that a monitor can select.
struct Candidate<'a> {
    of: Applied<'a>,
    labels: Labels,
    /// The labels of the Pods behind a Service.
    pods: Labels,
    ports: Vec<Port<'a>>,
    /// Whether all ports are known.
    has_ports: bool,
}

struct Port<'a> {
    name: Option<&'a str>,
    number: Option<i64>,
}

/// Reports monitors that match nothing.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let services: Vec<Candidate<'_>> = context.of_kind("", "Service").map(service).collect();
    let workloads: Vec<Candidate<'_>> = context.workloads().map(workload).collect();
    let mut found: Vec<Diagnostic> = Vec::new();
    for (kind, key, all) in [
        ("ServiceMonitor", "endpoints", &services),
        ("PodMonitor", "podMetricsEndpoints", &workloads),
    ] {
        for monitor in context.of_kind("monitoring.coreos.com", kind) {
            let is_own = is_for_proxies(&monitor) || is_for_controller(&monitor);
            if !is_own && is_sure(context, &monitor) {
                found.extend(unmatched(context, &monitor, key, all));
            }
        }
    }
    found
}

fn labels_at(one: &Applied<'_>, path: &[&str]) -> Labels {
    let mut labels = Labels {
        is_open: one.way.is_some_and(|way| way.is_partly_unknown),
        ..Labels::default()
    };
    labels.add(one.object.node.path(path));
    labels
}

fn service(of: Applied<'_>) -> Candidate<'_> {
    let ports = list(&of.object.node, &["spec", "ports"]);
    Candidate {
        labels: labels_at(&of, &["metadata", "labels"]),
        pods: labels_at(&of, &["spec", "selector"]),
        ports: ports.iter().map(|it| port(it, "port")).collect(),
        has_ports: true,
        of,
    }
}

fn workload(of: Applied<'_>) -> Candidate<'_> {
    let pod = ["spec", "template", "spec"];
    let containers = |key: &'static str| {
        let [a, b, c] = pod;
        list(&of.object.node, &[a, b, c, key])
    };
    let all = containers("containers")
        .iter()
        .chain(containers("initContainers"));
    let ports: Vec<Port<'_>> = all
        .flat_map(|it| list(it, &["ports"]))
        .map(|it| port(it, "containerPort"))
        .collect();
    let labels = labels_at(&of, &["spec", "template", "metadata", "labels"]);
    Candidate {
        pods: labels.clone(),
        labels,
        has_ports: !ports.is_empty(),
        ports,
        of,
    }
}

fn port<'a>(node: &'a Node, key: &str) -> Port<'a> {
    Port {
        name: text(node, &["name"]),
        number: node.get(key).and_then(Node::as_i64),
    }
}

fn unmatched(
    context: &LintContext<'_>,
    monitor: &Applied<'_>,
    key: &str,
    all: &[Candidate<'_>],
) -> Option<Diagnostic> {
    let watched = namespaces(monitor)?;
    let near = all.iter();
    let near = near.filter(|it| context.may_share_cluster(it.of.object, monitor.object));
    let near: Vec<&Candidate<'_>> = near.collect();
    let is_watched = |it: &&&Candidate<'_>| watched.contains(&it.of.object.namespace());
    let selector = monitor.object.node.path(&["spec", "selector"]);
    pairs(monitor).next()?;
    let selected = near.iter().filter(is_watched);
    let selected = selected.filter(|it| selects(selector, &it.labels) != Some(false));
    let selected: Vec<&&Candidate<'_>> = selected.collect();
    if !selected.is_empty() {
        return without_port(monitor, key, &selected);
    }
    // A chart may make what is meant.
    let makes = context.of_kind(HELM, "HelmRelease");
    let mut makes = makes.filter(|it| context.may_share_cluster(it.object, monitor.object));
    if makes.any(|it| watched.contains(&release_namespace(it.object))) {
        return None;
    }
    let name = monitor.object.name();
    let spec = Pointer::root().key("spec");
    let place = spec.key("selector").key("matchLabels");
    let said = |place: &Pointer, message: String, help: String| {
        Some(
            finding(CODE, monitor.object, place, message)
                .why(WHY)
                .help(help),
        )
    };
    let elsewhere = near.iter().filter(|it| !is_watched(it));
    let mut elsewhere = elsewhere.filter(|it| selects(selector, &it.labels) == Some(true));
    if let Some(it) = elsewhere.next() {
        let object = it.of.object;
        let place = match monitor.object.node.path(&["spec", "namespaceSelector"]) {
            Some(_) => spec.key("namespaceSelector"),
            None => Pointer::root().key("metadata").key("name"),
        };
        return said(
            &place,
            format!(
                "{name} looks in {}, but {} is in {}",
                watched.join(", "),
                object.name(),
                object.namespace()
            ),
            format!(
                "write `namespaceSelector: {{matchNames: [{}]}}`",
                object.namespace()
            ),
        );
    }
    let mut by_pods = near.iter().filter(is_watched);
    if let Some(it) = by_pods.find(|it| selects(selector, &it.pods) == Some(true)) {
        let object = it.of.object;
        return said(
            &place,
            format!(
                "{name} selects Service {} by the labels of its Pods, which the Service doesn't have",
                object.name()
            ),
            format!(
                "write the labels into `metadata.labels` of Service {}, too",
                object.name()
            ),
        );
    }
    for (key, value) in pairs(monitor) {
        let there = near.iter().filter(is_watched);
        let there = there.filter_map(|it| it.labels.known.get(key).map(String::as_str));
        if let Some(meant) = misspelt(value, there.filter(|it| *it != value)) {
            return said(
                &place.key(key),
                format!("{name} selects nothing, because no label `{key}` is `{value}`"),
                format!("write `{key}: {meant}`"),
            );
        }
    }
    None
}

/// An endpoint whose port nothing of what is selected has.
fn without_port(
    monitor: &Applied<'_>,
    key: &str,
    selected: &[&&Candidate<'_>],
) -> Option<Diagnostic> {
    if selected
        .iter()
        .any(|it| !it.has_ports || it.of.way.is_some_and(|way| way.is_partly_unknown))
    {
        return None;
    }
    let endpoints = list(&monitor.object.node, &["spec", key]).iter();
    endpoints.enumerate().find_map(|(at, endpoint)| {
        let wanted = text(endpoint, &["port"])?;
        let ports = || selected.iter().flat_map(|it| it.ports.iter());
        let is_open = |it: &Port<'_>| it.name.is_some_and(variable::in_text);
        if variable::in_text(wanted) || ports().any(|it| it.name == Some(wanted) || is_open(it)) {
            return None;
        }
        let names: Vec<&str> = ports().filter_map(|it| it.name).collect();
        let of_number =
            ports().find(|it| it.number.map(|it| it.to_string()).as_deref() == Some(wanted));
        let help = match of_number.and_then(|it| it.name) {
            Some(name) => format!("write `port: {name}`, the name of that port"),
            None if names.is_empty() => {
                "give the port a `name`, and write that name here".to_owned()
            }
            None => format!(
                "the names of its ports are {}",
                listed(names.iter().map(|it| format!("`{it}`")))
            ),
        };
        let place = Pointer::root().key("spec").key(key).index(at).key("port");
        let first = selected.first()?.of.object;
        let message = format!(
            "{} looks for the port `{wanted}`, which {} {} doesn't have",
            monitor.object.name(),
            first.kind(),
            first.name()
        );
        Some(
            finding(CODE, monitor.object, &place, message)
                .why(WHY)
                .help(help),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    const APP: &str = "apiVersion: v1
kind: Service
metadata: {name: shop, namespace: shop, labels: {tier: front-end}}
spec: {selector: {app: shop}, ports: [{name: http, port: 80}, {name: metrics, port: 9100}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: shop}
spec: {template: {metadata: {labels: {app: shop}}, spec: {containers: [{name: a, ports: [{name: metrics, containerPort: 9100}]}]}}}
---
";

    fn says(kind: &str, namespace: &str, label: &str, port: &str, rest: &str) -> Vec<String> {
        let endpoints = match kind {
            "PodMonitor" => "podMetricsEndpoints",
            _ => "endpoints",
        };
        let text = format!(
            "{APP}apiVersion: monitoring.coreos.com/v1
kind: {kind}
metadata: {{name: m, namespace: {namespace}}}
spec: {{selector: {{matchLabels: {{{label}}}}}, {endpoints}: [{{port: {port}}}]{rest}}}
"
        );
        let found = told(check, "1.9.0", &[("a.yaml", &text)]);
        let short = |one: &String| one.replace("warning flux/unmatched-monitor ", "");
        found.iter().map(short).collect()
    }

    #[test]
    fn a_service_monitor_selects_services_by_their_own_labels_and_ports() {
        let of = |namespace: &str, label: &str, port: &str, rest: &str| {
            says("ServiceMonitor", namespace, label, port, rest)
        };
        let right = "tier: front-end";
        assert_eq!(of("shop", right, "metrics", ""), [""; 0]);
        assert_eq!(
            of("shop", "app: shop", "metrics", ""),
            [
                "/spec/selector/matchLabels: m selects Service shop by the labels of its Pods, which the Service doesn't have"
            ]
        );
        assert_eq!(
            of("shop", "tier: frontend", "metrics", ""),
            [
                "/spec/selector/matchLabels/tier: m selects nothing, because no label `tier` is `frontend`"
            ]
        );
        assert_eq!(
            of("shop", right, "'9100'", ""),
            [
                "/spec/endpoints/0/port: m looks for the port `9100`, which Service shop doesn't have"
            ]
        );
        assert_eq!(
            of("o11y", right, "metrics", ""),
            ["/metadata/name: m looks in o11y, but shop is in shop"]
        );
        let there = ", namespaceSelector: {matchNames: [shop]}";
        assert_eq!(of("o11y", right, "metrics", there), [""; 0]);
        assert_eq!(of("shop", "app: other", "metrics", ""), [""; 0]);
    }

    #[test]
    fn a_pod_monitor_selects_pods_by_their_labels_and_ports() {
        let of = |label: &str, port: &str| says("PodMonitor", "shop", label, port, "");
        assert_eq!(of("app: shop", "metrics"), [""; 0]);
        assert_eq!(
            of("app: shop", "http-metrics"),
            [
                "/spec/podMetricsEndpoints/0/port: m looks for the port `http-metrics`, which Deployment shop doesn't have"
            ]
        );
    }
}
