//! Objects with the changes by patches, replacements and the like of the kustomizations and Flux Kustomizations that
//! lead to them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::build::{Build, BuildError, BuildPlace, Builder, ContentOf, Feature};
use super::patches::may_patch;
use super::{Delivery, DeliveryPath, ObjectUse, is_flux_kustomization};
use manifest::Object;
use manifest::diagnostic::SourceId;
use manifest::value::path::folder;
use manifest::value::{Map, Node};

/// How often Flux Kustomizations are followed again, because a patch has changed some of them. Each time, the changes
/// reach those that are one level deeper; real repositories have two or three levels.
const MOST_LEVELS: usize = 8;

/// How many times as many objects there may be when each way has a copy of its own. Real repositories stay below two.
const MOST_COPIES: usize = 4;

/// The maximum number of objects in all builds together. Real repositories have a few thousand; more would only take
/// time. What is left then keeps its patches in [`DeliveryPath::patched_by`].
const MOST_BUILT: usize = 300_000;

/// Features that may change objects in a way that is not known.
const CHANGES_OBJECTS: [Feature; 5] = [
    Feature::Remote,
    Feature::Transformers,
    Feature::Vars,
    Feature::OpenApi,
    Feature::StructuredData,
];

/// Features that may make objects which are not known.
const MAKES_OBJECTS: [Feature; 4] = [
    Feature::Remote,
    Feature::HelmCharts,
    Feature::Generators,
    Feature::Transformers,
];

/// The objects of a repository as kustomize reads them and patches change them, and what kustomize and Flux do with them.
#[derive(Clone, Debug, Default)]
pub struct PatchedObjects {
    /// The given objects, in the same order. A changed one still has the name and namespace that it has in its file,
    /// and every value has the place where it was written, which may be in a patch.
    pub objects: Vec<Object>,
    /// What kustomize and Flux do with [`objects`](Self::objects).
    pub delivery: Delivery,
    /// What kustomize refuses of the folders that have patches.
    pub build_errors: Vec<BuildError>,
    /// The patches whose targets select nothing, wherever they are applied, although everything there is given.
    pub idle_patches: Vec<BuildPlace>,
    /// How many objects may still be built.
    left: usize,
}

/// What a build starts with: a Flux Kustomization, or the outermost kustomization that changes an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Root {
    Flux(usize),
    Kustomization(usize),
}

/// Where an object starts: its file, the text that it was read from, and the position in it.
type ObjectPlace = (String, Option<(SourceId, u32)>);

impl PatchedObjects {
    /// Applies the patches of all kustomizations and Flux Kustomizations in `objects`. `files` are the names of all
    /// existing files, and `content_of` returns the content of files, as for [`Builder::of`].
    ///
    /// If several ways lead to an object, the first one counts. Patches that can't be followed are left in
    /// [`DeliveryPath::patched_by`], and those that were followed are removed from it.
    pub fn of(objects: &[Object], files: &BTreeSet<String>, content_of: &ContentOf<'_>) -> Self {
        Self::at_most(MOST_BUILT, objects, files, content_of)
    }

    fn at_most(
        most: usize,
        objects: &[Object],
        files: &BTreeSet<String>,
        content_of: &ContentOf<'_>,
    ) -> Self {
        let mut patched = PatchedObjects {
            objects: objects.to_vec(),
            delivery: Delivery::of(objects, files),
            build_errors: Vec::new(),
            idle_patches: Vec::new(),
            left: most,
        };
        let is_patched =
            |ways: &Vec<DeliveryPath>| ways.iter().any(|way| !way.patched_by.is_empty());
        if !patched.delivery.ways.iter().any(is_patched) {
            return patched;
        }
        let builder = Builder::of(objects, files, content_of);
        let mut objects = objects.to_vec();
        // A patch may change what a Flux Kustomization applies, and so what its own patches change.
        for _ in 0..MOST_LEVELS {
            let changed = patched.changed(&objects, &builder, true, is_flux_kustomization);
            let mut is_new = false;
            for (at, change) in changed {
                if let (Change::Changed(object), Some(slot)) = (change, patched.objects.get_mut(at))
                    && *object.node != *slot.node
                {
                    *slot = object;
                    is_new = true;
                }
            }
            if !is_new {
                break;
            }
            patched.delivery = Delivery::of(&patched.objects, files);
        }
        patched.copy_what_is_patched_differently(&mut objects);
        let changed = patched.changed(&objects, &builder, false, |_| true);
        patched.accept(changed);
        patched
    }

