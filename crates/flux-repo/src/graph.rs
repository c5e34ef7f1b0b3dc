//! Follows Flux Kustomizations and kustomizations to the files that they apply.

mod applied_files;
mod starts;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::folders::Folders;
use super::kustomization::{
    Entry, EntryRole, Kustomization, KustomizationSettings, is_kustomization_file,
};
use super::resource_set::has_unknown;
use super::{
    Delivery, DeliveryPath, GeneratedObject, MissingEntry, ObjectUse, is_below_link,
    is_kustomization, is_kustomize_kind,
};
use manifest::Object;
use manifest::value::path::{below, folder};

/// The maximum number of ways for each object; real objects have fewer. Further ones are left out.
const MOST_WAYS: usize = 64;

/// The maximum number of nested components that are followed; real kustomizations have fewer.
const MOST_COMPONENTS: usize = 64;

/// A kustomization that was read.
struct ReadKustomization<'a> {
    /// The entries that it applies objects from.
    applied: Vec<Entry<'a>>,
    /// What kustomize does with the path of each entry, also of those that it doesn't apply, and the path.
    listed: Vec<(EntryRole, String)>,
    settings: KustomizationSettings,
}

struct Graph<'a> {
    objects: &'a [Object],
    files: &'a BTreeSet<String>,
    folders: Folders<'a>,
    read: HashMap<usize, ReadKustomization<'a>>,
    by_folder: HashMap<&'a str, usize>,
    /// The folders that have a file with the name of a kustomization, whatever is in it.
    with_kustomization: HashSet<&'a str>,
    by_file: HashMap<&'a str, Vec<usize>>,
    /// The ways that lead to each kustomization.
    into: HashMap<usize, Vec<DeliveryPath>>,
    work: Vec<(usize, DeliveryPath)>,
    /// The files that kustomizations read without applying their objects.
    inputs: BTreeSet<String>,
    /// The files that Flux Kustomizations lead to, whether they can be read or not, with these Flux Kustomizations.
    arrived: BTreeMap<String, BTreeSet<usize>>,
    delivery: Delivery,
}

/// Follows all Flux Kustomizations and kustomizations. It does not distinguish clusters; that is done afterwards.
pub(crate) fn follow(objects: &[Object], files: &BTreeSet<String>) -> Delivery {
    let mut graph = Graph::of(objects, files);
    graph.read_all();
    graph.start_at_flux();
    graph.start_at_argo();
    graph.walk();
    graph.mark_excluded();
    graph.mark_applied();
    graph.start_at_rest();
    graph.stand();
    graph.delivery
}

/// The index of each folder's kustomization among `objects`.
pub fn kustomizations_by_folder(objects: &[Object]) -> HashMap<&str, usize> {
    let mut by_folder = HashMap::new();
    for (at, object) in objects.iter().enumerate() {
        if is_kustomization(object) {
            by_folder.entry(folder(&object.file)).or_insert(at);
        }
    }
    by_folder
}

impl<'a> Graph<'a> {
    fn of(objects: &'a [Object], files: &'a BTreeSet<String>) -> Self {
        let mut by_file: HashMap<&str, Vec<usize>> = HashMap::with_capacity(objects.len());
        for (at, object) in objects.iter().enumerate() {
            by_file.entry(&object.file).or_default().push(at);
        }
        Graph {
            objects,
            files,
            folders: Folders::of(files),
            read: HashMap::new(),
            by_folder: kustomizations_by_folder(objects),
            with_kustomization: files
                .iter()
                .filter(|file| is_kustomization_file(file))
                .map(|file| folder(file))
                .collect(),
            by_file,
            into: HashMap::new(),
            work: Vec::new(),
            inputs: BTreeSet::new(),
            arrived: BTreeMap::new(),
            delivery: Delivery {
                ways: vec![Vec::new(); objects.len()],
                standing: vec![ObjectUse::Applied; objects.len()],
                ..Delivery::default()
            },
        }
    }

