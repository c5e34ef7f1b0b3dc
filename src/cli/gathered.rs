//! The objects that a command works on: those in the paths that it is given, else those of the whole repository, by
//! cluster.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::bail;
use rayon::prelude::*;

use super::Global;
use super::location;
use super::manifests::{self, Manifests};
use super::output::Stream;
use super::project::{self, Project};
use super::scope::Scope;
use super::several::{self, JoinedFindings};
use super::used::Used;
use crate::report::Report;
use envoy_gateway::controller::Files;
use envoy_gateway::declared::Declared;
use envoy_gateway::exposure::{Table, table, with_charted_from};
use envoy_gateway::helm_routes::ReleaseValues;
use envoy_gateway::{Settings, resolve};
use flux_repo::build::FileContent;
use flux_repo::{Cluster, PatchedObjects};
use manifest::Object;
use manifest::diagnostic::printable::printable;
use manifest::diagnostic::{Diagnostic, Sources};
use manifest::value::path;

/// Which objects to work on.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ObjectSources {
    /// Manifests: files, folders, or `-` for standard input [default: the whole repository, with what cluster.toml
    /// renders]
    #[arg(value_name = "DIR")]
    paths: Vec<PathBuf>,
    /// The same as DIR, as a flag
    #[arg(long = "in", value_name = "DIR")]
    within: Vec<PathBuf>,
}

impl ObjectSources {
    /// All paths; none for the whole repository.
    fn paths(&self) -> Vec<PathBuf> {
        self.paths.iter().chain(&self.within).cloned().collect()
    }
}

/// The manifests of a repository, or those in some paths, and their texts.
pub(super) struct Repository {
    manifests: Manifests,
    /// The texts of the files that `cluster.toml` renders, by name.
    rendered: BTreeMap<String, String>,
    /// What `cluster.toml` states about things that are managed elsewhere.
    declared: Declared,
    /// All texts that values have their places in.
    pub sources: Sources,
    /// The findings on the files themselves.
    found: Vec<Diagnostic>,
    /// Whether a manifest has an error.
    pub is_broken: bool,
    /// The folder that holds all of the manifests, from the root; empty for the root itself. `None` if they come from
    /// several paths, or if all are rendered.
    folder: Option<String>,
    /// Other folders, in which only Flux Kustomizations and what decides their values counts.
    flux_folders: Vec<String>,
    /// Whether this is all of a repository without a `cluster.toml`, so that Flux applies everything that is applied.
    is_whole: bool,
    /// The minor version of Envoy Gateway that `--use` or `cluster.toml` declares.
    version: Option<(u64, u64)>,
    /// The cluster that these manifests are for, if `cluster.toml` describes several.
    scope: Scope,
}

/// The objects of one cluster.
pub(super) struct ClusterObjects {
    /// The name of the cluster; `None` if all manifests are of one cluster.
    pub name: Option<String>,
    patched: PatchedObjects,
}

/// The objects, as they would be sent to the API server.
pub(super) struct Gathered {
    /// The name of the cluster; `None` if all manifests are of one cluster.
    pub cluster: Option<String>,
    /// The objects.
    pub objects: Vec<Object>,
    /// The settings of the controller, from the values of its chart.
    pub settings: Settings,
    /// The values that releases take from ConfigMaps.
    pub values_from: ReleaseValues,
}

impl Repository {
    /// Reads the manifests in `paths`. Without paths, it reads the whole repository: what `cluster.toml` renders, and
    /// all manifests beside it; or, if there is no `cluster.toml`, those of the Git repository that contains the
    /// current folder. Findings on the files themselves are printed. `used` are the declared versions.
    ///
    /// # Errors
    /// If something can't be read, the project has errors, or there is neither a `cluster.toml` nor a Git repository.
    pub(super) fn read(paths: &[PathBuf], used: &Used, global: &Global) -> anyhow::Result<Self> {
        let read = Self::read_manifests(paths, global)?;
        Ok(Repository {
            version: used.envoy_gateway(global)?,
            ..read
        })
    }

    fn read_manifests(paths: &[PathBuf], global: &Global) -> anyhow::Result<Self> {
        let mut sources = Sources::default();
        if !paths.is_empty() {
            let manifests = manifests::read_repository(paths, &mut sources)?;
            return Self::new(manifests, BTreeMap::new(), sources, global);
        }
        let Some(root) = location::root_without_config(global)? else {
            return Self::of_project(&Project::find(global)?, global);
        };
        let manifests = manifests::read_root(&root, &global.unsaved, &mut sources)?;
        let read = Self::new(manifests, BTreeMap::new(), sources, global)?;
        Ok(Repository {
            folder: Some(String::new()),
            is_whole: true,
            ..read
        })
    }

