//! What the API server checks on Kubernetes' own kinds but doesn't publish, and what it publishes but doesn't check.
//!
//! The tables follow the validation and the defaults of k8s.io/kubernetes 1.37 (`pkg/apis/*/validation`,
//! `pkg/apis/*/v1/defaults.go`). They only have what applies to a single field, and has applied since about 1.30:
//! older servers have fewer values in an enumeration, never more. Definitions are named without the leading
//! `io.k8s.`.

use serde_json::Value;

pub(crate) use k8s_syntax::format::BYTES;

/// Types that the server decodes in a special way, with schemas of the values that it accepts.
///
/// A quantity may be a number, with or without a fraction (`apimachinery/pkg/api/resource`). Its pattern is the one
/// in CRDs.
pub(super) const KNOWN_TYPES: &[(&str, &str)] = &[
    (
        "apimachinery.pkg.api.resource.Quantity",
        r#"{"anyOf": [{"type": "number"}, {"type": "string", "pattern":
            "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$"}]}"#,
    ),
    ("apimachinery.pkg.runtime.RawExtension", "{}"),
    ("apimachinery.pkg.apis.meta.v1.FieldsV1", "{}"),
];

/// Fields that a document calls required, but that the server doesn't require: their zero value is valid, or the
/// server sets them. Newer documents have fewer of them.
const NOT_ENFORCED: &[(&str, &str)] = &[
    // An empty list, map or selector is valid.
    ("api.apps.v1.StatefulSetSpec", "serviceName"),
    ("api.batch.v1.PodFailurePolicy", "rules"),
    ("api.core.v1.LimitRangeSpec", "limits"),
    ("api.core.v1.PreferredSchedulingTerm", "preference"),
    ("api.discovery.v1.EndpointSlice", "endpoints"),
    ("api.networking.v1.NetworkPolicySpec", "podSelector"),
    ("api.storage.v1.CSIDriver", "spec"),
    ("api.storage.v1.CSINode", "spec"),
    ("api.storage.v1.CSINodeSpec", "drivers"),
    ("api.storage.v1.TokenRequest", "audience"),
    // An empty string is valid.
    ("api.core.v1.HTTPHeader", "value"),
    ("api.core.v1.Sysctl", "value"),
    // 0 or false is valid.
    ("api.apps.v1.ControllerRevision", "revision"),
    ("api.core.v1.ISCSIPersistentVolumeSource", "lun"),
    ("api.core.v1.ISCSIVolumeSource", "lun"),
    ("api.core.v1.SleepAction", "seconds"),
    ("api.resource.v1.Counter", "value"),
    ("api.resource.v1.DeviceCapacity", "value"),
    ("api.resource.v1.ResourcePool", "generation"),
    ("api.scheduling.v1.PriorityClass", "value"),
    (CRD_VERSION, "served"),
    (CRD_VERSION, "storage"),
    // The server sets it.
    (
        "api.batch.v1.PodFailurePolicyOnPodConditionsPattern",
        "status",
    ),
    ("api.rbac.v1.RoleRef", "apiGroup"),
    // For an Event in `default`, it may be empty.
    ("api.core.v1.Event", "involvedObject"),
];

const CRD_VERSION: &str =
    "apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion";

