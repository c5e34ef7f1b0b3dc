//! A resource while it is built: the object, and the names that it had before.

use manifest::Object;
use manifest::value::{Kind, Map, Node};

/// The effective namespace of cluster-scoped objects, as kustomize names it.
const NO_NAMESPACE: &str = "_non_namespaceable_";

/// The namespace of an object that names none.
const DEFAULT_NAMESPACE: &str = "default";

/// The kinds that kustomize knows to be cluster-scoped, by group and versions (kyaml's `openapi.go`). All other kinds,
/// for example custom resources, are in a namespace for kustomize.
const CLUSTER_SCOPED: &[(&str, &[&str], &[&str])] = &[
    (
        "admissionregistration.k8s.io",
        &["v1", "v1beta1"],
        &[
            "MutatingWebhookConfiguration",
            "ValidatingWebhookConfiguration",
        ],
    ),
    (
        "apiextensions.k8s.io",
        &["v1", "v1beta1"],
        &["CustomResourceDefinition"],
    ),
    (
        "apiregistration.k8s.io",
        &["v1", "v1beta1"],
        &["APIService"],
    ),
    (
        "certificates.k8s.io",
        &["v1", "v1beta1"],
        &["CertificateSigningRequest"],
    ),
    (
        "flowcontrol.apiserver.k8s.io",
        &["v1beta1"],
        &["FlowSchema", "PriorityLevelConfiguration"],
    ),
    ("networking.k8s.io", &["v1", "v1beta1"], &["IngressClass"]),
    ("node.k8s.io", &["v1", "v1beta1"], &["RuntimeClass"]),
    ("policy", &["v1beta1"], &["PodSecurityPolicy"]),
    (
        "rbac.authorization.k8s.io",
        &["v1", "v1beta1"],
        &["ClusterRole", "ClusterRoleBinding"],
    ),
    ("scheduling.k8s.io", &["v1", "v1beta1"], &["PriorityClass"]),
    (
        "storage.k8s.io",
        &["v1", "v1beta1"],
        &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"],
    ),
    (
        "",
        &["v1"],
        &[
            "ComponentStatus",
            "Namespace",
            "Node",
            "NodeProxyOptions",
            "PersistentVolume",
        ],
    ),
];

/// Group, version and kind, as a condition or of an object; an empty part of a condition fits everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Gvk<'a> {
    pub(super) group: &'a str,
    pub(super) version: &'a str,
    pub(super) kind: &'a str,
}

impl Gvk<'_> {
    /// Whether this fits a condition.
    pub(super) fn is_selected(&self, by: &Gvk<'_>) -> bool {
        [
            (by.group, self.group),
            (by.version, self.version),
            (by.kind, self.kind),
        ]
        .iter()
        .all(|(wanted, own)| wanted.is_empty() || wanted == own)
    }

    /// Whether kustomize knows that the kind is cluster-scoped.
    pub(super) fn is_cluster_scoped(&self) -> bool {
        CLUSTER_SCOPED.iter().any(|(group, versions, kinds)| {
            *group == self.group && versions.contains(&self.version) && kinds.contains(&self.kind)
        })
    }
}

/// What identifies a resource in a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Id<'a> {
    pub(super) gvk: Gvk<'a>,
    pub(super) name: &'a str,
    /// The effective namespace: `default` if there is none.
    pub(super) namespace: &'a str,
}

/// How a generated object joins the one that exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Behavior {
    #[default]
    Create,
    Replace,
    Merge,
}

/// A name, effective namespace and kind that a resource had before.
#[derive(Clone, Debug)]
pub(super) struct Previous {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) kind: String,
}

/// A resource while it is built.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub(super) object: Object,
    pub(super) previous: Vec<Previous>,
    pub(super) prefixes: Vec<String>,
    pub(super) suffixes: Vec<String>,
    pub(super) needs_hash: bool,
    pub(super) behavior: Behavior,
    /// Whether a patch has deleted it.
    pub(super) is_deleted: bool,
}

impl Resource {
    pub(super) fn of(object: Object) -> Self {
        Resource {
            object,
            previous: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            needs_hash: false,
            behavior: Behavior::Create,
            is_deleted: false,
        }
    }

