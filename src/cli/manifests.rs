//! Reads manifests from files, folders and standard input.

mod applied;
mod checked;
mod content;
mod skipped;
mod templates;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rayon::prelude::*;

pub(super) use applied::{flux_folders, read_repository, read_root};

use content::{FileText, text};

use super::git;
use super::walk::{SkipReason, walk};
use crate::bounds::unsaved::UnsavedTexts;
use crate::lint::LintInput;
use crate::model::rules::Rules;
use crd_validate::schema::Selection;
use flux_repo::{LINKED_FOLDER, completed, made_by_resource_sets};
use manifest::diagnostic::{Diagnostic, SourceId, Sources};
use manifest::read::{self, DocumentRange};
use manifest::{Object, items};

/// The manifests that were read.
#[derive(Default)]
pub(super) struct Manifests {
    /// The folder that file names are relative to, if it is not the current one.
    root: PathBuf,
    /// The number of files.
    pub files: usize,
    /// The files that were found, whether they were read or not, by the names that findings use.
    pub names: BTreeSet<String>,
    /// The files that were given by themselves, by the names that findings use.
    named: BTreeSet<String>,
    /// The folders that were walked, by the names that findings use. The empty name is the current folder.
    pub walked: Vec<String>,
    /// The texts that were read, of manifests and scripts, by name.
    pub texts: BTreeMap<String, SourceId>,
    /// The number of objects. It stays when `objects` is taken.
    pub count: usize,
    /// The objects.
    pub objects: Vec<Object>,
    /// The findings on the files themselves.
    pub diagnostics: Vec<Diagnostic>,
    /// The rules of the project itself, if manifests are checked without what `cluster.toml` renders.
    pub rules: Option<Rules>,
    /// The paths in folders that were skipped, and why.
    pub skipped: Vec<(PathBuf, SkipReason)>,
}

/// A file to read.
struct Input {
    /// The path; `None` for standard input, and for a file whose content is given.
    path: Option<PathBuf>,
    /// The content, if it is given.
    content: Option<Vec<u8>>,
    /// The name that findings use.
    name: String,
    role: Role,
}

impl Input {
    /// The path to show if the file is skipped.
    fn shown_path(&self) -> PathBuf {
        self.path
            .clone()
            .unwrap_or_else(|| PathBuf::from(&self.name))
    }
}

/// Why a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// The user named it, so it must be a manifest.
    Named,
    /// It was found in a folder and looks like a manifest.
    Met,
    /// A script that a ConfigMap may be generated from. Only its text is kept.
    Script,
}

/// Reads paths: files, folders (walked in order), or `-` for standard input. Documents are parsed on several threads;
/// the result is in the order of the paths.
///
/// # Errors
/// If a path doesn't exist or can't be read.
pub(super) fn read_all(paths: &[PathBuf], sources: &mut Sources) -> anyhow::Result<Manifests> {
    let mut all = Manifests::default();
    let inputs = all.inputs(paths)?;
    all.read(&inputs, sources)?;
    Ok(all)
}

/// Reads the manifests in the `folders` of `root`, except for the files that `is_replaced` tells. Names are relative to the root.
/// YAML that is not a Kubernetes object is skipped, because the user didn't ask for these files to be checked.
///
/// # Errors
/// If something can't be read.
pub(super) fn read_beside(
    root: &Path,
    folders: &[PathBuf],
    is_replaced: &dyn Fn(&str) -> bool,
    unsaved: &UnsavedTexts,
    sources: &mut Sources,
) -> anyhow::Result<Manifests> {
    let mut all = Manifests {
        root: root.to_owned(),
        ..Manifests::default()
    };
    let mut inputs = all.inputs(&folders.iter().map(|it| root.join(it)).collect::<Vec<_>>())?;
    inputs.retain(|input| !is_replaced(&input.name));
    for input in &mut inputs {
        let text = input.path.as_deref().and_then(|path| unsaved.get(path));
        input.content = text.map(|text| text.as_bytes().to_vec());
    }
    all.names.retain(|name| !is_replaced(name));
    all.read(&inputs, sources)?;
    Ok(all)
}

