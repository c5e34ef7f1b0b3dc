//! Workloads that are scaled to zero by a metric that only they produce.

use std::collections::HashSet;

use super::gateway_workloads;
use crate::lint::LintContext;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, Pointer, variable};

manifest::code! {
    "keda"/"zero-by-own-metric", Error, "A workload that is scaled to zero by a metric of its own.",
    r#"
A ScaledObject may scale a workload to zero (`minReplicaCount: 0`, which is the default, or `idleReplicaCount: 0`), but
all of its triggers depend on the workload itself: on metrics that only its Pods produce, or on their CPU and memory.
Without Pods there is no such metric, so KEDA never starts one again. For the proxies of a gateway this means that
nobody can reach it any more. Keep at least one replica, or add a trigger that doesn't depend on the workload. With only
`cpu` and `memory` triggers, KEDA refuses a minimum of zero.

## Wrong

```yaml
kind: ScaledObject
spec:
  scaleTargetRef:
    name: envoy-external
  minReplicaCount: 0
  triggers:
    - type: prometheus
      metadata:
        query: sum(rate(envoy_http_downstream_rq_total[2m]))
```

## Right

```yaml
kind: ScaledObject
spec:
  scaleTargetRef:
    name: envoy-external
  minReplicaCount: 1
  triggers:
    - type: prometheus
      metadata:
        query: sum(rate(envoy_http_downstream_rq_total[2m]))
```
"#
}

/// Metrics that a container or the program in it produces, so that they end with its Pod.
const OF_PODS: [&str; 7] = [
    "container_",
    "process_",
    "go_",
    "http_",
    "nodejs_",
    "python_",
    "jvm_",
];

/// The labels of these metrics that name the workload.
const LABELS: [&str; 6] = ["app", "container", "deployment", "job", "pod", "service"];

/// Reports ScaledObjects that scale to zero by metrics of what they scale.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let workloads = gateway_workloads(context);
    let mut found = Vec::new();
    for one in context.of_kind("keda.sh", "ScaledObject") {
        if super::is_paused(one.object) {
            continue;
        }
        let Some(zero) = zero(one.object) else {
            continue;
        };
        let target = crate::lint::front::text(one.object, &["spec", "scaleTargetRef", "name"]);
        let is_gateway = workloads.contains(target);
        let triggers = one.object.node.path(&["spec", "triggers"]);
        let triggers = triggers.and_then(Node::as_list).unwrap_or_default();
        let is_written = one.object.node.at(&zero).is_some();
        let kinds: HashSet<Option<Dependence>> = triggers
            .iter()
            .map(|trigger| dependence(trigger, target, is_gateway))
            .collect();
        // KEDA accepts only `cpu` and `memory` if the zero is the default, and then keeps one replica.
        let is_resource = kinds.iter().all(|kind| *kind == Some(Dependence::Resource));
        if kinds.is_empty() || kinds.contains(&None) || is_resource && !is_written {
            continue;
        }
        let place = match is_written {
            true => zero.clone(),
            false => Pointer::root()
                .key("spec")
                .key("scaleTargetRef")
                .key("name"),
        };
        let (message, why) = match is_resource {
            true => (
                format!(
                    "{} scales {target} to zero by CPU or memory alone",
                    one.object.name()
                ),
                "KEDA refuses the object, because without Pods there is nothing to measure",
            ),
            false => (
                format!(
                    "{} scales {target} to zero by a metric that only {target} produces",
                    one.object.name()
                ),
                "without Pods there is no metric, so nothing ever starts one again",
            ),
        };
        found.push(
            finding(CODE, one.object, &place, message)
                .related(
                    one.object.place_to_change(&Pointer::root().key("spec").key("triggers")),
                    "the triggers",
                )
                .why(why)
                .help("set `minReplicaCount: 1` (in cluster.toml: `min`), or add a trigger that doesn't depend on these Pods"),
        );
    }
    super::once_for_each_setting(found)
}

/// The path of the setting by which a ScaledObject scales to zero; `None` if it never does.
fn zero(object: &Object) -> Option<Pointer> {
    let spec = Pointer::root().key("spec");
    let number = |key: &str| {
        let node = object.node.at(&spec.key(key))?;
        Some(node.to_json().as_u64())
    };
    if number("idleReplicaCount") == Some(Some(0)) {
        return Some(spec.key("idleReplicaCount"));
    }
    match number("minReplicaCount") {
        None | Some(Some(0)) => Some(spec.key("minReplicaCount")),
        _ => None,
    }
}

/// How a trigger depends on the workload that it scales.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Dependence {
    /// By the CPU or memory of its Pods.
    Resource,
    /// By a metric of its Pods.
    Metric,
}

