//! `patches` and `patchesStrategicMerge`: reads patches and finds their targets (kustomize's `PatchTransformer`).

use std::collections::HashSet;

use super::fields::text;
use super::merge_keys::Type;
use super::resource::{Id, Resource, set_value, size};
use super::selector::Selector;
use super::state::{Accumulator, Layer, State, maps};
use super::{BuildPlace, Feature, inline, json_patch, strategic_merge};
use crate::remote::is_url;
use manifest::value::path::join;
use manifest::value::{Node, Pointer};

/// What a text of a patch is.
pub(super) enum Patch {
    /// Strategic merge patches, one for each document.
    Merge(Vec<Node>),
    /// The operations of a JSON patch.
    Json(Vec<Node>),
}

/// Decides which kind of patch documents are.
fn kind_of(documents: Vec<Node>) -> Result<Patch, String> {
    let first = documents.first().and_then(Node::as_list);
    match first {
        Some(operations) if documents.len() == 1 => Ok(Patch::Json(operations.to_vec())),
        Some(_) => Err("a JSON patch must be a single document".to_owned()),
        None => inline::objects(documents).map(Patch::Merge),
    }
}

/// Reads the patch of an entry: its text, or a file.
pub(super) fn read<'a>(
    state: &mut State<'_, 'a>,
    layer: &Layer<'a>,
    entry: &Node,
    at: &BuildPlace,
) -> Result<Option<Patch>, String> {
    let value = entry
        .get("patch")
        .filter(|patch| patch.as_str().is_some_and(|text| !text.trim().is_empty()));
    let documents = match (value, text(entry, "path")) {
        (None, "") => return Err("the entry has neither a patch nor a path".to_owned()),
        (Some(_), path) if !path.is_empty() => {
            return Err("the entry has both a patch and a path".to_owned());
        }
        (Some(value), _) => inline::parse_value(state, at, value)?,
        (None, path) => {
            let file = join(&layer.folder, path);
            if is_url(path) && !state.is_file(&file) {
                state.skip(Feature::Remote, at.clone(), path);
                return Ok(None);
            }
            state.documents(&file)?
        }
    };
    Ok(Some(kind_of(documents)?))
}

/// Applies `patches`.
pub(super) fn patches<'a>(state: &mut State<'_, 'a>, layer: &Layer<'a>, all: &mut Accumulator) {
    for (pointer, entry) in maps(layer, "patches") {
        let at = layer.spot(pointer);
        if !state.visit(all.resources.len(), &at) {
            return;
        }
        let done = match read(state, layer, entry, &at) {
            Ok(Some(Patch::Json(operations))) => {
                json_patch::apply_to_target(state, &at, entry, &operations, all, true)
            }
            Ok(Some(Patch::Merge(patches))) => merge_patches(state, &at, entry, patches, all),
            Ok(None) => Ok(()),
            Err(message) => Err(message),
        };
        if let Err(message) = done {
            state.refuse(at, message);
        }
        all.resources.retain(|resource| !resource.is_deleted);
    }
}

/// Applies `patchesStrategicMerge`, whose entries are texts or paths.
pub(super) fn strategic_merge_patches<'a>(
    state: &mut State<'_, 'a>,
    layer: &Layer<'a>,
    all: &mut Accumulator,
) {
    let list = Pointer::root().key("patchesStrategicMerge");
    for (nth, entry) in super::fields::items(layer.node(), "patchesStrategicMerge")
        .iter()
        .enumerate()
    {
        let at = layer.spot(list.index(nth));
        let given = inline::parse_value(state, &at, entry).and_then(inline::objects);
        let patches = given.or_else(|_| {
            let path = entry.as_str().unwrap_or_default();
            state
                .documents(&join(&layer.folder, path))
                .and_then(inline::objects)
        });
        let done =
            patches.and_then(|patches| merge_patches(state, &at, &Node::map(), patches, all));
        if let Err(message) = done {
            state.refuse(at, message);
        }
        all.resources.retain(|resource| !resource.is_deleted);
    }
}

/// What a patch may change besides the content.
#[derive(Clone, Copy)]
struct Allowed {
    name: bool,
    kind: bool,
}

