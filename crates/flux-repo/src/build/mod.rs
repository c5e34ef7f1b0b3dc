//! What `kustomize build` makes of a folder, as objects whose values keep their places.
//!
//! The steps, their order and their data are those of kustomize 5.8 (`api` and `kyaml` v0.21): the resources of a
//! kustomization are accumulated in order, then its generators and components, then its transformers change
//! everything that was accumulated so far. References to names are updated when all folders have been read. Each step
//! is a file of its own.
//!
//! What a Flux Kustomization sets is merged into the kustomization of its folder before, as kustomize-controller 1.9
//! does it (`flux.rs`).

mod config;
mod field_specs;
mod fields;
mod flux;
mod generators;
mod images;
mod inline;
mod json_patch;
mod labels;
mod merge_keys;
mod name_references;
mod names;
mod namespace;
mod patch;
mod paths;
mod replacements;
mod replicas;
mod resource;
mod resources;
mod schema;
mod selector;
mod sort;
mod state;
mod strategic_merge;
#[cfg(test)]
mod tests;
mod yaml;

use std::collections::{BTreeSet, HashMap};

use super::folders::Folders;
use super::is_kustomization_file;
use manifest::Object;
use manifest::diagnostic::{SourceId, Sources, Span};
use manifest::value::path::folder;
use manifest::value::{Node, Pointer};

pub(crate) use names::keeps_its_name;
pub(crate) use schema::usual_spelling;

/// The content of a file that is not among the given objects.
#[derive(Clone, Debug)]
pub struct FileContent {
    /// The bytes of the file.
    pub bytes: Vec<u8>,
    /// The source with the same text, if there is one; values that are read from the file then have places.
    pub source: Option<SourceId>,
}

impl FileContent {
    /// The content of a file whose text is one of `sources`.
    pub fn of(sources: &Sources, source: SourceId) -> Self {
        FileContent {
            bytes: sources.get(source).text().as_bytes().to_vec(),
            source: Some(source),
        }
    }
}

/// A place in a kustomization or in a Flux Kustomization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildPlace {
    /// The file, in the form that findings use.
    pub file: String,
    /// The path of the value in the object.
    pub pointer: Pointer,
    /// The position of the value.
    pub span: Option<Span>,
}

/// A feature of kustomize that is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature {
    /// A resource, base or component that kustomize would fetch.
    Remote,
    /// `helmCharts` and `helmChartInflationGenerator`.
    HelmCharts,
    /// `generators`.
    Generators,
    /// `transformers`.
    Transformers,
    /// `validators`, which change nothing, but may refuse objects.
    Validators,
    /// `vars`.
    Vars,
    /// `crds`, which tell where CRDs contain names of other objects.
    Crds,
    /// `openapi`, which tells how lists of custom resources are merged.
    OpenApi,
    /// `buildMetadata`, which adds labels and annotations about the build.
    BuildMetadata,
    /// A replacement of a part of a text that is YAML or JSON itself.
    StructuredData,
    /// A file whose content is not given.
    Unread,
}

/// Something in a kustomization that is not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFollowed {
    /// The feature.
    pub feature: Feature,
    /// Its place.
    pub at: BuildPlace,
    /// What is not followed, as written; empty if the place says it all.
    pub text: String,
}

/// Something that kustomize refuses. It then builds nothing at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildError {
    /// The place in the kustomization.
    pub at: BuildPlace,
    /// What is wrong.
    pub message: String,
}

/// The result of a build.
#[derive(Clone, Debug, Default)]
pub struct Build {
    /// The objects, in kustomize's order. If there are errors, these are the objects that the rest makes.
    pub objects: Vec<Object>,
    /// What is not followed. The objects may differ from kustomize's because of it.
    pub not_followed: Vec<NotFollowed>,
    /// What kustomize refuses.
    pub errors: Vec<BuildError>,
    /// The patches with a target, in the order in which they were applied.
    pub targeted: Vec<TargetedPatch>,
}

/// A patch with a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetedPatch {
    /// The place of the patch in the kustomization.
    pub at: BuildPlace,
    /// Whether the target selects any object.
    pub selects_any: bool,
}

/// The content of a file by its path, in the form that findings use; `None` if it is not given.
pub type ContentOf<'a> = dyn Fn(&str) -> Option<FileContent> + 'a;

/// The files of a repository, ready for builds of any folders in it.
pub struct Builder<'a> {
    objects: &'a [Object],
    files: &'a BTreeSet<String>,
    content_of: &'a ContentOf<'a>,
    folders: Folders<'a>,
    by_file: HashMap<&'a str, Vec<usize>>,
    /// The file of each source.
    sources: HashMap<SourceId, &'a str>,
    /// The files that contain the kustomization of each folder; kustomize refuses more than one.
    kustomizations: HashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Builder<'a> {
    /// Prepares builds. `files` are the names of all existing files, in the form of [`Object::file`]. `content_of`
    /// is asked for files that are not among the objects, for example the files of generators, and for the files of
    /// patches that are written inline, since the places of their values are found in the text.
    pub fn of(
        objects: &'a [Object],
        files: &'a BTreeSet<String>,
        content_of: &'a ContentOf<'a>,
    ) -> Self {
        let mut by_file: HashMap<&str, Vec<usize>> = HashMap::with_capacity(objects.len());
        let mut sources = HashMap::new();
        for (at, object) in objects.iter().enumerate() {
            if object.is_made {
                continue;
            }
            by_file.entry(&object.file).or_default().push(at);
            if let Some(span) = object.node.span {
                sources.insert(span.source, object.file.as_str());
            }
        }
        let mut kustomizations: HashMap<&str, Vec<&str>> = HashMap::new();
        for file in files.iter().filter(|file| is_kustomization_file(file)) {
            kustomizations.entry(folder(file)).or_default().push(file);
        }
        Builder {
            objects,
            files,
            content_of,
            folders: Folders::of(files),
            by_file,
            sources,
            kustomizations,
        }
    }

    /// What `kustomize build FOLDER` makes of a folder. If a Flux Kustomization is given, its settings are merged into
    /// the folder's kustomization, and a folder without a kustomization gets one that lists all of its manifests.
    pub fn build(&self, folder: &str, flux: Option<&Object>) -> Build {
        resources::build(self, folder, flux)
    }

    /// Like [`build`](Self::build), but objects keep the names that they have without prefixes, suffixes and hashes, and
    /// so do references to them. Labels and annotations of the Flux Kustomization are not added.
    pub(crate) fn build_with_own_names(&self, folder: &str, flux: Option<&Object>) -> Build {
        resources::build_with_own_names(self, folder, flux)
    }
}

/// The value at `pointer` in an object of `file`.
fn spot(file: &str, node: &Node, pointer: Pointer) -> BuildPlace {
    BuildPlace {
        file: file.to_owned(),
        span: node.nearest_span(&pointer),
        pointer,
    }
}