    /// What `cluster.toml` renders, and the manifests beside it.
    fn of_project(project: &Project, global: &Global) -> anyhow::Result<Self> {
        let mut compiled = project.compile()?;
        if compiled.has_errors() {
            let (files, objects) = (compiled.files.len(), compiled.objects.len());
            let report = Report::new(compiled.diagnostics, files, objects, &compiled.sources);
            global.report(&report, &compiled.sources)?;
            bail!("cluster.toml has errors, so it is not known what it would render");
        }
        let (mut manifests, _) = project.beside(&mut compiled)?;
        let folder = compiled.model.as_ref().map(project::top_folder);
        let flux_folders = project.flux_folders(&compiled)?;
        manifests.names.extend(compiled.file_names());
        manifests.objects.splice(..0, compiled.objects);
        manifests.leave_out_what_is_not_applied(&compiled.sources);
        let scope = project.scope();
        let declared = compiled.model.take().map(|model| model.declared);
        let files = compiled.files.into_iter();
        let rendered = files.map(|file| (file.path, file.text)).collect();
        let read = Self::new(manifests, rendered, compiled.sources, global)?;
        Ok(Repository {
            folder,
            flux_folders,
            declared: declared.unwrap_or_default(),
            scope,
            ..read
        })
    }

    /// Reads the repository for each cluster that `cluster.toml` describes, or only for the one that `--cluster` names. With
    /// paths, or if it describes no clusters by name, there is one repository.
    ///
    /// # Errors
    /// The same as for [`read`](Self::read).
    pub(super) fn read_each(
        paths: &[PathBuf],
        used: &Used,
        global: &Global,
    ) -> anyhow::Result<Vec<Self>> {
        if !paths.is_empty() || location::root_without_config(global)?.is_some() {
            return Ok(vec![Self::read(paths, used, global)?]);
        }
        let projects = Project::all(global, None)?;
        if let [only] = projects.as_slice() {
            return Ok(vec![Self::of_cluster(only, used, global)?]);
        }
        // Findings are told together, after all clusters were read.
        let quiet = Global {
            is_background: true,
            ..global.clone()
        };
        let each = projects.par_iter();
        let each = each.map(|project| Self::of_cluster(project, used, &quiet));
        let each: Vec<anyhow::Result<Self>> = each.collect();
        let each = match each.into_iter().collect::<anyhow::Result<Vec<Self>>>() {
            Ok(each) => each,
            Err(error) => {
                let joined = several::joined(several::compile_each(projects, Project::compile)?);
                global.report(&joined.report(), &joined.sources)?;
                return Err(error);
            }
        };
        let mut joined = JoinedFindings::default();
        for repository in &each {
            let (found, sources) = (repository.found.clone(), &repository.sources);
            joined.add(repository.described_cluster(), found, sources, (0, 0));
        }
        if !joined.diagnostics.is_empty() {
            global.report(&joined.report(), &joined.sources)?;
        }
        Ok(each)
    }

    fn of_cluster(project: &Project, used: &Used, global: &Global) -> anyhow::Result<Self> {
        let global = Global {
            cluster: project.cluster.clone().or(global.cluster.clone()),
            ..global.clone()
        };
        Ok(Repository {
            version: used.envoy_gateway(&global)?,
            ..Self::of_project(project, &global)?
        })
    }

    /// The cluster that these manifests are for, if `cluster.toml` describes several.
    pub(super) fn described_cluster(&self) -> Option<&str> {
        self.scope.cluster.as_deref()
    }

    /// The clusters that `cluster.toml` describes.
    pub(super) fn described_names(&self) -> Vec<Option<String>> {
        let described = self.scope.described.iter();
        described.map(|it| Some(it.name.clone())).collect()
    }

    /// Reads the same repository as it was at a commit; `root` is its root. What is wrong with them was not made by
    /// the user now, so it is not printed.
    ///
    /// # Errors
    /// If Git fails.
    pub(super) fn at_commit(&self, root: &Path, commit: &str) -> anyhow::Result<Self> {
        let mut sources = Sources::default();
        let is_wanted = |name: &str| match self.folder.as_deref() {
            _ if self.scope.is_of_another(name) => false,
            Some("") => true,
            Some(folder) => {
                let mut folders = self.flux_folders.iter().map(String::as_str).chain([folder]);
                folders.any(|it| path::below(it, name).is_some())
            }
            None => self.rendered.contains_key(name),
        };
        let mut manifests = manifests::read_commit(root, commit, is_wanted, &mut sources)?;
        manifests.keep_only_flux_in(&self.flux_folders, &sources);
        self.scope.leave_out_others(&mut manifests, &[], &sources);
        manifests.leave_out_what_is_not_applied(&sources);
        Ok(Repository {
            manifests,
            rendered: BTreeMap::new(),
            declared: self.declared.clone(),
            sources,
            found: Vec::new(),
            is_broken: false,
            folder: self.folder.clone(),
            flux_folders: self.flux_folders.clone(),
            is_whole: self.is_whole,
            version: self.version,
            scope: self.scope.clone(),
        })
    }

