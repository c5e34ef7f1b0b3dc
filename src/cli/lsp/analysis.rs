//! The check of a repository, with everything that answers need of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::Global;
use super::super::checked::{Checked, check_whole};
use super::roots;
use crate::bounds::unsaved::UnsavedTexts;
use crate::cli::location;
use crate::compile::check_in_files;
use crate::config::codes::CONFIG_SYNTAX;
use crate::editor::Index;
use crate::editor::index::IndexedFile;
use crate::lint::LintInput;
use crd_validate::schema::{Catalogue, Selection};
use manifest::Object;
use manifest::codes::{YAML_READERS_DIFFER, YAML_SYNTAX};
use manifest::diagnostic::{Diagnostic, Sources};

/// What a check found.
pub(super) struct Analysis {
    /// The texts that were typed and not saved when it began, by path.
    pub unsaved: BTreeMap<PathBuf, Arc<str>>,
    pub findings: Vec<Diagnostic>,
    pub sources: Sources,
    pub catalogue: Arc<Catalogue>,
    pub selection: Selection,
    pub index: Index,
    /// The files that can't be parsed as they are typed.
    pub broken: BTreeSet<String>,
    /// The name of the `cluster.toml`.
    pub config: Option<String>,
}

/// The options of a check with the texts that are open in the editor.
pub(super) fn options(
    root: &Path,
    global: &Global,
    unsaved: BTreeMap<PathBuf, Arc<str>>,
) -> Global {
    Global {
        unsaved: UnsavedTexts::new(unsaved),
        ..roots::options(root, global)
    }
}

/// Checks a repository.
///
/// # Errors
/// If something can't be read.
pub(super) fn analyse(root: &Path, global: &Global) -> anyhow::Result<Analysis> {
    let mut checked = check_whole(&[], global)?;
    let unsaved = global.unsaved.all().clone();
    let open: BTreeSet<String> = unsaved
        .keys()
        .filter_map(|path| path.strip_prefix(root).ok())
        .map(|path| path.to_string_lossy().replace('\\', "/"))
        .collect();
    check_open(&mut checked, &open);
    let findings = checked.take_reported();
    let is_syntax = |code| [YAML_SYNTAX, YAML_READERS_DIFFER, CONFIG_SYNTAX].contains(&code);
    let broken = findings.iter().filter(|finding| is_syntax(finding.code));
    let broken = broken
        .filter_map(|finding| Some(checked.sources.get(finding.span?.source).name().to_owned()));
    let broken = broken.filter(|name| open.contains(name)).collect();
    let config = checked
        .config
        .map(|id| checked.sources.get(id).name().to_owned());
    Ok(Analysis {
        unsaved,
        findings,
        broken,
        config,
        index: index(&mut checked),
        sources: checked.sources,
        catalogue: checked.catalogue,
        selection: checked.selection,
    })
}

/// The schemas and versions for documents that belong to no repository.
pub(super) fn without_repository() -> (Catalogue, Selection) {
    let catalogue = Catalogue::embedded();
    let selection = Selection::newest(&catalogue);
    (catalogue, selection)
}

/// Checks the open manifests beside a `cluster.toml` against their schemas, as `validate FILE` does.
fn check_open(checked: &mut Checked, open: &BTreeSet<String>) {
    if !checked.is_project || !checked.others.iter().any(|it| open.contains(&it.file)) {
        return;
    }
    let input = LintInput {
        objects: &checked.others,
        ..checked
            .manifests
            .lint_input(&checked.sources, &checked.selection)
    };
    let found = input.with_context(|context| {
        check_in_files(
            context.objects,
            context.delivery,
            &checked.catalogue,
            &checked.selection,
        )
    });
    let found = found.into_iter().filter(|finding| {
        let file = finding
            .span
            .map(|span| checked.sources.get(span.source).name());
        file.or(finding.file.as_deref())
            .is_some_and(|file| open.contains(file))
    });
    let found: Vec<Diagnostic> = found.collect();
    checked.diagnostics.extend(found);
}

/// Takes the objects and their texts, by file.
fn index(checked: &mut Checked) -> Index {
    let mut index = Index::default();
    let (rendered, written) = match checked.is_project {
        true => (
            std::mem::take(&mut checked.manifests.objects),
            std::mem::take(&mut checked.others),
        ),
        false => (Vec::new(), std::mem::take(&mut checked.manifests.objects)),
    };
    for (objects, is_rendered) in [(written, false), (rendered, true)] {
        let mut by_file: BTreeMap<String, Vec<Object>> = BTreeMap::new();
        for object in objects {
            by_file.entry(object.file.clone()).or_default().push(object);
        }
        for (name, objects) in by_file {
            let source = objects.iter().find_map(|object| object.node.span);
            let text = source.map(|span| checked.sources.get(span.source).text().into());
            index.insert(
                name,
                IndexedFile {
                    text: text.unwrap_or_default(),
                    objects,
                    is_rendered,
                },
            );
        }
    }
    if let Some(config) = checked.config {
        let source = checked.sources.get(config);
        let namespace = checked
            .model
            .as_ref()
            .map(|model| model.namespace.value.as_str());
        index.configure(source.name(), source.text(), namespace);
    }
    index
}

/// Whether a path is the `cluster.toml` of a root.
pub(super) fn is_config(path: &Path, root: &Path, global: &Global) -> bool {
    let options = roots::options(root, global);
    let config = location::locate(&options).ok().flatten();
    config.is_some_and(|config| config == path)
}
