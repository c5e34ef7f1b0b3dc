//! KEDA: its changelog from 2.11 to 2.20.

use super::{Change, Effect, Instead, Project, Seen, Touches, always, change, mended};
use manifest::value::Node;

pub(super) const PROJECT: Project = Project {
    name: "keda",
    title: "KEDA",
    covers: ("2.11.0", "2.20.2"),
    changes: CHANGES,
};

const SCALED: &[&str] = &["ScaledObject", "ScaledJob"];

/// The type of the trigger whose metadata has the field.
fn trigger<'a>(seen: &'a Seen<'_>) -> &'a str {
    let trigger = seen.pointer.parent().and_then(|metadata| metadata.parent());
    let trigger = trigger.and_then(|trigger| seen.object.node.at(&trigger));
    let kind = trigger.and_then(|trigger| trigger.get("type"));
    kind.and_then(Node::as_str).unwrap_or_default()
}

/// A key of a trigger that a release removes.
const fn gone(
    at: &'static [&'static str],
    path: &'static str,
    is_it: fn(&Seen<'_>) -> bool,
    message: &'static str,
    help: &'static str,
) -> Change {
    change(
        at,
        Effect::Breaks,
        Touches::Field(SCALED, path, is_it),
        message,
        "KEDA ignores the key or refuses the trigger, so nothing is scaled by it",
        help,
    )
}

const CHANGES: &[Change] = &[
    change(
        &["2.12.0"],
        Effect::Behaves,
        Touches::Fields(SCALED, "spec.triggers[].metadata.metricName", always),
        "`metricName` of a trigger is not read",
        "the metric has a name that KEDA makes, which queries of it must use",
        "remove it; `name` of the trigger stands for it in `scalingModifiers`",
    ),
    change(
        &["2.15.0"],
        Effect::Breaks,
        Touches::Field(
            &["TriggerAuthentication", "ClusterTriggerAuthentication"],
            "spec.podIdentity.provider",
            |it| matches!(it.text(), "azure" | "aws-kiam"),
        ),
        "pod identities of AAD Pod Identity and of kiam are gone",
        "the trigger can't read its metric, so nothing is scaled by it",
        "write `azure-workload` or `aws`",
    ),
    gone(
        &["2.15.0"],
        "spec.triggers[].metadata.cortexOrgID",
        |it| trigger(it) == "prometheus",
        "a Prometheus trigger has no `cortexOrgID`",
        "write `customHeaders: X-Scope-OrgID=…`",
    ),
    mended(
        gone(
            &["2.16.0"],
            "spec.triggers[].metadata.msgBacklog",
            |it| trigger(it) == "pulsar",
            "a Pulsar trigger has no `msgBacklog`",
            "write `msgBacklogThreshold`",
        ),
        Instead::Key("msgBacklogThreshold"),
    ),
    gone(
        &["2.17.0"],
        "spec.triggers[].metadata.tlsCertFile",
        |it| trigger(it).starts_with("external"),
        "an external trigger has no `tlsCertFile`",
        "write the certificate into a TriggerAuthentication, as `caCert`",
    ),
    gone(
        &["2.18.0"],
        "spec.triggers[].metadata.type",
        |it| matches!(trigger(it), "cpu" | "memory"),
        "a trigger on CPU or memory has no `type` in its metadata",
        "write `metricType:` beside `metadata` with this value",
    ),
    mended(
        gone(
            &["2.18.0"],
            "spec.triggers[].metadata.tls",
            |it| trigger(it) == "ibmmq",
            "a trigger on IBM MQ has no `tls`",
            "write `unsafeSsl`",
        ),
        Instead::Key("unsafeSsl"),
    ),
    gone(
        &["2.19.0"],
        "spec.triggers[].type",
        |it| it.text() == "stan",
        "there is no trigger on NATS Streaming (`stan`)",
        "use JetStream (`nats-jetstream`), because NATS Streaming itself has ended",
    ),
    gone(
        &["2.20.0"],
        "spec.triggers[].metadata.subscriptionSize",
        |it| trigger(it) == "gcp-pubsub",
        "a trigger on Pub/Sub has no `subscriptionSize`",
        "write `mode: SubscriptionSize` and `value:` with this number",
    ),
    mended(
        gone(
            &["2.20.0"],
            "spec.triggers[].metadata.minMetricValue",
            |it| trigger(it) == "huawei-cloudeye",
            "a trigger on Cloudeye has no `minMetricValue`",
            "write `activationTargetMetricValue`",
        ),
        Instead::Key("activationTargetMetricValue"),
    ),
    gone(
        &["2.20.0"],
        "spec.triggers[].metadata.authToken",
        |it| trigger(it) == "influxdb",
        "a trigger on InfluxDB doesn't read `authToken` from its metadata",
        "write `authTokenFromEnv`, or a TriggerAuthentication with `authToken`",
    ),
];
