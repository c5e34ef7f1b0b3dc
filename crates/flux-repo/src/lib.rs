#![doc = include_str!("../README.md")]
//!
//! What kustomize and Flux make of the files before the API server sees them.
//!
//! A Flux Kustomization names a folder (`spec.path`). The kustomization in it lists files, folders and components;
//! each on the way may set the namespace and add labels, annotations, and parts of names, the outermost winning.
//! Flux's own settings (`targetNamespace`, `commonMetadata`) are the outermost of one delivery. [`Delivery::of`]
//! follows all that is at hand; [`as_applied`] gives the objects as the API server gets them, without what patches
//! and variables would change.
//!
//! Sources: kustomize 5.8 (`api` v0.21) and kustomize-controller 1.9. What is not at hand is taken
//! to change nothing, and [`Way::is_partly_unknown`] says where something isn't.

mod apply;
mod clusters;
#[cfg(any(test, feature = "fixture"))]
pub mod fixture;
mod flux_kustomization;
pub mod folders;
mod generator;
mod graph;
mod kustomization;
pub mod patches;
mod remote;
pub mod scope;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

pub use apply::{applied, applied_by, as_applied};
pub use clusters::{Cluster, Place};
pub use flux_kustomization::{FLUX, Source, Substitutes, is_flux_kustomization};
pub use generator::{Content, Generator};
pub use kustomization::{
    Entry, KUSTOMIZE, Kustomization, NAMES, Role, is_kustomization, is_kustomization_file,
    is_kustomize_kind,
};
pub use patches::{may_patch, patches_anything};

use manifest::Object;
use manifest::value::{Node, Pointer};

/// The label or annotation, with the value `disabled`, that keeps Flux from substituting in an object.
pub const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// One way from a file into the cluster. Objects are told by their place among those that were looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// The kustomization that lists the file; `None` where Flux takes all files of a folder that has none.
    pub listed_by: Option<usize>,
    /// The Flux Kustomization that applies it; `None` where that one is not at hand.
    pub flux: Option<usize>,
    /// The namespace that is set on it, in place of its own.
    pub namespace: Option<String>,
    /// Labels that are added.
    pub labels: BTreeMap<String, String>,
    /// Annotations that are added.
    pub annotations: BTreeMap<String, String>,
    /// What is put before its name.
    pub prefix: String,
    /// What is put behind its name.
    pub suffix: String,
    /// The kustomizations, of kustomize and of Flux, on the way that patch something.
    pub patched_by: Vec<usize>,
    /// Whether something on the way is not at hand that could change it: a component, or a generator.
    pub is_partly_unknown: bool,
}

/// An entry of a kustomization that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The kustomization.
    pub by: usize,
    /// The entry.
    pub pointer: Pointer,
    /// The path that it leads to, as findings show paths.
    pub path: String,
}

/// A ConfigMap or Secret that a kustomization makes, and how it gets into the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// The kustomization.
    pub by: usize,
    /// What it makes.
    pub generator: Generator,
    /// The ways by which it is applied; one that changes nothing where none is at hand.
    pub ways: Vec<Way>,
}

impl Generated {
    /// The names that it is applied with, but for the hash.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.ways.iter().map(|way| self.generator.name_by(way))
    }
}

/// What kustomize and Flux make of files.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    ways: Vec<Vec<Way>>,
    standing: Vec<Standing>,
    folders: HashMap<usize, String>,
    reached: HashMap<usize, BTreeSet<usize>>,
    missing: Vec<Missing>,
    generated: Vec<Generated>,
    splits: Vec<clusters::Split>,
}

/// How an object stands to the kustomizations at hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Standing {
    /// A kustomization lists it, or nothing is known.
    #[default]
    Applied,
    /// It is a patch, or other input to a kustomization.
    Input,
    /// The kustomization in its folder leaves it out, and so do all others.
    LeftOut,
}

impl Delivery {
    /// Follows every Flux Kustomization and every kustomization among `objects`. `files` are all files that are
    /// there, manifests or not, named as [`Object::file`] names them.
    pub fn of(objects: &[Object], files: &BTreeSet<String>) -> Self {
        let mut delivery = graph::follow(objects, files);
        delivery.splits = clusters::splits(objects, &delivery);
        delivery
    }

    /// The ways by which an object gets into the cluster; none where no kustomization at hand lists it.
    pub fn ways(&self, object: usize) -> &[Way] {
        self.ways.get(object).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether the kustomization in the object's folder leaves it out, and so do all others: it isn't applied.
    pub fn is_left_out(&self, object: usize) -> bool {
        self.standing.get(object) == Some(&Standing::LeftOut)
    }

    /// Whether it is a patch or other input to a kustomization, and no object of its own.
    pub fn is_input(&self, object: usize) -> bool {
        self.standing.get(object) == Some(&Standing::Input)
    }

    /// The folder, as findings show paths, that a Flux Kustomization applies; `None` where it isn't at hand.
    pub fn folder(&self, flux: usize) -> Option<&str> {
        self.folders.get(&flux).map(String::as_str)
    }

    /// The kustomizations that a Flux Kustomization applies something of.
    pub fn kustomizations(&self, flux: usize) -> impl Iterator<Item = usize> {
        self.reached.get(&flux).into_iter().flatten().copied()
    }

    /// The entries of kustomizations that lead to nothing that is at hand.
    pub fn missing(&self) -> &[Missing] {
        &self.missing
    }

    /// The ConfigMaps and Secrets that kustomizations make of files.
    pub fn generated(&self) -> &[Generated] {
        &self.generated
    }

    /// Whether two files may belong to one cluster. A repository may hold several: where one Flux Kustomization,
    /// namespace, class, gateway or pool stands in two folders, the folders are two clusters'.
    pub fn may_share_cluster(&self, file: &str, other: &str) -> bool {
        self.splits.iter().all(|split| split.may_share(file, other))
    }

    /// Where a file lies, as far as [`may_share_cluster`](Self::may_share_cluster) tells places apart.
    pub fn place(&self, file: &str) -> Place<'_> {
        Place::of(&self.splits, file)
    }

    /// The clusters that files are for, as far as [`may_share_cluster`](Self::may_share_cluster) tells them apart.
    pub fn clusters<'f>(&self, files: impl Iterator<Item = &'f str>) -> Vec<Cluster<'_>> {
        Cluster::all(&self.splits, files)
    }

    /// What [`as_applied`] gives, in its order: each object's place, and the way by which it is applied. One for
    /// each namespace and name that an object is applied with; none for patches and what is left out.
    pub fn copies(&self) -> impl Iterator<Item = (usize, Option<&Way>)> {
        (0..self.ways.len())
            .filter(|at| self.standing.get(*at) == Some(&Standing::Applied))
            .flat_map(|at| {
                let ways = self.ways(at);
                let distinct: Vec<Option<&Way>> = match ways {
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

impl Way {
    /// Whether an object gets the same name and namespace by both ways.
    fn is_as(&self, other: &Way) -> bool {
        (&self.namespace, &self.prefix, &self.suffix)
            == (&other.namespace, &other.prefix, &other.suffix)
    }
}

/// Whether a label or annotation keeps Flux from substituting in an object, its own or one that is added.
pub fn is_left_as_it_is(object: &Object, way: Option<&Way>) -> bool {
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
