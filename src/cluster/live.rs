//! Live objects in the form that is compared, without the fields that the server writes.

use manifest::Identity;
use manifest::value::{Map, Node};

use super::applied::{FLUX, Owner};

/// The fields of `metadata` that the server writes.
const SERVERS_OWN: &[&str] = &[
    "creationTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Removes the status and the fields that the server writes.
///
/// Both sides of a comparison come from the server, so defaults and fields of other managers are in both.
pub fn compared(mut object: Node) -> Node {
    if let Some(map) = object.as_map_mut() {
        map.remove("status");
        if let Some(metadata) = map.get_mut("metadata").and_then(Node::as_map_mut) {
            SERVERS_OWN
                .iter()
                .for_each(|key| drop(metadata.remove(key)));
        }
    }
    object
}

/// The reason if Flux ignores an object because of one of its labels or annotations (kustomize-controller 1.9).
///
/// `wanted` is what would be applied, `live` is the existing object.
pub fn left_alone(wanted: &Node, live: Option<&Node>) -> Option<&'static str> {
    let says = |key: &str, word: &str| {
        let mut sides = [Some(wanted), live].into_iter().flatten();
        sides.any(|node| mark(node, key).is_some_and(|value| value.eq_ignore_ascii_case(word)))
    };
    if says("reconcile", "disabled") {
        return Some("`kustomize.toolkit.fluxcd.io/reconcile: disabled`");
    }
    if says("ssa", "ignore") {
        return Some("`kustomize.toolkit.fluxcd.io/ssa: Ignore`");
    }
    if live.is_some() && says("ssa", "ifnotpresent") {
        return Some("`kustomize.toolkit.fluxcd.io/ssa: IfNotPresent`");
    }
    None
}

/// A label or annotation of Flux.
pub fn mark<'a>(object: &'a Node, key: &str) -> Option<&'a str> {
    let key = format!("{FLUX}/{key}");
    ["annotations", "labels"]
        .iter()
        .find_map(|kind| object.path(&["metadata", kind, &key])?.as_str())
}

/// The Flux Kustomization that applied an object, according to its labels.
pub fn owner(object: &Node) -> Option<Owner> {
    Some(Owner {
        namespace: mark(object, "namespace")?.to_owned(),
        name: mark(object, "name")?.to_owned(),
    })
}

/// Whether Flux deletes the object once it doesn't have to apply it any more.
pub fn is_prunable(object: &Node) -> bool {
    let disabled =
        |key: &str| mark(object, key).is_some_and(|it| it.eq_ignore_ascii_case("disabled"));
    let being_deleted = object.path(&["metadata", "deletionTimestamp"]).is_some();
    // A controller created the object for another one and copied the labels; it is deleted together with that one.
    let owners = object
        .path(&["metadata", "ownerReferences"])
        .and_then(Node::as_list);
    !disabled("prune")
        && !disabled("reconcile")
        && !being_deleted
        && owners.is_none_or(<[Node]>::is_empty)
}

/// What Flux would delete: the objects with the labels of a Flux Kustomization that it doesn't apply any more,
/// compared by group, kind, namespace and name.
pub fn pruned<'a>(labelled: &'a [Node], owner: &Owner, applied: &[Identity]) -> Vec<&'a Node> {
    let gone = |object: &&Node| {
        let is_its = self::owner(object).as_ref() == Some(owner);
        is_its && is_prunable(object) && !applied.contains(&identity(object))
    };
    labelled.iter().filter(gone).collect()
}

