//! Where the graph begins: the folders of Flux Kustomizations and of Applications of Argo CD.

use std::collections::BTreeSet;

use super::super::foreign::of_other_repositories;
use super::super::{DeliveryPath, argo, flux_kustomization, is_flux_kustomization};
use super::Graph;
use manifest::Object;
use manifest::value::path::{folder, join};

impl<'a> Graph<'a> {
    /// Starts with the folders of all Flux Kustomizations.
    pub(super) fn start_at_flux(&mut self) {
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
        let here = all
            .iter()
            .zip(&folders)
            .filter(|(_, folder)| folder.is_some());
        let here: Vec<(usize, &Object)> = here.map(|((at, object, _), _)| (*at, *object)).collect();
        let foreign = of_other_repositories(self.objects, &here);
        for ((at, object, _), folder) in all.into_iter().zip(folders) {
            let Some(folder) = folder.filter(|_| !foreign.contains(&at)) else {
                continue;
            };
            self.delivery.folders.insert(at, folder.to_owned());
            let by_folder = &mut self.delivery.by_folder;
            by_folder.entry(folder.to_owned()).or_default().push(at);
            let mut way = flux_kustomization::way(at, object);
            for path in flux_kustomization::components(object).into_iter().rev() {
                self.start_component(&join(folder, path), &mut way);
            }
            self.start(folder, way);
        }
    }

    /// Starts with the folders of all Applications of Argo CD. A folder with a chart is left out, because its templates are
    /// no manifests.
    pub(super) fn start_at_argo(&mut self) {
        let mut all = Vec::new();
        for object in self.objects {
            for source in argo::sources(object, &self.folders) {
                let path = [(source.path.as_str(), object.file.as_str())];
                let found = self.folders.lead_to(&path).pop().flatten();
                all.extend(found.map(|start| (start, source)));
            }
        }
        if let Some(own) = argo::own_repository(all.iter().map(|(_, source)| source)) {
            all.retain(|(_, source)| source.repository.is_empty() || source.repository == own);
        }
        for (start, source) in all {
            if self.has_file(start, "Chart.yaml") {
                continue;
            }
            if let Some(kustomization) = self.by_folder.get(start) {
                let way = DeliveryPath {
                    start: Some(*kustomization),
                    ..source.way
                };
                self.work.push((*kustomization, way));
                continue;
            }
            let files: Vec<&str> = self.folders.below(start).collect();
            for file in files {
                let is_direct = folder(file) == start;
                if (source.is_recursive || is_direct) && source.is_included(start, file) {
                    self.arrive(file, None, &source.way);
                }
            }
        }
    }

    /// Marks the files that ApplicationSets exclude, and that nothing else applies.
    pub(super) fn mark_excluded(&mut self) {
        let sets = self.objects.iter();
        let folders: BTreeSet<&str> = sets
            .flat_map(|object| argo::excluded(object, &self.folders))
            .collect();
        for file in folders.into_iter().flat_map(|it| self.folders.below(it)) {
            let objects = self.by_file.get(file).into_iter().flatten();
            if objects.copied().all(|at| self.delivery.ways(at).is_empty()) {
                self.delivery.excluded.insert(file.to_owned());
            }
        }
    }

    fn has_file(&self, folder: &str, name: &str) -> bool {
        self.files.contains(&join(folder, name))
    }

    /// Follows a component that a Flux Kustomization itself names: it changes what the folder contains, and what the
    /// components before it contain.
    fn start_component(&mut self, path: &str, way: &mut DeliveryPath) {
        let Some(component) = self.by_folder.get(path).copied() else {
            way.is_partly_unknown = true;
            return;
        };
        self.work.push((component, way.clone()));
        self.set_component(way, component, &mut Vec::new());
    }

    /// Starts with a folder: with its kustomization, or, if it has none, with what Flux would list in a generated one.
    fn start(&mut self, start: &'a str, way: DeliveryPath) {
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
            // Of the folders between `start` and the file, the one nearest to `start` that has a kustomization is
            // applied as a whole.
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
}
