#![doc = include_str!("../README.md")]
//!
//! Computes what kustomize and Flux do with the files before the API server gets the objects.
//!
//! A Flux Kustomization names a folder (`spec.path`). The kustomization in it lists files, folders and components.
//! Each kustomization between the Flux Kustomization and a file may set the namespace and add labels, annotations, and
//! prefixes and suffixes of names. If several set the same, the outermost one wins. The settings of the Flux
//! Kustomization itself (`targetNamespace`, `commonMetadata`) are the outermost. [`Delivery::of`] follows everything
//! that is given. An Application of Argo CD names a folder in the same way. [`as_applied`] returns the objects as the API server gets them, but without the changes by patches
//! and variables. [`PatchedObjects`] applies the patches before, also those that a Flux Kustomization puts into others, and
//! [`KnownVariables`] puts in the values of variables afterwards, as far as they are at hand.
//!
//! [`build`] does all that kustomize does with a single folder, including patches, as far as it is local.
//!
//! Sources: kustomize 5.8 (`api` v0.21) and kustomize-controller 1.9. Missing inputs are treated as if they changed
//! nothing, and [`DeliveryPath::is_partly_unknown`] says if there are any.
#![cfg_attr(not(test), warn(unreachable_pub))]

mod apply;
mod argo;
pub mod build;
mod clusters;
#[cfg(any(test, feature = "fixture"))]
pub mod fixture;
mod flux_kustomization;
pub mod folders;
mod foreign;
mod generator;
mod graph;
mod kustomization;
mod patched;
pub mod patches;
mod remote;
mod resource_set;
pub mod scope;
#[cfg(test)]
mod tests;
mod variables;

use std::collections::{BTreeMap, BTreeSet, HashMap};

pub use apply::{applied, applied_by, applied_copy, as_applied};
pub use argo::ARGO_CD;
pub use clusters::{Cluster, ClusterPlace};
pub use flux_kustomization::{FLUX, Substitutes, VariableSource, is_flux_kustomization};
pub use generator::{Generator, KeyContent};
pub use graph::kustomizations_by_folder;
pub use kustomization::{
    Entry, EntryRole, KUSTOMIZE, Kustomization, completed, is_kustomization, is_kustomization_file,
    is_kustomize_kind, kustomization_files,
};
pub use patched::PatchedObjects;
pub use patches::{may_patch, patches_anything};
pub use resource_set::made_by_resource_sets;
pub use variables::KnownVariables;

use manifest::Object;
use manifest::value::path::{folders_above, join};
use manifest::value::{Node, Pointer};

/// The name of a file that stands for all files in a folder which is a link to another folder, and which is not followed.
pub const LINKED_FOLDER: &str = ".linked-folder";

/// Whether a path is or leads through a link to a folder, whose files are not known.
pub fn is_below_link(files: &BTreeSet<String>, path: &str) -> bool {
    let mut folders = std::iter::once(path).chain(folders_above(path));
    folders.any(|folder| !folder.is_empty() && files.contains(&join(folder, LINKED_FOLDER)))
}

/// The label or annotation that, with the value `disabled`, tells Flux not to substitute variables in an object.
pub const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// How a file gets into the cluster: the kustomizations that lead to it, and what they set. Objects are identified by
/// their index among the given objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryPath {
    /// The kustomization that lists the file; `None` if Flux applies all files of a folder without a kustomization.
    pub listed_by: Option<usize>,
    /// The Flux Kustomization that applies it; `None` if that one is not given.
    pub flux: Option<usize>,
    /// The kustomization that no other one lists, if the way starts with it and not with a Flux Kustomization.
    pub start: Option<usize>,
    /// The namespace that replaces its own one.
    pub namespace: Option<String>,
    /// The namespace that it gets if it has none, from an Application of Argo CD.
    pub default_namespace: Option<String>,
    /// The labels that are added, by key.
    pub labels: BTreeMap<String, String>,
    /// The annotations that are added, by key.
    pub annotations: BTreeMap<String, String>,
    /// The prefix of its name.
    pub prefix: String,
    /// The suffix of its name.
    pub suffix: String,
    /// The kustomizations and Flux Kustomizations on the way that have patches.
    pub patched_by: Vec<usize>,
    /// Whether something that could change it is missing or not followed, for example a component or a transformer.
    pub is_partly_unknown: bool,
}