const PROTOCOL: &str = r#"{"enum": ["TCP", "UDP", "SCTP", ""], "default": "TCP"}"#;
const PORT: &str = r#"{"minimum": 1, "maximum": 65535}"#;
/// 0 means that there is no port.
const PORT_OR_NONE: &str = r#"{"minimum": 0, "maximum": 65535}"#;
const NOT_NEGATIVE: &str = r#"{"minimum": 0}"#;
const POSITIVE: &str = r#"{"minimum": 1}"#;
const WEIGHT: &str = r#"{"minimum": 1, "maximum": 100}"#;
const PULL_POLICY: &str = r#"{"enum": ["Always", "IfNotPresent", "Never", ""]}"#;
const TERMINATION_MESSAGE: &str = r#"{"enum": ["File", "FallbackToLogsOnError", ""]}"#;
const PROFILE: &str = r#"{"enum": ["RuntimeDefault", "Localhost", "Unconfined"]}"#;
const ACCESS_MODES: &str = r#"{"items": {"enum": ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"]}}"#;
const VOLUME_MODE: &str = r#"{"enum": ["Filesystem", "Block"]}"#;
const NODE_POLICY: &str = r#"{"enum": ["Honor", "Ignore"]}"#;
const CLUSTER_OR_LOCAL: &str = r#"{"enum": ["Cluster", "Local"]}"#;
const ROLLING_OR_ON_DELETE: &str = r#"{"enum": ["RollingUpdate", "OnDelete", ""]}"#;
const RETAIN_OR_DELETE: &str = r#"{"enum": ["Retain", "Delete", ""]}"#;
const FAILURE_POLICY: &str = r#"{"enum": ["Fail", "Ignore"]}"#;
const MATCH_POLICY: &str = r#"{"enum": ["Equivalent", "Exact"]}"#;
const SIDE_EFFECTS: &str = r#"{"enum": ["None", "NoneOnDryRun"]}"#;
const WEBHOOK_TIMEOUT: &str = r#"{"minimum": 1, "maximum": 30}"#;

