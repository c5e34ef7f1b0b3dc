//! A build that is running: what is given, what was accumulated, and how much work is left.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use super::config::Config;
use super::fields::{items, text};
use super::inline::Unreadable;
use super::resource::{Resource, child_map, set_value, size};
use super::{
    Build, BuildError, BuildPlace, Builder, Feature, FileContent, NotFollowed, TargetedPatch,
    inline, schema, spot, yaml,
};
use manifest::Object;
use manifest::read::Reader;
use manifest::value::{Node, Pointer};

/// The maximum number of values that a build makes and looks at, which is far more than any cluster has.
const MOST_VALUES: usize = 3_000_000;

/// What was accumulated so far.
#[derive(Default)]
pub(super) struct Accumulator {
    pub(super) resources: Vec<Resource>,
    pub(super) config: Config,
    /// The hashes of the identities of all resources, while nothing but [`State::append`] changes them.
    identities: Option<HashSet<u64>>,
}

impl Accumulator {
    /// Forgets the identities, since something else changes the resources.
    pub(super) fn change(&mut self) {
        self.identities = None;
    }
}

/// The kustomization of a folder, with the usual spelling, and with what a Flux Kustomization sets.
pub(super) struct Layer<'a> {
    /// Its folder.
    pub(super) folder: String,
    /// Its file.
    pub(super) file: String,
    pub(super) object: Object,
    /// The Flux Kustomization whose settings are in it.
    pub(super) flux: Option<&'a Object>,
}

impl<'a> Layer<'a> {
    pub(super) fn node(&self) -> &Node {
        &self.object.node
    }

    /// The place of a value. What a Flux Kustomization sets is in its file.
    pub(super) fn spot(&self, pointer: Pointer) -> BuildPlace {
        let mut spot = spot(&self.file, self.node(), pointer);
        if let Some(flux) = self.flux
            && spot.span.map(|span| span.source) == flux.node.span.map(|span| span.source)
            && spot.span.is_some()
        {
            spot.file.clone_from(&flux.file);
        }
        spot
    }
}

/// A build that is running.
pub(super) struct State<'b, 'a> {
    pub(super) builder: &'b Builder<'a>,
    pub(super) build: Build,
    /// The number of folders that were read, counting each time.
    pub(super) folders: usize,
    /// How many values may still be created.
    values: usize,
    is_exhausted: bool,
    pub(super) texts: yaml::Texts,
}

impl<'b, 'a> State<'b, 'a> {
    /// The start of a build.
    pub(super) fn of(builder: &'b Builder<'a>) -> Self {
        State {
            builder,
            build: Build::default(),
            folders: 0,
            values: MOST_VALUES,
            is_exhausted: false,
            texts: yaml::Texts::default(),
        }
    }
}

