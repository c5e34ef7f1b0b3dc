//! The lists of built-in kinds that strategic merge patches merge by keys, as data.
//!
//! The facts come from the OpenAPI document of Kubernetes 1.21, which is in kustomize (`kyaml/openapi`). kustomize
//! replaces all other lists, also those of custom resources and of versions that are newer than that document.

/// A type of an object or of a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Type(&'static str);

/// The fields of a type: the name, the type of its value or of its items, and, if it is a list that is merged, the
/// keys of the items. A list without keys is merged by its values.
type Field = (&'static str, &'static str, Option<&'static [&'static str]>);

const TEMPLATE: &[Field] = &[("template", "PodTemplate", None)];
const NAME: Option<&[&str]> = Some(&["name"]);

/// The types that have merged lists.
const TYPES: &[(&str, &[Field])] = &[
    (
        "Metadata",
        &[
            ("finalizers", "", Some(&[])),
            ("ownerReferences", "", Some(&["uid"])),
        ],
    ),
    ("Plain", &[]),
    ("Webhooks", &[("webhooks", "", NAME)]),
    (
        "Kustomization",
        &[
            ("configMapGenerator", "", NAME),
            ("secretGenerator", "", NAME),
        ],
    ),
    ("ServiceAccount", &[("secrets", "", NAME)]),
    ("Service", &[("spec", "ServiceSpec", None)]),
    ("ServiceSpec", &[("ports", "", Some(&["port", "protocol"]))]),
    ("Node", &[("spec", "NodeSpec", None)]),
    ("NodeSpec", &[("podCIDRs", "", Some(&[]))]),
    ("CSINode", &[("spec", "CSINodeSpec", None)]),
    ("CSINodeSpec", &[("drivers", "", NAME)]),
    ("Workload", &[("spec", "WorkloadSpec", None)]),
    ("WorkloadSpec", TEMPLATE),
    ("StatefulSet", &[("spec", "StatefulSetSpec", None)]),
    (
        "StatefulSetSpec",
        &[
            ("template", "PodTemplate", None),
            ("volumeClaimTemplates", "Plain", None),
        ],
    ),
    ("CronJob", &[("spec", "CronJobSpec", None)]),
    ("CronJobSpec", &[("jobTemplate", "Workload", None)]),
    ("PodTemplate", &[("spec", "PodSpec", None)]),
    ("PodTemplateObject", TEMPLATE),
    (
        "PodSpec",
        &[
            ("containers", "Container", NAME),
            ("initContainers", "Container", NAME),
            ("ephemeralContainers", "Container", NAME),
            ("hostAliases", "", Some(&["ip"])),
            ("imagePullSecrets", "", NAME),
            (
                "topologySpreadConstraints",
                "",
                Some(&["topologyKey", "whenUnsatisfiable"]),
            ),
            ("volumes", "", NAME),
        ],
    ),
    (
        "Container",
        &[
            ("env", "", NAME),
            ("ports", "", Some(&["containerPort", "protocol"])),
            ("volumeDevices", "", Some(&["devicePath"])),
            ("volumeMounts", "", Some(&["mountPath"])),
        ],
    ),
];