/// What the server checks on a field besides its type, as keywords of a schema. The empty string is among the values
/// if it means the same as no field, because Helm charts write it.
#[rustfmt::skip] // A line a field.
const ENFORCED: &[(&str, &str, &str)] = &[
    ("api.admissionregistration.v1.MutatingWebhook", "failurePolicy", FAILURE_POLICY),
    ("api.admissionregistration.v1.MutatingWebhook", "matchPolicy", MATCH_POLICY),
    ("api.admissionregistration.v1.MutatingWebhook", "reinvocationPolicy", r#"{"enum": ["Never", "IfNeeded"]}"#),
    ("api.admissionregistration.v1.MutatingWebhook", "sideEffects", SIDE_EFFECTS),
    ("api.admissionregistration.v1.MutatingWebhook", "timeoutSeconds", WEBHOOK_TIMEOUT),
    ("api.admissionregistration.v1.RuleWithOperations", "operations", r#"{"items": {"enum": ["*", "CREATE", "UPDATE", "DELETE", "CONNECT"]}}"#),
    ("api.admissionregistration.v1.RuleWithOperations", "scope", r#"{"enum": ["*", "Cluster", "Namespaced"]}"#),
    ("api.admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec", "validationActions", r#"{"items": {"enum": ["Deny", "Warn", "Audit"]}}"#),
    ("api.admissionregistration.v1.ValidatingWebhook", "failurePolicy", FAILURE_POLICY),
    ("api.admissionregistration.v1.ValidatingWebhook", "matchPolicy", MATCH_POLICY),
    ("api.admissionregistration.v1.ValidatingWebhook", "sideEffects", SIDE_EFFECTS),
    ("api.admissionregistration.v1.ValidatingWebhook", "timeoutSeconds", WEBHOOK_TIMEOUT),
    ("api.apps.v1.DaemonSetUpdateStrategy", "type", ROLLING_OR_ON_DELETE),
    ("api.apps.v1.DeploymentSpec", "replicas", NOT_NEGATIVE),
    ("api.apps.v1.DeploymentStrategy", "type", r#"{"enum": ["RollingUpdate", "Recreate", ""]}"#),
    ("api.apps.v1.ReplicaSetSpec", "replicas", NOT_NEGATIVE),
    ("api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy", "whenDeleted", RETAIN_OR_DELETE),
    ("api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy", "whenScaled", RETAIN_OR_DELETE),
    ("api.apps.v1.StatefulSetSpec", "podManagementPolicy", r#"{"enum": ["OrderedReady", "Parallel", ""]}"#),
    ("api.apps.v1.StatefulSetSpec", "replicas", NOT_NEGATIVE),
    ("api.apps.v1.StatefulSetUpdateStrategy", "type", ROLLING_OR_ON_DELETE),
    ("api.autoscaling.v2.HPAScalingPolicy", "type", r#"{"enum": ["Pods", "Percent"]}"#),
    ("api.autoscaling.v2.HPAScalingPolicy", "value", POSITIVE),
    ("api.autoscaling.v2.HPAScalingPolicy", "periodSeconds", r#"{"minimum": 1, "maximum": 1800}"#),
    ("api.autoscaling.v2.HPAScalingRules", "selectPolicy", r#"{"enum": ["Max", "Min", "Disabled"]}"#),
    ("api.autoscaling.v2.HorizontalPodAutoscalerSpec", "maxReplicas", POSITIVE),
    ("api.autoscaling.v2.MetricSpec", "type", r#"{"enum": ["Resource", "ContainerResource", "Pods", "Object", "External"]}"#),
    ("api.autoscaling.v2.MetricTarget", "type", r#"{"enum": ["Utilization", "AverageValue", "Value"]}"#),
    ("api.batch.v1.CronJobSpec", "concurrencyPolicy", r#"{"enum": ["Allow", "Forbid", "Replace", ""]}"#),
    ("api.batch.v1.CronJobSpec", "failedJobsHistoryLimit", NOT_NEGATIVE),
    ("api.batch.v1.CronJobSpec", "startingDeadlineSeconds", NOT_NEGATIVE),
    ("api.batch.v1.CronJobSpec", "successfulJobsHistoryLimit", NOT_NEGATIVE),
    ("api.batch.v1.JobSpec", "activeDeadlineSeconds", NOT_NEGATIVE),
    ("api.batch.v1.JobSpec", "backoffLimit", NOT_NEGATIVE),
    ("api.batch.v1.JobSpec", "completionMode", r#"{"enum": ["NonIndexed", "Indexed"]}"#),
    ("api.batch.v1.JobSpec", "completions", NOT_NEGATIVE),
    ("api.batch.v1.JobSpec", "parallelism", NOT_NEGATIVE),
    ("api.batch.v1.JobSpec", "podReplacementPolicy", r#"{"enum": ["TerminatingOrFailed", "Failed"]}"#),
    ("api.batch.v1.JobSpec", "ttlSecondsAfterFinished", NOT_NEGATIVE),
    ("api.batch.v1.PodFailurePolicyOnExitCodesRequirement", "operator", r#"{"enum": ["In", "NotIn"]}"#),
    ("api.batch.v1.PodFailurePolicyRule", "action", r#"{"enum": ["Count", "FailIndex", "FailJob", "Ignore"]}"#),
    ("api.core.v1.AppArmorProfile", "type", PROFILE),
    ("api.core.v1.ClientIPConfig", "timeoutSeconds", r#"{"minimum": 1, "maximum": 86400}"#),
    ("api.core.v1.Container", "imagePullPolicy", PULL_POLICY),
    ("api.core.v1.Container", "restartPolicy", r#"{"enum": ["Always", "OnFailure", "Never"]}"#),
    ("api.core.v1.Container", "terminationMessagePolicy", TERMINATION_MESSAGE),
    ("api.core.v1.ContainerPort", "containerPort", PORT),
    ("api.core.v1.ContainerPort", "hostPort", PORT_OR_NONE),
    ("api.core.v1.ContainerPort", "protocol", PROTOCOL),
    ("api.core.v1.ContainerResizePolicy", "restartPolicy", r#"{"enum": ["NotRequired", "RestartContainer"]}"#),
    ("api.core.v1.EphemeralContainer", "imagePullPolicy", PULL_POLICY),
    ("api.core.v1.GRPCAction", "port", PORT),
    ("api.core.v1.HTTPGetAction", "scheme", r#"{"enum": ["HTTP", "HTTPS", ""]}"#),
    ("api.core.v1.HostPathVolumeSource", "type", r#"{"enum": ["", "DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice"]}"#),
    ("api.core.v1.NodeSelectorRequirement", "operator", r#"{"enum": ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]}"#),
    ("api.core.v1.PersistentVolumeClaimSpec", "accessModes", ACCESS_MODES),
    ("api.core.v1.PersistentVolumeClaimSpec", "volumeMode", VOLUME_MODE),
    ("api.core.v1.PersistentVolumeSpec", "accessModes", ACCESS_MODES),
    ("api.core.v1.PersistentVolumeSpec", "persistentVolumeReclaimPolicy", r#"{"enum": ["Retain", "Delete", "Recycle", ""]}"#),
    ("api.core.v1.PersistentVolumeSpec", "volumeMode", VOLUME_MODE),
    ("api.core.v1.PodOS", "name", r#"{"enum": ["linux", "windows"]}"#),
    ("api.core.v1.PodSecurityContext", "fsGroupChangePolicy", r#"{"enum": ["OnRootMismatch", "Always"]}"#),
    ("api.core.v1.PodSecurityContext", "supplementalGroupsPolicy", r#"{"enum": ["Merge", "Strict"]}"#),
    ("api.core.v1.PodSpec", "dnsPolicy", r#"{"enum": ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None", ""]}"#),
    ("api.core.v1.PodSpec", "preemptionPolicy", r#"{"enum": ["PreemptLowerPriority", "Never"]}"#),
    ("api.core.v1.PodSpec", "restartPolicy", r#"{"enum": ["Always", "OnFailure", "Never", ""]}"#),
    ("api.core.v1.PreferredSchedulingTerm", "weight", WEIGHT),
    ("api.core.v1.Probe", "failureThreshold", NOT_NEGATIVE),
    ("api.core.v1.Probe", "initialDelaySeconds", NOT_NEGATIVE),
    ("api.core.v1.Probe", "periodSeconds", NOT_NEGATIVE),
    ("api.core.v1.Probe", "successThreshold", NOT_NEGATIVE),
    ("api.core.v1.Probe", "terminationGracePeriodSeconds", POSITIVE),
    ("api.core.v1.Probe", "timeoutSeconds", NOT_NEGATIVE),
    ("api.core.v1.SeccompProfile", "type", PROFILE),
    ("api.core.v1.ServicePort", "name", r#"{"maxLength": 63, "pattern": "^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$"}"#),
    ("api.core.v1.ServicePort", "nodePort", PORT_OR_NONE),
    ("api.core.v1.ServicePort", "port", PORT),
    ("api.core.v1.ServicePort", "protocol", PROTOCOL),
    ("api.core.v1.ServiceSpec", "clusterIPs", r#"{"maxItems": 2}"#),
    ("api.core.v1.ServiceSpec", "externalTrafficPolicy", r#"{"enum": ["Cluster", "Local", ""]}"#),
    ("api.core.v1.ServiceSpec", "healthCheckNodePort", PORT_OR_NONE),
    ("api.core.v1.ServiceSpec", "internalTrafficPolicy", CLUSTER_OR_LOCAL),
    ("api.core.v1.ServiceSpec", "ipFamilies", r#"{"maxItems": 2, "items": {"enum": ["IPv4", "IPv6"]}}"#),
    ("api.core.v1.ServiceSpec", "ipFamilyPolicy", r#"{"enum": ["SingleStack", "PreferDualStack", "RequireDualStack"]}"#),
    ("api.core.v1.ServiceSpec", "sessionAffinity", r#"{"enum": ["ClientIP", "None", ""]}"#),
    ("api.core.v1.ServiceSpec", "trafficDistribution", r#"{"enum": ["PreferClose", "PreferSameZone", "PreferSameNode"]}"#),
    ("api.core.v1.ServiceSpec", "type", r#"{"enum": ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName", ""]}"#),
    ("api.core.v1.Taint", "effect", r#"{"enum": ["NoSchedule", "PreferNoSchedule", "NoExecute"]}"#),
    ("api.core.v1.Toleration", "effect", r#"{"enum": ["NoSchedule", "PreferNoSchedule", "NoExecute", ""]}"#),
    ("api.core.v1.Toleration", "operator", r#"{"enum": ["Equal", "Exists", "Lt", "Gt", ""]}"#),
    ("api.core.v1.TopologySpreadConstraint", "maxSkew", POSITIVE),
    ("api.core.v1.TopologySpreadConstraint", "minDomains", POSITIVE),
    ("api.core.v1.TopologySpreadConstraint", "nodeAffinityPolicy", NODE_POLICY),
    ("api.core.v1.TopologySpreadConstraint", "nodeTaintsPolicy", NODE_POLICY),
    ("api.core.v1.TopologySpreadConstraint", "whenUnsatisfiable", r#"{"enum": ["DoNotSchedule", "ScheduleAnyway"]}"#),
    ("api.core.v1.VolumeMount", "mountPropagation", r#"{"enum": ["None", "HostToContainer", "Bidirectional"]}"#),
    ("api.core.v1.VolumeMount", "recursiveReadOnly", r#"{"enum": ["Disabled", "IfPossible", "Enabled"]}"#),
    ("api.core.v1.WeightedPodAffinityTerm", "weight", WEIGHT),
    ("api.networking.v1.HTTPIngressPath", "pathType", r#"{"enum": ["Exact", "Prefix", "ImplementationSpecific"]}"#),
    ("api.networking.v1.IngressClassParametersReference", "scope", r#"{"enum": ["Cluster", "Namespace"]}"#),
    ("api.networking.v1.NetworkPolicyPort", "protocol", r#"{"enum": ["TCP", "UDP", "SCTP"]}"#),
    ("api.networking.v1.NetworkPolicySpec", "policyTypes", r#"{"items": {"enum": ["Ingress", "Egress"]}}"#),
    ("api.networking.v1.ServiceBackendPort", "number", PORT_OR_NONE),
    ("api.policy.v1.PodDisruptionBudgetSpec", "unhealthyPodEvictionPolicy", r#"{"enum": ["IfHealthyBudget", "AlwaysAllow"]}"#),
    ("api.rbac.v1.RoleRef", "apiGroup", RBAC_GROUP),
    ("api.rbac.v1.RoleRef", "kind", r#"{"enum": ["Role", "ClusterRole"]}"#),
    ("api.rbac.v1.Subject", "apiGroup", RBAC_GROUP),
    ("api.rbac.v1.Subject", "kind", r#"{"enum": ["ServiceAccount", "User", "Group"]}"#),
    ("api.storage.v1.CSIDriverSpec", "fsGroupPolicy", r#"{"enum": ["ReadWriteOnceWithFSType", "File", "None"]}"#),
    ("api.storage.v1.CSIDriverSpec", "volumeLifecycleModes", r#"{"items": {"enum": ["Persistent", "Ephemeral"]}}"#),
    ("api.storage.v1.StorageClass", "reclaimPolicy", r#"{"enum": ["Delete", "Retain"]}"#),
    ("api.storage.v1.StorageClass", "volumeBindingMode", r#"{"enum": ["Immediate", "WaitForFirstConsumer"]}"#),
    ("apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion", "strategy", r#"{"enum": ["None", "Webhook"]}"#),
    ("apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec", "scope", r#"{"enum": ["Namespaced", "Cluster"]}"#),
    ("apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement", "operator", r#"{"enum": ["In", "NotIn", "Exists", "DoesNotExist"]}"#),
];

const RBAC_GROUP: &str = r#"{"enum": ["rbac.authorization.k8s.io", ""]}"#;

/// Whether the server doesn't require a field that the document calls required.
pub(super) fn is_not_enforced(definition: Option<&str>, field: &str) -> bool {
    definition.is_some_and(|name| NOT_ENFORCED.contains(&(name, field)))
}

/// What the server checks on a field besides its type.
pub(super) fn enforced(definition: Option<&str>, field: &str) -> Option<Value> {
    let mut facts = ENFORCED.iter();
    let (.., keywords) = facts.find(|(of, name, _)| Some(*of) == definition && *name == field)?;
    Some(json(keywords))
}

/// Parses a schema of these tables; null if it is not JSON, which a test excludes.
pub(super) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_hold_schemas_each_field_once() {
        let texts = KNOWN_TYPES.iter().map(|(_, text)| text);
        for text in texts.chain(ENFORCED.iter().map(|(.., text)| text)) {
            assert!(json(text).is_object(), "{text}");
        }
        let mut fields: Vec<_> = ENFORCED.iter().map(|(of, field, _)| (of, field)).collect();
        let count = fields.len();
        fields.sort_unstable();
        fields.dedup();
        assert_eq!(fields.len(), count);
    }
}
