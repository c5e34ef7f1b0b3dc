//! Monitors that no Prometheus selects.

use crate::lint::reference::names::is_sure;
use crate::lint::{Applied, LintContext};
use envoy_gateway::helm_routes::release_name;
use envoy_gateway::read::{flag, has};
use envoy_gateway::selector::{Labels, selects};
use flux_repo::ARGO_CD;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, Pointer};

manifest::code! {
    "flux"/"unselected-monitor", Warning, "A monitor whose labels no Prometheus selects.",
    r#"
A Prometheus reads only the monitors that its `serviceMonitorSelector` or `podMonitorSelector` selects. The chart
kube-prometheus-stack selects those with the label `release: NAME` of its own release, unless the values say otherwise.
Other monitors are accepted, and nothing is scraped.

## Wrong

```yaml
kind: HelmRelease # of kube-prometheus-stack
spec:
  values: { grafana: { enabled: false } }
```

## Right

```yaml
kind: HelmRelease # of kube-prometheus-stack
spec:
  values:
    prometheus:
      prometheusSpec:
        podMonitorSelectorNilUsesHelmValues: false
        serviceMonitorSelectorNilUsesHelmValues: false
```
"#
}

const CHART: &str = "kube-prometheus-stack";

/// Charts of other programs that read monitors.
const OTHERS: [&str; 6] = [
    "alloy",
    "k8s-monitoring",
    "opentelemetry-operator",
    "victoria-metrics-k8s-stack",
    "victoria-metrics-operator",
    "opentelemetry-kube-stack",
];

/// Kinds of monitors, with the keys by which a Prometheus selects them.
const MONITORS: [(&str, &str, &str); 2] = [
    (
        "ServiceMonitor",
        "serviceMonitorSelector",
        "serviceMonitorSelectorNilUsesHelmValues",
    ),
    (
        "PodMonitor",
        "podMonitorSelector",
        "podMonitorSelectorNilUsesHelmValues",
    ),
];

/// Reports the first monitor of each kind that nothing selects.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    if OTHERS
        .iter()
        .any(|chart| context.releases(chart).next().is_some())
    {
        return Vec::new();
    }
    let releases: Vec<Applied<'_>> = context.releases(CHART).collect();
    let servers = context.of_kind("monitoring.coreos.com", "Prometheus");
    let servers: Vec<Applied<'_>> = servers.collect();
    let mut found = Vec::new();
    for (kind, key, switch) in MONITORS {
        for monitor in context.of_kind("monitoring.coreos.com", kind) {
            let is_near = |it: &&Applied<'_>| context.may_share_cluster(it.object, monitor.object);
            let mut labels = Labels {
                is_open: monitor.way.is_some_and(|way| way.is_partly_unknown),
                ..Labels::default()
            };
            labels.add(monitor.object.node.path(&["metadata", "labels"]));
            let of_releases = releases.iter().filter(is_near);
            let of_servers = servers.iter().filter(is_near);
            let mut verdicts = Vec::new();
            for it in of_releases {
                let is_selected = !is_sure(context, it) || by_release(it, &labels, key, switch);
                verdicts.push((it, is_selected));
            }
            for it in of_servers {
                let selector = it.object.node.path(&["spec", key]);
                let is_selected = selector.is_some() && selects(selector, &labels) != Some(false);
                verdicts.push((it, is_selected));
            }
            let Some((first, _)) = verdicts.first() else {
                continue;
            };
            if verdicts.iter().all(|(_, is_selected)| !is_selected) && is_sure(context, &monitor) {
                found.push(report(&monitor, first, key, switch));
                break;
            }
        }
    }
    found
}

/// Whether the Prometheus of a release may select a monitor.
fn by_release(release: &Applied<'_>, labels: &Labels, key: &str, switch: &str) -> bool {
    let object = release.object;
    if object.group() == ARGO_CD || has(&object.node, &["spec", "valuesFrom"]) {
        return true;
    }
    let prometheus = ["spec", "values", "prometheus"];
    let [a, b, c] = prometheus;
    if flag(&object.node, &[a, b, c, "enabled"]) == Some(false) {
        return true;
    }
    let spec = object.node.path(&[a, b, c, "prometheusSpec"]);
    let value = |key: &str| spec.and_then(|it| it.get(key));
    if let Some(selector) =
        value(key).filter(|it| it.as_map().is_some_and(|it| it.iter().next().is_some()))
    {
        return selects(Some(selector), labels) != Some(false);
    }
    match value(switch).map(Node::as_bool) {
        None | Some(Some(true)) => {
            let wanted = labels.known.get("release");
            labels.is_open || wanted.is_some_and(|it| it == &release_name(object))
        }
        Some(_) => true,
    }
}

fn report(monitor: &Applied<'_>, by: &Applied<'_>, key: &str, switch: &str) -> Diagnostic {
    let place = Pointer::root().key("metadata").key("name");
    let labels = Pointer::root().key("metadata").key("labels");
    let place = match monitor.object.node.at(&labels) {
        Some(_) => labels,
        None => place,
    };
    let is_release = by.object.kind() == "HelmRelease";
    let help = match is_release {
        true => format!(
            "set `prometheus.prometheusSpec.{switch}: false` in the values of {CHART}, or add the label `release: {}`",
            release_name(by.object)
        ),
        false => format!(
            "add the labels that `{key}` of Prometheus {} asks for",
            by.object.name()
        ),
    };
    let message = format!(
        "no Prometheus selects the {} {}",
        monitor.object.kind(),
        monitor.object.name()
    );
    finding(CODE, monitor.object, &place, message)
        .related(
            by.object.span(&Pointer::root().key("spec")),
            "this selects by other labels",
        )
        .why("nothing is scraped, so dashboards stay empty and alerts never fire")
        .help(help)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    fn says(labels: &str, server: &str) -> Vec<String> {
        let text = format!(
            "apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {{name: m, namespace: shop, labels: {{{labels}}}}}
spec: {{selector: {{}}, endpoints: [{{port: metrics}}]}}
---
{server}"
        );
        told(check, "1.9.0", &[("a.yaml", &text)])
    }

    const NONE: [&str; 1] = [
        "warning flux/unselected-monitor /metadata/labels: no Prometheus selects the ServiceMonitor m",
    ];

    #[test]
    fn the_chart_selects_by_its_release() {
        let release = |values: &str| {
            format!(
                "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: kps, namespace: o11y}}
spec:
  chart: {{spec: {{chart: kube-prometheus-stack, version: 80.0.0}}}}
  values: {{prometheus: {{prometheusSpec: {{{values}}}}}}}
"
            )
        };
        assert_eq!(says("", &release("")), NONE);
        assert_eq!(says("release: kps", &release("")), [""; 0]);
        let all = release("serviceMonitorSelectorNilUsesHelmValues: false");
        assert_eq!(says("", &all), [""; 0]);
    }

    #[test]
    fn a_prometheus_selects_by_labels() {
        let server = "apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: main, namespace: o11y}
spec: {serviceMonitorSelector: {matchLabels: {team: web}}}
";
        assert_eq!(says("team: db", server), NONE);
        assert_eq!(says("team: web", server), [""; 0]);
    }
}
