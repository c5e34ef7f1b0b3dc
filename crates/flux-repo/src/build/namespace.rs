//! `namespace:` (kustomize's `NamespaceTransformer`).

use std::collections::HashMap;

use super::field_specs::Which;
use super::fields::{Create, each, fits, get_items_mut, steps, text};
use super::resource::{Resource, child_map, set_value};
use super::state::{Accumulator, Layer, State};
use manifest::value::{Node, Pointer};

/// Moves everything into the namespace of a kustomization. A Namespace gets it as its name.
pub(super) fn set<'a>(state: &mut State<'_, 'a>, layer: &Layer<'a>, all: &mut Accumulator) {
    let Some(namespace) = layer.node().get("namespace") else {
        return;
    };
    if namespace.as_str().is_none_or(str::is_empty) {
        return;
    }
    let at = || layer.spot(Pointer::root().key("namespace"));
    let specs = all.config.fields(Which::Namespace);
    let specs: Vec<_> = specs
        .into_iter()
        .map(|spec| (steps(&spec.path), spec))
        .collect();
    for resource in &mut all.resources {
        resource.remember();
        move_to(resource, namespace);
        let gvk = resource.gvk();
        let is_core = resource.object.api_version() == "v1";
        let own = specs.iter().filter(|(_, spec)| {
            let is_meta = spec.path == "metadata/namespace"
                || spec.path == "metadata/name" && !is_core
                || is_binding(&spec.kind) && spec.path == "subjects/namespace";
            !is_meta && fits(spec, &gvk)
        });
        let own: Vec<_> = own.collect();
        for (path, spec) in own {
            let create = if spec.create {
                Create::Text
            } else {
                Create::Never
            };
            let done = each(&mut resource.object.node, path, create, &mut |node| {
                *node = namespace.clone();
                Ok(())
            });
            if let Err(message) = done {
                state.refuse(at(), message);
            }
        }
    }
    let mut ids = HashMap::new();
    for resource in &all.resources {
        *ids.entry(resource.id()).or_insert(0) += 1;
    }
    let twice = ids.iter().find(|(_, count)| **count > 1);
    if let Some((id, _)) = twice {
        let message = format!(
            "there would be several objects {} {}/{}",
            id.gvk.kind, id.namespace, id.name
        );
        state.refuse(at(), message);
    }
}

fn is_binding(kind: &str) -> bool {
    matches!(kind, "RoleBinding" | "ClusterRoleBinding")
}

/// Sets the namespace of an object, and that of the service account `default` in a binding.
fn move_to(resource: &mut Resource, namespace: &Node) {
    let is_binding = is_binding(resource.object.kind());
    let is_cluster_scoped = resource.gvk().is_cluster_scoped();
    let Some(map) = resource.map_mut() else {
        return;
    };
    if !is_cluster_scoped && let Some(metadata) = child_map(map, "metadata") {
        set_value(metadata, "namespace", namespace.clone());
    }
    if is_binding && let Some(subjects) = map.get_mut("subjects") {
        for subject in get_items_mut(subjects) {
            if text(subject, "name") == "default"
                && let Some(subject) = subject.as_map_mut()
            {
                set_value(subject, "namespace", namespace.clone());
            }
        }
    }
}