impl<'a> State<'_, 'a> {
    /// Reports what kustomize refuses.
    pub(super) fn refuse(&mut self, at: BuildPlace, message: impl Into<String>) {
        let message = message.into();
        self.build.errors.push(BuildError { at, message });
    }

    /// Records what the target of a patch selects.
    pub(super) fn select(&mut self, at: &BuildPlace, selects_any: bool) {
        let at = at.clone();
        self.build.targeted.push(TargetedPatch { at, selects_any });
    }

    /// Reports what is not followed.
    pub(super) fn skip(&mut self, feature: Feature, at: BuildPlace, text: impl Into<String>) {
        let text = text.into();
        self.build
            .not_followed
            .push(NotFollowed { feature, at, text });
    }

    /// Counts values that are created. Returns false, and reports it once, if there are too many.
    pub(super) fn spend(&mut self, values: usize, at: impl FnOnce() -> BuildPlace) -> bool {
        match self.values.checked_sub(values) {
            Some(rest) if !self.is_exhausted => {
                self.values = rest;
                true
            }
            _ => {
                if !self.is_exhausted {
                    self.is_exhausted = true;
                    self.refuse(at(), "this makes more objects than any cluster has");
                }
                false
            }
        }
    }

    /// Counts values that are looked at, which costs less than to create them.
    pub(super) fn visit(&mut self, values: usize, at: &BuildPlace) -> bool {
        self.spend(values / 8 + 1, || at.clone())
    }

    /// The content of a file.
    pub(super) fn content(&self, file: &str) -> Option<FileContent> {
        (self.builder.content_of)(file)
    }

    /// Whether a file exists.
    pub(super) fn is_file(&self, file: &str) -> bool {
        self.builder.files.contains(file)
    }

    /// The documents of a file. The error is a message.
    pub(super) fn documents(&mut self, file: &str) -> Result<Vec<Node>, String> {
        self.try_documents(file)
            .map_err(|unreadable| unreadable.message)
    }

    /// The documents of a file.
    pub(super) fn try_documents(&mut self, file: &str) -> Result<Vec<Node>, Unreadable> {
        if let Some(all) = self.builder.by_file.get(file) {
            let objects = all.iter().filter_map(|at| self.builder.objects.get(*at));
            let documents: Vec<Node> = objects.map(|object| (*object.node).clone()).collect();
            return self
                .paid(file, documents.iter().map(size).sum())
                .map(|()| documents);
        }
        if !self.is_file(file) {
            return Err(format!("the file {file} doesn't exist").into());
        }
        let Some(content) = self.content(file) else {
            return Err(Unreadable {
                message: format!("the content of {file} is not known"),
                is_ours: true,
            });
        };
        self.paid(file, content.bytes.len() / 16)?;
        inline::parse_file(&content, Reader::of_file(file)).map_err(|unreadable| Unreadable {
            message: format!("{file}: {}", unreadable.message),
            ..unreadable
        })
    }

    /// Counts what is read from a file.
    fn paid(&mut self, file: &str, values: usize) -> Result<(), Unreadable> {
        let at = || BuildPlace {
            file: file.to_owned(),
            pointer: Pointer::root(),
            span: None,
        };
        match self.spend(values, at) {
            true => Ok(()),
            false => Err(format!("{file} is not read any more").into()),
        }
    }

    /// Reads the kustomization of a folder. `at` is the place that leads to it; if nothing does, it may be a component.
    pub(super) fn read(
        &mut self,
        folder: &str,
        is_component: Option<bool>,
        at: BuildPlace,
        is_lenient: bool,
    ) -> Option<Layer<'a>> {
        let found = self.builder.kustomizations.get(folder);
        let found = found.map(Vec::as_slice).unwrap_or_default();
        let file = match found {
            [file] => *file,
            [] => {
                self.refuse(at, format!("the folder {folder:?} has no kustomization"));
                return None;
            }
            _ => {
                self.refuse(
                    at,
                    format!("the folder {folder:?} has several kustomizations"),
                );
                return None;
            }
        };
        let documents = match self.documents(file) {
            Ok(documents) => documents,
            Err(message) => {
                self.refuse(at, message);
                return None;
            }
        };
        let [document] = documents.as_slice() else {
            self.refuse(at, format!("{file} is not one document"));
            return None;
        };
        let (node, wrong) = schema::read(document);
        for one in wrong {
            if !(one.is_unknown_field && is_lenient) {
                let place = spot(file, document, one.pointer);
                self.refuse(place, one.message);
            }
        }
        let is_wrong = |wanted: &bool| (text(&node, "kind") == "Component") != *wanted;
        if let Some(wanted) = is_component.filter(is_wrong) {
            let message = match wanted {
                true => format!("{file} is not a component"),
                false => format!("{file} is a component, which belongs into components"),
            };
            self.refuse(at, message);
            return None;
        }
        Some(Layer {
            folder: folder.to_owned(),
            file: file.to_owned(),
            object: Object::new(node, file),
            flux: None,
        })
    }

    /// Appends resources whose identity must be new.
    pub(super) fn append(
        &mut self,
        all: &mut Accumulator,
        resources: Vec<Resource>,
        at: &dyn Fn() -> BuildPlace,
    ) {
        let mut identities = all
            .identities
            .take()
            .unwrap_or_else(|| all.resources.iter().map(hash).collect());
        for resource in resources {
            let is_new = identities.insert(hash(&resource));
            if is_new || all.resources.iter().all(|one| one.id() != resource.id()) {
                all.resources.push(resource);
            } else {
                let identity = resource.object.identity();
                self.refuse(at(), format!("{identity} is listed twice"));
            }
        }
        all.identities = Some(identities);
    }
}

/// The hash of what identifies a resource now.
fn hash(resource: &Resource) -> u64 {
    let mut hasher = DefaultHasher::new();
    resource.id().hash(&mut hasher);
    hasher.finish()
}

/// Sets a label or annotation of a resource.
pub(super) fn set_meta(resource: &mut Resource, map: &str, key: &str, value: Node) {
    let pairs = resource
        .metadata_mut()
        .and_then(|metadata| child_map(metadata, map));
    if let Some(pairs) = pairs {
        set_value(pairs, key, value);
    }
}

/// The maps of a list in a kustomization, with their places.
pub(super) fn maps<'n>(
    layer: &'n Layer<'_>,
    key: &str,
) -> impl Iterator<Item = (Pointer, &'n Node)> {
    let list = Pointer::root().key(key);
    let maps = items(layer.node(), key).iter().enumerate();
    maps.map(move |(at, node)| (list.index(at), node))
}
