//! The folders at which a repository parts into clusters.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::{ClusterSplit, FluxRoots};
use crate::apply::name_by;
use crate::scope::is_cluster_scoped;
use crate::{Delivery, DeliveryPath, is_flux_kustomization, is_kustomize_kind};
use manifest::Object;
use manifest::value::path::{folder, join, split as split_path};
use manifest::value::variable;

/// Kinds by which clusters are recognized: a repository has no second object of such a kind with the same name for the
/// same cluster.
const TELLING: [&str; 6] = [
    "CiliumLoadBalancerIPPool",
    "Gateway",
    "GatewayClass",
    "HelmRelease",
    "Kustomization",
    "Namespace",
];

/// The folders at which the paths of objects with the same kind, namespace and name differ.
pub(crate) fn splits(objects: &[Object], delivery: &Delivery) -> Vec<ClusterSplit> {
    let mut by_identity: BTreeMap<(&str, String, Cow<'_, str>), BTreeSet<&str>> = BTreeMap::new();
    for (at, object) in objects.iter().enumerate() {
        if delivery.is_input(at) || delivery.is_left_out(at) {
            continue;
        }
        let ways = delivery.ways(at);
        let starts: BTreeSet<usize> = ways.iter().filter_map(|way| way.start).collect();
        if starts.len() < 2 {
            if let Some(identity) = identity(object, ways.first(), false) {
                by_identity
                    .entry(identity)
                    .or_default()
                    .insert(&object.file);
            }
            continue;
        }
        // The same object by two kustomizations that no other one lists is for two clusters.
        for way in ways {
            let start = way.start.and_then(|start| objects.get(start));
            if let (Some(identity), Some(start)) = (identity(object, Some(way), true), start) {
                by_identity.entry(identity).or_default().insert(&start.file);
            }
        }
    }
    let live = LiveFolders::of(objects, delivery);
    let mut splits: Vec<ClusterSplit> = Vec::new();
    for files in by_identity.values() {
        // Of sorted paths, neighbours part at every folder at which any two do.
        for (file, next) in files.iter().zip(files.iter().skip(1)) {
            // In a single cluster, the second object replaces the first one, which is another mistake.
            if delivery.roots.is_shared(file, next) {
                continue;
            }
            let split = part(file, next);
            if let Some(split) = split.filter(|split| live.may_be_clusters(split)) {
                add(&mut splits, split);
            }
        }
    }
    remove_shared(&mut splits, &delivery.roots);
    for split in namesakes(&splits, objects, delivery) {
        add(&mut splits, split);
    }
    splits
}

/// The folders that contain something which is applied, if Flux Kustomizations tell what is.
struct LiveFolders<'a>(Option<BTreeSet<&'a str>>);

impl<'a> LiveFolders<'a> {
    fn of(objects: &'a [Object], delivery: &'a Delivery) -> Self {
        if delivery.applied_files.is_none() || !delivery.has_flux_above(objects) {
            return LiveFolders(None);
        }
        let mut live = BTreeSet::new();
        for (at, object) in objects.iter().enumerate() {
            let mut ways = delivery.ways(at).iter();
            let is_live = is_flux_kustomization(object)
                || ways.any(|way| way.default_namespace.is_some())
                || delivery.applies_file(&object.file) == Some(true);
            let mut at = folder(&object.file);
            while is_live && live.insert(at) && !at.is_empty() {
                at = folder(at);
            }
        }
        LiveFolders(Some(live))
    }

    /// Whether all folders of a split may be for clusters. A folder of which nothing is applied, and which applies nothing
    /// itself, holds what is not in use, or what is applied once before Flux.
    fn may_be_clusters(&self, split: &ClusterSplit) -> bool {
        self.0.as_ref().is_none_or(|live| {
            let mut children = split.children.iter();
            children.all(|child| live.contains(join(&split.parent, child).as_str()))
        })
    }
}

