//! Finds folders of a repository that are for different clusters.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::apply::name_by;
use super::scope::is_cluster_scoped;
use super::{Delivery, DeliveryPath, is_flux_kustomization, is_kustomize_kind};
use manifest::Object;
use manifest::value::path::{below, folder, join, split as split_path};
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

/// Folders with the same parent that are for different clusters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClusterSplit {
    parent: String,
    children: BTreeSet<String>,
}

impl ClusterSplit {
    /// Whether two files may belong to the same cluster, if only this split is considered.
    pub(crate) fn may_share(&self, file: &str, other: &str) -> bool {
        match (self.own(file), self.own(other)) {
            (Some(one), Some(two)) => one == two,
            _ => true,
        }
    }

    /// The folder of one cluster that contains a file; `None` if the file may be for several clusters.
    fn own(&self, file: &str) -> Option<&str> {
        let child = child(&self.parent, file)?;
        self.children.get(child).map(String::as_str)
    }
}

/// Where a file is, as far as that distinguishes clusters: for each `ClusterSplit`, the folder of one cluster that contains
/// it. Many files have the same place, so what is the same for all of them needs to be computed only once.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterPlace<'d>(Vec<Option<&'d str>>);

impl<'d> ClusterPlace<'d> {
    pub(super) fn of(splits: &'d [ClusterSplit], file: &str) -> Self {
        ClusterPlace(splits.iter().map(|split| split.own(file)).collect())
    }

    /// Whether files at the two places may belong to the same cluster.
    pub fn may_share_cluster(&self, other: &Self) -> bool {
        let mut folders = self.0.iter().zip(&other.0);
        folders.all(|(one, other)| one.is_none() || other.is_none() || one == other)
    }
}

/// The maximum number of clusters; real repositories have fewer. If there are more, all files are treated as one
/// cluster.
const MOST: usize = 8;

/// One of the clusters that a repository is for: for each `ClusterSplit`, the folder of this cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster<'d> {
    own: Vec<(&'d ClusterSplit, Option<&'d str>)>,
    /// The Flux Kustomizations that start this cluster, and those that start each file's way into any cluster.
    starts: Option<(BTreeSet<usize>, &'d FluxRoots)>,
}

/// The Flux Kustomizations that no other one applies. A person, or Flux when it is installed, applies them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FluxRoots {
    /// The file of each root.
    files: BTreeMap<usize, String>,
    /// The roots that lead to each file, for files that any root leads to.
    by_file: HashMap<String, BTreeSet<usize>>,
}

impl FluxRoots {
    /// Finds the roots. `applied_by` are the Flux Kustomizations that apply each file.
    pub(crate) fn of(
        objects: &[Object],
        delivery: &Delivery,
        applied_by: &BTreeMap<String, BTreeSet<usize>>,
    ) -> Self {
        let mut roots = FluxRoots::default();
        let mut known: HashMap<usize, BTreeSet<usize>> = HashMap::new();
        for (file, by) in applied_by {
            let mut own = BTreeSet::new();
            for flux in by {
                let of_flux = known.entry(*flux).or_insert_with(|| above(*flux, delivery));
                own.extend(of_flux.iter().copied());
            }
            roots.by_file.insert(file.clone(), own);
        }
        for root in known.values().flatten() {
            if let Some(object) = objects.get(*root) {
                roots.files.insert(*root, object.file.clone());
            }
        }
        roots
    }

    /// Whether a root leads to both files.
    fn is_shared(&self, file: &str, other: &str) -> bool {
        match (self.by_file.get(file), self.by_file.get(other)) {
            (Some(one), Some(two)) => !one.is_disjoint(two),
            _ => false,
        }
    }
}

/// The roots above a Flux Kustomization; itself if no other one applies it. If several apply each other in a circle, all
/// of them count as roots.
fn above(flux: usize, delivery: &Delivery) -> BTreeSet<usize> {
    let (mut seen, mut roots) = (BTreeSet::from([flux]), BTreeSet::new());
    let mut next = vec![flux];
    while let Some(at) = next.pop() {
        let ways = delivery.ways(at).iter();
        let parents = ways
            .filter_map(|way| way.flux)
            .filter(|parent| *parent != at);
        let mut is_root = true;
        for parent in parents {
            is_root = false;
            if seen.insert(parent) {
                next.push(parent);
            }
        }
        if is_root {
            roots.insert(at);
        }
    }
    match roots.is_empty() {
        true => seen,
        false => roots,
    }
}