/// Reads the manifests below `root` as they were at a commit, of those files that `is_wanted` chooses.
///
/// # Errors
/// If Git fails.
pub(super) fn read_commit(
    root: &Path,
    commit: &str,
    is_wanted: impl Fn(&str) -> bool,
    sources: &mut Sources,
) -> anyhow::Result<Manifests> {
    // Names that start with a dot are skipped, as they are on a disk.
    let is_hidden = |name: &str| name.split('/').any(|part| part.starts_with('.'));
    let names = git::files(root, commit)?.into_iter();
    let mut all = Manifests {
        walked: vec![String::new()],
        names: names
            .filter(|name| is_wanted(name) && !is_hidden(name))
            .collect(),
        ..Manifests::default()
    };
    let names = all.names.iter();
    let wanted: Vec<String> = names
        .filter(|name| role(Path::new(name)).is_some())
        .cloned()
        .collect();
    let mut inputs = Vec::new();
    for (name, content) in git::show(root, commit, &wanted)? {
        if let Some(role) = role(Path::new(&name)) {
            inputs.push(Input {
                path: None,
                content: Some(content),
                name,
                role,
            });
        }
    }
    all.leave_out_chart_templates(&mut inputs);
    all.read(&inputs, sources)?;
    Ok(all)
}

impl Manifests {
    fn read(&mut self, inputs: &[Input], sources: &mut Sources) -> anyhow::Result<()> {
        self.files = inputs
            .iter()
            .filter(|input| input.role != Role::Script)
            .count();
        let texts: Vec<anyhow::Result<FileText>> = inputs.par_iter().map(text).collect();
        let mut read = Vec::with_capacity(inputs.len());
        for (input, text) in inputs.iter().zip(texts) {
            match text? {
                Ok(text) => {
                    let source = sources.add(&*input.name, text);
                    self.texts.insert(input.name.clone(), source);
                    read.extend((input.role != Role::Script).then_some((input, source)));
                }
                // A script that is not valid text is reported where it is used.
                Err(_) if input.role == Role::Script => {}
                Err(problem) if problem.is_encrypted && input.role == Role::Met => {
                    self.skipped
                        .push((input.shown_path(), SkipReason::Encrypted));
                }
                Err(problem) => self.diagnostics.push(problem.finding),
            }
        }
        self.documents(&read, sources);
        self.count = self.objects.len();
        let made = made_by_resource_sets(&self.objects);
        self.objects.extend(made);
        Ok(())
    }

    /// The text of a file that was read.
    pub(super) fn text(&self, name: &str, sources: &Sources) -> Option<String> {
        let source = self.texts.get(name)?;
        Some(sources.get(*source).text().to_owned())
    }