fn merge_patches(
    state: &mut State<'_, '_>,
    at: &BuildPlace,
    entry: &Node,
    patches: Vec<Node>,
    all: &mut Accumulator,
) -> Result<(), String> {
    let is = |key: &str| entry.path(&["options", key]).and_then(Node::as_bool) == Some(true);
    let allowed = Allowed {
        name: is("allowNameChange"),
        kind: is("allowKindChange"),
    };
    if let Some(target) = entry
        .get("target")
        .filter(|target| target.as_map().is_some())
    {
        let [patch] = patches.as_slice() else {
            return match patches.is_empty() {
                true => Ok(()),
                false => Err("an entry with a target must have a single patch".to_owned()),
            };
        };
        let selector = Selector::of(target)?;
        state.select(at, all.resources.iter().any(|one| selector.selects(one)));
        for resource in all.resources.iter_mut().filter(|one| selector.selects(one)) {
            apply(state, at, resource, patch.clone(), allowed)?;
        }
        return without_conflict(all);
    }
    for patch in patches {
        if !state.visit(all.resources.len(), at) {
            return Ok(());
        }
        let patch_resource = Resource::of(manifest::Object::new(patch, ""));
        let id = patch_resource.id();
        let mut found = all.resources.iter_mut().filter(|one| is_named(one, &id));
        let (first, second) = (found.next(), found.next());
        let named = || patch_resource.object.identity();
        match (first, second) {
            (Some(target), None) => {
                let patch = (*patch_resource.object.node).clone();
                apply(state, at, target, patch, allowed)?;
            }
            (None, _) => return Err(format!("there is no {} to patch", named())),
            _ => return Err(format!("there are several {} to patch", named())),
        }
    }
    Ok(())
}

/// Whether a patch is for a resource: any of its identities is that of the patch.
fn is_named(resource: &Resource, id: &Id<'_>) -> bool {
    !resource.is_deleted && resource.ids().any(|own| own == *id)
}

fn without_conflict(all: &Accumulator) -> Result<(), String> {
    let mut ids = HashSet::new();
    for resource in all.resources.iter().filter(|one| !one.is_deleted) {
        if !ids.insert(resource.id()) {
            let identity = resource.object.identity();
            return Err(format!("the patch makes a second {identity}"));
        }
    }
    Ok(())
}

/// Applies a strategic merge patch to a resource, which keeps its kind, name and namespace unless that is allowed.
fn apply(
    state: &mut State<'_, '_>,
    at: &BuildPlace,
    resource: &mut Resource,
    mut patch: Node,
    allowed: Allowed,
) -> Result<(), String> {
    if !state.spend(size(&patch), || at.clone()) {
        return Ok(());
    }
    if allowed.name || allowed.kind {
        resource.remember();
    }
    let gvk = resource.gvk();
    let kind = Type::of(resource.object.api_version(), gvk.kind);
    let version = resource.object.node.get("apiVersion").cloned();
    if let (Some(map), Some(version)) = (patch.as_map_mut(), version) {
        set_value(map, "apiVersion", version);
    }
    let own = |path: &[&str]| resource.object.node.path(path).cloned();
    let kept = [
        (own(&["kind"]), &[][..], "kind", allowed.kind),
        (
            own(&["metadata", "name"]),
            &["metadata"],
            "name",
            allowed.name,
        ),
        (
            own(&["metadata", "namespace"]),
            &["metadata"],
            "namespace",
            false,
        ),
    ];
    let target = std::mem::replace(&mut *resource.object.node, Node::map());
    let merged = strategic_merge::apply(target.clone(), patch, kind);
    match merged {
        Err(message) => {
            *resource.object.node = target;
            return Err(message);
        }
        Ok(None) => {
            *resource.object.node = target;
            resource.is_deleted = true;
            return Ok(());
        }
        Ok(Some(node)) => *resource.object.node = node,
    }
    for (value, above, key, may_change) in kept {
        if may_change {
            continue;
        }
        let map = match above {
            [] => resource.map_mut(),
            _ => resource.metadata_mut(),
        };
        let Some(map) = map else { continue };
        match value {
            Some(value) => set_value(map, key, value),
            None => {
                map.remove(key);
            }
        }
    }
    Ok(())
}