    /// Reads every kustomization: what it lists, which of that is missing, and what it generates.
    fn read_all(&mut self) {
        let mut all: Vec<usize> = self.by_folder.values().copied().collect();
        all.sort_unstable();
        for at in all {
            let Some(object) = self.objects.get(at) else {
                continue;
            };
            let kustomization = Kustomization::of(object);
            let mut settings = kustomization.settings();
            let mut applied = Vec::new();
            let entries = kustomization.entries();
            let listed = entries.iter().map(|it| (it.role, it.path.clone()));
            let listed = listed.collect();
            for entry in entries {
                let exists = self.leads_somewhere(&entry.path);
                if exists && self.is_circle(&entry, object) {
                    continue;
                }
                if !entry.role.is_applied() {
                    if entry.role == EntryRole::Source {
                        self.delivery.texts.insert(entry.path.clone());
                    }
                    self.inputs.insert(entry.path);
                } else if exists {
                    applied.push(entry);
                } else {
                    // Something that kustomize would fetch, or a component that is not given, could change anything.
                    settings.is_partly_unknown |=
                        entry.may_be_elsewhere || entry.role == EntryRole::Component;
                    self.delivery
                        .missing
                        .extend((!entry.may_be_elsewhere).then_some(MissingEntry {
                            by: at,
                            pointer: entry.pointer,
                            path: entry.path,
                        }));
                }
            }
            let generators = kustomization.generators().into_iter();
            self.delivery
                .generated
                .extend(generators.map(|generator| GeneratedObject {
                    by: at,
                    generator,
                    ways: Vec::new(),
                }));
            let read = ReadKustomization {
                applied,
                listed,
                settings,
            };
            self.read.insert(at, read);
        }
    }

    /// Whether an entry leads to a folder that contains the kustomization with this entry. kustomize reports an error
    /// for that.
    fn is_circle(&self, entry: &Entry<'_>, kustomization: &Object) -> bool {
        let here = folder(&kustomization.file);
        let is_around = entry.path == here || below(&entry.path, here).is_some();
        entry.role.is_applied() && is_around && !self.files.contains(&entry.path)
    }

    fn leads_somewhere(&self, path: &str) -> bool {
        self.files.contains(path) || self.folders.contains(path) || is_below_link(self.files, path)
    }

    /// Whether a folder has a kustomization that can't be read as one.
    fn is_closed(&self, folder: &str) -> bool {
        !self.by_folder.contains_key(folder) && self.with_kustomization.contains(folder)
    }

    /// Follows everything in `work`.
    fn walk(&mut self) {
        while let Some((at, way)) = self.work.pop() {
            let into = self.into.entry(at).or_default();
            if into.contains(&way) || into.len() >= MOST_WAYS {
                continue;
            }
            into.push(way.clone());
            if let Some(flux) = way.flux {
                self.delivery.reached.entry(flux).or_default().insert(at);
            }
            let Some(read) = self.read.get(&at) else {
                continue;
            };
            let mut inner = way;
            set(&mut inner, at, &read.settings);
            // A component changes what its kustomization lists, and what the components before it list.
            let mut components = Vec::new();
            for entry in read.applied.iter().rev() {
                if let Some(component) = self.component(entry) {
                    components.push((component, inner.clone()));
                    self.set_component(&mut inner, component, &mut vec![at]);
                }
            }
            let mut files = Vec::new();
            for entry in &read.applied {
                if let Some(file) = self.files.get(&entry.path) {
                    files.push(file.as_str());
                } else if let (None, Some(below)) = (
                    self.component(entry),
                    self.by_folder.get(entry.path.as_str()),
                ) {
                    self.work.push((*below, inner.clone()));
                }
            }
            self.work.extend(components.into_iter().rev());
            for file in files {
                self.arrive(file, Some(at), &inner);
            }
            self.make(at, &inner);
        }
    }

    /// The component that an entry leads to.
    fn component(&self, entry: &Entry<'_>) -> Option<usize> {
        let is_component = entry.role == EntryRole::Component;
        let component = self.by_folder.get(entry.path.as_str()).copied();
        component.filter(|_| is_component)
    }

    /// Adds what a component and its own components set. If there are several, the last one is the outermost.
    fn set_component(&self, way: &mut DeliveryPath, component: usize, seen: &mut Vec<usize>) {
        if seen.len() > MOST_COMPONENTS || seen.contains(&component) {
            return;
        }
        let Some(read) = self.read.get(&component) else {
            return;
        };
        seen.push(component);
        set(way, component, &read.settings);
        for entry in read.applied.iter().rev() {
            if let Some(below) = self.component(entry) {
                self.set_component(way, below, seen);
            }
        }
    }

