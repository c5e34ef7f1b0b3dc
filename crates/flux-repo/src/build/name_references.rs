//! The fields that contain names of other objects, as data (kustomize's `namereference.go`).

use super::field_specs::FieldSpec;

/// The objects of a kind, and the fields of others that contain their names.
#[derive(Clone, Debug)]
pub(super) struct NameReference {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    pub(super) fields: Vec<FieldSpec>,
}

/// A kind with pods: the kind, the version if it matters, and the path of the pod's `spec`.
type PodKind = (&'static str, &'static str, &'static str);

/// The kinds with pods whose ConfigMaps and Secrets kustomize knows.
const PODS: &[PodKind] = &[
    ("Pod", "v1", "spec"),
    ("PodTemplate", "", "template/spec"),
    ("Deployment", "", "spec/template/spec"),
    ("ReplicaSet", "", "spec/template/spec"),
    ("DaemonSet", "", "spec/template/spec"),
    ("StatefulSet", "", "spec/template/spec"),
    ("Job", "", "spec/template/spec"),
    ("CronJob", "", "spec/jobTemplate/spec/template/spec"),
];

/// The kinds with pods whose service accounts, claims and priority classes kustomize knows.
const OWNERS: &[PodKind] = &[
    ("Pod", "", "spec"),
    ("StatefulSet", "", "spec/template/spec"),
    ("Deployment", "", "spec/template/spec"),
    ("ReplicationController", "", "spec/template/spec"),
    ("CronJob", "", "spec/jobTemplate/spec/template/spec"),
    ("Job", "", "spec/template/spec"),
    ("DaemonSet", "", "spec/template/spec"),
];

const CONFIG_MAPS: &[&str] = &[
    "volumes/configMap/name",
    "containers/env/valueFrom/configMapKeyRef/name",
    "initContainers/env/valueFrom/configMapKeyRef/name",
    "containers/envFrom/configMapRef/name",
    "initContainers/envFrom/configMapRef/name",
    "volumes/projected/sources/configMap/name",
];

const SECRETS: &[&str] = &[
    "volumes/secret/secretName",
    "containers/env/valueFrom/secretKeyRef/name",
    "initContainers/env/valueFrom/secretKeyRef/name",
    "containers/envFrom/secretRef/name",
    "initContainers/envFrom/secretRef/name",
    "imagePullSecrets/name",
    "volumes/projected/sources/secret/name",
];

/// Group, kind and path of a field that contains a name.
type Field = (&'static str, &'static str, &'static str);

const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

/// The objects that are named (group, version, kind), the kinds with pods and the paths in a pod's `spec`, and other
/// fields.
type Row = (
    (&'static str, &'static str, &'static str),
    &'static [PodKind],
    &'static [&'static str],
    &'static [Field],
);

const SCALED: &[Field] = &[("", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name")];

const ROWS: &[Row] = &[
    (("", "", "Deployment"), &[], &[], SCALED),
    (("", "", "ReplicationController"), &[], &[], SCALED),
    (("", "", "ReplicaSet"), &[], &[], SCALED),
    (("", "", "StatefulSet"), &[], &[], SCALED),
    (
        ("", "v1", "ConfigMap"),
        PODS,
        CONFIG_MAPS,
        &[
            ("", "Node", "spec/configSource/configMap"),
            ("", "Role", "rules/resourceNames"),
            ("", "ClusterRole", "rules/resourceNames"),
            (
                "",
                "Ingress",
                "metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap",
            ),
        ],
    ),
    (
        ("", "v1", "Secret"),
        PODS,
        SECRETS,
        &[
            ("", "Ingress", "spec/tls/secretName"),
            (
                "",
                "Ingress",
                "metadata/annotations/ingress.kubernetes.io\\/auth-secret",
            ),
            (
                "",
                "Ingress",
                "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret",
            ),
            (
                "",
                "Ingress",
                "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret",
            ),
            ("", "ServiceAccount", "imagePullSecrets/name"),
            ("", "StorageClass", "parameters/secretName"),
            ("", "StorageClass", "parameters/adminSecretName"),
            ("", "StorageClass", "parameters/userSecretName"),
            ("", "StorageClass", "parameters/secretRef"),
            ("", "Role", "rules/resourceNames"),
            ("", "ClusterRole", "rules/resourceNames"),
            (
                "serving.knative.dev",
                "Service",
                "spec/template/spec/containers/env/valueFrom/secretKeyRef/name",
            ),
            ("", "PersistentVolume", "spec/azureFile/secretName"),
        ],
    ),
    (
        ("", "v1", "Service"),
        &[],
        &[],
        &[
            ("apps", "StatefulSet", "spec/serviceName"),
            ("", "Ingress", "spec/rules/http/paths/backend/serviceName"),
            ("", "Ingress", "spec/backend/serviceName"),
            ("", "Ingress", "spec/rules/http/paths/backend/service/name"),
            ("", "Ingress", "spec/defaultBackend/service/name"),
            ("apiregistration.k8s.io", "APIService", "spec/service/name"),
            (
                ADMISSION,
                "ValidatingWebhookConfiguration",
                "webhooks/clientConfig/service",
            ),
            (
                ADMISSION,
                "MutatingWebhookConfiguration",
                "webhooks/clientConfig/service",
            ),
        ],
    ),
    (
        (RBAC, "", "Role"),
        &[],
        &[],
        &[(RBAC, "RoleBinding", "roleRef/name")],
    ),
    (
        (RBAC, "", "ClusterRole"),
        &[],
        &[],
        &[
            (RBAC, "RoleBinding", "roleRef/name"),
            (RBAC, "ClusterRoleBinding", "roleRef/name"),
        ],
    ),
    (
        ("", "v1", "ServiceAccount"),
        OWNERS,
        &["serviceAccountName"],
        &[
            (RBAC, "RoleBinding", "subjects"),
            (RBAC, "ClusterRoleBinding", "subjects"),
        ],
    ),
    (
        ("", "v1", "PersistentVolumeClaim"),
        OWNERS,
        &["volumes/persistentVolumeClaim/claimName"],
        &[],
    ),
    (
        ("", "v1", "PersistentVolume"),
        &[],
        &[],
        &[
            ("", "PersistentVolumeClaim", "spec/volumeName"),
            ("", "ClusterRole", "rules/resourceNames"),
        ],
    ),
    (
        ("storage.k8s.io", "v1", "StorageClass"),
        &[],
        &[],
        &[
            ("", "PersistentVolume", "spec/storageClassName"),
            ("", "PersistentVolumeClaim", "spec/storageClassName"),
            (
                "",
                "StatefulSet",
                "spec/volumeClaimTemplates/spec/storageClassName",
            ),
        ],
    ),
    (
        ("scheduling.k8s.io", "v1", "PriorityClass"),
        OWNERS,
        &["priorityClassName"],
        &[],
    ),
    (
        (ADMISSION, "", "ValidatingAdmissionPolicy"),
        &[],
        &[],
        &[(
            ADMISSION,
            "ValidatingAdmissionPolicyBinding",
            "spec/policyName",
        )],
    ),
];

/// The default references.
pub(super) fn defaults() -> Vec<NameReference> {
    let field =
        |group: &'static str, version: &'static str, kind: &'static str, path: String| FieldSpec {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
            path: path.into(),
            create: false,
        };
    ROWS.iter()
        .map(|((group, version, kind), pods, paths, others)| {
            let in_pods = pods.iter().flat_map(|(kind, version, spec)| {
                let paths = paths.iter();
                paths.map(move |path| field("", version, kind, format!("{spec}/{path}")))
            });
            let others = others.iter();
            let others =
                others.map(|(group, kind, path)| field(group, "", kind, (*path).to_owned()));
            NameReference {
                group: (*group).to_owned(),
                version: (*version).to_owned(),
                kind: (*kind).to_owned(),
                fields: in_pods.chain(others).collect(),
            }
        })
        .collect()
}
