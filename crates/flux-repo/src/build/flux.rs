//! What a Flux Kustomization adds to the kustomization of its folder, as kustomize-controller 1.9 merges it (with
//! `fluxcd/pkg/kustomize`).

use std::collections::HashMap;

use super::fields::{append, items, set_text, text};
use super::inline;
use super::resource::Resource;
use super::state::{Layer, State, set_meta};
use super::{BuildPlace, schema};
use crate::folders::Folders;
use crate::kustomization::Entry;
use manifest::Object;
use manifest::value::path::{below, folder, name};
use manifest::value::{Entry as Field, Kind, Map, Node, Pointer};

/// The file of a generated kustomization, which doesn't exist in the repository.
const GENERATED: &str = "kustomization.yaml";

/// Manifests that source-controller leaves out by default.
const LEFT_OUT: &[&str] = &[
    ".travis.yml",
    ".gitlab-ci.yml",
    "appveyor.yml",
    ".drone.yml",
    "cloudbuild.yaml",
    "codeship-services.yml",
    "codeship-steps.yml",
    ".goreleaser.yml",
    ".goreleaser.brew.yml",
    ".sops.yaml",
    ".flux.yaml",
];

/// Folders that source-controller leaves out by default.
const LEFT_OUT_FOLDERS: &[&str] = &[".git", ".github", ".circleci"];

/// Generates the kustomization of a folder that has none: it lists all manifests, and folders with a kustomization.
pub(super) fn generate<'a>(state: &mut State<'_, 'a>, start: &str) -> Layer<'a> {
    let mut listed: Vec<String> = Vec::new();
    let builder = state.builder;
    let folders: &Folders<'a> = &builder.folders;
    let mut refused = Vec::new();
    for file in folders.below(start) {
        let Some(path) = below(start, file) else {
            continue;
        };
        if listed
            .iter()
            .rev()
            .take(1)
            .any(|last| below(last, path).is_some())
        {
            continue;
        }
        if let Some(owner) = owner(state, start, file) {
            listed.push(below(start, owner).unwrap_or_default().to_owned());
        } else if is_manifest(path) {
            let read = state.documents(file).and_then(inline::objects);
            match read {
                Ok(_) => listed.push(path.to_owned()),
                Err(message) => refused.push((file, message)),
            }
        }
    }
    for (file, message) in refused {
        let at = BuildPlace {
            file: file.to_owned(),
            pointer: Pointer::root(),
            span: None,
        };
        state.refuse(at, message);
    }
    let mut fields = Map::default();
    let resources = listed.into_iter().map(Node::string).collect();
    fields.insert("kind", Node::string("Kustomization"));
    fields.insert("resources", Node::new(Kind::List(resources), None));
    let file = match start {
        "" => GENERATED.to_owned(),
        start => format!("{start}/{GENERATED}"),
    };
    Layer {
        folder: start.to_owned(),
        object: Object::new(Node::new(Kind::Map(fields), None), &*file),
        file,
        flux: None,
    }
}

/// The folder with a kustomization between the start and a file that is nearest to the start.
fn owner<'f>(state: &State<'_, '_>, start: &str, file: &'f str) -> Option<&'f str> {
    let mut owner = None;
    let mut at = folder(file);
    while at.len() > start.len() {
        if state.builder.kustomizations.contains_key(at) {
            owner = Some(at);
        }
        at = folder(at);
    }
    owner
}

fn is_manifest(path: &str) -> bool {
    let is_yaml = path.ends_with(".yaml") || path.ends_with(".yml");
    let is_left_out = LEFT_OUT.contains(&name(path))
        || folder(path)
            .split('/')
            .any(|part| LEFT_OUT_FOLDERS.contains(&part));
    is_yaml && !is_left_out
}

/// Merges the settings of a Flux Kustomization into the kustomization of its folder.
pub(super) fn merge_into(layer: &mut Layer<'_>, flux: &Object) {
    let Some(spec) = flux.node.get("spec") else {
        return;
    };
    let spec = schema::spelled(spec);
    let root: &mut Node = &mut layer.object.node;
    for (from, to) in [
        ("targetNamespace", "namespace"),
        ("namePrefix", "namePrefix"),
        ("nameSuffix", "nameSuffix"),
    ] {
        if let Some(value) = spec.get(from).filter(|value| value.as_str().is_some()) {
            set_text(root, to, value);
        }
    }
    for key in [
        "patches",
        "components",
        "patchesStrategicMerge",
        "patchesJson6902",
    ] {
        append(
            root,
            key,
            items(&spec, key).iter().map(for_kustomize).collect(),
        );
    }
    merge_images(root, items(&spec, "images"));
}

/// Adds images; one with the same name is replaced.
fn merge_images(root: &mut Node, images: &[Node]) {
    if images.is_empty() {
        return;
    }
    let mut list = items(root, "images").to_vec();
    let names = list.iter().map(|one| text(one, "name").to_owned()).zip(0..);
    let mut places: HashMap<String, usize> = HashMap::new();
    for (name, place) in names {
        places.entry(name).or_insert(place);
    }
    for image in images {
        let place = places
            .entry(text(image, "name").to_owned())
            .or_insert(list.len());
        match list.get_mut(*place) {
            Some(slot) => *slot = image.clone(),
            None => list.push(image.clone()),
        }
    }
    let span = images.first().and_then(|image| image.span);
    set_text(root, "images", &Node::new(Kind::List(list), span));
}

/// An entry of a Flux Kustomization as kustomize reads it: in API version `v1beta2`, patches are objects instead of
/// texts.
fn for_kustomize(entry: &Node) -> Node {
    let patch = entry
        .get("patch")
        .filter(|patch| patch.as_list().is_some() || patch.as_map().is_some());
    let (Some(patch), Some(map)) = (patch, entry.as_map()) else {
        return match entry.as_map() {
            // An entry of `patchesStrategicMerge`.
            Some(map) if map.contains_key("apiVersion") => as_text(entry),
            _ => entry.clone(),
        };
    };
    let mut fields = Map::default();
    for (key, field) in map.entries() {
        fields.insert_entry(key.to_owned(), field.clone());
    }
    let value = as_text(patch);
    fields.insert_entry(
        "patch".to_owned(),
        Field {
            key_span: None,
            value,
        },
    );
    Node::new(Kind::Map(fields), entry.span)
}

fn as_text(node: &Node) -> Node {
    let text = node.to_json().to_string();
    Node::new(Kind::String(text), node.span)
}

/// Whether an entry is a component of the Flux Kustomization that may be missing (`ignoreMissingComponents`).
pub(super) fn may_be_missing(layer: &Layer<'_>, entry: &Entry<'_>) -> bool {
    let Some(flux) = layer.flux else {
        return false;
    };
    let is_ignored = flux
        .node
        .path(&["spec", "ignoreMissingComponents"])
        .and_then(Node::as_bool);
    let own = flux
        .node
        .path(&["spec", "components"])
        .and_then(Node::as_list);
    let is_own = own
        .unwrap_or_default()
        .iter()
        .any(|one| one.as_str() == Some(entry.text));
    is_ignored == Some(true) && is_own
}

/// Sets `commonMetadata` on all objects.
pub(super) fn set_common_metadata(resources: &mut [Resource], flux: &Object) {
    for key in ["labels", "annotations"] {
        let pairs = flux
            .node
            .path(&["spec", "commonMetadata", key])
            .and_then(Node::as_map);
        for (name, value) in pairs.into_iter().flat_map(Map::iter) {
            for resource in resources.iter_mut() {
                set_meta(resource, key, name, value.clone());
            }
        }
    }
}
