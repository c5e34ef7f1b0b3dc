//! Accumulates what a kustomization lists: files, folders and components, in kustomize's order (`kusttarget.go`).

use super::config::Config;
use super::resource::{Resource, child_map, size, text_of};
use super::state::{Accumulator, Layer, State};
use super::{Build, BuildPlace, Builder, Feature, flux};
use super::{
    generators, images, inline, json_patch, labels, names, namespace, patch, replacements,
    replicas, sort, yaml,
};
use crate::kustomization::{Entry, EntryRole, Kustomization};
use manifest::Object;
use manifest::value::path::below;
use manifest::value::{Kind, Node, Pointer};

/// The maximum number of nested folders; real repositories have fewer.
const MOST_DEEP: usize = 64;

/// The maximum number of folders that are read for one build, counting each time; real repositories have fewer.
const MOST_FOLDERS: usize = 10_000;

/// The keys whose features are not followed.
const NOT_FOLLOWED: &[(&str, Feature)] = &[
    ("helmCharts", Feature::HelmCharts),
    ("helmChartInflationGenerator", Feature::HelmCharts),
    ("generators", Feature::Generators),
    ("transformers", Feature::Transformers),
    ("validators", Feature::Validators),
    ("vars", Feature::Vars),
    ("crds", Feature::Crds),
    ("openapi", Feature::OpenApi),
    ("buildMetadata", Feature::BuildMetadata),
];

/// Builds a folder.
pub(super) fn build(builder: &Builder<'_>, folder: &str, flux: Option<&Object>) -> Build {
    let mut state = State::of(builder);
    let mut all = Accumulator::default();
    if let Some(root) = accumulate_root(&mut state, &mut all, folder, flux) {
        names::add_hashes(&mut all.resources);
        names::update_references(&mut state, &root, &mut all);
        sort::sort(&mut state, &root, &mut all.resources);
    }
    if let Some(flux) = flux {
        flux::set_common_metadata(&mut all.resources, flux);
    }
    finish(state, all)
}

/// Builds a folder without the changes of names: prefixes, suffixes, hashes, and references to such names.
pub(super) fn build_with_own_names(
    builder: &Builder<'_>,
    folder: &str,
    flux: Option<&Object>,
) -> Build {
    let mut state = State::of(builder);
    let mut all = Accumulator::default();
    accumulate_root(&mut state, &mut all, folder, flux);
    for resource in &mut all.resources {
        resource.remove_affixes();
    }
    finish(state, all)
}

/// Accumulates everything that a folder makes, and returns its kustomization; `None` if there is none.
fn accumulate_root<'a>(
    state: &mut State<'_, 'a>,
    all: &mut Accumulator,
    folder: &str,
    flux: Option<&'a Object>,
) -> Option<Layer<'a>> {
    let start = BuildPlace {
        file: folder.to_owned(),
        pointer: Pointer::root(),
        span: None,
    };
    let mut root = match state.builder.kustomizations.contains_key(folder) {
        false if flux.is_some() => Some(flux::generate(state, folder)),
        _ => state.read(folder, None, start, flux.is_some()),
    }?;
    if let Some(flux) = flux {
        flux::merge_into(&mut root, flux);
        root.flux = Some(flux);
    }
    state.accumulate(&root, all, &mut Vec::new());
    Some(root)
}

/// The result, with the objects that were accumulated.
fn finish(mut state: State<'_, '_>, all: Accumulator) -> Build {
    let kept = all.resources.into_iter().filter(|one| !is_local(one));
    let mut texts = std::mem::take(&mut state.texts);
    let mut objects: Vec<Object> = kept.map(finished).collect();
    for object in &mut objects {
        yaml::rewrite(&state, &mut object.node, &mut texts);
    }
    state.build.objects = objects;
    state.build
}

/// Whether an object is only for local tools.
fn is_local(resource: &Resource) -> bool {
    let value = resource.meta_text("annotations", "config.kubernetes.io/local-config");
    value.is_some_and(|value| value != "false")
}

/// The object without traces of the build: annotations are strings, and empty ones are removed.
fn finished(mut resource: Resource) -> Object {
    if resource
        .object
        .node
        .path(&["metadata", "annotations"])
        .is_some()
        && let Some(metadata) = resource.metadata_mut()
    {
        let is_empty = match metadata.get("annotations").map(|node| &node.kind) {
            Some(Kind::Map(map)) => map.is_empty(),
            Some(Kind::Null) => true,
            _ => false,
        };
        if is_empty {
            metadata.remove("annotations");
        } else if let Some(map) = child_map(metadata, "annotations") {
            for (_, value) in map.iter_mut() {
                if let (None, Some(text)) = (value.as_str(), text_of(value)) {
                    value.kind = Kind::String(text);
                }
            }
        }
    }
    resource.object
}

