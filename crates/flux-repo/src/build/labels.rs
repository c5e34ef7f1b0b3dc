//! `labels`, `commonLabels` and `commonAnnotations` (kustomize's `LabelTransformer` and `AnnotationsTransformer`).

use super::BuildPlace;
use super::config::{add, field_spec};
use super::field_specs::{FieldSpec, Which};
use super::fields::{Create, each, fits, items, steps};
use super::resource::set_value;
use super::state::{Accumulator, Layer, State, maps};
use manifest::value::{Kind, Map, Node, Pointer};

/// Adds labels.
pub(super) fn add_labels<'a>(state: &mut State<'_, 'a>, layer: &Layer<'a>, all: &mut Accumulator) {
    for (pointer, label) in maps(layer, "labels") {
        let Some(pairs) = label.get("pairs").and_then(Node::as_map) else {
            continue;
        };
        let at = layer.spot(pointer);
        match fields_of(label, all) {
            Ok(specs) => add_pairs(state, &at, pairs, &specs, all),
            Err(message) => state.refuse(at, message),
        }
    }
    if let Some(pairs) = layer.node().get("commonLabels").and_then(Node::as_map) {
        let at = layer.spot(Pointer::root().key("commonLabels"));
        let specs = all.config.fields(Which::CommonLabels);
        add_pairs(state, &at, pairs, &specs, all);
    }
}

/// The fields that an entry of `labels` sets.
fn fields_of(label: &Node, all: &Accumulator) -> Result<Vec<FieldSpec>, String> {
    let is = |key: &str| label.get(key).and_then(Node::as_bool) == Some(true);
    let mut specs: Vec<FieldSpec> = items(label, "fields").iter().map(field_spec).collect();
    let mut more = all.config.fields(Which::Labels);
    if is("includeSelectors") {
        more.extend(all.config.fields(Which::CommonLabels));
    } else {
        if is("includeTemplates") {
            more.extend(all.config.fields(Which::TemplateLabels));
        }
        more.push(FieldSpec {
            group: "".into(),
            version: "".into(),
            kind: "".into(),
            path: "metadata/labels".into(),
            create: true,
        });
    }
    for spec in more {
        add(&[], &mut specs, spec)?;
    }
    Ok(specs)
}

/// Adds annotations.
pub(super) fn add_annotations<'a>(
    state: &mut State<'_, 'a>,
    layer: &Layer<'a>,
    all: &mut Accumulator,
) {
    if let Some(pairs) = layer.node().get("commonAnnotations").and_then(Node::as_map) {
        let at = layer.spot(Pointer::root().key("commonAnnotations"));
        let specs = all.config.fields(Which::CommonAnnotations);
        add_pairs(state, &at, pairs, &specs, all);
    }
}

/// Adds pairs to the maps that field specifications name.
fn add_pairs(
    state: &mut State<'_, '_>,
    at: &BuildPlace,
    pairs: &Map,
    specs: &[FieldSpec],
    all: &mut Accumulator,
) {
    if pairs.is_empty() {
        return;
    }
    for spec in specs {
        let path = steps(&spec.path);
        let create = if spec.create {
            Create::Map
        } else {
            Create::Never
        };
        for resource in &mut all.resources {
            if !fits(spec, &resource.gvk()) || !state.spend(pairs.len(), || at.clone()) {
                continue;
            }
            let done = each(&mut resource.object.node, &path, create, &mut |node| {
                if matches!(node.kind, Kind::Null) {
                    *node = Node::map();
                }
                let Some(map) = node.as_map_mut() else {
                    return Err(format!("{} is no map", spec.path));
                };
                for (key, value) in pairs.iter() {
                    set_value(map, key, value.clone());
                }
                Ok(())
            });
            if let Err(message) = done {
                state.refuse(at.clone(), message);
            }
        }
    }
}
