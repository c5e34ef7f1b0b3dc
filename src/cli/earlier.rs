//! What was found in the repository at an earlier revision, so that only new findings are reported.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::checked::declare_chart;
use super::described;
use super::git;
use super::manifests;
use super::project::{self, Project};
use crate::compile::Beside;
use crate::model::rules::Rules;
use crd_validate::Passes;
use crd_validate::schema::{Catalogue, Lookup, Selection};
use manifest::Object;
use manifest::diagnostic::{Code, Diagnostic, ObjectRef, Sources};

/// What makes two findings of different revisions the same: everything but the lines, which move when other lines are
/// added.
type Sameness = (Code, String, Option<ObjectRef>, Option<String>, String);

/// The findings at an earlier revision, counted, and the objects.
pub(super) struct EarlierFindings {
    counts: HashMap<Sameness, usize>,
    objects: Vec<Object>,
}

impl EarlierFindings {
    /// What `validate` would have found in the manifests below `root` at a revision. `selection` are the versions that
    /// are declared outside of the manifests: their own chart may have been another one then.
    ///
    /// # Errors
    /// If Git fails.
    pub(super) fn of_repository(
        root: &Path,
        rev: &str,
        catalogue: &Catalogue,
        selection: &Selection,
        rules: Option<Rules>,
    ) -> anyhow::Result<Self> {
        let mut sources = Sources::default();
        let commit = git::commit(root, rev)?;
        let mut manifests = manifests::read_commit(root, &commit, |_| true, &mut sources)?;
        manifests.leave_out_what_is_not_applied(&sources);
        // The rules of today count for both, so that only what breaks them now is new.
        manifests.rules = rules;
        let mut selection = selection.clone();
        declare_chart(&manifests.objects, catalogue, &mut selection);
        let mut found = manifests.check(&sources, catalogue, &selection);
        found.extend(manifests.diagnostics);
        Ok(Self::new(&found, &sources, manifests.objects))
    }

    /// What `validate` would have found in the project at a revision. Templates and scripts count as they are now.
    ///
    /// # Errors
    /// If Git fails.
    pub(super) fn of_project(project: &Project, rev: &str) -> anyhow::Result<Self> {
        let root = &project.root;
        let commit = git::commit(root, rev)?;
        let config = project.config_name();
        let text = git::show(root, &commit, std::slice::from_ref(&config))?;
        let Some((_, text)) = text.into_iter().next() else {
            // There was no configuration, so all findings are new.
            return Ok(EarlierFindings {
                counts: HashMap::new(),
                objects: Vec::new(),
            });
        };
        let then = Project {
            commit: Some(commit.clone()),
            ..described::for_cluster(project, project.cluster.clone())
        };
        let mut compiled = then.compile_text(&String::from_utf8_lossy(&text));
        let rendered = compiled.file_names();
        let folder = compiled.model.as_ref().map(project::top_folder);
        let others = project.flux_folders(&compiled)?;
        let scope = project.scope();
        let is_beside = |name: &str| {
            let mut folders = folder.iter().chain(&others);
            folders.any(|it| manifest::value::path::below(it, name).is_some())
                && !rendered.contains(name)
                && !scope.is_of_another(name)
        };
        let mut found = manifests::read_commit(root, &commit, is_beside, &mut compiled.sources)?;
        found.keep_only_flux_in(&others, &compiled.sources);
        scope.leave_out_others(&mut found, &compiled.objects, &compiled.sources);
        compiled.diagnostics.append(&mut found.diagnostics);
        let mut objects = compiled.objects.clone();
        objects.extend(found.objects.iter().cloned());
        compiled.look_across(Beside {
            objects: found.objects,
            files: found.names,
            walked: folder.into_iter().chain(others).collect(),
            texts: found.texts,
        });
        Ok(Self::new(&compiled.diagnostics, &compiled.sources, objects))
    }

    fn new(found: &[Diagnostic], sources: &Sources, objects: Vec<Object>) -> Self {
        let mut counts: HashMap<Sameness, usize> = HashMap::new();
        for finding in found {
            *counts.entry(sameness(finding, sources)).or_default() += 1;
        }
        EarlierFindings { counts, objects }
    }

    /// What the API server would say of changing the objects at the revision to these: rules on changes, and fields that
    /// can't be changed.
    pub(super) fn changes(
        &self,
        objects: &[Object],
        catalogue: &Catalogue,
        selection: &Selection,
    ) -> Vec<Diagnostic> {
        let passes = Passes::new(catalogue);
        let before = by_identity(&self.objects);
        let mut found = Vec::new();
        for (identity, after) in by_identity(objects) {
            let (Some(Some(before)), Some(after)) = (before.get(&identity), after) else {
                continue;
            };
            let lookup = catalogue.look_up(selection, after.group(), after.version(), after.kind());
            if let Lookup::Known(schema) = lookup {
                found.extend(passes.check_change(before, after, &schema));
            }
        }
        found
    }

    /// Removes the findings that were there before. Returns how many.
    pub(super) fn remove_from(mut self, found: &mut Vec<Diagnostic>, sources: &Sources) -> usize {
        let before = found.len();
        found.retain(
            |finding| match self.counts.get_mut(&sameness(finding, sources)) {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    false
                }
                _ => true,
            },
        );
        before - found.len()
    }
}

/// An object's group, kind, namespace and name.
type Identity<'a> = [&'a str; 4];

/// The objects by what identifies them in a cluster. Objects that are there twice, for example for two clusters, are
/// `None`, because nobody knows which of them replaces which.
fn by_identity(objects: &[Object]) -> BTreeMap<Identity<'_>, Option<&Object>> {
    let mut known = BTreeMap::new();
    for object in objects {
        let identity = [
            object.group(),
            object.kind(),
            object.namespace(),
            object.name(),
        ];
        known
            .entry(identity)
            .and_modify(|there| *there = None)
            .or_insert(Some(object));
    }
    known
}

fn sameness(finding: &Diagnostic, sources: &Sources) -> Sameness {
    let file = finding.span.map(|span| sources.get(span.source).name());
    let file = file.or(finding.file.as_deref()).unwrap_or_default();
    (
        finding.code,
        file.to_owned(),
        finding.object.clone(),
        finding.pointer.clone(),
        finding.message.clone(),
    )
}