    /// The generated objects of a kustomization get the same way as the files that it lists.
    fn make(&mut self, at: usize, way: &DeliveryPath) {
        // They are sorted by kustomization.
        let all = &mut self.delivery.generated;
        let first = all.partition_point(|one| one.by < at);
        let own = all.iter_mut().skip(first).take_while(|one| one.by == at);
        for generated in own {
            generated.ways.push(DeliveryPath {
                listed_by: Some(at),
                ..way.clone()
            });
        }
    }

    /// Adds a way to all objects in a file.
    fn arrive(&mut self, file: &str, by: Option<usize>, way: &DeliveryPath) {
        if let Some(flux) = way.flux {
            self.arrived
                .entry(file.to_owned())
                .or_default()
                .insert(flux);
        }
        let Some(objects) = self.by_file.get(file) else {
            return;
        };
        let way = DeliveryPath {
            listed_by: by,
            ..way.clone()
        };
        for at in objects {
            let made = self.objects.get(*at).filter(|object| object.is_made);
            let way = made.map_or_else(|| way.clone(), |made| way_of_made(made, &way));
            if let Some(ways) = self.delivery.ways.get_mut(*at)
                && ways.len() < MOST_WAYS
                && !ways.contains(&way)
            {
                ways.push(way);
            }
        }
    }

    /// Follows the kustomizations that no given Flux Kustomization leads to: first those that no other one lists, then
    /// the rest.
    fn start_at_rest(&mut self) {
        let listed: BTreeSet<usize> = self
            .read
            .values()
            .flat_map(|read| &read.applied)
            .filter_map(|entry| self.by_folder.get(entry.path.as_str()).copied())
            .collect();
        let mut all: Vec<usize> = self.read.keys().copied().collect();
        all.sort_by_key(|at| (listed.contains(at), *at));
        for at in all {
            if !self.into.contains_key(&at) {
                let way = DeliveryPath {
                    start: Some(at),
                    ..DeliveryPath::default()
                };
                self.work.push((at, way));
                self.walk();
            }
        }
    }

    /// Determines which objects are input to kustomizations, and which are not applied.
    fn stand(&mut self) {
        for (at, object) in self.objects.iter().enumerate() {
            if is_kustomize_kind(object)
                || self
                    .delivery
                    .ways
                    .get(at)
                    .is_some_and(|ways| !ways.is_empty())
            {
                continue;
            }
            let standing = if self.inputs.contains(&object.file) {
                ObjectUse::Input
            } else if self.by_folder.contains_key(folder(&object.file)) {
                ObjectUse::LeftOut
            } else {
                ObjectUse::Applied
            };
            if let Some(slot) = self.delivery.standing.get_mut(at) {
                *slot = standing;
            }
        }
    }
}

/// The way of an object that is made from a template in the file. Kustomizations change the template, but not what is made
/// of it. Flux substitutes its variables, but a value that is not known is no variable of Flux.
fn way_of_made(made: &Object, way: &DeliveryPath) -> DeliveryPath {
    DeliveryPath {
        flux: way.flux.filter(|_| !has_unknown(&made.node)),
        listed_by: way.listed_by,
        start: way.start,
        ..DeliveryPath::default()
    }
}

/// Adds what a kustomization sets, unless an outer one has already set it.
fn set(way: &mut DeliveryPath, by: usize, settings: &KustomizationSettings) {
    if way.namespace.is_none() {
        way.namespace.clone_from(&settings.namespace);
    }
    for (of, ours) in [
        (&mut way.labels, &settings.labels),
        (&mut way.annotations, &settings.annotations),
    ] {
        for (key, value) in ours {
            of.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    way.prefix.push_str(&settings.prefix);
    way.suffix.insert_str(0, &settings.suffix);
    if settings.patches && !way.patched_by.contains(&by) {
        way.patched_by.push(by);
    }
    way.is_partly_unknown |= settings.is_partly_unknown;
}
