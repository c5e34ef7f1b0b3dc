//! From Flux Kustomizations and kustomizations to files.

use std::collections::{BTreeSet, HashMap};

use super::entries::{self, Entry, NAMES, Settings};
use super::folders::Folders;
use super::{
    Delivery, Missing, Standing, Way, is_flux_kustomization, is_kustomization, patches_anything,
};
use crate::manifest::Object;
use crate::value::Node;
use crate::value::path::folder;

/// More ways than any object honestly takes; further ones are left out.
const MOST_WAYS: usize = 64;

/// How deep components may hold components.
const DEEPEST: usize = 16;

/// One kustomization, read.
struct Kustomization {
    entries: Vec<Entry>,
    settings: Settings,
}

struct Graph<'a> {
    objects: &'a [Object],
    files: &'a BTreeSet<String>,
    folders: Folders<'a>,
    read: HashMap<usize, Kustomization>,
    by_folder: HashMap<&'a str, usize>,
    by_file: HashMap<&'a str, Vec<usize>>,
    /// Ways that lead to each kustomization.
    into: HashMap<usize, Vec<Way>>,
    work: Vec<(usize, Way)>,
    delivery: Delivery,
}

/// Follows all; clusters are not told apart yet.
pub fn follow(objects: &[Object], files: &BTreeSet<String>) -> Delivery {
    let mut graph = Graph::of(objects, files);
    graph.read_all();
    graph.start_at_flux();
    graph.walk();
    graph.start_at_rest();
    graph.stand();
    graph.delivery
}

impl<'a> Graph<'a> {
    fn of(objects: &'a [Object], files: &'a BTreeSet<String>) -> Self {
        let mut by_file: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut by_folder = HashMap::new();
        for (at, object) in objects.iter().enumerate() {
            by_file.entry(&object.file).or_default().push(at);
            if is_kustomization(object) {
                by_folder.entry(folder(&object.file)).or_insert(at);
            }
        }
        Graph {
            objects,
            files,
            folders: Folders::of(files),
            read: HashMap::new(),
            by_folder,
            by_file,
            into: HashMap::new(),
            work: Vec::new(),
            delivery: Delivery {
                ways: vec![Vec::new(); objects.len()],
                standing: vec![Standing::Applied; objects.len()],
                ..Delivery::default()
            },
        }
    }

    /// Reads every kustomization: what it lists, what of that is missing, what it makes.
    fn read_all(&mut self) {
        let mut all: Vec<usize> = self.by_folder.values().copied().collect();
        all.sort_unstable();
        for at in all {
            let Some(object) = self.objects.get(at) else {
                continue;
            };
            let (entries, has_remote) = entries::listed(object);
            let mut settings = entries::settings(object);
            let missing: Vec<&Entry> = entries
                .iter()
                .filter(|entry| !self.leads_somewhere(&entry.path))
                .collect();
            // A component that is not at hand could change anything; so could a remote base.
            settings.is_partly_unknown |=
                has_remote || missing.iter().any(|entry| entry.is_component);
            let missing = missing.into_iter().map(|entry| Missing {
                by: at,
                pointer: entry.pointer.clone(),
                path: entry.path.clone(),
            });
            self.delivery.missing.extend(missing);
            self.delivery
                .generated
                .extend(entries::generated(at, object));
            self.read.insert(at, Kustomization { entries, settings });
        }
    }

    fn leads_somewhere(&self, path: &str) -> bool {
        self.files.contains(path) || self.folders.contains(path)
    }

    /// Whether there is a kustomization in a folder that can't be read as one.
    fn is_closed(&self, folder: &str) -> bool {
        !self.by_folder.contains_key(folder)
            && NAMES
                .iter()
                .any(|name| self.files.contains(&format!("{folder}/{name}")))
    }

    /// Each Flux Kustomization's folder is a start.
    fn start_at_flux(&mut self) {
        let all: Vec<(usize, &'a Object, &'a str)> = (0..)
            .zip(self.objects)
            .filter(|(_, object)| is_flux_kustomization(object))
            .filter_map(|(at, object)| {
                let path = object.node.path(&["spec", "path"])?.as_str()?;
                Some((at, object, path))
            })
            .collect();
        let paths: Vec<(&str, &str)> = all
            .iter()
            .map(|(_, object, path)| (*path, object.file.as_str()))
            .collect();
        let folders = self.folders.lead_to(&paths);
        for ((at, object, _), folder) in all.into_iter().zip(folders) {
            let Some(folder) = folder else { continue };
            self.delivery.folders.insert(at, folder.to_owned());
            self.start(folder, flux_way(at, object));
        }
    }

    /// Begins with a folder: its kustomization, or what Flux would put into one.
    fn start(&mut self, start: &'a str, way: Way) {
        if let Some(kustomization) = self.by_folder.get(start) {
            self.work.push((*kustomization, way));
            return;
        }
        if self.is_closed(start) {
            return;
        }
        let mut inside: Option<&str> = None;
        for file in self.folders.below(start) {
            if inside.is_some_and(|inside| {
                file.starts_with(inside) && file.as_bytes().get(inside.len()) == Some(&b'/')
            }) {
                continue;
            }
            let here = folder(file);
            // The nearest folder from the start on that has a kustomization is taken whole.
            let mut owner = None;
            let mut at = here;
            while at.len() > start.len() {
                if self.by_folder.contains_key(at) || self.is_closed(at) {
                    owner = Some(at);
                }
                at = folder(at);
            }
            match owner {
                Some(owner) => {
                    inside = Some(owner);
                    if let Some(kustomization) = self.by_folder.get(owner) {
                        self.work.push((*kustomization, way.clone()));
                    }
                }
                None => self.arrive(file, None, &way),
            }
        }
    }