/// An entry of a kustomization whose path does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingEntry {
    /// The index of the kustomization.
    pub by: usize,
    /// The place of the entry in the kustomization.
    pub pointer: Pointer,
    /// The missing path, in the form that findings use.
    pub path: String,
}

/// A ConfigMap or Secret that a kustomization generates, and how it gets into the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedObject {
    /// The kustomization.
    pub by: usize,
    /// The generator.
    pub generator: Generator,
    /// The ways by which it is applied. If none is known, there is one that changes nothing.
    pub ways: Vec<DeliveryPath>,
}

impl GeneratedObject {
    /// The names that it is applied with, without the hash.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.ways.iter().map(|way| self.generator.name_by(way))
    }
}

/// What kustomize and Flux do with files.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    ways: Vec<Vec<DeliveryPath>>,
    standing: Vec<ObjectUse>,
    folders: HashMap<usize, String>,
    /// The Flux Kustomizations that apply each of the `folders`.
    by_folder: HashMap<String, Vec<usize>>,
    reached: HashMap<usize, BTreeSet<usize>>,
    missing: Vec<MissingEntry>,
    generated: Vec<GeneratedObject>,
    splits: Vec<clusters::ClusterSplit>,
    roots: clusters::FluxRoots,
    /// The files that ConfigMaps and Secrets are generated from.
    texts: BTreeSet<String>,
    /// The files that ApplicationSets of Argo CD exclude, and that nothing else applies.
    excluded: BTreeSet<String>,
    /// `None` if no given Flux Kustomization applies a folder that exists.
    applied_files: Option<AppliedFiles>,
}

/// The files that Flux applies, or that a kustomization reads which Flux applies.
#[derive(Clone, Debug, Default)]
struct AppliedFiles {
    files: BTreeSet<String>,
    /// The folders of which every file counts, because a kustomization that is applied may have forgotten it.
    folders: BTreeSet<String>,
}

/// How the given kustomizations use an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ObjectUse {
    /// A kustomization lists it, or its folder has no kustomization.
    #[default]
    Applied,
    /// It is a patch or another input to a kustomization.
    Input,
    /// Its folder has a kustomization, but neither that one nor any other lists it.
    LeftOut,
    /// A patch deletes it.
    Deleted,
}

impl Delivery {
    /// Follows every Flux Kustomization and every kustomization in `objects`. `files` are the names of all existing
    /// files, manifests or not, in the form of [`Object::file`].
    pub fn of(objects: &[Object], files: &BTreeSet<String>) -> Self {
        let mut delivery = graph::follow(objects, files);
        delivery.splits = clusters::splits::splits(objects, &delivery);
        delivery
    }

