//! Objects by kind, namespace and name.

use std::collections::{HashMap, HashSet};

use super::fault::Fault;
use super::settings::{Knowledge, Order, Settings};
use manifest::Object;

/// The group of the Gateway API.
pub const GATEWAY_API: &str = "gateway.networking.k8s.io";
/// The group of Envoy Gateway.
pub const ENVOY_GATEWAY: &str = "gateway.envoyproxy.io";
/// The group of the Multi-Cluster Services API.
pub const MULTI_CLUSTER: &str = "multicluster.x-k8s.io";

/// The label that holds the name of a namespace.
pub const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// The kinds that the controller reads, with their groups.
const KINDS: &[(&str, &str)] = &[
    (GATEWAY_API, "GatewayClass"),
    (GATEWAY_API, "Gateway"),
    (GATEWAY_API, "ListenerSet"),
    (GATEWAY_API, "HTTPRoute"),
    (GATEWAY_API, "GRPCRoute"),
    (GATEWAY_API, "TLSRoute"),
    (GATEWAY_API, "TCPRoute"),
    (GATEWAY_API, "UDPRoute"),
    (GATEWAY_API, "ReferenceGrant"),
    (GATEWAY_API, "BackendTLSPolicy"),
    (ENVOY_GATEWAY, "EnvoyProxy"),
    (ENVOY_GATEWAY, "Backend"),
    (ENVOY_GATEWAY, "HTTPRouteFilter"),
    (ENVOY_GATEWAY, "BackendTrafficPolicy"),
    (ENVOY_GATEWAY, "ClientTrafficPolicy"),
    (ENVOY_GATEWAY, "SecurityPolicy"),
    (ENVOY_GATEWAY, "EnvoyExtensionPolicy"),
    (ENVOY_GATEWAY, "EnvoyPatchPolicy"),
    (MULTI_CLUSTER, "ServiceImport"),
    ("", "Namespace"),
    ("", "Service"),
    ("", "Secret"),
    ("", "ConfigMap"),
    ("discovery.k8s.io", "EndpointSlice"),
    ("certificates.k8s.io", "ClusterTrustBundle"),
];

/// A namespace and a name. The namespace is empty for cluster-scoped objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key<'a> {
    /// The namespace.
    pub namespace: &'a str,
    /// The name.
    pub name: &'a str,
}

impl<'a> Key<'a> {
    /// The key of an object.
    pub fn of(object: &'a Object) -> Self {
        Key {
            namespace: object.namespace(),
            name: object.name(),
        }
    }
}

impl std::fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.namespace {
            "" => f.write_str(self.name),
            namespace => write!(f, "{namespace}/{}", self.name),
        }
    }
}

/// The given objects, indexed once.
#[derive(Debug)]
pub struct Index<'a> {
    by_kind: HashMap<&'a str, Vec<&'a Object>>,
    by_key: HashMap<(&'a str, Key<'a>), &'a Object>,
    slices: HashMap<(&'static str, Key<'a>), Vec<&'a Object>>,
    namespaces: HashSet<&'a str>,
    /// The Secrets that given objects create, by cert-manager or from a store.
    made_secrets: HashSet<Key<'a>>,
    knowledge: Knowledge,
}

impl<'a> Index<'a> {
    /// Indexes objects. If two have the same identity, the last one is found by name, as in the controller's own
    /// maps.
    pub fn new(objects: impl IntoIterator<Item = &'a Object>, settings: &Settings) -> Self {
        let groups: HashMap<&str, &str> =
            KINDS.iter().map(|(group, kind)| (*kind, *group)).collect();
        let is_extension = |object: &Object| {
            let all = settings
                .extensions
                .iter()
                .chain(&settings.extension_policies);
            all.into_iter()
                .any(|(group, kind)| group == object.group() && kind == object.kind())
        };
        let mut by_kind: HashMap<&str, Vec<&Object>> = HashMap::new();
        let mut by_key = HashMap::new();
        let mut namespaces = HashSet::new();
        let mut made_secrets = HashSet::new();
        for object in objects {
            namespaces.insert(object.namespace());
            made_secrets.extend(made_secret(object));
            let kind = object.kind();
            let is_core = groups
                .get(kind)
                .is_some_and(|group| *group == object.group());
            if object.name().is_empty() || !(is_core || is_extension(object)) {
                continue;
            }
            by_kind.entry(kind).or_default().push(object);
            by_key.insert((kind, Key::of(object)), object);
        }
        if settings.order == Order::Controller {
            for all in by_kind.values_mut() {
                all.sort_by_cached_key(|object| (created(object), Key::of(object)));
            }
        }
        let slices = slices(by_kind.get("EndpointSlice").map_or(&[], Vec::as_slice));
        Index {
            by_kind,
            by_key,
            slices,
            namespaces,
            made_secrets,
            knowledge: settings.knowledge,
        }
    }