    /// What each cluster exposes.
    ///
    /// # Errors
    /// If there is no cluster of the name that `--cluster` gives.
    pub(super) fn exposed(&self, global: &Global) -> anyhow::Result<Vec<(Option<String>, Table)>> {
        let clusters = self.charted(global)?.into_iter();
        Ok(clusters
            .map(|it| (it.cluster.clone(), it.exposed()))
            .collect())
    }

    /// The texts of all manifests and scripts, by name.
    pub(super) fn texts(&self) -> BTreeMap<&str, &str> {
        let read = self.manifests.texts.iter();
        let read = read.map(|(name, source)| (name.as_str(), self.sources.get(*source).text()));
        let rendered = self.rendered.iter();
        let rendered = rendered.map(|(name, text)| (name.as_str(), text.as_str()));
        read.chain(rendered).collect()
    }

    fn new(
        mut manifests: Manifests,
        rendered: BTreeMap<String, String>,
        sources: Sources,
        global: &Global,
    ) -> anyhow::Result<Self> {
        let diagnostics = std::mem::take(&mut manifests.diagnostics);
        let (files, objects) = (manifests.files, manifests.objects.len());
        let report = Report::new(diagnostics, files, objects, &sources);
        if !report.diagnostics.is_empty() {
            global.report(&report, &sources)?;
        }
        Ok(Repository {
            manifests,
            rendered,
            declared: Declared::default(),
            is_broken: report.has_errors(),
            found: report.diagnostics,
            sources,
            folder: None,
            flux_folders: Vec::new(),
            is_whole: false,
            version: None,
            scope: Scope::default(),
        })
    }

    fn content(&self, file: &str) -> Option<FileContent> {
        if let Some(text) = self.rendered.get(file) {
            return Some(FileContent {
                bytes: text.as_bytes().to_vec(),
                source: None,
            });
        }
        let source = self.manifests.texts.get(file)?;
        Some(FileContent::of(&self.sources, *source))
    }

    /// The text of a file.
    pub(super) fn text(&self, file: &str) -> Option<String> {
        let rendered = self.rendered.get(file).cloned();
        rendered.or_else(|| self.manifests.text(file, &self.sources))
    }

    /// The objects of each cluster, or only those of the cluster that `--cluster` names.
    ///
    /// # Errors
    /// If there is no cluster of that name.
    pub(super) fn clusters(&self, global: &Global) -> anyhow::Result<Vec<ClusterObjects>> {
        let (objects, names) = (&self.manifests.objects, &self.manifests.names);
        let content = |file: &str| self.content(file);
        let whole = PatchedObjects::of(objects, names, &content);
        let files = whole.objects.iter().map(|object| object.file.as_str());
        let clusters = whole.delivery.clusters(files);
        if let Some(name) = &self.scope.cluster {
            let own = clusters.iter().find(|cluster| self.scope.is_own(cluster));
            return Ok(vec![match own.filter(|_| clusters.len() > 1) {
                Some(own) => {
                    let patched = self.patched(own, &content);
                    self.cluster(Some(name.clone()), patched)
                }
                None => self.cluster(Some(name.clone()), whole),
            }]);
        }
        let known = Cluster::names(&clusters);
        let wanted = global.cluster.as_deref();
        if let Some(wanted) = wanted.filter(|wanted| !known.iter().any(|name| name == wanted)) {
            match known.as_slice() {
                [] | [_] => bail!("--cluster {wanted}: all manifests are of one cluster"),
                _ => bail!(
                    "--cluster {wanted}: there is no such cluster, only {}",
                    known.join(", ")
                ),
            }
        }
        if clusters.len() == 1 {
            return Ok(vec![self.cluster(None, whole)]);
        }
        let clusters = clusters.iter().zip(known);
        let clusters = clusters.filter(|(_, name)| wanted.is_none_or(|wanted| wanted == name));
        Ok(clusters
            .map(|(cluster, name)| self.cluster(Some(name), self.patched(cluster, &content)))
            .collect())
    }

