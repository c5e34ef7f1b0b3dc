//! A project on disk: its root, its `cluster.toml`, and the manifests beside it.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, bail};

use super::described::{self, DescribedCluster};
use super::location::{self, CONFIG};
use super::manifests::{self, Manifests};
use super::owned::{self, Owned, with_help};
use super::scope::Scope;
use super::{Global, own, place, today};
use crate::bounds::file::Unread;
use crate::bounds::unsaved::UnsavedTexts;
use crate::compile::{self, Beside, Compiled, World, compile_each};
use crate::config::codes::CONFIG_UNKNOWN_KEY;
use crate::config::load::{LARGEST_CONFIG, keys_of_another_tool};
use crate::model::Model;
use crate::render::Shared;
use crate::render::files::{Inputs, Output};
use crate::tree::plan::Action;
use crate::tree::{Configuration, Locks, Plan};
use crd_validate::schema::{Catalogue, Selection};
use manifest::codes;
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::listed;

/// A project on disk.
pub(super) struct Project {
    /// The folder that all paths are relative to.
    pub root: PathBuf,
    /// The folder that files are written to: the root, unless the user asked for another one.
    pub out: PathBuf,
    /// The path of the configuration.
    pub config: PathBuf,
    /// The schemas in the program, and the project's own.
    pub catalogue: Arc<Catalogue>,
    /// The cluster, if the configuration describes several. `None` also stands for what they have in common.
    pub cluster: Option<String>,
    /// All clusters that the configuration describes.
    pub described: Arc<Vec<DescribedCluster>>,
    /// Whether only this one of several clusters is looked at.
    pub is_one_of_several: bool,
    /// The commit that extended files are read at, in place of the disk.
    pub commit: Option<String>,
    /// What somebody has typed in an editor, in place of files.
    pub unsaved: UnsavedTexts,
    /// What earlier renders have written. It is read when it is needed first.
    pub owned: OnceLock<Owned>,
}

impl Project {
    /// Finds the project, for one cluster.
    ///
    /// # Errors
    /// If there is no `cluster.toml`, or it describes several clusters and none is named.
    pub(super) fn find(global: &Global) -> anyhow::Result<Self> {
        Self::find_for(global, None)
    }

    /// Finds the project whose output goes to `out`, for one cluster.
    ///
    /// # Errors
    /// The same as for [`find`](Self::find).
    pub(super) fn find_for(global: &Global, out: Option<&Path>) -> anyhow::Result<Self> {
        described::only(Self::all(global, out)?)
    }

    /// Finds the project whose output goes to `out`: for each cluster that it describes, or only for the one that
    /// `--cluster` names. If it describes no clusters by name, there is one project.
    ///
    /// # Errors
    /// If there is no `cluster.toml`, or it describes no cluster of the name.
    pub(super) fn all(global: &Global, out: Option<&Path>) -> anyhow::Result<Vec<Self>> {
        let project = Self::common(global, out)?;
        described::chosen(&project, global)
    }

    /// Finds the project whose output goes to `out`, for what its clusters have in common.
    ///
    /// # Errors
    /// If there is no `cluster.toml`.
    pub(super) fn common(global: &Global, out: Option<&Path>) -> anyhow::Result<Self> {
        let (root, config) = location::place(global)?;
        let mut catalogue = Catalogue::embedded();
        own::add(&mut catalogue, &root.join(own::FOLDER))?;
        let project = Project {
            out: out.map_or_else(|| root.clone(), Path::to_path_buf),
            root,
            config,
            catalogue: Arc::new(catalogue),
            cluster: None,
            described: Arc::default(),
            is_one_of_several: false,
            commit: None,
            unsaved: global.unsaved.clone(),
            owned: OnceLock::new(),
        };
        let described = Arc::new(described::read(&project)?);
        Ok(Project {
            described,
            ..project
        })
    }

    /// Finds the project for the cluster that `--cluster` names, or else for what all have in common.
    ///
    /// # Errors
    /// If there is no `cluster.toml`, or it describes no cluster of the name.
    pub(super) fn nearest(global: &Global) -> anyhow::Result<Self> {
        let project = Self::common(global, None)?;
        let mut all = described::chosen(&project, global)?;
        Ok(match all.len() {
            1 => all.remove(0),
            _ => project,
        })
    }