    /// An object may get into a cluster by several ways, with other patches on each: every way with another name or
    /// namespace and other patches gets a copy of its own. `objects` are those before patches.
    fn copy_what_is_patched_differently(&mut self, objects: &mut Vec<Object>) {
        let most = objects.len().saturating_mul(MOST_COPIES);
        for at in 0..objects.len() {
            let ways = self.delivery.ways(at);
            let Some(first) = ways
                .first()
                .filter(|_| ways.len() > 1 && objects.len() < most)
            else {
                continue;
            };
            let (Some(object), Some(changed)) = (objects.get(at), self.objects.get(at)) else {
                continue;
            };
            let patches = |way: &DeliveryPath| -> Vec<usize> {
                let by = way.patched_by.iter().copied();
                by.filter(|by| {
                    self.objects
                        .get(*by)
                        .is_some_and(|by| may_patch(by, changed))
                })
                .collect()
            };
            let of_first = patches(first);
            let mut own = vec![first.clone()];
            let mut copies: Vec<Vec<DeliveryPath>> = Vec::new();
            for way in ways.iter().skip(1) {
                let is_own = way.is_as(first) || patches(way) == of_first;
                let same = |copy: &&mut Vec<DeliveryPath>| copy.iter().any(|one| one.is_as(way));
                match copies.iter_mut().find(same) {
                    _ if is_own => own.push(way.clone()),
                    Some(same) => same.push(way.clone()),
                    None => copies.push(vec![way.clone()]),
                }
            }
            if copies.is_empty() {
                continue;
            }
            let (object, changed) = (object.clone(), changed.clone());
            if let Some(slot) = self.delivery.ways.get_mut(at) {
                *slot = own;
            }
            let standing = self.delivery.standing.get(at).copied().unwrap_or_default();
            for ways in copies {
                objects.push(object.clone());
                self.objects.push(changed.clone());
                self.delivery.standing.push(standing);
                self.delivery.ways.push(ways);
            }
        }
    }

    /// The objects among those that `is_wanted` chooses that patches change. If this `is_partial`, only folders with such
    /// objects are built; otherwise all of them, because kustomize may refuse one.
    fn changed(
        &mut self,
        objects: &[Object],
        builder: &Builder<'_>,
        is_partial: bool,
        is_wanted: impl Fn(&Object) -> bool,
    ) -> BTreeMap<usize, Change> {
        let mut by_root: BTreeMap<Root, Vec<usize>> = BTreeMap::new();
        for (at, object) in objects.iter().enumerate() {
            let Some(way) = self.delivery.ways(at).first().filter(|_| is_wanted(object)) else {
                continue;
            };
            let root = match (way.patched_by.first(), way.flux) {
                (None, _) => continue,
                (Some(_), Some(flux)) => Root::Flux(flux),
                (Some(outermost), None) => Root::Kustomization(*outermost),
            };
            let wanted = by_root.entry(root).or_default();
            if self.delivery.may_be_patched(at, &self.objects) {
                wanted.push(at);
            }
        }
        if is_partial {
            by_root.retain(|_, wanted| !wanted.is_empty());
        }
        let mut all = BTreeMap::new();
        let mut used: Vec<BuildPlace> = Vec::new();
        self.build_errors.clear();
        self.idle_patches.clear();
        for (root, wanted) in by_root {
            if self.left == 0 {
                break;
            }
            let Some(build) = self.build(root, builder) else {
                continue;
            };
            self.left = self.left.saturating_sub(build.objects.len().max(1));
            let not_followed = build.not_followed.iter();
            let is_certain = build.errors.is_empty()
                && !not_followed
                    .map(|one| one.feature)
                    .any(|it| CHANGES_OBJECTS.contains(&it));
            let mut not_followed = build.not_followed.iter().map(|one| one.feature);
            let is_whole =
                build.errors.is_empty() && !not_followed.any(|it| MAKES_OBJECTS.contains(&it));
            for patch in build.targeted {
                match patch.selects_any || !is_whole {
                    true => used.push(patch.at),
                    false => self.idle_patches.push(patch.at),
                }
            }
            for error in build.errors {
                if !self.build_errors.contains(&error) {
                    self.build_errors.push(error);
                }
            }
            let mut built: HashMap<ObjectPlace, Vec<Object>> = HashMap::new();
            for object in build.objects {
                built.entry(place(&object)).or_default().push(object);
            }
            for at in wanted {
                let (Some(own), Some(way)) = (objects.get(at), self.delivery.ways(at).first())
                else {
                    continue;
                };
                let made = built.get(&place(own)).map_or(&[][..], Vec::as_slice);
                let namespace = way.namespace.as_deref();
                let made = made
                    .iter()
                    .find(|one| namespace.is_none_or(|namespace| one.namespace() == namespace))
                    .or(made.first());
                let change = match made {
                    Some(made) if is_certain => Change::Changed(as_in_file(made, own, way)),
                    Some(made) => Change::InPart(as_in_file(made, own, way)),
                    None if is_certain => Change::Deleted,
                    None => continue,
                };
                all.insert(at, change);
            }
        }
        let place = |at: &BuildPlace| (at.file.clone(), at.pointer.to_string());
        let used: BTreeSet<(String, String)> = used.iter().map(place).collect();
        let mut told = BTreeSet::new();
        self.idle_patches
            .retain(|at| !used.contains(&place(at)) && told.insert(place(at)));
        all
    }