    pub(super) fn gvk(&self) -> Gvk<'_> {
        Gvk {
            group: self.object.group(),
            version: self.object.version(),
            kind: self.object.kind(),
        }
    }

    /// What identifies it now.
    pub(super) fn id(&self) -> Id<'_> {
        let gvk = self.gvk();
        Id {
            gvk,
            name: self.object.name(),
            namespace: match self.object.namespace() {
                _ if gvk.is_cluster_scoped() => NO_NAMESPACE,
                "" => DEFAULT_NAMESPACE,
                namespace => namespace,
            },
        }
    }

    /// What identified it before, the oldest first.
    pub(super) fn previous_ids(&self) -> impl Iterator<Item = Id<'_>> {
        let gvk = self.gvk();
        self.previous.iter().map(move |one| Id {
            gvk: Gvk {
                kind: &one.kind,
                ..gvk
            },
            name: &one.name,
            namespace: match one.namespace.as_str() {
                "" => DEFAULT_NAMESPACE,
                namespace => namespace,
            },
        })
    }

    /// What identified it first.
    pub(super) fn original_id(&self) -> Id<'_> {
        self.previous_ids().next().unwrap_or_else(|| self.id())
    }

    /// All that identified it, the oldest first.
    pub(super) fn ids(&self) -> impl Iterator<Item = Id<'_>> {
        self.previous_ids().chain(std::iter::once(self.id()))
    }

    /// Remembers what identifies it, before a change.
    pub(super) fn remember(&mut self) {
        let id = self.id();
        let previous = Previous {
            name: id.name.to_owned(),
            namespace: id.namespace.to_owned(),
            kind: id.gvk.kind.to_owned(),
        };
        self.previous.push(previous);
    }

    /// Removes all prefixes and suffixes from its name.
    pub(super) fn remove_affixes(&mut self) {
        let mut name = self.object.name();
        for prefix in self.prefixes.iter().rev() {
            name = name.strip_prefix(prefix.as_str()).unwrap_or(name);
        }
        for suffix in self.suffixes.iter().rev() {
            name = name.strip_suffix(suffix.as_str()).unwrap_or(name);
        }
        if name.len() == self.object.name().len() {
            return;
        }
        let name = name.to_owned();
        let old = self.metadata_mut().and_then(|map| map.get_mut("name"));
        if let Some(old) = old {
            old.kind = Kind::String(name);
        }
    }

    /// Its root as a map.
    pub(super) fn map_mut(&mut self) -> Option<&mut Map> {
        self.object.node.as_map_mut()
    }

    /// Its metadata as a map, which is created if there is none.
    pub(super) fn metadata_mut(&mut self) -> Option<&mut Map> {
        child_map(self.map_mut()?, "metadata")
    }

    /// The value of a label or annotation, as text.
    pub(super) fn meta_text(&self, map: &str, key: &str) -> Option<String> {
        let value = self.object.node.path(&["metadata", map])?.get(key)?;
        text_of(value)
    }
}

/// Whether two lists end in the same way. An empty list fits only an empty one.
pub(super) fn end_alike(one: &[String], other: &[String]) -> bool {
    let least = one.len().min(other.len());
    match least {
        0 => one.len() == other.len(),
        _ => one
            .iter()
            .rev()
            .zip(other.iter().rev())
            .all(|(a, b)| a == b),
    }
}

/// The map at `key`, which is created, also in place of a null.
pub(super) fn child_map<'m>(map: &'m mut Map, key: &str) -> Option<&'m mut Map> {
    if map
        .get(key)
        .is_none_or(|there| matches!(there.kind, Kind::Null))
    {
        map.insert(key, Node::map());
    }
    map.get_mut(key).and_then(Node::as_map_mut)
}

/// The value of a key, for changes.
pub(super) fn get_mut<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Node> {
    node.as_map_mut()?.get_mut(key)
}

/// Sets a value and keeps the place of the key.
pub(super) fn set_value(map: &mut Map, key: &str, value: Node) {
    match map.get_mut(key) {
        Some(there) => *there = value,
        None => {
            map.insert(key, value);
        }
    }
}

/// The text of a scalar as kustomize sees it, whatever its type is.
pub(super) fn text_of(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Null => Some(String::new()),
        Kind::Bool(value) => Some(value.to_string()),
        Kind::Number(number) => Some(number.to_string()),
        Kind::String(text) => Some(text.clone()),
        Kind::List(_) | Kind::Map(_) => None,
    }
}

/// The number of values in a tree.
pub(super) fn size(node: &Node) -> usize {
    1 + match &node.kind {
        Kind::List(items) => items.iter().map(size).sum(),
        Kind::Map(map) => map.iter().map(|(_, value)| size(value)).sum::<usize>(),
        _ => 0,
    }
}