    /// What earlier renders have written.
    ///
    /// # Errors
    /// If a lock can't be read.
    pub(super) fn owned(&self) -> anyhow::Result<&Owned> {
        if let Some(owned) = self.owned.get() {
            return Ok(owned);
        }
        let configuration = self.configuration();
        let locks = Locks::load(&self.out, &configuration).map_err(with_help)?;
        Ok(self.owned.get_or_init(|| Owned::new(locks)))
    }

    /// What of the repository is judged with this cluster.
    pub(super) fn scope(&self) -> Scope {
        Scope {
            cluster: self.cluster.clone(),
            described: Arc::clone(&self.described),
        }
    }

    /// How the lock names the configuration.
    pub(super) fn configuration(&self) -> Configuration {
        let names = self.described.iter().map(|it| it.name.clone());
        Configuration {
            cluster: self.cluster.clone(),
            clusters: names.collect(),
            ..place::configuration(&self.config, &self.root, &self.out)
        }
    }

    /// What a render would change, and the entries of kustomizations that kustomize would fail on after it.
    ///
    /// # Errors
    /// If something can't be read, or another render is running.
    pub(super) fn plan(
        &self,
        compiled: &mut Compiled,
        force: bool,
    ) -> anyhow::Result<(Plan, Vec<Diagnostic>)> {
        let plan = self.owned()?.plan(&self.out, &compiled.files, force)?;
        let not_built = owned::not_built(compiled, &plan, &self.out, &self.root);
        Ok((plan, not_built))
    }

    /// Compiles the configuration, and checks the rendered objects together. Mistakes that only show together with the
    /// rest of the repository are not reported, because they don't prevent files from being written.
    ///
    /// # Errors
    /// If something can't be read.
    pub(super) fn compile_to_write(&self) -> anyhow::Result<Compiled> {
        let mut compiled = self.compile()?;
        let earlier = compiled.diagnostics.len();
        compiled.look_across(Beside::default());
        let alone = compiled.diagnostics.split_off(earlier);
        if alone.is_empty() {
            return Ok(compiled);
        }
        // An object that seems to be missing may be in another file, so the rest of the repository is read now.
        let replaced = compiled.file_names();
        let beside = self.read_beside(&mut compiled, &replaced)?;
        compiled.look_across(beside_of(beside).0);
        let whole = compiled.diagnostics.split_off(earlier);
        let holds_alone = |one: &Diagnostic| {
            let is_same = |it: &Diagnostic| {
                (it.code, &it.file, &it.pointer) == (one.code, &one.file, &one.pointer)
            };
            alone.iter().any(is_same)
        };
        compiled
            .diagnostics
            .extend(whole.into_iter().filter(holds_alone));
        Ok(compiled)
    }

    /// Compiles the configuration, and checks what it renders together with the manifests beside it. Returns those
    /// too.
    ///
    /// # Errors
    /// If something can't be read.
    pub(super) fn compile_whole(&self) -> anyhow::Result<(Compiled, Manifests)> {
        let mut compiled = self.compile()?;
        if let Some(model) = &mut compiled.model {
            model.rules.today = today::today();
        }
        let (found, not_built) = self.beside(&mut compiled)?;
        compiled.diagnostics.extend(not_built);
        let (beside, mut found) = beside_of(found);
        found.objects = compiled.look_across(beside);
        Ok((compiled, found))
    }

    /// The manifests beside the rendered files, without those that the next render replaces or removes; and the
    /// entries of kustomizations that kustomize would fail on after it.
    ///
    /// # Errors
    /// If something can't be read.
    pub(super) fn beside(
        &self,
        compiled: &mut Compiled,
    ) -> anyhow::Result<(Manifests, Vec<Diagnostic>)> {
        let mut replaced = compiled.file_names();
        let mut not_built = Vec::new();
        if !compiled.has_errors() {
            let (plan, found) = self.plan(compiled, false)?;
            not_built = found;
            let removed = plan.changes().filter(|it| it.action == Action::Remove);
            replaced.extend(removed.map(|entry| entry.path.to_string()));
        }
        let abandoned = self.abandoned_files()?.into_iter();
        replaced.extend(abandoned.flat_map(|(_, files)| files));
        let mut found = self.read_beside(compiled, &replaced)?;
        let scope = self.scope();
        scope.leave_out_others(&mut found, &compiled.objects, &compiled.sources);
        Ok((found, not_built))
    }