fn dependence(trigger: &Node, target: &str, is_gateway: bool) -> Option<Dependence> {
    match trigger.get("type")?.as_str()? {
        "cpu" | "memory" => Some(Dependence::Resource),
        "prometheus" => {
            let query = trigger.path(&["metadata", "query"])?.as_str()?;
            // A default for a missing metric keeps the trigger active.
            let has_default = query.contains("vector(") || query.contains("absent(");
            let is_own = match is_gateway {
                true => names_metric(query, "envoy_"),
                false => is_of_pods(query, target),
            };
            (is_own && !has_default && !variable::in_text(query)).then_some(Dependence::Metric)
        }
        _ => None,
    }
}

/// Whether all metrics of a query begin with this text.
fn names_metric(query: &str, prefix: &str) -> bool {
    let mut metrics = metrics(query).peekable();
    metrics.peek().is_some() && metrics.all(|name| name.starts_with(prefix))
}

/// The words of a query that are names of metrics: those before `{` or `[`.
fn metrics(query: &str) -> impl Iterator<Item = &str> {
    let ends = query.match_indices(['{', '[']).map(|(at, _)| at);
    ends.filter_map(|end| {
        let before = query.get(..end)?;
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let name = before.rsplit(|c: char| !is_part(c)).next()?;
        (!name.is_empty()).then_some(name)
    })
}

/// Whether a query is only about Pods of the workload.
fn is_of_pods(query: &str, target: &str) -> bool {
    let is_pods = OF_PODS.iter().any(|prefix| names_metric(query, prefix));
    let names_it = LABELS.iter().any(|label| {
        let starts = [
            format!("{label}=\"{target}"),
            format!("{label}=~\"{target}"),
        ];
        starts.iter().any(|start| query.contains(start.as_str()))
    });
    !target.is_empty() && is_pods && names_it
}

#[cfg(test)]
mod tests {
    use super::metrics;
    use crate::lint::keda::autoscalers::tests::{scaled, unfixed};
    use crate::lint::support::found_in;

    #[test]
    fn what_wakes_a_workload_is_not_its_own() {
        let says = |target: &str, least: &str, trigger: &str| {
            let rest = format!("{least}\n  triggers: [{trigger}]");
            found_in(&format!("{}{}\n", unfixed(), scaled("a", target, &rest)))
        };
        let prometheus = |query: &str| {
            format!(
                "{{type: prometheus, metadata: {{serverAddress: a, query: '{query}', threshold: '1'}}}}"
            )
        };
        let own = prometheus("sum(rate(envoy_http_downstream_rq_total[2m]))");
        assert_eq!(
            says("external", "minReplicaCount: 0", &own),
            [
                "error keda/zero-by-own-metric a.yaml:6 a scales external to zero by a metric that only external produces"
            ]
        );
        assert_eq!(
            says("external", "maxReplicaCount: 3", &own),
            [
                "error keda/zero-by-own-metric a.yaml:5 a scales external to zero by a metric that only external produces"
            ]
        );
        assert_eq!(says("external", "minReplicaCount: 1", &own), [""; 0]);
        assert_eq!(says("web", "minReplicaCount: 0", &own), [""; 0]);
        let cpu = "{type: cpu, metricType: Utilization, metadata: {value: '70'}}";
        assert_eq!(
            says("web", "minReplicaCount: 0", cpu),
            ["error keda/zero-by-own-metric a.yaml:6 a scales web to zero by CPU or memory alone"]
        );
        assert_eq!(says("web", "maxReplicaCount: 3", cpu), [""; 0]);
        let times = "{timezone: UTC, start: 0 8 * * *, end: 0 9 * * *, desiredReplicas: '1'}";
        let cron = format!("{own}, {{type: cron, metadata: {times}}}");
        assert_eq!(says("external", "minReplicaCount: 0", &cron), [""; 0]);
        let pods = prometheus("sum(rate(http_requests_total{pod=~\"web-.*\"}[1m]))");
        assert_eq!(says("web", "minReplicaCount: 0", &pods).len(), 1);
        let before = prometheus("sum(rate(envoy_cluster_upstream_rq_total{x=\"web\"}[1m]))");
        assert_eq!(says("web", "minReplicaCount: 0", &before), [""; 0]);
    }

    #[test]
    fn metrics_are_the_words_before_braces() {
        let names: Vec<&str> = metrics("sum(rate(a_total{x=\"y\"}[2m])) / b:c[1m]").collect();
        assert!(
            names.contains(&"a_total") && names.contains(&"b:c"),
            "{names:?}"
        );
    }
}