impl<'d> Cluster<'d> {
    /// The clusters that files are for, as far as they can be distinguished; otherwise a single one that contains
    /// everything.
    pub(super) fn all<'f>(
        splits: &'d [ClusterSplit],
        roots: &'d FluxRoots,
        files: impl Iterator<Item = &'f str>,
    ) -> Vec<Cluster<'d>> {
        if splits.len() > MOST * MOST {
            return vec![Cluster::default()];
        }
        let places: BTreeSet<Vec<Option<&'d str>>> = files
            .map(|file| splits.iter().map(|split| split.own(file)).collect())
            .collect();
        let choices: BTreeSet<Vec<Option<&'d str>>> = places
            .into_iter()
            .map(|place| with_namesakes(splits, place))
            .collect();
        // Folders that several clusters share are not a cluster themselves.
        let is_less = |one: &Vec<Option<&str>>, other: &Vec<Option<&str>>| {
            let mut pairs = one.iter().zip(other);
            one != other && pairs.all(|(one, other)| one.is_none() || one == other)
        };
        let whole = choices
            .iter()
            .filter(|one| !choices.iter().any(|other| is_less(one, other)));
        let clusters: Vec<Cluster<'_>> = whole
            .map(|choice| {
                let mut cluster = Cluster {
                    own: splits.iter().zip(choice.iter().copied()).collect(),
                    starts: None,
                };
                let own = roots
                    .files
                    .iter()
                    .filter(|(_, file)| cluster.is_own_place(file));
                let own = own.map(|(root, _)| *root).collect();
                cluster.starts = Some((own, roots));
                cluster
            })
            .collect();
        match clusters.len() {
            1..=MOST => clusters,
            _ => vec![Cluster::default()],
        }
    }

    /// Names for clusters: for each one the first folders that only it has, as many as it takes to tell all apart.
    pub fn names(clusters: &[Cluster<'_>]) -> Vec<String> {
        let folders: Vec<Vec<&str>> = clusters.iter().map(Cluster::folders).collect();
        let most = folders.iter().map(Vec::len).max().unwrap_or_default();
        let named = |parts: usize| -> Vec<String> {
            let first = folders.iter().map(|all| all.iter().take(parts).copied());
            first.map(|all| all.collect::<Vec<_>>().join("/")).collect()
        };
        let is_distinct =
            |names: &Vec<String>| names.iter().collect::<BTreeSet<_>>().len() == names.len();
        let shortest = (1..most).map(named).find(is_distinct);
        shortest.unwrap_or_else(|| named(most))
    }

    /// The folders that only this cluster has.
    fn folders(&self) -> Vec<&str> {
        let mut folders: Vec<&str> = Vec::new();
        for folder in self.own.iter().filter_map(|(_, own)| *own) {
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        folders
    }

    /// Whether a file may be for this cluster: it is in no folder of another cluster, and if any Flux Kustomizations
    /// lead to it, one of them starts in this cluster.
    pub fn may_hold(&self, file: &str) -> bool {
        let is_reached = self.starts.as_ref().is_none_or(|(own, roots)| {
            let by = roots.by_file.get(file);
            by.is_none_or(|by| own.is_empty() || !own.is_disjoint(by))
        });
        is_reached && self.is_own_place(file)
    }

    /// Whether a file is in no folder of another cluster.
    fn is_own_place(&self, file: &str) -> bool {
        self.own.iter().all(|(split, own)| {
            let Some(own) = own else { return true };
            split.own(file).is_none_or(|there| there == *own)
        })
    }
}

/// Adds the folders of other splits that have the same name as one in which the place is: a cluster has the same name
/// everywhere, as in `apps/web/overlays/production` and `apps/wiki/overlays/production`.
fn with_namesakes<'d>(
    splits: &'d [ClusterSplit],
    mut place: Vec<Option<&'d str>>,
) -> Vec<Option<&'d str>> {
    let names: BTreeSet<&str> = place.iter().flatten().copied().collect();
    for (split, own) in splits.iter().zip(&mut place) {
        let mut namesakes = split
            .children
            .iter()
            .filter(|it| names.contains(it.as_str()));
        if let (None, Some(one), None) = (*own, namesakes.next(), namesakes.next()) {
            *own = Some(one);
        }
    }
    place
}

/// The name of the folder directly in `parent` that contains a file; `None` if there is none.
fn child<'a>(parent: &str, file: &'a str) -> Option<&'a str> {
    let (child, _) = below(parent, file)?.split_once('/')?;
    Some(child)
}

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