    /// The ways by which an object gets into the cluster; empty if no given kustomization lists it.
    pub fn ways(&self, object: usize) -> &[DeliveryPath] {
        self.ways.get(object).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether an object is not applied: its folder has a kustomization, but neither that one nor any other lists it.
    pub fn is_left_out(&self, object: usize) -> bool {
        self.standing.get(object) == Some(&ObjectUse::LeftOut)
    }

    /// Whether Flux applies a file, as far as the given Flux Kustomizations tell; `None` if they lead nowhere, so that
    /// nothing is known. Files that no Flux Kustomization leads to, such as the settings of other tools and the
    /// templates of charts, never get into the cluster; nor do those that a ConfigMap or Secret is generated from, which
    /// are texts in it.
    pub fn applies_file(&self, file: &str) -> Option<bool> {
        let applied = self.applied_files.as_ref()?;
        let here = manifest::value::path::folder(file);
        let is_beside = applied.folders.contains(here) && !self.texts.contains(file);
        Some(applied.files.contains(file) || is_beside)
    }

    /// Leaves out what Flux doesn't apply, as far as that is known: everything in a cluster whose gateways Flux applies. In
    /// other clusters, objects may be applied by something that is not given.
    pub fn leave_out_what_flux_does_not_apply(&mut self, objects: &[Object]) {
        let left_out = self.not_applied_by_flux(objects);
        self.leave_out(left_out);
    }

    /// Leaves out objects.
    pub fn leave_out(&mut self, objects: impl IntoIterator<Item = usize>) {
        for at in objects {
            if let Some(standing) = self.standing.get_mut(at) {
                *standing = ObjectUse::LeftOut;
            }
        }
    }

    /// Whether the files show all that Flux applies: a Flux Kustomization applies others, so it is one with which a
    /// cluster starts. Otherwise the given folder may be a part of a repository.
    pub fn has_flux_above(&self, objects: &[Object]) -> bool {
        (0..).zip(objects).any(|(at, object)| {
            let mut ways = self.ways(at).iter().filter_map(|way| way.flux);
            is_flux_kustomization(object) && !object.is_made && ways.any(|flux| flux != at)
        })
    }

    /// The objects that Flux doesn't apply, in the clusters whose gateways Flux applies. In other clusters, objects may be
    /// applied by something that is not given.
    pub fn not_applied_by_flux(&self, objects: &[Object]) -> Vec<usize> {
        let applied = |object: &Object| self.applies_file(&object.file);
        let gateways = objects
            .iter()
            .filter(|it| it.kind() == "Gateway" && applied(it) == Some(true));
        let gateways: BTreeSet<ClusterPlace<'_>> =
            gateways.map(|it| self.place(&it.file)).collect();
        (0..)
            .zip(objects)
            .filter(|(_, object)| applied(object) == Some(false))
            .filter(|(_, object)| {
                let place = self.place(&object.file);
                gateways.iter().any(|it| it.may_share_cluster(&place))
            })
            .map(|(at, _)| at)
            .collect()
    }

    /// Whether a file is below a folder that a given Flux Kustomization applies, so that it is known whether Flux applies
    /// the file. Files elsewhere may be applied by something that is not given.
    pub fn is_in_applied_folder(&self, file: &str) -> bool {
        self.whose_folder_contains(file).next().is_some()
    }

    /// The Flux Kustomizations in whose folders a file is, at any depth, whether they apply it or not.
    fn whose_folder_contains(&self, file: &str) -> impl Iterator<Item = usize> {
        let above = folders_above(file).filter_map(|folder| self.by_folder.get(folder));
        above.flatten().copied()
    }

    /// Whether an ApplicationSet excludes a file, and nothing else applies it.
    pub fn is_excluded(&self, file: &str) -> bool {
        self.excluded.contains(file)
    }

    /// Whether a ConfigMap or Secret is generated from a file, so that it is a text there, whatever it contains.
    pub fn is_text(&self, file: &str) -> bool {
        self.texts.contains(file) && self.applies_file(file) != Some(true)
    }

    /// Whether it is a patch or another input to a kustomization, and not an object by itself.
    pub fn is_input(&self, object: usize) -> bool {
        self.standing.get(object) == Some(&ObjectUse::Input)
    }

    /// Whether a patch deletes it before it gets to the API server.
    pub fn is_deleted(&self, object: usize) -> bool {
        self.standing.get(object) == Some(&ObjectUse::Deleted)
    }

    /// Whether a patch on one of its ways into the cluster may change an object. `objects` are those that were
    /// followed.
    pub fn may_be_patched(&self, object: usize, objects: &[Object]) -> bool {
        let by = self.ways(object).iter().flat_map(|way| &way.patched_by);
        let mut by = by.filter_map(|at| objects.get(*at));
        let target = objects.get(object);
        target.is_some_and(|target| by.any(|by| may_patch(by, target)))
    }

    /// The folder that a Flux Kustomization applies, in the form that findings use; `None` if it doesn't exist.
    pub fn folder(&self, flux: usize) -> Option<&str> {
        self.folders.get(&flux).map(String::as_str)
    }

    /// The kustomizations that a Flux Kustomization reaches, as indices of objects.
    pub fn kustomizations(&self, flux: usize) -> impl Iterator<Item = usize> {
        self.reached.get(&flux).into_iter().flatten().copied()
    }

    /// The entries of kustomizations whose paths don't exist.
    pub fn missing(&self) -> &[MissingEntry] {
        &self.missing
    }

    /// The ConfigMaps and Secrets that kustomizations generate.
    pub fn generated(&self) -> &[GeneratedObject] {
        &self.generated
    }

    /// Whether two files may belong to the same cluster. A repository may be for several clusters: if the same Flux
    /// Kustomization, HelmRelease, Namespace, GatewayClass, Gateway or pool is in two folders, these folders are for
    /// different clusters.
    pub fn may_share_cluster(&self, file: &str, other: &str) -> bool {
        self.splits.iter().all(|split| split.may_share(file, other))
    }

    /// Where a file is, as far as [`may_share_cluster`](Self::may_share_cluster) distinguishes places.
    pub fn place(&self, file: &str) -> ClusterPlace<'_> {
        ClusterPlace::of(&self.splits, file)
    }

