//! Leaves out the files of a repository that Flux doesn't apply.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::super::walk::{SkipReason, walk};
use super::templates::{is_shelved, is_template_of_object};
use super::{Manifests, is_manifest, read_all, read_beside};
use crate::bounds::file;
use crate::bounds::unsaved::UnsavedTexts;
use flux_repo::{Delivery, FLUX, is_flux_kustomization, is_kustomize_kind};
use manifest::diagnostic::{Diagnostic, Sources};
use manifest::read::LARGEST_FILE;
use manifest::value::path;

/// Like [`read_all`], but without the files that Flux doesn't apply: see
/// [`leave_out_what_is_not_applied`](Manifests::leave_out_what_is_not_applied).
///
/// # Errors
/// If a path doesn't exist or can't be read.
pub(in crate::cli) fn read_repository(
    paths: &[PathBuf],
    sources: &mut Sources,
) -> anyhow::Result<Manifests> {
    let mut all = read_all(paths, sources)?;
    all.leave_out_what_is_not_applied(sources);
    Ok(all)
}

/// Like [`read_repository`] for all of the folder `root`. Names are relative to it.
///
/// # Errors
/// If something can't be read.
pub(in crate::cli) fn read_root(
    root: &Path,
    unsaved: &UnsavedTexts,
    sources: &mut Sources,
) -> anyhow::Result<Manifests> {
    let mut all = read_beside(root, &[PathBuf::new()], &|_| false, unsaved, sources)?;
    all.leave_out_what_is_not_applied(sources);
    Ok(all)
}

/// The other folders of `root` that contain Flux Kustomizations: what they apply may be in `folder`.
///
/// # Errors
/// If a folder can't be walked.
pub(in crate::cli) fn flux_folders(root: &Path, folder: &str) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(root).into_iter().flatten();
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_folder = entry.file_type().is_ok_and(|it| it.is_dir());
        if !is_folder || name.starts_with('.') || name == folder {
            continue;
        }
        let walked = walk(&entry.path())?;
        let files = walked.files.par_iter().filter(|file| is_manifest(file));
        let has_flux = |file: &PathBuf| {
            let text = file::yaml(file, LARGEST_FILE).unwrap_or_default();
            text.contains("kind: Kustomization") && text.contains(FLUX)
        };
        if files.any(has_flux) {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}

impl Manifests {
    /// Of the manifests in `folders`, keeps only what decides what is applied elsewhere and with which values: Flux
    /// Kustomizations, kustomizations, ConfigMaps and Secrets. The rest is not part of the project.
    pub(in crate::cli) fn keep_only_flux_in(&mut self, folders: &[String], sources: &Sources) {
        let is_in = |file: &str| folders.iter().any(|it| path::below(it, file).is_some());
        self.objects.retain(|object| {
            let is_kept = is_flux_kustomization(object)
                || is_kustomize_kind(object)
                || (object.group().is_empty() && matches!(object.kind(), "ConfigMap" | "Secret"));
            is_kept || !is_in(&object.file)
        });
        self.diagnostics.retain(|finding| {
            let span = finding.span.map(|span| sources.get(span.source).name());
            !span.or(finding.file.as_deref()).is_some_and(is_in)
        });
        let skipped = std::mem::take(&mut self.skipped);
        self.skipped = skipped
            .into_iter()
            .filter(|(path, _)| !is_in(&self.shown(path)))
            .collect();
        self.count = self.objects.iter().filter(|it| !it.is_made).count();
    }

    /// Takes away files: their objects, and the findings on them.
    pub(in crate::cli) fn leave_out(&mut self, files: &BTreeSet<String>, sources: &Sources) {
        self.names.retain(|name| !files.contains(name));
        self.texts.retain(|name, _| !files.contains(name));
        self.objects.retain(|object| !files.contains(&object.file));
        self.diagnostics.retain(|finding| {
            let span = finding.span.map(|span| sources.get(span.source).name());
            let file = span.or(finding.file.as_deref());
            file.is_none_or(|file| !files.contains(file))
        });
        self.count = self.objects.iter().filter(|it| !it.is_made).count();
    }

