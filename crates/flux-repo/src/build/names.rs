//! Names: prefix, suffix, the hash of generated objects, and references to names that have changed.

mod hash;
mod reference;

use super::field_specs::Which;
use super::fields::{Create, each, fits, steps};
use super::resource::Resource;
use super::state::{Accumulator, Layer, State};
pub(super) use hash::add_hashes;
use manifest::value::{Node, Pointer};
pub(super) use reference::update_references;

/// The kinds whose names keep their form; the group is empty if it doesn't matter.
const KEEP_THEIR_NAMES: &[(&str, &str)] = &[
    ("", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
    ("", "Namespace"),
];

/// Adds `namePrefix` and `nameSuffix` (kustomize's `PrefixTransformer` and `SuffixTransformer`).
pub(super) fn add_prefix_and_suffix<'a>(
    state: &mut State<'_, 'a>,
    layer: &Layer<'a>,
    all: &mut Accumulator,
) {
    for (key, which) in [
        ("namePrefix", Which::NamePrefix),
        ("nameSuffix", Which::NameSuffix),
    ] {
        let Some(affix) = layer.node().get(key).and_then(Node::as_str) else {
            continue;
        };
        if affix.is_empty() {
            continue;
        }
        let specs = all.config.fields(which);
        for resource in &mut all.resources {
            for spec in &specs {
                let original = resource.original_id().gvk;
                if keeps_its_name(original.group, original.kind)
                    || !fits(spec, &original)
                    || !fits(spec, &resource.gvk())
                {
                    continue;
                }
                if spec.path == "metadata/name" {
                    match which {
                        Which::NamePrefix => resource.prefixes.push(affix.to_owned()),
                        _ => resource.suffixes.push(affix.to_owned()),
                    }
                    resource.remember();
                }
                let done = lengthen(resource, &steps(&spec.path), affix, which);
                if let Err(message) = done {
                    state.refuse(layer.spot(Pointer::root().key(key)), message);
                }
            }
        }
    }
}

/// Adds a prefix or suffix to the texts at a path. They keep their places.
fn lengthen(
    resource: &mut Resource,
    path: &[String],
    affix: &str,
    which: Which,
) -> Result<(), String> {
    each(
        &mut resource.object.node,
        path,
        Create::Never,
        &mut |node| {
            let text = super::resource::text_of(node).unwrap_or_default();
            let text = match which {
                Which::NamePrefix => format!("{affix}{text}"),
                _ => format!("{text}{affix}"),
            };
            *node = Node {
                span: node.span,
                ..Node::string(text)
            };
            Ok(())
        },
    )
}

/// Whether the names of a kind get no prefix and no suffix.
pub(crate) fn keeps_its_name(group: &str, kind: &str) -> bool {
    KEEP_THEIR_NAMES.iter().any(|(its_group, its_kind)| {
        *its_kind == kind && (its_group.is_empty() || *its_group == group)
    })
}