/// Removes folders to which the roots of several clusters lead: they are shared, even if another cluster has objects of the
/// same names elsewhere.
fn remove_shared(splits: &mut Vec<ClusterSplit>, roots: &FluxRoots) {
    let mut shared: BTreeSet<(usize, String)> = BTreeSet::new();
    for (file, by) in roots.by_file.iter().filter(|(_, by)| by.len() > 1) {
        let own: Vec<&str> = by
            .iter()
            .filter_map(|root| roots.files.get(root))
            .map(String::as_str)
            .collect();
        let is_apart = |one: &str, other: &str| !splits.iter().all(|it| it.may_share(one, other));
        let Some(first) = own.first() else { continue };
        if !own.iter().any(|other| is_apart(first, other)) {
            continue;
        }
        let names: BTreeSet<&str> = own
            .iter()
            .flat_map(|root| splits.iter().filter_map(|split| split.own(root)))
            .collect();
        for (at, split) in splits.iter().enumerate() {
            if let Some(child) = split.own(file).filter(|child| !names.contains(child)) {
                shared.insert((at, child.to_owned()));
            }
        }
    }
    for (at, child) in shared {
        if let Some(split) = splits.get_mut(at) {
            split.children.remove(&child);
        }
    }
    splits.retain(|split| split.children.len() > 1);
}

/// Folders with the names of clusters elsewhere, in which kustomizations are that no other one lists: of an application
/// that has only routes, nothing else tells that they are for different clusters.
fn namesakes(
    splits: &[ClusterSplit],
    objects: &[Object],
    delivery: &Delivery,
) -> Vec<ClusterSplit> {
    let mut by_parent: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let ways = delivery.ways.iter().flatten();
    for start in ways.filter_map(|way| objects.get(way.start?)) {
        let (parent, name) = split_path(folder(&start.file));
        by_parent.entry(parent).or_default().insert(name);
    }
    let clusters = |names: &BTreeSet<&str>, split: &ClusterSplit| -> BTreeSet<String> {
        let own = split.children.iter();
        own.filter(|it| names.contains(it.as_str()))
            .cloned()
            .collect()
    };
    let found = by_parent.into_iter().flat_map(|(parent, names)| {
        splits
            .iter()
            .map(move |split| ClusterSplit {
                parent: parent.to_owned(),
                children: clusters(&names, split),
            })
            .find(|it| it.children.len() > 1)
    });
    found.collect()
}

fn identity<'a>(
    object: &'a Object,
    way: Option<&'a DeliveryPath>,
    may_lack_namespace: bool,
) -> Option<(&'a str, String, Cow<'a, str>)> {
    let kind = object.kind();
    let name = way.map_or(Cow::Borrowed(object.name()), |way| name_by(object, way));
    if !TELLING.contains(&kind)
        || is_kustomize_kind(object)
        || name.is_empty()
        || variable::in_text(&name)
    {
        return None;
    }
    let is_scoped = is_cluster_scoped(object.group(), kind);
    let default = way.and_then(|way| way.default_namespace.clone());
    let namespace = match way.and_then(|way| way.namespace.clone()) {
        _ if is_scoped => String::new(),
        Some(namespace) => namespace,
        None if object.namespace().is_empty() => default.unwrap_or_default(),
        None => object.namespace().to_owned(),
    };
    // Flux Kustomizations without a namespace usually all get the same namespace.
    let is_known =
        may_lack_namespace || is_scoped || !namespace.is_empty() || is_flux_kustomization(object);
    is_known.then_some((kind, namespace, name))
}

/// Adds a split. If two folders each differ from the same third folder, they are taken as different clusters, too.
fn add(splits: &mut Vec<ClusterSplit>, split: ClusterSplit) {
    let same = splits
        .iter_mut()
        .find(|there| there.parent == split.parent && !there.children.is_disjoint(&split.children));
    match same {
        Some(there) => there.children.extend(split.children),
        None => splits.push(split),
    }
}

/// The first folders in which two paths differ; `None` if one of the files is directly in the common folder.
fn part(file: &str, other: &str) -> Option<ClusterSplit> {
    let (one, two) = (folder(file), folder(other));
    let common = one
        .split('/')
        .zip(two.split('/'))
        .take_while(|(a, b)| a == b)
        .count();
    let step = |path: &str| {
        let step = path.split('/').nth(common)?;
        (!step.is_empty()).then(|| step.to_owned())
    };
    let parent: Vec<&str> = one.split('/').take(common).collect();
    Some(ClusterSplit {
        parent: parent.join("/"),
        children: BTreeSet::from([step(one)?, step(two)?]),
    })
}
