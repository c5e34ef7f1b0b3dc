//! Fields of Kubernetes' own kinds that can't be changed (`ValidateUpdate` in `pkg/apis/*/validation`, Kubernetes 1.37).

use crate::codes;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Kind, Node, Pointer, variable};

/// When a field counts as changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counts {
    /// If it is given in both and differs: the server keeps it, or has a default for it.
    Given,
    /// Also if it is added or removed.
    Always,
    /// If any field in it changes but these.
    But(&'static [&'static str]),
}

use Counts::{Always, But, Given};

/// A group and a kind, the path of a field, and when it counts as changed.
type Row = (&'static str, &'static str, &'static [&'static str], Counts);

const FIELDS: &[Row] = &[
    (
        "",
        "PersistentVolumeClaim",
        &["spec"],
        But(&["resources", "volumeAttributesClassName"]),
    ),
    ("", "Secret", &["type"], Given),
    ("", "Service", &["spec", "clusterIP"], Given),
    ("apps", "DaemonSet", &["spec", "selector"], Always),
    ("apps", "Deployment", &["spec", "selector"], Always),
    ("apps", "ReplicaSet", &["spec", "selector"], Always),
    (
        "apps",
        "StatefulSet",
        &["spec"],
        But(&[
            "minReadySeconds",
            "ordinals",
            "persistentVolumeClaimRetentionPolicy",
            "replicas",
            "revisionHistoryLimit",
            "template",
            "updateStrategy",
        ]),
    ),
    ("batch", "Job", &["spec", "completionMode"], Given),
    ("batch", "Job", &["spec", "podFailurePolicy"], Always),
    ("batch", "Job", &["spec", "selector"], Given),
    ("batch", "Job", &["spec", "template"], Always),
    ("discovery.k8s.io", "EndpointSlice", &["addressType"], Given),
    (
        "networking.k8s.io",
        "IngressClass",
        &["spec", "controller"],
        Always,
    ),
    ("node.k8s.io", "RuntimeClass", &["handler"], Always),
    (
        "rbac.authorization.k8s.io",
        "ClusterRoleBinding",
        &["roleRef"],
        Always,
    ),
    (
        "rbac.authorization.k8s.io",
        "RoleBinding",
        &["roleRef"],
        Always,
    ),
    (
        "scheduling.k8s.io",
        "PriorityClass",
        &["preemptionPolicy"],
        Given,
    ),
    ("scheduling.k8s.io", "PriorityClass", &["value"], Always),
    ("storage.k8s.io", "StorageClass", &["parameters"], Always),
    ("storage.k8s.io", "StorageClass", &["provisioner"], Always),
    ("storage.k8s.io", "StorageClass", &["reclaimPolicy"], Given),
    (
        "storage.k8s.io",
        "StorageClass",
        &["volumeBindingMode"],
        Given,
    ),
];

/// The fields of a ConfigMap or Secret that can't be changed once it says that it is immutable.
const DATA: &[&str] = &["binaryData", "data", "immutable", "stringData"];

/// The fields that can't be changed, but are.
pub(crate) fn check(before: &Object, after: &Object) -> Vec<Diagnostic> {
    let is_of = |group: &str, kind: &str| after.group() == group && after.kind() == kind;
    let mut found = Vec::new();
    for (group, kind, path, counts) in FIELDS {
        if !is_of(group, kind) {
            continue;
        }
        let (old, new) = (before.node.path(path), after.node.path(path));
        let place = path
            .iter()
            .fold(Pointer::root(), |place, step| place.key(*step));
        if differs(old, new, *counts) {
            found.push(immutable(after, &place));
        }
    }
    let is_fixed = before.node.get("immutable").and_then(Node::as_bool) == Some(true);
    if (is_of("", "ConfigMap") || is_of("", "Secret")) && is_fixed {
        for key in DATA {
            if differs(before.node.get(key), after.node.get(key), Always) {
                found.push(immutable(after, &Pointer::root().key(*key)));
            }
        }
    }
    found
}

fn differs(old: Option<&Node>, new: Option<&Node>, counts: Counts) -> bool {
    let is_open = |node: Option<&Node>| node.is_some_and(variable::in_node);
    if is_open(old) || is_open(new) {
        return false;
    }
    let given = |node: Option<&Node>| {
        node.filter(|node| !matches!(node.kind, Kind::Null))
            .cloned()
    };
    let (old, new) = (given(old), given(new));
    match counts {
        Always => old != new,
        Given => matches!((old, new), (Some(old), Some(new)) if old != new),
        But(fields) => match (old, new) {
            (Some(mut old), Some(mut new)) => {
                for node in [&mut old, &mut new] {
                    if let Some(map) = node.as_map_mut() {
                        fields.iter().for_each(|field| {
                            map.remove(field);
                        });
                    }
                }
                old != new
            }
            _ => false,
        },
    }
}

fn immutable(object: &Object, place: &Pointer) -> Diagnostic {
    let message = format!("`{}` can't be changed", place.dotted());
    finding(codes::SCHEMA_IMMUTABLE, object, place, message)
        .why("the API server refuses a change of this field, so nothing of the object's Flux Kustomization is applied")
        .help("leave it as it is, or give the object another name; Flux recreates it with `force: true`")
}