    fn build(&self, root: Root, builder: &Builder<'_>) -> Option<Build> {
        match root {
            Root::Flux(flux) => {
                let folder = self.delivery.folder(flux)?;
                Some(builder.build_with_own_names(folder, self.objects.get(flux)))
            }
            Root::Kustomization(at) => {
                let file = &self.objects.get(at)?.file;
                Some(builder.build_with_own_names(folder(file), None))
            }
        }
    }

    /// Replaces the objects by the changed ones, and forgets the patches that were followed.
    fn accept(&mut self, changed: BTreeMap<usize, Change>) {
        let certain = changed
            .iter()
            .filter(|(_, change)| !matches!(change, Change::InPart(_)));
        let certain: BTreeSet<usize> = certain.map(|(at, _)| *at).collect();
        for (at, ways) in self.delivery.ways.iter_mut().enumerate() {
            // Patches that don't fit the object change nothing.
            let is_followed = certain.contains(&at);
            for way in ways.iter_mut().filter(|_| is_followed) {
                way.patched_by.clear();
            }
        }
        for (at, change) in changed {
            match change {
                Change::Changed(object) | Change::InPart(object) => {
                    if let Some(slot) = self.objects.get_mut(at) {
                        *slot = object;
                    }
                }
                Change::Deleted => {
                    if let Some(slot) = self.delivery.standing.get_mut(at) {
                        *slot = ObjectUse::Deleted;
                    }
                }
            }
        }
    }
}

/// What patches do to an object.
enum Change {
    /// It is changed to this.
    Changed(Object),
    /// It is changed to this, and perhaps in other ways that are not followed.
    InPart(Object),
    /// A patch deletes it.
    Deleted,
}

fn place(object: &Object) -> ObjectPlace {
    let start = object.node.span.map(|span| (span.source, span.start));
    (object.file.clone(), start)
}

/// A built object, but with the namespace of its file if kustomizations or Flux replace that.
fn as_in_file(built: &Object, own: &Object, way: &DeliveryPath) -> Object {
    let mut object = Object {
        origins: own.origins.clone(),
        ..built.clone()
    };
    if way.namespace.is_some() {
        let namespace = own.node.path(&["metadata", "namespace"]).cloned();
        let metadata = object.node.as_map_mut();
        let metadata = metadata.and_then(|map| map.get_mut("metadata"));
        if let Some(metadata) = metadata.and_then(Node::as_map_mut) {
            set_or_remove(metadata, "namespace", namespace);
        }
    }
    object
}

fn set_or_remove(map: &mut Map, key: &str, value: Option<Node>) {
    match (value, map.get_mut(key)) {
        (Some(value), Some(slot)) => *slot = value,
        (Some(value), None) => {
            map.insert(key, value);
        }
        (None, _) => {
            map.remove(key);
        }
    }
}

#[cfg(test)]
mod tests;
