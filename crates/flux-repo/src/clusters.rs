//! Finds folders of a repository that are for different clusters.

pub(crate) mod splits;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Delivery;
use manifest::Object;
use manifest::value::path::below;

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
