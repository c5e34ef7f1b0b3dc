//! Checks of the rendered objects together with the rest of the repository.

use std::collections::{BTreeMap, BTreeSet};

use super::{Compiled, not_reported_yet};
use crate::lint::{self, LintInput};
use manifest::Object;
use manifest::diagnostic::SourceId;

/// The manifests of the repository that are not rendered.
#[derive(Debug, Default)]
pub struct Beside {
    /// The objects of these manifests.
    pub objects: Vec<Object>,
    /// All existing files, manifests or not, by their paths relative to the root.
    pub files: BTreeSet<String>,
    /// The folders that were searched. A file below them exists only if it is in `files`.
    pub walked: Vec<String>,
    /// The files whose text is one of the sources.
    pub texts: BTreeMap<String, SourceId>,
}

impl Compiled {
    /// Checks whether the rendered objects fit together, and whether they fit the rest of the repository. A
    /// rendered file replaces the existing one. Returns the objects beside the rendered ones.
    pub fn look_across(&mut self, beside: Beside) -> Vec<Object> {
        let Some(model) = &self.model else {
            return beside.objects;
        };
        let rendered: BTreeSet<&str> = self.files.iter().map(|file| &*file.path).collect();
        let others = beside.objects.into_iter();
        let others: Vec<Object> = others.filter(|it| !rendered.contains(&*it.file)).collect();
        let rendered_objects = self.objects.len();
        // The others are added only for this check, because only rendered objects are compared and written
        // later.
        self.objects.extend(others);
        let mut files = beside.files;
        files.extend(rendered.iter().map(|file| (*file).to_owned()));
        let mut texts = beside.texts;
        texts.extend(
            self.scripts
                .iter()
                .map(|(file, source)| (file.clone(), *source)),
        );
        let found = lint::check(&LintInput {
            objects: &self.objects,
            files: &files,
            walked: &beside.walked,
            texts: &texts,
            sources: &self.sources,
            model: Some(model),
            rules: Some(&model.rules),
            selection: &self.selection,
        });
        // Findings in the other objects are not caused by mistakes in `cluster.toml`.
        let (own, theirs): (Vec<_>, Vec<_>) = found.into_iter().partition(|one| {
            one.file
                .as_deref()
                .is_none_or(|file| rendered.contains(file))
        });
        let own = not_reported_yet(own, &self.diagnostics);
        self.diagnostics.extend(own);
        self.diagnostics.extend(theirs);
        let others = self.objects.split_off(rendered_objects);
        self.diagnostics = lint::said_once(std::mem::take(&mut self.diagnostics));
        self.place_findings();
        others
    }
}
