//! Which check applies to which field of which kind.

use super::forms::{self, Form};
use super::place::Place;
use super::{
    BuiltinWalk, batch, config, network, policies, quota, selectors, services, storage, workloads,
};

/// A check of a field.
#[derive(Clone, Copy)]
pub(super) enum Check {
    /// It must be there, and not empty.
    Required,
    /// A text must have this format, unless it is empty.
    Form(Form),
    /// A text must have this format, even if it is empty.
    Given(Form),
    /// A text must be one of these, unless it is empty.
    OneOf(&'static [&'static str]),
    /// A number must be in this range.
    Range(i64, i64),
    /// A check of its own.
    With(fn(&mut BuiltinWalk<'_>, &Place<'_, '_>)),
}

use Check::{Form as F, Given, OneOf, Range, Required, With};

impl Check {
    pub(super) fn apply(&self, walk: &mut BuiltinWalk<'_>, at: &Place<'_, '_>) {
        match self {
            Required => walk.required(at),
            F(form) => walk.form(at, *form),
            Given(form) => walk.given(at, *form),
            OneOf(texts) => {
                let text = at.text_or_empty();
                if !text.is_empty() && !texts.contains(&text) && !walk.is_open(text) {
                    walk.wrong(at, &format!("`{}`", texts.join("` or `")));
                }
            }
            Range(least, most) => {
                if at
                    .number()
                    .is_some_and(|number| !(*least..=*most).contains(&number))
                {
                    walk.wrong(at, &range(*least, *most));
                }
            }
            With(check) => check(walk, at),
        }
    }
}

fn range(least: i64, most: i64) -> String {
    match most {
        i64::MAX => format!("a number of at least {least}"),
        _ => format!("a number from {least} to {most}"),
    }
}

/// Paths of fields, with `[]` after the name of a list, and the checks of each.
pub(super) type Rows = &'static [(&'static str, &'static [Check])];

/// What is checked on a kind.
pub(super) struct Kind {
    pub group: &'static str,
    pub kind: &'static str,
    /// The path of the pods that it makes.
    pub pod: Option<&'static str>,
    pub rows: Rows,
}

const fn kind(group: &'static str, kind: &'static str, rows: Rows) -> Kind {
    Kind {
        group,
        kind,
        pod: None,
        rows,
    }
}

const fn with_pods(group: &'static str, kind: &'static str, pod: &'static str, rows: Rows) -> Kind {
    Kind {
        group,
        kind,
        pod: Some(pod),
        rows,
    }
}

const NOT_NEGATIVE: Check = Range(0, i64::MAX);
const PORT: Check = Range(1, 65535);
const RBAC: &str = "rbac.authorization.k8s.io";
const OPERATIONS: &[&str] = &["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const ADMISSION: &str = "admissionregistration.k8s.io";

/// The kinds, with their checks.
pub(super) const KINDS: &[Kind] = &[
    with_pods("", "Pod", "spec", &[]),
    with_pods("", "PodTemplate", "template.spec", &[]),
    with_pods(
        "",
        "ReplicationController",
        "spec.template.spec",
        &[("spec.replicas", &[NOT_NEGATIVE])],
    ),
    with_pods(
        "apps",
        "Deployment",
        "spec.template.spec",
        &[(
            "",
            &[With(workloads::controller), With(workloads::deployment)],
        )],
    ),
    with_pods(
        "apps",
        "ReplicaSet",
        "spec.template.spec",
        &[("", &[With(workloads::controller)])],
    ),
    with_pods(
        "apps",
        "DaemonSet",
        "spec.template.spec",
        &[(
            "",
            &[With(workloads::controller), With(workloads::daemon_set)],
        )],
    ),
    with_pods(
        "apps",
        "StatefulSet",
        "spec.template.spec",
        &[
            ("", &[With(workloads::controller)]),
            ("spec.serviceName", &[F(forms::LABEL)]),
            (
                "spec.updateStrategy.rollingUpdate.partition",
                &[NOT_NEGATIVE],
            ),
            ("spec.volumeClaimTemplates[].spec", &[With(storage::claim)]),
            (
                "spec.volumeClaimTemplates[].metadata.name",
                &[Required, F(forms::LABEL)],
            ),
            ("spec.ordinals.start", &[NOT_NEGATIVE]),
        ],
    ),
    with_pods(
        "batch",
        "Job",
        "spec.template.spec",
        &[("spec", &[With(batch::job)])],
    ),
    with_pods(
        "batch",
        "CronJob",
        "spec.jobTemplate.spec.template.spec",
        &[
            ("spec.schedule", &[Required, With(batch::schedule)]),
            ("spec.timeZone", &[With(batch::time_zone)]),
            ("spec.startingDeadlineSeconds", &[NOT_NEGATIVE]),
            ("spec.successfulJobsHistoryLimit", &[NOT_NEGATIVE]),
            ("spec.failedJobsHistoryLimit", &[NOT_NEGATIVE]),
            (
                "spec.jobTemplate.spec",
                &[With(batch::job), With(batch::no_own_selector)],
            ),
        ],
    ),
    kind(
        "",
        "Namespace",
        &[
            ("spec.finalizers", &[With(selectors::finalizers)]),
            ("metadata.labels", &[With(policies::pod_security)]),
        ],
    ),
    kind("", "ConfigMap", &[("", &[With(config::config_map)])]),
    kind("", "Secret", &[("", &[With(config::secret)])]),
    kind("", "Service", &[("", &[With(services::service)])]),
    kind(
        "",
        "Endpoints",
        &[
            ("subsets[]", &[With(network::subset)]),
            (
                "subsets[].addresses[].ip",
                &[Required, F(forms::ENDPOINT_IP)],
            ),
            ("subsets[].addresses[].nodeName", &[Given(forms::SUBDOMAIN)]),
            (
                "subsets[].notReadyAddresses[].ip",
                &[Required, F(forms::ENDPOINT_IP)],
            ),
            (
                "subsets[].notReadyAddresses[].nodeName",
                &[Given(forms::SUBDOMAIN)],
            ),
            ("subsets[].ports[].appProtocol", &[Given(forms::QUALIFIED)]),
            (
                "subsets[].ports[].protocol",
                &[OneOf(&["TCP", "UDP", "SCTP"])],
            ),
            ("subsets[].addresses[].hostname", &[F(forms::LABEL)]),
            ("subsets[].notReadyAddresses[].hostname", &[F(forms::LABEL)]),
            ("subsets[].ports[].port", &[Required, PORT]),
            ("subsets[].ports[].name", &[F(forms::LABEL)]),
        ],
    ),
    kind(
        "discovery.k8s.io",
        "EndpointSlice",
        &[
            ("", &[With(network::endpoint_slice)]),
            ("ports[].protocol", &[OneOf(&["TCP", "UDP", "SCTP"])]),
        ],
    ),
    kind(
        "",
        "PersistentVolumeClaim",
        &[("spec", &[With(storage::claim)])],
    ),
    kind(
        "",
        "PersistentVolume",
        &[
            ("spec", &[With(storage::volume)]),
            ("spec.csi.driver", &[F(forms::DRIVER)]),
        ],
    ),
    kind(
        "storage.k8s.io",
        "StorageClass",
        &[
            ("provisioner", &[Required, F(forms::PROVISIONER)]),
            ("allowedTopologies", &[With(selectors::topologies)]),
        ],
    ),
    kind(
        "",
        "LimitRange",
        &[("spec.limits", &[With(config::limits)])],
    ),
    kind(
        "",
        "ResourceQuota",
        &[
            ("spec.hard", &[With(quota::quota)]),
            ("spec", &[With(quota::scopes)]),
        ],
    ),
    kind(
        "scheduling.k8s.io",
        "PriorityClass",
        &[
            ("", &[With(config::priority)]),
            (
                "preemptionPolicy",
                &[
                    With(config::preemption),
                    OneOf(&["Never", "PreemptLowerPriority"]),
                ],
            ),
        ],
    ),
    kind(
        "node.k8s.io",
        "RuntimeClass",
        &[
            ("handler", &[Required, F(forms::HANDLER)]),
            ("scheduling.nodeSelector", &[With(selectors::labels)]),
            (
                "scheduling.tolerations",
                &[With(policies::runtime_tolerations)],
            ),
            ("overhead.podFixed", &[With(policies::overhead)]),
        ],
    ),
    kind(
        "networking.k8s.io",
        "Ingress",
        &[("", &[With(network::ingress)])],
    ),
    kind(
        "networking.k8s.io",
        "IngressClass",
        &[
            ("spec.controller", &[Required, F(forms::CONTROLLER)]),
            ("spec.parameters", &[With(network::class_parameters)]),
        ],
    ),
    kind(
        "networking.k8s.io",
        "NetworkPolicy",
        &[
            ("spec.podSelector", &[With(selectors::selector)]),
            ("spec.policyTypes", &[With(network::policy_types)]),
            ("spec.ingress[].from[]", &[With(network::peer)]),
            ("spec.egress[].to[]", &[With(network::peer)]),
            ("spec.ingress[].ports[]", &[With(network::policy_port)]),
            ("spec.egress[].ports[]", &[With(network::policy_port)]),
        ],
    ),
    kind(
        "policy",
        "PodDisruptionBudget",
        &[
            ("spec", &[With(policies::budget)]),
            ("spec.selector", &[With(selectors::selector)]),
        ],
    ),
    kind(
        "autoscaling",
        "HorizontalPodAutoscaler",
        &[
            ("spec", &[With(policies::autoscaler)]),
            ("spec.scaleTargetRef.kind", &[Required, F(forms::SEGMENT)]),
            ("spec.scaleTargetRef.name", &[Required, F(forms::SEGMENT)]),
            ("spec.scaleTargetRef", &[With(policies::scale_target)]),
        ],
    ),
    kind(RBAC, "Role", &[("rules[]", &[With(policies::role_rule)])]),
    kind(
        RBAC,
        "ClusterRole",
        &[
            ("rules[]", &[With(policies::cluster_role_rule)]),
            ("aggregationRule", &[With(policies::aggregation)]),
        ],
    ),
    kind(
        RBAC,
        "RoleBinding",
        &[
            ("roleRef.name", &[Required, F(forms::SEGMENT)]),
            ("roleRef.kind", &[Required]),
            ("subjects[]", &[With(policies::subject)]),
        ],
    ),
    kind(
        RBAC,
        "ClusterRoleBinding",
        &[
            ("roleRef.name", &[Required, F(forms::SEGMENT)]),
            ("roleRef.kind", &[With(policies::cluster_role)]),
            ("subjects[]", &[With(policies::cluster_subject)]),
        ],
    ),
    kind(
        ADMISSION,
        "ValidatingAdmissionPolicy",
        &[
            ("spec", &[With(policies::admission)]),
            (
                "spec.matchConstraints.resourceRules[]",
                &[With(policies::resource_rule)],
            ),
            (
                "spec.matchConstraints.excludeResourceRules[]",
                &[With(policies::resource_rule)],
            ),
            ("spec.validations[].expression", &[Required]),
            ("spec.failurePolicy", &[OneOf(&["Fail", "Ignore"])]),
            (
                "spec.matchConstraints.resourceRules[].operations[]",
                &[OneOf(OPERATIONS)],
            ),
        ],
    ),
    kind(
        ADMISSION,
        "ValidatingWebhookConfiguration",
        &[("webhooks[].rules[]", &[With(policies::resource_rule)])],
    ),
    kind(
        ADMISSION,
        "MutatingWebhookConfiguration",
        &[("webhooks[].rules[]", &[With(policies::resource_rule)])],
    ),
];
