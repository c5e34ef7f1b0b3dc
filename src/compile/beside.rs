//! What was rendered, together with the rest of the repository.

use std::collections::{BTreeMap, BTreeSet};

use super::{Compiled, not_said_yet};
use crate::check::across::{self, Given};
use manifest::Object;
use manifest::diagnostic::SourceId;

/// The manifests that lie beside what is rendered.
#[derive(Debug, Default)]
pub struct Beside {
    /// Their objects.
    pub objects: Vec<Object>,
    /// All files that are there, manifests or not, by their paths from the root.
    pub files: BTreeSet<String>,
    /// The folders that were walked: what is not in `files` below them is not there.
    pub walked: Vec<String>,
    /// The files whose text is among the sources.
    pub texts: BTreeMap<String, SourceId>,
}

impl Compiled {
    /// Checks whether what was rendered fits together, and fits what lies beside it. A file that is rendered
    /// takes the place of the one that is there.
    pub fn look_across(&mut self, beside: Beside) {
        let Some(model) = &self.model else {
            return;
        };
        let rendered: BTreeSet<&str> = self.files.iter().map(|file| &*file.path).collect();
        let others = beside.objects.into_iter();
        let others: Vec<Object> = others.filter(|it| !rendered.contains(&*it.file)).collect();
        let rendered_objects = self.objects.len();
        // Together for the look, and apart again: only what was rendered is compared and written.
        self.objects.extend(others);
        let mut files = beside.files;
        files.extend(rendered.iter().map(|file| (*file).to_owned()));
        let mut texts = beside.texts;
        texts.extend(
            self.scripts
                .iter()
                .map(|(file, source)| (file.clone(), *source)),
        );
        let found = across::check(&Given {
            objects: &self.objects,
            files: &files,
            walked: &beside.walked,
            texts: &texts,
            sources: &self.sources,
            model: Some(model),
            selection: &self.selection,
        });
        // What is found in the others doesn't follow from mistakes in `cluster.toml`.
        let (own, theirs): (Vec<_>, Vec<_>) = found.into_iter().partition(|one| {
            one.file
                .as_deref()
                .is_none_or(|file| rendered.contains(file))
        });
        let own = not_said_yet(own, &self.diagnostics);
        self.diagnostics.extend(own);
        self.diagnostics.extend(theirs);
        self.objects.truncate(rendered_objects);
    }
}