impl<'a> State<'_, 'a> {
    /// Adds what a kustomization makes to what was accumulated so far. `above` are the folders that lead here.
    fn accumulate(&mut self, layer: &Layer<'a>, all: &mut Accumulator, above: &mut Vec<String>) {
        self.folders += 1;
        if self.folders > MOST_FOLDERS || above.len() > MOST_DEEP {
            if self.folders <= MOST_FOLDERS + 1 {
                let message = "this reads more folders than any repository has";
                self.refuse(layer.spot(Pointer::root()), message);
            }
            return;
        }
        above.push(layer.folder.clone());
        let entries = Kustomization::of(&layer.object).entries();
        for entry in entries
            .iter()
            .filter(|entry| entry.role == EntryRole::Resource)
        {
            self.add_resource(layer, entry, all, above);
        }
        self.configure(layer, &entries, all);
        all.change();
        generators::generate(self, layer, all);
        for entry in entries
            .iter()
            .filter(|entry| entry.role == EntryRole::Component)
        {
            self.add_component(layer, entry, all, above);
        }
        above.pop();
        self.transform(layer, all);
        for (key, feature) in NOT_FOLLOWED {
            let value = layer.node().get(key);
            let is_set = value.is_some_and(|value| match &value.kind {
                Kind::List(items) => !items.is_empty(),
                Kind::Map(map) => !map.is_empty(),
                _ => false,
            });
            if is_set {
                self.skip(*feature, layer.spot(Pointer::root().key(*key)), "");
            }
        }
    }

    /// The transformers, in kustomize's order.
    fn transform(&mut self, layer: &Layer<'a>, all: &mut Accumulator) {
        all.change();
        patch::strategic_merge_patches(self, layer, all);
        patch::patches(self, layer, all);
        namespace::set(self, layer, all);
        names::add_prefix_and_suffix(self, layer, all);
        labels::add_labels(self, layer, all);
        labels::add_annotations(self, layer, all);
        json_patch::old_patches(self, layer, all);
        replicas::set(self, layer, all);
        images::set(self, layer, all);
        replacements::replace(self, layer, all);
    }

    /// Adds the files of `configurations`.
    fn configure(&mut self, layer: &Layer<'a>, entries: &[Entry<'_>], all: &mut Accumulator) {
        let list = Pointer::root().key("configurations");
        let own = entries.iter();
        for entry in own.filter(|entry| entry.pointer.parent().as_ref() == Some(&list)) {
            let read = self.documents(&entry.path);
            let added = read.and_then(|documents| {
                documents
                    .iter()
                    .try_for_each(|one| all.config.merge(Config::read(one)))
            });
            if let Err(message) = added {
                self.refuse(layer.spot(entry.pointer.clone()), message);
            }
        }
    }

    fn add_resource(
        &mut self,
        layer: &Layer<'a>,
        entry: &Entry<'_>,
        all: &mut Accumulator,
        above: &mut Vec<String>,
    ) {
        let at = || layer.spot(entry.pointer.clone());
        if self.is_file(&entry.path) {
            match self.try_documents(&entry.path) {
                Ok(documents) => self.add_documents(layer, entry, documents, all),
                Err(unreadable) if unreadable.is_ours => {
                    self.skip(Feature::Unread, at(), unreadable.message);
                }
                Err(unreadable) => self.refuse(at(), unreadable.message),
            }
            return;
        }
        let Some(below) = self.folder_below(layer, entry, false, above) else {
            return;
        };
        let mut inner = Accumulator::default();
        self.accumulate(&below, &mut inner, above);
        self.append(all, inner.resources, &at);
        if let Err(message) = all.config.merge(inner.config) {
            self.refuse(at(), message);
        }
    }

    fn add_component(
        &mut self,
        layer: &Layer<'a>,
        entry: &Entry<'_>,
        all: &mut Accumulator,
        above: &mut Vec<String>,
    ) {
        if let Some(component) = self.folder_below(layer, entry, true, above) {
            self.accumulate(&component, all, above);
        }
    }

    /// The kustomization of the folder that an entry leads to.
    fn folder_below(
        &mut self,
        layer: &Layer<'a>,
        entry: &Entry<'_>,
        is_component: bool,
        above: &[String],
    ) -> Option<Layer<'a>> {
        let at = layer.spot(entry.pointer.clone());
        let path = entry.path.as_str();
        if !self.builder.folders.contains(path) {
            if entry.may_be_elsewhere {
                self.skip(Feature::Remote, at, entry.text);
            } else if !(is_component && flux::may_be_missing(layer, entry)) {
                self.refuse(at, format!("{path} doesn't exist"));
            }
            return None;
        }
        if above
            .iter()
            .any(|one| one == path || below(path, one).is_some())
        {
            self.refuse(at, format!("{path} leads back to itself"));
            return None;
        }
        self.read(path, Some(is_component), at, false)
    }

    /// Adds the objects of a file.
    fn add_documents(
        &mut self,
        layer: &Layer<'a>,
        entry: &Entry<'_>,
        documents: Vec<Node>,
        all: &mut Accumulator,
    ) {
        let at = || layer.spot(entry.pointer.clone());
        let objects = match inline::objects(documents) {
            Ok(objects) => objects,
            Err(message) => return self.refuse(at(), format!("{}: {message}", entry.path)),
        };
        if !self.spend(objects.iter().map(size).sum(), at) {
            return;
        }
        let objects = objects.into_iter();
        let resources = objects.map(|node| Resource::of(Object::new(node, &entry.path)));
        self.append(all, resources.collect(), &at);
    }
}