    /// The manifests in the same tree as the rendered files, without the files in `replaced`.
    fn read_beside(
        &self,
        compiled: &mut Compiled,
        replaced: &BTreeSet<String>,
    ) -> anyhow::Result<Manifests> {
        match compiled.model.as_ref().and_then(|model| self.tree(model)) {
            Some(folder) => {
                let others = self.flux_folders(compiled)?;
                let folders: Vec<PathBuf> = [folder]
                    .into_iter()
                    .chain(others.iter().map(PathBuf::from))
                    .collect();
                let sources = &mut compiled.sources;
                let scope = self.scope();
                let is_replaced = |name: &str| replaced.contains(name) || scope.is_of_another(name);
                let (root, unsaved) = (&self.root, &self.unsaved);
                let mut found =
                    manifests::read_beside(root, &folders, &is_replaced, unsaved, sources)?;
                found.keep_only_flux_in(&others, &compiled.sources);
                Ok(found)
            }
            None => Ok(Manifests::default()),
        }
    }

    /// The other folders in which there are Flux Kustomizations, which may apply what is in that of the manifests.
    ///
    /// # Errors
    /// If a folder can't be walked.
    pub(super) fn flux_folders(&self, compiled: &Compiled) -> anyhow::Result<Vec<String>> {
        match &compiled.model {
            Some(model) => manifests::flux_folders(&self.root, &top_folder(model)),
            None => Ok(Vec::new()),
        }
    }

    /// The folder that holds the cluster's manifests: the first component of the path to the rendered files, from the
    /// root.
    fn tree(&self, model: &Model) -> Option<PathBuf> {
        let first = top_folder(model);
        let folder = Path::new(&first);
        let is_plain = matches!(folder.components().next(), Some(Component::Normal(_)));
        (is_plain && self.root.join(folder).is_dir()).then(|| folder.to_owned())
    }

    /// Compiles the configuration, and checks each rendered object by itself. [`compile_to_write`](Self::compile_to_write)
    /// also checks the rendered objects together, and [`compile_whole`](Self::compile_whole) checks them together with the
    /// rest of the repository.
    ///
    /// # Errors
    /// If the configuration can't be read.
    pub(super) fn compile(&self) -> anyhow::Result<Compiled> {
        let name = self.config_name();
        self.owned()?;
        match self.config_text()? {
            ConfigText::Read(text) => Ok(compile_each(&name, &text, self, &self.catalogue)),
            ConfigText::OfAnotherTool(text, keys) => {
                let mut compiled = compile_each(&name, &text, self, &self.catalogue);
                let first = compiled.diagnostics.iter().find_map(|one| one.span);
                compiled.files.clear();
                compiled.model = None;
                compiled.diagnostics = vec![of_another_tool(&name, &keys).at(first)];
                Ok(compiled)
            }
            ConfigText::TooLarge(size) => {
                let mut compiled = compile_each(&name, "", self, &self.catalogue);
                compiled.files.clear();
                compiled.model = None;
                compiled.diagnostics = vec![too_large(&name, size)];
                Ok(compiled)
            }
        }
    }

    /// Compiles another text of the configuration, and checks each rendered object by itself.
    pub(super) fn compile_text(&self, text: &str) -> Compiled {
        compile_each(&self.config_name(), text, self, &self.catalogue)
    }

    /// The name of the configuration, as findings show it.
    pub(super) fn config_name(&self) -> String {
        let shown = self.config.strip_prefix(&self.root).unwrap_or(&self.config);
        shown.to_string_lossy().replace('\\', "/")
    }

    pub(super) fn config_text(&self) -> anyhow::Result<ConfigText> {
        match self.unsaved.text(&self.config, LARGEST_CONFIG) {
            Ok(text) => match keys_of_another_tool(&text).as_slice() {
                [] => Ok(ConfigText::Read(text)),
                keys => {
                    let keys = keys.iter().map(|key| format!("`{key}`"));
                    Ok(ConfigText::OfAnotherTool(text.clone(), listed(keys)))
                }
            },
            Err(Unread::TooLarge { bytes, .. }) => Ok(ConfigText::TooLarge(bytes)),
            Err(error @ Unread::NotUtf8 { .. }) => bail!("{}: {error}", self.config_name()),
            Err(error) => {
                let unread = || format!("{}: can't be read", self.config.display());
                Err(error).with_context(unread)
            }
        }
    }
}