    /// Everything that was read, for the checks that look at all objects together.
    pub(super) fn lint_input<'a>(
        &'a self,
        sources: &'a Sources,
        selection: &'a Selection,
    ) -> LintInput<'a> {
        LintInput {
            objects: &self.objects,
            files: &self.names,
            walked: &self.walked,
            texts: &self.texts,
            sources,
            model: None,
            rules: self.rules.as_ref(),
            selection,
        }
    }

    /// Lists the files that the paths stand for.
    fn inputs(&mut self, paths: &[PathBuf]) -> anyhow::Result<Vec<Input>> {
        let mut inputs = Vec::new();
        for path in paths {
            if path.as_os_str() == "-" {
                inputs.push(Input {
                    path: None,
                    content: None,
                    name: "<stdin>".to_owned(),
                    role: Role::Named,
                });
            } else if path.is_dir() {
                self.walk(path, &mut inputs)?;
            } else if path.exists() {
                let input = self.input(path, Role::Named);
                self.names.insert(input.name.clone());
                self.named.insert(input.name.clone());
                inputs.push(input);
            } else {
                bail!("{}: there is no such file or folder", path.display());
            }
        }
        Ok(inputs)
    }

    fn input(&self, path: &Path, role: Role) -> Input {
        Input {
            path: Some(path.to_owned()),
            content: None,
            name: self.shown(path),
            role,
        }
    }

    /// Adds the files in a folder.
    fn walk(&mut self, folder: &Path, inputs: &mut Vec<Input>) -> anyhow::Result<()> {
        let walked =
            walk(folder).with_context(|| format!("{}: can't be walked", folder.display()))?;
        let name = self.shown(folder);
        let name = name.trim_end_matches('/');
        self.walked
            .push(if name == "." { "" } else { name }.to_owned());
        for file in &walked.files {
            self.names.insert(self.shown(file));
            inputs.extend(role(file).map(|role| self.input(file, role)));
        }
        self.leave_out_chart_templates(inputs);
        let links = walked
            .skipped
            .iter()
            .filter(|(_, why)| *why == SkipReason::Link);
        for (link, _) in links.filter(|(link, _)| link.is_dir()) {
            self.names.insert(self.shown(&link.join(LINKED_FOLDER)));
        }
        self.skipped.extend(walked.skipped);
        Ok(())
    }

    /// Parses the documents of all files. Threads take them one document at a time, so that a single large file is
    /// also parsed in parallel.
    fn documents(&mut self, files: &[(&Input, SourceId)], sources: &Sources) {
        let split: Vec<_> = files
            .par_iter()
            .map(|(_, source)| read::pieces(sources, *source))
            .collect();
        let mut pieces: Vec<(&Input, SourceId, DocumentRange)> = Vec::new();
        for ((input, source), (of_file, problem)) in files.iter().zip(split) {
            self.diagnostics.extend(problem);
            pieces.extend(of_file.into_iter().map(|piece| (*input, *source, piece)));
        }
        let held: Vec<(DocumentContents, Vec<Diagnostic>)> = pieces
            .par_iter()
            .map(
                |(input, source, piece)| match read::read_piece(sources, *source, piece) {
                    Ok(None) => (DocumentContents::Nothing, Vec::new()),
                    Ok(Some(document)) => (
                        document_contents(input, document.node),
                        document.differences,
                    ),
                    Err(problem) => {
                        let problem = Box::new(problem.diagnostic());
                        (DocumentContents::Problem(problem), Vec::new())
                    }
                },
            )
            .collect();
        self.objects.reserve(held.len());
        for (held, differences) in held {
            if !matches!(held, DocumentContents::NotAnObject(_)) {
                self.diagnostics.extend(differences);
            }
            match held {
                DocumentContents::Nothing => {}
                DocumentContents::NotAnObject(path) => {
                    let skipped = (path, SkipReason::NotAnObject);
                    if self.skipped.last() != Some(&skipped) {
                        self.skipped.push(skipped);
                    }
                }
                DocumentContents::One(object) => self.objects.push(object),
                DocumentContents::Items(objects) => self.objects.extend(objects),
                DocumentContents::Problem(problem) => self.diagnostics.push(*problem),
            }
        }
    }

    /// The path as findings show it.
    fn shown(&self, path: &Path) -> String {
        let path = path.strip_prefix(&self.root).unwrap_or(path);
        let shown = path.to_string_lossy().replace('\\', "/");
        shown.trim_start_matches("./").to_owned()
    }
}

/// What a document contains.
enum DocumentContents {
    Nothing,
    /// Something else than a Kubernetes object, in the file with this path.
    NotAnObject(PathBuf),
    One(Object),
    /// The items of a `List`.
    Items(Vec<Object>),
    Problem(Box<Diagnostic>),
}

fn document_contents(input: &Input, node: manifest::value::Node) -> DocumentContents {
    let object = |node| Object::new(node, input.name.clone());
    let document = completed(object(node));
    // A folder contains other YAML too: chart values, settings of other tools.
    let is_other = templates::is_chart(&input.name) || templates::is_of_other_tool(&document);
    if input.role == Role::Met && is_other {
        let path = input
            .path
            .clone()
            .unwrap_or_else(|| PathBuf::from(&input.name));
        return DocumentContents::NotAnObject(path);
    }
    let is_one = items(&document.node)
        .next()
        .is_some_and(|first| std::ptr::eq(first, &*document.node));
    match is_one {
        true => DocumentContents::One(document),
        false => DocumentContents::Items(items(&document.node).cloned().map(object).collect()),
    }
}

fn is_manifest(path: &Path) -> bool {
    let ending = path
        .extension()
        .map(|ending| ending.to_string_lossy().to_lowercase());
    matches!(ending.as_deref(), Some("yaml" | "yml" | "json"))
}

/// Why a file that was found in a folder is read, judged by its ending. `None` for most files.
fn role(path: &Path) -> Option<Role> {
    let ending = path.extension().map(|ending| ending.to_string_lossy());
    match ending.as_deref() {
        Some("lua" | "sh" | "js" | "py") => Some(Role::Script),
        _ => is_manifest(path).then_some(Role::Met),
    }
}
