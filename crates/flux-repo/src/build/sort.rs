//! `sortOptions` (kustomize's `SortOrderTransformer`).

use std::collections::HashMap;

use super::fields::{items, text};
use super::resource::Resource;
use super::state::{Layer, State};
use manifest::value::{Node, Pointer};

/// The kinds that come first in the legacy order.
const FIRST: &[&str] = &[
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// The kinds that come last in the legacy order.
const LAST: &[&str] = &[
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// Sorts the objects if the kustomization says so; by default they stay in the order in which they were accumulated.
pub(super) fn sort<'a>(state: &mut State<'_, 'a>, layer: &Layer<'a>, resources: &mut [Resource]) {
    let Some(options) = layer
        .node()
        .get("sortOptions")
        .filter(|node| node.as_map().is_some())
    else {
        return;
    };
    match text(options, "order") {
        "legacy" => {}
        "fifo" => return,
        other => {
            let message = format!("the order is {other:?} instead of \"fifo\" or \"legacy\"");
            return state.refuse(layer.spot(Pointer::root().key("sortOptions")), message);
        }
    }
    let own = options
        .get("legacySortOptions")
        .filter(|node| node.as_map().is_some());
    let list = |key: &str, default: &[&'static str]| -> Vec<String> {
        match own {
            Some(own) => items(own, key)
                .iter()
                .filter_map(Node::as_str)
                .map(str::to_owned)
                .collect(),
            None => default.iter().map(|kind| (*kind).to_owned()).collect(),
        }
    };
    let (first, last) = (list("orderFirst", FIRST), list("orderLast", LAST));
    let count = i64::try_from(first.len()).unwrap_or(i64::MAX);
    let mut ranks: HashMap<&str, i64> = HashMap::new();
    ranks.extend(first.iter().map(String::as_str).zip(-count..));
    ranks.extend(last.iter().map(String::as_str).zip(1..));
    resources.sort_by_cached_key(|resource| {
        let id = resource.id();
        let or = |text: &str, other: &str| {
            if text.is_empty() {
                other.to_owned()
            } else {
                text.to_owned()
            }
        };
        let gvk = [
            or(id.gvk.group, "~G"),
            or(id.gvk.version, "~V"),
            or(id.gvk.kind, "~K"),
        ];
        let namespace = or(resource.object.namespace(), "~X");
        let rank = ranks.get(id.gvk.kind).copied().unwrap_or(0);
        (rank, gvk.join("_"), namespace, id.name.to_owned())
    });
}