/// Splits manifests into what is checked beside the rendered objects, and everything else that is known about them.
fn beside_of(mut found: Manifests) -> (Beside, Manifests) {
    let beside = Beside {
        objects: std::mem::take(&mut found.objects),
        files: found.names.clone(),
        walked: found.walked.clone(),
        texts: found.texts.clone(),
    };
    (beside, found)
}

/// The folder that holds the cluster's manifests: the first part of the path to the rendered files.
pub(super) fn top_folder(model: &Model) -> String {
    let first = model.layout.path.split('/').next();
    first.unwrap_or_default().to_owned()
}

/// What there is of a configuration.
pub(super) enum ConfigText {
    Read(String),
    /// It is the file of another tool: its text, and its keys as a list.
    OfAnotherTool(String, String),
    /// It is too large; the number is its size in bytes.
    TooLarge(u64),
}

/// The schemas and the versions in force: those of the project, or the newest ones if there is no project.
///
/// # Errors
/// If the named project doesn't exist, or can't be read.
pub(super) fn in_force(global: &Global) -> anyhow::Result<(Arc<Catalogue>, Selection)> {
    if location::locate(global)?.is_none() {
        let mut catalogue = Catalogue::embedded();
        own::add(&mut catalogue, &location::schemas_folder(global)?)?;
        let selection = Selection::newest(&catalogue);
        return Ok((Arc::new(catalogue), selection));
    }
    let mut all = Vec::new();
    for project in Project::all(global, None)? {
        let selection = match project.config_text()? {
            ConfigText::Read(text) => {
                let name = project.config_name();
                compile::in_force_for(&name, &text, &project, &project.catalogue)
            }
            ConfigText::OfAnotherTool(..) | ConfigText::TooLarge(_) => {
                Selection::newest(&project.catalogue)
            }
        };
        let titles: Vec<String> = selection.all().map(|it| it.set.title()).collect();
        // The same versions in all clusters are those of any.
        if all.iter().all(|(_, _, there)| *there != titles) {
            all.push((project, selection, titles));
        }
    }
    if all.len() > 1 {
        let projects = all.into_iter().map(|(project, ..)| project);
        return Err(described::several(&projects.collect::<Vec<_>>()));
    }
    match all.pop() {
        Some((project, selection, _)) => Ok((project.catalogue, selection)),
        None => bail!("there is no {CONFIG} in this folder or above"),
    }
}

fn of_another_tool(name: &str, keys: &str) -> Diagnostic {
    let message =
        format!("{name} is the file of another tool: gatewayctl has none of its keys ({keys})");
    Diagnostic::new(CONFIG_UNKNOWN_KEY, message)
        .why("it describes no gateways, so there is nothing to render")
        .help(format!(
            "`gatewayctl import DIR` writes a {CONFIG} from the manifests in DIR, and `--config FILE` reads one with another name"
        ))
}

fn too_large(name: &str, size: u64) -> Diagnostic {
    Diagnostic::new(
        codes::CONFIG_TOO_LARGE,
        format!("{name} has {size} bytes, more than {LARGEST_CONFIG}"),
    )
    .in_file(name)
    .why("a real configuration is much smaller; reading this file would take a lot of time and memory")
    .help("check that this is the right file; move long scripts into files of their own")
}

impl Inputs for Project {
    fn read(&self, path: &str) -> Option<String> {
        self.unsaved
            .text(&self.root.join(path), LARGEST_CONFIG)
            .ok()
    }

    fn read_output(&self, path: &str) -> Output {
        let owned = self.owned.get();
        owned.map_or(Output::Nothing, |owned| owned.read(&self.out, path))
    }

    fn shared(&self) -> Vec<Shared> {
        let owned = self.owned.get();
        owned.map_or_else(Vec::new, |owned| owned.shared(&self.out))
    }
}

impl World for Project {
    fn list(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.join(folder))
            .into_iter()
            .flatten();
        let mut names: Vec<String> = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.path().is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }

    fn prefix(&self) -> String {
        place::prefix(&self.root, &self.out)
    }

    fn cluster(&self) -> Option<&str> {
        self.cluster.as_deref()
    }

    fn extended(&self, path: &str) -> Result<String, String> {
        described::extended(self, path)
    }
}
