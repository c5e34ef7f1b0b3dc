//! Which files Flux applies, and which Flux Kustomizations are forgotten.

use std::collections::BTreeSet;

use super::super::clusters::FluxRoots;
use super::super::kustomization::EntryRole;
use super::super::{AppliedFiles, DeliveryPath, is_flux_kustomization};
use super::Graph;
use manifest::Object;
use manifest::value::path::folder;

impl Graph<'_> {
    /// Marks what Flux applies, after the kustomizations of all Flux Kustomizations were followed. A Flux Kustomization
    /// that no other one applies is taken as a part of what somebody applies by hand, or of what Flux starts with; so
    /// are the files beside it.
    pub(super) fn mark_applied(&mut self) {
        if self.delivery.folders.is_empty() {
            return;
        }
        let applied_by = std::mem::take(&mut self.arrived);
        self.delivery.roots = FluxRoots::of(self.objects, &self.delivery, &applied_by);
        let forgotten = self.forgotten();
        let is_live = |way: &DeliveryPath| way.flux.is_some_and(|flux| !forgotten.contains(&flux));
        let mut marked = AppliedFiles::default();
        for (file, ways) in applied_by {
            if ways.iter().any(|flux| !forgotten.contains(flux)) {
                marked.files.insert(file);
            }
        }
        let into = self.into.iter();
        let mut next: Vec<usize> = into
            .filter(|(_, ways)| ways.iter().any(is_live))
            .map(|(at, _)| *at)
            .collect();
        for (at, (object, ways)) in self.objects.iter().zip(&self.delivery.ways).enumerate() {
            if !ways.is_empty() || !is_flux_kustomization(object) || forgotten.contains(&at) {
                continue;
            }
            let here = folder(&object.file);
            match self.by_folder.get(here) {
                Some(kustomization) => next.push(*kustomization),
                None => {
                    marked.folders.insert(here.to_owned());
                }
            }
            marked.files.insert(object.file.clone());
        }
        let mut seen = BTreeSet::new();
        while let Some(at) = next.pop() {
            let Some(object) = self.objects.get(at).filter(|_| seen.insert(at)) else {
                continue;
            };
            marked.folders.insert(folder(&object.file).to_owned());
            let read = self.read.get(&at).into_iter();
            for (role, path) in read.flat_map(|read| &read.listed) {
                next.extend(self.by_folder.get(path.as_str()));
                if *role != EntryRole::Source {
                    marked.files.insert(path.clone());
                }
            }
        }
        self.delivery.applied_files = Some(marked);
    }

    /// The Flux Kustomizations that never get into a cluster: those in the folder of another one that doesn't apply
    /// them, and those that only such ones apply.
    fn forgotten(&self) -> BTreeSet<usize> {
        let appliers = |at: usize| {
            let ways = self.delivery.ways.get(at).into_iter().flatten();
            ways.filter_map(move |way| way.flux)
                .filter(move |by| *by != at)
        };
        let is_inside = |at: usize, object: &Object| {
            let mut around = self.delivery.whose_folder_contains(&object.file);
            around.any(|by| by != at)
        };
        let all: Vec<(usize, &Object)> = (0..)
            .zip(self.objects)
            .filter(|(_, object)| is_flux_kustomization(object))
            .collect();
        let mut forgotten = BTreeSet::new();
        loop {
            let before = forgotten.len();
            for (at, object) in &all {
                let is_forgotten = match appliers(*at).next() {
                    Some(_) => appliers(*at).all(|by| forgotten.contains(&by)),
                    None => {
                        self.delivery.ways.get(*at).is_some_and(Vec::is_empty)
                            && is_inside(*at, object)
                    }
                };
                if is_forgotten {
                    forgotten.insert(*at);
                }
            }
            if forgotten.len() == before {
                return forgotten;
            }
        }
    }
}
