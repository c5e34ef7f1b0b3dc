//! Triggers of a type that KEDA doesn't have, and triggers without a setting that their type needs.

use crate::lint::LintContext;
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::nearest;
use manifest::value::{Node, Pointer, variable};
use manifest::{Object, finding};

manifest::code! {
    "keda"/"unknown-trigger", Error, "A trigger that KEDA doesn't have, or that lacks a setting.",
    r#"
The CRD takes any text as the type of a trigger, and any settings. KEDA knows about seventy types (those of 2.20 are
checked), and each needs settings of its own: `prometheus` needs `serverAddress`, `query` and `threshold`, `cron` needs
`timezone`, `start`, `end` and `desiredReplicas`, `cpu` and `memory` need `value`. With a wrong trigger, KEDA makes no
HorizontalPodAutoscaler, so nothing is scaled.

## Wrong

```yaml
kind: ScaledObject
spec:
  triggers:
    - type: prometheus
      metadata: { serverAddress: "http://prometheus:9090", query: "sum(requests)" }
```

## Right

```yaml
kind: ScaledObject
spec:
  triggers:
    - type: prometheus
      metadata: { serverAddress: "http://prometheus:9090", query: "sum(requests)", threshold: "100" }
```
"#
}

/// The types of triggers in KEDA 2.20 (`pkg/scaling/scalers_builder.go`), and those that earlier versions had.
#[rustfmt::skip]
const TYPES: &[&str] = &[
    "activemq", "apache-kafka", "arangodb", "artemis-queue", "aws-cloudwatch", "aws-dynamodb", "aws-dynamodb-streams",
    "aws-kinesis-stream", "aws-sqs-queue", "azure-app-insights", "azure-blob", "azure-data-explorer", "azure-eventhub",
    "azure-log-analytics", "azure-monitor", "azure-pipelines", "azure-queue", "azure-servicebus", "beanstalkd",
    "cassandra", "couchdb", "cpu", "cron", "datadog", "dynatrace", "elastic-forecast", "elasticsearch", "etcd",
    "external", "external-mock", "external-push", "forgejo-runner", "gcp-cloudtasks", "gcp-pubsub", "gcp-stackdriver",
    "gcp-storage", "github-runner", "graphite", "huawei-cloudeye", "ibmmq", "influxdb", "kafka", "kubernetes-resource",
    "kubernetes-workload", "liiklus", "loki", "memory", "metrics-api", "mongodb", "mssql", "mysql", "nats-jetstream",
    "new-relic", "nsq", "opensearch", "openstack-metric", "openstack-swift", "postgresql", "predictkube", "prometheus",
    "pulsar", "rabbitmq", "redis", "redis-cluster", "redis-cluster-streams", "redis-sentinel",
    "redis-sentinel-streams", "redis-streams", "selenium-grid", "solace-direct-messaging", "solace-event-queue",
    "solarwinds", "solr", "splunk", "splunk-observability", "stan", "sumologic", "temporal",
];

/// The settings that a trigger of a type needs in its `metadata`.
const NEEDED: &[(&str, &[&str])] = &[
    ("cpu", &["value"]),
    ("cron", &["timezone", "start", "end", "desiredReplicas"]),
    ("memory", &["value"]),
    ("prometheus", &["serverAddress", "query", "threshold"]),
];

/// Reports triggers that KEDA can't use.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let kinds = ["ScaledObject", "ScaledJob"].into_iter();
    let scaled = kinds.flat_map(|kind| context.of_kind("keda.sh", kind));
    let whole = scaled.filter(|one| one.way.is_none_or(|way| way.patched_by.is_empty()));
    let found = whole.flat_map(|one| of_object(one.object)).collect();
    super::once_for_each_setting(found)
}

fn of_object(object: &Object) -> Vec<Diagnostic> {
    let pointer = Pointer::root().key("spec").key("triggers");
    let triggers = object.node.at(&pointer).and_then(Node::as_list);
    let triggers = triggers.unwrap_or_default().iter().enumerate();
    triggers
        .filter_map(|(at, trigger)| of_trigger(object, &pointer.index(at), trigger))
        .collect()
}

fn of_trigger(object: &Object, place: &Pointer, trigger: &Node) -> Option<Diagnostic> {
    let kind = trigger
        .get("type")?
        .as_str()
        .filter(|kind| !variable::in_text(kind))?;
    if !TYPES.contains(&kind) {
        let help = match nearest(kind, TYPES.iter().copied()) {
            Some(near) => format!("write `{near}`"),
            None => "see KEDA's documentation for its types, or use `external` for one of your own"
                .to_owned(),
        };
        let message = format!("KEDA has no trigger of the type `{kind}`");
        return Some(
            finding(CODE, object, &place.key("type"), message)
                .why("KEDA makes no HorizontalPodAutoscaler, so nothing is scaled")
                .help(help),
        );
    }
    let (_, needed) = NEEDED.iter().find(|(name, _)| *name == kind)?;
    let metadata = trigger.get("metadata");
    let is_there = |key: &str| metadata.is_some_and(|metadata| metadata.get(key).is_some());
    let missing = needed.iter().find(|key| !is_there(key))?;
    let given = metadata.and_then(Node::as_map).into_iter();
    let mut given = given.flat_map(|map| map.iter().map(|(key, _)| key));
    let wrong = given.find(|key| !needed.contains(key) && nearest(key, [*missing]).is_some());
    let (place, help) = match (wrong, metadata) {
        (Some(wrong), _) => (
            place.key("metadata").key(wrong),
            format!("write `{missing}` instead of `{wrong}`"),
        ),
        (None, Some(_)) => (
            place.key("metadata"),
            format!("add `{missing}` to `metadata`"),
        ),
        (None, None) => (place.clone(), format!("add `metadata` with `{missing}`")),
    };
    let message = format!("the trigger of the type `{kind}` has no `{missing}`");
    Some(
        finding(CODE, object, &place, message)
            .why("KEDA makes no HorizontalPodAutoscaler, so nothing is scaled")
            .help(help),
    )
}

#[cfg(test)]
mod tests {
    use crate::lint::keda::unknown_trigger::check;
    use crate::lint::support::told;

    #[test]
    fn a_trigger_is_one_that_keda_has_and_is_whole() {
        let says = |trigger: &str| {
            let text = format!(
                "apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{name: a, namespace: b}}
spec: {{scaleTargetRef: {{name: a}}, triggers: [{trigger}]}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(
            says("{type: prometheous, metadata: {}}"),
            [
                "error keda/unknown-trigger /spec/triggers/0/type: KEDA has no trigger of the type `prometheous`"
            ]
        );
        assert_eq!(
            says("{type: prometheus, metadata: {serverAddress: a, query: b, treshold: '1'}}"),
            [
                "error keda/unknown-trigger /spec/triggers/0/metadata/treshold: the trigger of the type `prometheus` has no `threshold`"
            ]
        );
        for right in [
            "{type: prometheus, metadata: {serverAddress: a, query: b, threshold: '1'}}",
            "{type: kafka, metadata: {}}",
            "{type: '${TRIGGER}', metadata: {}}",
        ] {
            assert_eq!(says(right), [""; 0], "{right}");
        }
    }
}