    /// All objects of a kind.
    pub fn all(&self, kind: &str) -> &[&'a Object] {
        self.by_kind.get(kind).map_or(&[], Vec::as_slice)
    }

    /// A given object.
    pub fn here(&self, kind: &str, key: Key<'_>) -> Option<&'a Object> {
        // The map's keys live as long as the objects, but the lookup's key may not.
        let map: &HashMap<(&str, Key<'_>), &'a Object> = &self.by_key;
        map.get(&(kind, key)).copied()
    }

    /// An object that something refers to.
    ///
    /// # Errors
    /// If it is not given: the fault from `missing` if it therefore doesn't exist, else an unknown.
    pub fn find(
        &self,
        kind: &str,
        key: Key<'_>,
        missing: impl FnOnce(String) -> Fault,
    ) -> Result<&'a Object, Fault> {
        self.here(kind, key).ok_or_else(|| match self.knowledge {
            Knowledge::Complete => missing(format!("{kind} {key} does not exist")),
            Knowledge::Partial => Fault::unknown(format!("{kind} {key} is not in the given files")),
        })
    }

    /// The EndpointSlices of a Service or ServiceImport.
    pub fn slices(&self, kind: &str, key: Key<'_>) -> Vec<&'a Object> {
        let map: &HashMap<(&str, Key<'_>), Vec<&'a Object>> = &self.slices;
        map.get(&(kind, key)).cloned().unwrap_or_default()
    }

    /// Whether a given object is in this namespace.
    pub fn knows_namespace(&self, name: &str) -> bool {
        self.is_complete() || (!name.is_empty() && self.namespaces.contains(name))
    }

    /// Whether objects beside this one would be given too: the object itself is, or what creates it.
    /// A ReferenceGrant is written where the object is, which may be in another repository.
    pub fn knows_around(&self, kind: &str, key: Key<'_>) -> bool {
        self.is_complete()
            || self.here(kind, key).is_some()
            || (kind == "Secret" && self.makes_secret(key))
    }

    fn makes_secret(&self, key: Key<'_>) -> bool {
        // The set's keys live as long as the objects, but the lookup's key may not.
        let made: &HashSet<Key<'_>> = &self.made_secrets;
        made.contains(&key)
    }

    /// Whether objects that are not given don't exist.
    pub fn is_complete(&self) -> bool {
        self.knowledge == Knowledge::Complete
    }

    /// A namespace.
    ///
    /// # Errors
    /// If the namespace is not given. `None` if it therefore doesn't exist.
    pub fn namespace(&self, name: &str) -> Result<Option<&'a Object>, Fault> {
        let key = Key {
            namespace: "",
            name,
        };
        match self.here("Namespace", key) {
            Some(namespace) => Ok(Some(namespace)),
            None if self.is_complete() => Ok(None),
            None => Err(Fault::unknown(format!(
                "the labels of namespace `{name}` are not known"
            ))),
        }
    }
}

/// A label of an object. The name of a namespace is one of its labels (Kubernetes 1.22 and later).
pub fn label<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    let labels = object.node.path(&["metadata", "labels"]);
    let given = labels.and_then(|labels| labels.get(key)?.as_str());
    let is_name = object.kind() == "Namespace" && key == NAMESPACE_NAME;
    given.or(is_name.then(|| object.name()))
}

/// The Secret that an object creates.
fn made_secret(object: &Object) -> Option<Key<'_>> {
    let path: &[&str] = match (object.group(), object.kind()) {
        ("cert-manager.io", "Certificate") => &["spec", "secretName"],
        ("external-secrets.io", "ExternalSecret") => &["spec", "target", "name"],
        ("bitnami.com", "SealedSecret") => &["metadata", "name"],
        _ => return None,
    };
    let namespace = object.namespace();
    let name = super::read::text(&object.node, path).unwrap_or(object.name());
    Some(Key { namespace, name }).filter(|key| !key.namespace.is_empty())
}

/// The creation time, if the manifest has it. RFC 3339 times in UTC sort as text.
fn created(object: &Object) -> &str {
    super::read::text(&object.node, &["metadata", "creationTimestamp"]).unwrap_or_default()
}

/// EndpointSlices by the object that their label names.
fn slices<'a>(all: &[&'a Object]) -> HashMap<(&'static str, Key<'a>), Vec<&'a Object>> {
    const OWNERS: [(&str, &str); 2] = [
        ("Service", "kubernetes.io/service-name"),
        ("ServiceImport", "multicluster.kubernetes.io/service-name"),
    ];
    let mut by_owner: HashMap<(&str, Key<'_>), Vec<&Object>> = HashMap::new();
    for slice in all {
        let named = |(kind, key): &(&'static str, &str)| Some((*kind, label(slice, key)?));
        if let Some((kind, name)) = OWNERS.iter().find_map(named) {
            let namespace = slice.namespace();
            let key = Key { namespace, name };
            by_owner.entry((kind, key)).or_default().push(slice);
        }
    }
    by_owner
}