    /// Follows all that is begun.
    fn walk(&mut self) {
        while let Some((at, way)) = self.work.pop() {
            let into = self.into.entry(at).or_default();
            if into.contains(&way) || into.len() >= MOST_WAYS {
                continue;
            }
            into.push(way.clone());
            let Some(kustomization) = self.read.get(&at) else {
                continue;
            };
            let mut inner = way;
            set(&mut inner, at, &kustomization.settings);
            for component in self.components(at) {
                if let Some(read) = self.read.get(&component) {
                    set(&mut inner, component, &read.settings);
                }
            }
            let entries: Vec<String> = kustomization
                .entries
                .iter()
                .map(|entry| entry.path.clone())
                .collect();
            for path in entries {
                if let Some(file) = self.files.get(&path) {
                    self.arrive(file, Some(at), &inner);
                } else if let Some(below) = self.by_folder.get(path.as_str()) {
                    self.work.push((*below, inner.clone()));
                }
            }
        }
    }

    /// The components of a kustomization, and theirs: they change what the kustomization lists.
    fn components(&self, at: usize) -> Vec<usize> {
        let mut all = Vec::new();
        let mut level = vec![at];
        for _ in 0..DEEPEST {
            let below: Vec<usize> = level
                .iter()
                .filter_map(|at| self.read.get(at))
                .flat_map(|read| &read.entries)
                .filter(|entry| entry.is_component)
                .filter_map(|entry| self.by_folder.get(entry.path.as_str()).copied())
                .filter(|component| !all.contains(component) && *component != at)
                .collect();
            if below.is_empty() {
                break;
            }
            all.extend(&below);
            level = below;
        }
        all
    }

    /// A way ends at a file: all its objects take it.
    fn arrive(&mut self, file: &str, by: Option<usize>, way: &Way) {
        let Some(objects) = self.by_file.get(file) else {
            return;
        };
        let way = Way {
            listed_by: by,
            ..way.clone()
        };
        for at in objects {
            if let Some(ways) = self.delivery.ways.get_mut(*at)
                && ways.len() < MOST_WAYS
                && !ways.contains(&way)
            {
                ways.push(way.clone());
            }
        }
    }

    /// Kustomizations that no Flux Kustomization at hand leads to: those that no other lists first, then any.
    fn start_at_rest(&mut self) {
        let listed: BTreeSet<usize> = self
            .read
            .values()
            .flat_map(|read| &read.entries)
            .filter_map(|entry| self.by_folder.get(entry.path.as_str()).copied())
            .collect();
        let mut all: Vec<usize> = self.read.keys().copied().collect();
        all.sort_by_key(|at| (listed.contains(at), *at));
        for at in all {
            if !self.into.contains_key(&at) {
                self.work.push((at, Way::default()));
                self.walk();
            }
        }
    }

    /// Tells what is input, and what is left out.
    fn stand(&mut self) {
        let inputs: BTreeSet<String> = self
            .by_folder
            .values()
            .filter_map(|at| self.objects.get(*at))
            .flat_map(entries::inputs)
            .collect();
        for (at, object) in self.objects.iter().enumerate() {
            if is_kustomization(object)
                || self
                    .delivery
                    .ways
                    .get(at)
                    .is_some_and(|ways| !ways.is_empty())
            {
                continue;
            }
            let standing = if inputs.contains(&object.file) {
                Standing::Input
            } else if self.by_folder.contains_key(folder(&object.file)) {
                Standing::LeftOut
            } else {
                Standing::Applied
            };
            if let Some(slot) = self.delivery.standing.get_mut(at) {
                *slot = standing;
            }
        }
    }
}

/// The outermost part of a way: what a Flux Kustomization sets.
fn flux_way(at: usize, flux: &Object) -> Way {
    let text = |path: &[&str]| {
        let text = flux.node.path(path).and_then(Node::as_str);
        text.unwrap_or_default().to_owned()
    };
    let pairs = |key: &str| {
        let map = flux.node.path(&["spec", "commonMetadata", key]);
        let map = map.and_then(Node::as_map).into_iter();
        map.flat_map(|map| map.iter())
            .filter_map(|(key, value)| Some((key.to_owned(), value.as_str()?.to_owned())))
            .collect()
    };
    let components = flux.node.path(&["spec", "components"]);
    let components = components.and_then(Node::as_list).unwrap_or_default();
    Way {
        flux: Some(at),
        namespace: Some(text(&["spec", "targetNamespace"])).filter(|text| !text.is_empty()),
        labels: pairs("labels"),
        annotations: pairs("annotations"),
        prefix: text(&["spec", "namePrefix"]),
        suffix: text(&["spec", "nameSuffix"]),
        patched_by: patches_anything(flux).then_some(at).into_iter().collect(),
        is_partly_unknown: !components.is_empty(),
        ..Way::default()
    }
}

/// Adds what a kustomization sets, where nothing further out has set it.
fn set(way: &mut Way, by: usize, settings: &Settings) {
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