/// The types of kinds, by `apiVersion`.
const KINDS: &[(&str, &str, &[&str])] = &[
    (
        "admissionregistration.k8s.io/v1",
        "Webhooks",
        &[
            "MutatingWebhookConfiguration",
            "ValidatingWebhookConfiguration",
        ],
    ),
    (
        "admissionregistration.k8s.io/v1beta1",
        "Webhooks",
        &[
            "MutatingWebhookConfiguration",
            "ValidatingWebhookConfiguration",
        ],
    ),
    (
        "apiextensions.k8s.io/v1",
        "Plain",
        &["CustomResourceDefinition"],
    ),
    (
        "apiextensions.k8s.io/v1beta1",
        "Plain",
        &["CustomResourceDefinition"],
    ),
    ("apiregistration.k8s.io/v1", "Plain", &["APIService"]),
    ("apiregistration.k8s.io/v1beta1", "Plain", &["APIService"]),
    (
        "apps/v1",
        "Workload",
        &["DaemonSet", "Deployment", "ReplicaSet"],
    ),
    ("apps/v1", "StatefulSet", &["StatefulSet"]),
    ("apps/v1", "Plain", &["ControllerRevision"]),
    (
        "autoscaling/v1",
        "Plain",
        &["HorizontalPodAutoscaler", "Scale"],
    ),
    ("autoscaling/v2beta1", "Plain", &["HorizontalPodAutoscaler"]),
    ("autoscaling/v2beta2", "Plain", &["HorizontalPodAutoscaler"]),
    ("batch/v1", "CronJob", &["CronJob"]),
    ("batch/v1", "Workload", &["Job"]),
    ("batch/v1beta1", "CronJob", &["CronJob"]),
    (
        "certificates.k8s.io/v1",
        "Plain",
        &["CertificateSigningRequest"],
    ),
    ("coordination.k8s.io/v1", "Plain", &["Lease"]),
    ("discovery.k8s.io/v1", "Plain", &["EndpointSlice"]),
    ("discovery.k8s.io/v1beta1", "Plain", &["EndpointSlice"]),
    ("events.k8s.io/v1", "Plain", &["Event"]),
    ("extensions/v1beta1", "Plain", &["Ingress"]),
    (
        "flowcontrol.apiserver.k8s.io/v1beta1",
        "Plain",
        &["FlowSchema", "PriorityLevelConfiguration"],
    ),
    (
        "kustomize.config.k8s.io/v1beta1",
        "Kustomization",
        &["Kustomization"],
    ),
    (
        "networking.k8s.io/v1",
        "Plain",
        &["Ingress", "IngressClass", "NetworkPolicy"],
    ),
    (
        "networking.k8s.io/v1beta1",
        "Plain",
        &["Ingress", "IngressClass"],
    ),
    ("node.k8s.io/v1", "Plain", &["RuntimeClass"]),
    ("node.k8s.io/v1beta1", "Plain", &["RuntimeClass"]),
    ("policy/v1", "Plain", &["PodDisruptionBudget"]),
    (
        "policy/v1beta1",
        "Plain",
        &["Eviction", "PodDisruptionBudget", "PodSecurityPolicy"],
    ),
    (
        "rbac.authorization.k8s.io/v1",
        "Plain",
        &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
    ),
    (
        "rbac.authorization.k8s.io/v1beta1",
        "Plain",
        &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
    ),
    ("scheduling.k8s.io/v1", "Plain", &["PriorityClass"]),
    ("scheduling.k8s.io/v1beta1", "Plain", &["PriorityClass"]),
    ("storage.k8s.io/v1", "CSINode", &["CSINode"]),
    (
        "storage.k8s.io/v1",
        "Plain",
        &["CSIDriver", "StorageClass", "VolumeAttachment"],
    ),
    ("storage.k8s.io/v1beta1", "CSINode", &["CSINode"]),
    (
        "storage.k8s.io/v1beta1",
        "Plain",
        &[
            "CSIDriver",
            "CSIStorageCapacity",
            "StorageClass",
            "VolumeAttachment",
        ],
    ),
    ("v1", "Node", &["Node"]),
    ("v1", "PodTemplate", &["Pod"]),
    ("v1", "PodTemplateObject", &["PodTemplate"]),
    ("v1", "Service", &["Service"]),
    ("v1", "ServiceAccount", &["ServiceAccount"]),
    ("v1", "Workload", &["ReplicationController"]),
    (
        "v1",
        "Plain",
        &[
            "Binding",
            "ComponentStatus",
            "ConfigMap",
            "Endpoints",
            "Event",
            "LimitRange",
            "Namespace",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "ResourceQuota",
            "Secret",
        ],
    ),
];

impl Type {
    /// The type of a kind; `None` for kinds that kustomize doesn't know.
    pub(super) fn of(api_version: &str, kind: &str) -> Option<Self> {
        let row = KINDS
            .iter()
            .find(|(version, _, kinds)| *version == api_version && kinds.contains(&kind));
        row.map(|(_, name, _)| Type(name))
    }

    /// The type of a field and the keys by which its list is merged.
    pub(super) fn field(self, name: &str) -> (Option<Type>, Option<&'static [&'static str]>) {
        // Objects, pod templates and job templates have metadata.
        if name == "metadata" {
            return (Some(Type("Metadata")), None);
        }
        let fields = TYPES.iter().find(|(there, _)| *there == self.0);
        let field = fields.and_then(|(_, fields)| fields.iter().find(|(field, ..)| *field == name));
        field.map_or((None, None), |(_, below, keys)| (Some(Type(below)), *keys))
    }
}