    /// Takes away what Flux doesn't apply: the objects, and the findings on the files themselves. That is what is in the
    /// folder of a Flux Kustomization that doesn't apply it, and elsewhere the files without any named object, such as
    /// settings of other tools and templates of charts: objects there may be applied by something that is not given. It
    /// stays what was named as a file, and all of a given folder of which Flux applies nothing, because then this is not
    /// the folder of a repository.
    pub(in crate::cli) fn leave_out_what_is_not_applied(&mut self, sources: &Sources) {
        let delivery = Delivery::of(&self.objects, &self.names);
        let is_applied = |file: &str| delivery.applies_file(file) == Some(true);
        let below =
            |folder: &str, file: &str| folder.is_empty() || path::below(folder, file).is_some();
        let walked: Vec<&String> = self
            .walked
            .iter()
            .filter(|folder| {
                self.names
                    .iter()
                    .any(|file| below(folder, file) && is_applied(file))
            })
            .collect();
        let named = self
            .objects
            .iter()
            .filter(|object| !object.name().is_empty());
        let with_objects: BTreeSet<&str> = named.map(|object| object.file.as_str()).collect();
        let is_left_out = |file: &str| {
            let is_in_repository = || walked.iter().any(|folder| below(folder, file));
            let is_known = || {
                delivery.is_in_applied_folder(file)
                    || !with_objects.contains(file)
                    || is_shelved(file)
            };
            let is_not_applied = || !is_applied(file) && is_known() && is_in_repository();
            !self.named.contains(file)
                && (delivery.is_text(file) || delivery.is_excluded(file) || is_not_applied())
        };
        let left_out: BTreeSet<&String> =
            self.texts.keys().filter(|file| is_left_out(file)).collect();
        self.objects
            .retain(|object| !left_out.contains(&object.file));
        let file_of = |finding: &Diagnostic| {
            let span = finding.span;
            let file = span.map(|span| sources.get(span.source).name().to_owned());
            file.or_else(|| finding.file.clone())
        };
        self.diagnostics
            .retain(|finding| file_of(finding).is_none_or(|file| !left_out.contains(&file)));
        let is_open = |file: &str| !is_applied(file) && !self.named.contains(file);
        let wrong = self.diagnostics.iter().filter_map(file_of);
        let invalid = wrong.filter(|file| is_open(file)).filter_map(|file| {
            let text = self.texts.get(&file).map(|id| sources.get(*id).text())?;
            let reason = self.reason_of_invalid(&file, text)?;
            Some((file, reason))
        });
        let marked = self.objects.iter().filter(|it| is_template_of_object(it));
        let marked = marked
            .filter(|it| is_open(&it.file) && !self.is_listed(&it.file))
            .map(|it| (it.file.clone(), SkipReason::Template));
        let no_manifests: BTreeMap<String, SkipReason> = invalid.chain(marked).collect();
        self.diagnostics.retain(|finding| {
            file_of(finding).is_none_or(|file| !no_manifests.contains_key(&file))
        });
        self.objects
            .retain(|object| !no_manifests.contains_key(&object.file));
        let known: BTreeSet<String> = self
            .skipped
            .iter()
            .map(|(path, _)| self.shown(path))
            .collect();
        let files = left_out.iter().filter(|file| !known.contains(**file));
        let paths = files
            .map(|file| self.root.join(file))
            .filter(|path| is_manifest(path));
        self.skipped
            .extend(paths.map(|path| (path, SkipReason::NotApplied)));
        let no_manifests = no_manifests.into_iter();
        let no_manifests = no_manifests.map(|(file, reason)| (self.root.join(file), reason));
        self.skipped.extend(no_manifests);
        self.count = self.objects.iter().filter(|it| !it.is_made).count();
    }
}
