//! `replicas` (kustomize's `ReplicaCountTransformer`).

use super::field_specs::Which;
use super::fields::{Create, each, fits, steps, text};
use super::state::{Accumulator, Layer, State, maps};
use manifest::value::{Kind, Node};

/// Sets the number of replicas.
pub(super) fn set<'a>(state: &mut State<'_, 'a>, layer: &Layer<'a>, all: &mut Accumulator) {
    for (pointer, replica) in maps(layer, "replicas") {
        let at = layer.spot(pointer);
        if !state.visit(all.resources.len(), &at) {
            return;
        }
        let name = text(replica, "name");
        let count = match replica.get("count") {
            Some(count) if count.as_i64().is_some() => count.clone(),
            _ => Node::new(Kind::Number(0.into()), replica.span),
        };
        let mut is_found = false;
        for spec in all.config.fields(Which::Replicas) {
            let path = steps(&spec.path);
            let is_meant =
                |id: super::resource::Id<'_>| id.name == name && id.gvk.is_selected(&spec.gvk());
            for resource in all
                .resources
                .iter_mut()
                .filter(|one| one.ids().any(is_meant))
            {
                is_found = true;
                if !fits(&spec, &resource.gvk()) {
                    continue;
                }
                let create = if spec.create {
                    Create::Text
                } else {
                    Create::Never
                };
                let done = each(&mut resource.object.node, &path, create, &mut |node| {
                    *node = count.clone();
                    Ok(())
                });
                if let Err(message) = done {
                    state.refuse(at.clone(), message);
                }
            }
        }
        if !is_found {
            state.refuse(at, format!("nothing with replicas is named {name:?}"));
        }
    }
}