    /// The clusters that files are for, as far as [`may_share_cluster`](Self::may_share_cluster) distinguishes them.
    pub fn clusters<'f>(&self, files: impl Iterator<Item = &'f str>) -> Vec<Cluster<'_>> {
        Cluster::all(&self.splits, &self.roots, files)
    }

    /// The result of [`as_applied`], in its order, as the index of each object and the way by which it is applied. An
    /// object is listed once for each namespace and name that it is applied with. Patches and objects that are left
    /// out are not listed.
    pub fn copies(&self) -> impl Iterator<Item = (usize, Option<&DeliveryPath>)> {
        (0..self.ways.len())
            .filter(|at| self.standing.get(*at) == Some(&ObjectUse::Applied))
            .flat_map(|at| {
                let ways = self.ways(at);
                let distinct: Vec<Option<&DeliveryPath>> = match ways {
                    [] => vec![None],
                    [only] => vec![Some(only)],
                    ways => ways
                        .iter()
                        .enumerate()
                        .filter(|(nth, way)| !ways.iter().take(*nth).any(|one| one.is_as(way)))
                        .map(|(_, way)| Some(way))
                        .collect(),
                };
                distinct.into_iter().map(move |way| (at, way))
            })
    }
}

impl DeliveryPath {
    /// Whether an object gets the same name and namespace by both ways.
    fn is_as(&self, other: &DeliveryPath) -> bool {
        let of = |it: &Self| {
            let namespace = it.namespace.clone().or(it.default_namespace.clone());
            (namespace, it.prefix.clone(), it.suffix.clone())
        };
        of(self) == of(other)
    }
}

/// Whether a label or annotation, the object's own or one that the way adds, tells Flux not to substitute variables in
/// it.
pub fn is_left_as_it_is(object: &Object, way: Option<&DeliveryPath>) -> bool {
    let own = ["labels", "annotations"].iter().any(|below| {
        let map = object.node.path(&["metadata", below]);
        map.and_then(|map| map.get(SUBSTITUTE))
            .and_then(Node::as_str)
            == Some("disabled")
    });
    let added = way.is_some_and(|way| {
        [&way.labels, &way.annotations]
            .iter()
            .any(|map| map.get(SUBSTITUTE).is_some_and(|value| value == "disabled"))
    });
    own || added
}