/// What identifies an object.
pub fn identity(object: &Node) -> Identity {
    let text = |path: &[&str]| {
        object
            .path(path)
            .and_then(Node::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let api_version = text(&["apiVersion"]);
    Identity {
        group: api_version
            .split_once('/')
            .map_or(String::new(), |(group, _)| group.to_owned()),
        kind: text(&["kind"]),
        namespace: text(&["metadata", "namespace"]),
        name: text(&["metadata", "name"]),
    }
}

/// An entry in the `status.inventory` of a Flux Kustomization: an object that it has applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The identity of the object.
    pub identity: Identity,
    /// The API version in which it was applied.
    pub version: String,
}

/// The inventory of a live Flux Kustomization; `None` if it never applied anything.
///
/// An ID is `NAMESPACE_NAME_GROUP_KIND`. In names of RBAC objects, `__` stands for a colon (cli-utils,
/// `object.ObjMetadata`).
pub fn inventory(kustomization: &Node) -> Option<Vec<Remembered>> {
    let entries = kustomization
        .path(&["status", "inventory", "entries"])?
        .as_list()?;
    let entry = |entry: &Node| {
        let id = entry.get("id")?.as_str()?;
        let (namespace, rest) = id.split_once('_')?;
        let (rest, kind) = rest.rsplit_once('_')?;
        let (name, group) = rest.rsplit_once('_')?;
        Some(Remembered {
            identity: Identity {
                group: group.to_owned(),
                kind: kind.to_owned(),
                namespace: namespace.to_owned(),
                name: name.replace("__", ":"),
            },
            version: entry.get("v")?.as_str()?.to_owned(),
        })
    };
    Some(entries.iter().filter_map(entry).collect())
}

/// Copies the labels of the Flux Kustomization that applied the live object, and of its `commonMetadata`. That
/// Kustomization is not in the tree, so its labels are not a difference.
pub fn keep_owner(wanted: &mut Node, live: &Node) {
    for kind in ["labels", "annotations"] {
        let marks = live.path(&["metadata", kind]).and_then(Node::as_map);
        let ours = |key: &str| key.starts_with(&format!("{FLUX}/"));
        let marks: Vec<(String, String)> = marks
            .iter()
            .flat_map(|map| Map::iter(map))
            .filter(|(key, _)| {
                ours(key)
                    && ["name", "namespace"]
                        .iter()
                        .any(|end| key.ends_with(&format!("/{end}")))
            })
            .filter_map(|(key, value)| Some((key.to_owned(), value.as_str()?.to_owned())))
            .collect();
        for (key, value) in marks {
            super::applied::set(wanted, &["metadata", kind, &key], &value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(value: serde_json::Value) -> Node {
        Node::from_json(value)
    }

    fn object(kind: &str, name: &str, more: serde_json::Value) -> Node {
        let mut metadata = json!({"name": name, "namespace": "network", "labels": {
            "kustomize.toolkit.fluxcd.io/name": "app", "kustomize.toolkit.fluxcd.io/namespace": "network"}});
        for (key, value) in more.as_object().into_iter().flatten() {
            metadata[key] = value.clone();
        }
        node(json!({"apiVersion": "v1", "kind": kind, "metadata": metadata}))
    }

    fn app() -> Owner {
        Owner {
            namespace: "network".to_owned(),
            name: "app".to_owned(),
        }
    }

    #[test]
    fn what_the_server_writes_is_no_difference() {
        let live = node(
            json!({"metadata": {"name": "a", "uid": "1", "resourceVersion": "7", "generation": 2,
            "managedFields": [], "creationTimestamp": "2026-01-01T00:00:00Z"}, "spec": {"a": 1}, "status": {"x": 1}}),
        );
        assert_eq!(
            compared(live).to_json(),
            json!({"metadata": {"name": "a"}, "spec": {"a": 1}})
        );
    }

    #[test]
    fn flux_deletes_what_it_applied_and_no_longer_has() {
        let labelled = [
            object("ConfigMap", "kept", json!({})),
            object("ConfigMap", "gone", json!({})),
            object("Secret", "kept", json!({})),
            object(
                "ConfigMap",
                "guarded",
                json!({"annotations": {"kustomize.toolkit.fluxcd.io/prune": "disabled"}}),
            ),
            object(
                "ConfigMap",
                "made",
                json!({"ownerReferences": [{"kind": "Gateway"}]}),
            ),
            object(
                "ConfigMap",
                "going",
                json!({"deletionTimestamp": "2026-01-01T00:00:00Z"}),
            ),
            object(
                "ConfigMap",
                "other",
                json!({"labels": {
                "kustomize.toolkit.fluxcd.io/name": "other", "kustomize.toolkit.fluxcd.io/namespace": "network"}}),
            ),
        ];
        let applied = [identity(&labelled[0])];
        let names: Vec<String> = pruned(&labelled, &app(), &applied)
            .into_iter()
            .map(|it| identity(it).to_string())
            .collect();
        assert_eq!(names, ["ConfigMap network/gone", "Secret network/kept"]);
    }

    #[test]
    fn an_inventory_tells_what_was_applied() {
        let kustomization = node(json!({"status": {"inventory": {"entries": [
            {"id": "network_a_gateway.networking.k8s.io_Gateway", "v": "v1"},
            {"id": "_system__x_rbac.authorization.k8s.io_ClusterRole", "v": "v1"},
            {"id": "dev_b__Service", "v": "v1"}, {"id": "broken"}]}}}));
        let all = inventory(&kustomization).expect("an inventory");
        let shown: Vec<String> = all
            .iter()
            .map(|it| format!("{}|{}", it.identity.group, it.identity))
            .collect();
        assert_eq!(
            shown,
            [
                "gateway.networking.k8s.io|Gateway network/a",
                "rbac.authorization.k8s.io|ClusterRole system:x",
                "|Service dev/b",
            ]
        );
        assert_eq!(inventory(&node(json!({}))), None);
    }

    #[test]
    fn objects_that_flux_leaves_alone_are_told() {
        let marked = |key: &str, value: &str| {
            object(
                "ConfigMap",
                "a",
                json!({"annotations": {format!("{FLUX}/{key}"): value}}),
            )
        };
        let plain = object("ConfigMap", "a", json!({}));
        assert!(left_alone(&plain, Some(&plain)).is_none());
        assert!(left_alone(&plain, Some(&marked("reconcile", "disabled"))).is_some());
        assert!(left_alone(&marked("ssa", "Ignore"), None).is_some());
        assert!(left_alone(&marked("ssa", "IfNotPresent"), None).is_none());
        assert!(left_alone(&marked("ssa", "IfNotPresent"), Some(&plain)).is_some());
    }
}