    /// The objects of one of several clusters, as kustomize leaves them.
    fn patched(
        &self,
        cluster: &Cluster<'_>,
        content: &dyn Fn(&str) -> Option<FileContent>,
    ) -> PatchedObjects {
        let own = |file: &str| cluster.may_hold(file);
        let all = self.manifests.objects.iter();
        let objects: Vec<Object> = all.filter(|it| own(&it.file)).cloned().collect();
        let names = self.manifests.names.iter();
        let names = names.filter(|file| own(file)).cloned().collect();
        PatchedObjects::of(&objects, &names, content)
    }

    fn cluster(&self, name: Option<String>, mut patched: PatchedObjects) -> ClusterObjects {
        if self.is_whole {
            patched
                .delivery
                .leave_out_what_flux_does_not_apply(&patched.objects);
        }
        ClusterObjects { name, patched }
    }

    /// Calls `look` with the files of a cluster.
    pub(super) fn with_files<T>(
        &self,
        cluster: &ClusterObjects,
        look: impl FnOnce(&Files<'_>) -> T,
    ) -> T {
        look(&Files {
            objects: &cluster.patched.objects,
            delivery: &cluster.patched.delivery,
            text_of: &|file: &str| self.text(file),
        })
    }

    /// Whether `cluster.toml` renders a file.
    fn holds(&self, file: &str) -> bool {
        self.rendered.is_empty() || self.rendered.contains_key(file)
    }

    /// The objects of a cluster as the API server gets them.
    pub(super) fn applied_in(&self, cluster: Option<String>, files: &Files<'_>) -> Gathered {
        let (objects, mut settings) = files.applied_by(self.version);
        // Another cluster may have gateways of the same names.
        let is_own = |it: &Object| it.kind() == "Gateway" && self.holds(&it.file);
        if objects.iter().any(is_own) {
            settings.declared.clone_from(&self.declared);
        }
        Gathered {
            cluster,
            values_from: files.release_values(&objects),
            objects,
            settings,
        }
    }

    /// The objects of each cluster as the API server gets them, without the routes that Helm charts would create.
    ///
    /// # Errors
    /// The same as for [`clusters`](Self::clusters).
    pub(super) fn applied(&self, global: &Global) -> anyhow::Result<Vec<Gathered>> {
        let clusters = self.clusters(global)?;
        let clusters = clusters.into_iter().map(|cluster| {
            self.with_files(&cluster, |files| {
                self.applied_in(cluster.name.clone(), files)
            })
        });
        Ok(clusters.collect())
    }

    /// The objects of each cluster as the API server gets them, with the routes that Helm charts would create.
    ///
    /// # Errors
    /// The same as for [`clusters`](Self::clusters).
    pub(super) fn charted(&self, global: &Global) -> anyhow::Result<Vec<Gathered>> {
        let applied = self.applied(global)?.into_iter();
        let charted = applied.map(|it| Gathered {
            objects: with_charted_from(it.objects, &it.values_from),
            ..it
        });
        Ok(charted.collect())
    }
}

impl Gathered {
    /// What the cluster exposes.
    pub(super) fn exposed(&self) -> Table {
        table(&resolve(&self.objects, &self.settings), &self.objects)
    }

    /// Prints the name of the cluster, if there are several. `nth` is its number among them, from 0 on.
    ///
    /// # Errors
    /// If it can't be written.
    pub(super) fn write_heading(&self, nth: usize, out: &mut Stream) -> std::io::Result<()> {
        let space = if nth == 0 { "" } else { "\n" };
        match &self.cluster {
            Some(name) => writeln!(out, "{space}cluster {}\n", printable(name)),
            None => Ok(()),
        }
    }
}

/// The objects of the only cluster.
///
/// # Errors
/// If there are several.
pub(super) fn only(clusters: &[Gathered]) -> anyhow::Result<&Gathered> {
    match clusters {
        [only] => Ok(only),
        _ => {
            let names: Vec<&str> = clusters
                .iter()
                .filter_map(|it| it.cluster.as_deref())
                .collect();
            bail!(
                "the manifests are of {} clusters, {}: choose one with `--cluster NAME`",
                names.len(),
                names.join(", ")
            )
        }
    }
}

/// Reads the repository that a command works on, for each cluster that `cluster.toml` describes.
///
/// # Errors
/// The same as for [`Repository::read_each`].
pub(super) fn repositories(
    place: &ObjectSources,
    used: &Used,
    global: &Global,
) -> anyhow::Result<Vec<Repository>> {
    Repository::read_each(&place.paths(), used, global)
}

/// Reads the repository that a command works on.
///
/// # Errors
/// The same as for [`Repository::read`].
pub(super) fn repository(
    place: &ObjectSources,
    used: &Used,
    global: &Global,
) -> anyhow::Result<Repository> {
    Repository::read(&place.paths(), used, global)
}
