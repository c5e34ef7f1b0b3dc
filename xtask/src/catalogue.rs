//! Brings the catalogue up to date: asks the Go module proxy for new releases of the projects in `schemas/sources.toml`,
//! imports their CRDs, and writes what changed as Markdown.
//!
//! A release whose CRDs are those of an earlier one is not stored, only listed in `schemas/releases.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use crd_validate::schema::files::{self, Input};
use crd_validate::schema::import::Keep;
use crd_validate::schema::lock::{Lock, Locked};
use crd_validate::schema::releases::{self, ProjectReleases, Releases};
use crd_validate::schema::{Set, Version};
use walkdir::WalkDir;

use crate::changes;
use crate::go;
use crate::sources::{Policy, Project, Sources, Types};

/// The name of the list of releases.
const RELEASES: &str = "releases.json";

/// What is asked for.
pub struct Options {
    /// The folder of the catalogue.
    into: PathBuf,
    /// Only this project.
    only: Option<String>,
    /// Whether releases that the catalogue has are imported again.
    again: bool,
    /// Where the Markdown goes; standard output if it is not given.
    summary: Option<PathBuf>,
}

impl Options {
    /// Parses the command line.
    ///
    /// # Errors
    /// If a word is not known.
    pub fn parse(words: &[&str]) -> anyhow::Result<Self> {
        let mut options = Options {
            into: Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas"),
            only: None,
            again: false,
            summary: None,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .with_context(|| format!("{word} needs a value"))
            };
            match *word {
                "--again" => options.again = true,
                "--only" => options.only = Some((*value()?).to_owned()),
                "--into" => options.into = PathBuf::from(*value()?),
                "--summary" => options.summary = Some(PathBuf::from(*value()?)),
                _ => bail!("{word} is not an option of `cargo xtask catalogue`"),
            }
        }
        Ok(options)
    }
}

/// The catalogue on disk, as far as it is changed.
struct State {
    folder: PathBuf,
    lock: Lock,
    releases: Releases,
    /// The texts of files that are not written yet, by path.
    texts: BTreeMap<String, Vec<u8>>,
    removed: BTreeSet<String>,
    /// The sections of the Markdown.
    changes: Vec<String>,
    /// What could not be had.
    notes: Vec<String>,
}

/// Runs the task.
///
/// # Errors
/// If something can't be read or written, or Go is missing.
pub fn run(options: Options) -> anyhow::Result<()> {
    let sources = Sources::read(&options.into.join("sources.toml"))?;
    let lock = read(&options.into.join(files::LOCK))?;
    let list = read(&options.into.join(RELEASES))?;
    let mut state = State {
        folder: options.into.clone(),
        lock: Lock::parse(&lock)?,
        releases: releases::parse(&list)?,
        texts: BTreeMap::new(),
        removed: BTreeSet::new(),
        changes: Vec::new(),
        notes: Vec::new(),
    };
    let projects = sources.project.iter();
    let projects: Vec<&Project> = projects
        .filter(|it| options.only.as_ref().is_none_or(|only| it.name == *only))
        .collect();
    if projects.is_empty() {
        bail!("schemas/sources.toml has no such project");
    }
    let mut jobs = Vec::new();
    for project in &projects {
        let listed = state.listed(project);
        let wanted = match project.bundled_in {
            Some(_) => listed.into_iter().max().into_iter().collect(),
            None => {
                state.add_releases(project, listed);
                state.wanted(project, options.again)
            }
        };
        jobs.extend(wanted.into_iter().map(|version| (*project, version)));
    }
    let folders = state.download(&jobs)?;
    for (project, version) in &jobs {
        let Some(folder) = folders.get(&module(project, version)) else {
            continue;
        };
        match &project.bundled_in {
            None => state.import(project, version, folder)?,
            Some(path) => {
                let bundled = bundled(&folder.join(path))?;
                state.add_releases(project, bundled.keys().cloned().collect());
                for version in state.wanted(project, options.again) {
                    if let Some(folder) = bundled.get(&version) {
                        state.import(project, &version, folder)?;
                    }
                }
            }
        }
    }
    for project in &projects {
        state.remove_replaced(project)?;
    }
    state.write()?;
    let text = state.markdown();
    match options.summary {
        Some(path) => std::fs::write(&path, text).with_context(|| path.display().to_string()),
        None => {
            print!("{text}");
            Ok(())
        }
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}

fn module(project: &Project, version: &Version) -> String {
    format!("{}@v{version}", project.module)
}

impl State {
    /// The releases of a project's module.
    fn listed(&mut self, project: &Project) -> Vec<Version> {
        let mut listed = match go::releases(&project.module) {
            Ok(listed) => listed,
            Err(error) => {
                let note = format!("{}: its releases are not listed: {error:#}", project.module);
                self.notes.push(note);
                Vec::new()
            }
        };
        listed.extend(project.known.iter().map(|it| Version::new(it)));
        listed
    }

    /// Downloads releases. Returns their folders by the names of [`module`].
    fn download(
        &mut self,
        jobs: &[(&Project, Version)],
    ) -> anyhow::Result<BTreeMap<String, PathBuf>> {
        let modules: BTreeSet<String> = jobs
            .iter()
            .map(|(project, version)| module(project, version))
            .collect();
        let modules: Vec<String> = modules.into_iter().collect();
        let mut folders = BTreeMap::new();
        for answer in go::download(&modules)? {
            let name = format!("{}@{}", answer.path, answer.version);
            match (answer.dir, answer.error) {
                (Some(dir), None) => drop(folders.insert(name, dir)),
                (_, error) => {
                    let error = error.unwrap_or_default();
                    let why = error.lines().next_back().unwrap_or_default();
                    self.notes.push(format!("{name}: {}", why.trim()));
                }
            }
        }
        Ok(folders)
    }

    /// Adds releases to those that are known.
    fn add_releases(&mut self, project: &Project, listed: Vec<Version>) {
        let of = self.releases.entry(project.name.clone()).or_default();
        of.charts.clone_from(&project.charts);
        let known = of.releases.iter().map(|it| Version::new(it));
        let all: BTreeSet<Version> = known.chain(listed).filter(Version::is_stable).collect();
        of.releases = all.iter().map(Version::to_string).collect();
    }

    fn of(&self, project: &Project) -> ProjectReleases {
        self.releases
            .get(&project.name)
            .cloned()
            .unwrap_or_default()
    }

    /// The versions of a project in the catalogue, oldest first.
    fn versions(&self, project: &Project) -> Vec<Version> {
        let files = self.lock.files().iter();
        let of_project = files.filter(|file| file.project == project.name);
        let versions: BTreeSet<Version> = of_project.map(|file| file.set().version).collect();
        versions.into_iter().collect()
    }

    /// The releases to import.
    fn wanted(&self, project: &Project, again: bool) -> Vec<Version> {
        let of = self.of(project);
        let releases: Vec<Version> = of.releases.iter().map(|it| Version::new(it)).collect();
        let there = self.versions(project);
        let mut wanted = project.wanted(&releases);
        wanted.retain(|version| {
            let is_known = there.contains(version) || of.same_crds.contains_key(version.as_str());
            again || !is_known
        });
        wanted
    }

    /// Imports the CRDs of a release that is in `folder`.
    fn import(
        &mut self,
        project: &Project,
        version: &Version,
        folder: &Path,
    ) -> anyhow::Result<()> {
        let inputs = match &project.types {
            None => inputs(project, version, folder)?,
            Some(types) => match self.of_types(types, project, version, folder) {
                Ok(input) => vec![input],
                Err(error) => {
                    let note = format!("{} {version}: {error:#}", project.name);
                    self.notes.push(note);
                    return Ok(());
                }
            },
        };
        if inputs.is_empty() {
            let note = format!(
                "{} {version}: no CRDs at the paths in sources.toml",
                project.name
            );
            self.notes.push(note);
            return Ok(());
        }
        let mut imported = files::import(&inputs, Lock::default(), Keep::Facts)?;
        for problem in &imported.problems {
            let note = format!("{} {version}: {}", project.name, problem.message);
            self.notes.push(note);
        }
        let list = imported.files.pop().context("an import without a list")?.1;
        let listed = Lock::parse(&String::from_utf8(list)?)?;
        let new: BTreeMap<String, Vec<u8>> = imported.files.into_iter().collect();
        self.note_chart(project, version, folder)?;
        let before = self.before(project, version);
        let old = match &before {
            Some(before) => self.files_of(project, before)?,
            None => BTreeMap::new(),
        };
        let by_name = |files: &BTreeMap<String, Vec<u8>>, version: &Version| {
            let prefix = format!("{}/v{version}/", project.name);
            let name = |path: &String| path.strip_prefix(&prefix).unwrap_or(path).to_owned();
            let files = files.iter().map(|(path, text)| (name(path), text.clone()));
            files.collect::<BTreeMap<String, Vec<u8>>>()
        };
        let new_names = by_name(&new, version);
        if let Some(before) = &before {
            let old_names = by_name(&old, before);
            let is_same_minor = before.minor() == version.minor();
            if old_names == new_names && is_same_minor && project.releases == Policy::Every {
                let of = self.releases.entry(project.name.clone()).or_default();
                of.same_crds.insert(version.to_string(), before.to_string());
                self.remove(project, version);
                return Ok(());
            }
            let section = changes::between(&old_names, &new_names)?;
            let title = format!("### {} {before} to {version}\n\n", project.name);
            self.changes.push(title + &section);
        } else {
            let kinds: Vec<&str> = new_names.keys().map(String::as_str).collect();
            self.changes.push(format!(
                "### {} {version}\n\nNew in the catalogue: {}\n",
                project.name,
                kinds.join(", ")
            ));
        }
        self.lock.add(listed.files().to_vec());
        self.removed.retain(|path| !new.contains_key(path));
        self.texts.extend(new);
        Ok(())
    }

    /// The CRD that is made of the Go types of a release.
    fn of_types(
        &self,
        types: &Types,
        project: &Project,
        version: &Version,
        folder: &Path,
    ) -> anyhow::Result<Input> {
        let work = std::env::temp_dir().join(format!("xtask-{}-{version}", std::process::id()));
        let made = self.made_of_types(types, folder, &work);
        // What is left over in the temporary folder does no harm.
        let _ = std::fs::remove_dir_all(&work);
        Ok(Input {
            path: format!("{}.yaml", types.plural),
            text: made?,
            set: Some(Set::new(&project.name, version.as_str(), None)),
        })
    }

    fn made_of_types(&self, types: &Types, folder: &Path, work: &Path) -> anyhow::Result<String> {
        // The module cache must not be changed, and only this part of the module is needed.
        let top = types.package.split('/').next().unwrap_or_default();
        for entry in WalkDir::new(folder.join(top)) {
            let entry = entry?;
            let to = work.join(entry.path().strip_prefix(folder)?);
            if entry.file_type().is_dir() {
                std::fs::create_dir_all(&to)?;
            } else {
                std::fs::write(&to, std::fs::read(entry.path())?)?;
            }
        }
        for file in ["go.mod", "go.sum"] {
            std::fs::write(work.join(file), std::fs::read(folder.join(file))?)?;
        }
        let own = read(&self.folder.join(&types.file))?;
        std::fs::write(work.join(&types.package).join("own_types.go"), own)?;
        let made = work.join("crds");
        go::crds_of_types(work, &types.package, &made)?;
        let mut crds = WalkDir::new(&made).into_iter().filter_map(Result::ok);
        let ending = format!("_{}.yaml", types.plural);
        let crd = crds
            .find(|entry| entry.file_name().to_string_lossy().ends_with(&ending))
            .context("controller-gen wrote no such CRD")?;
        let text = read(crd.path())?;
        let lines = text
            .lines()
            .map(|line| match line.strip_prefix("  group:") {
                Some(_) => format!("  group: {}\n", types.group),
                None => format!("{line}\n"),
            });
        Ok(lines.collect())
    }

    /// The last version before `version` in the catalogue.
    fn before(&self, project: &Project, version: &Version) -> Option<Version> {
        let mut versions = self.versions(project).into_iter();
        versions.rfind(|it| it < version)
    }

    /// The files of a version in the catalogue.
    fn files_of(
        &self,
        project: &Project,
        version: &Version,
    ) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
        let is_of = |file: &&Locked| file.project == project.name && file.set().version == *version;
        let files = self.lock.files().iter().filter(is_of);
        files
            .map(|file| {
                let text = match self.texts.get(&file.path) {
                    Some(text) => text.clone(),
                    None => read(&self.folder.join(&file.path))?.into_bytes(),
                };
                Ok((file.path.clone(), text))
            })
            .collect()
    }

    /// Notes the version of the chart that comes with a release.
    fn note_chart(
        &mut self,
        project: &Project,
        version: &Version,
        folder: &Path,
    ) -> anyhow::Result<()> {
        let Some(file) = &project.chart_file else {
            return Ok(());
        };
        let text = read(&folder.join(file))?;
        let chart = text.lines().find_map(|line| line.strip_prefix("version:"));
        let of = self.releases.entry(project.name.clone()).or_default();
        let is_newest = of
            .releases
            .last()
            .is_some_and(|last| last == version.as_str());
        if let Some(chart) = chart.filter(|_| is_newest) {
            let chart = chart.trim().trim_matches(['"', '\'']);
            // A release of the project often comes before that of its chart.
            let known = of.newest_chart.iter().map(|it| Version::new(it));
            let newest = known.chain([Version::new(chart)]).max();
            of.newest_chart = newest.map(|it| it.to_string());
        }
        Ok(())
    }

    /// Removes the versions that newer ones have replaced.
    fn remove_replaced(&mut self, project: &Project) -> anyhow::Result<()> {
        if project.releases == Policy::Every {
            return Ok(());
        }
        let there = self.versions(project);
        let wanted = project.wanted(&there);
        for version in there.iter().filter(|version| !wanted.contains(version)) {
            let is_kept = project.keep.iter().any(|it| Version::new(it) == *version);
            if !is_kept {
                self.remove(project, version);
                self.changes.push(format!(
                    "### {} {version}\n\nRemoved: a newer release took its place.\n",
                    project.name
                ));
            }
        }
        Ok(())
    }

    fn remove(&mut self, project: &Project, version: &Version) {
        let is_of = |file: &Locked| file.project == project.name && file.set().version == *version;
        let gone = self.lock.files().iter().filter(|file| is_of(file));
        let gone: Vec<String> = gone.map(|file| file.path.clone()).collect();
        self.lock.retain(|file| !is_of(file));
        for path in gone {
            self.texts.remove(&path);
            self.removed.insert(path);
        }
    }

    fn write(&self) -> anyhow::Result<()> {
        let put = |path: &str, bytes: &[u8]| {
            let path = self.folder.join(path);
            if let Some(above) = path.parent() {
                std::fs::create_dir_all(above).with_context(|| above.display().to_string())?;
            }
            std::fs::write(&path, bytes).with_context(|| path.display().to_string())
        };
        for (path, text) in &self.texts {
            put(path, text)?;
        }
        for path in &self.removed {
            let path = self.folder.join(path);
            std::fs::remove_file(&path).with_context(|| path.display().to_string())?;
            if let Some(above) = path.parent() {
                // A folder that still holds files stays.
                let _ = std::fs::remove_dir(above);
            }
        }
        let list = serde_json::to_string_pretty(&self.releases)? + "\n";
        put(RELEASES, list.as_bytes())?;
        put(files::LOCK, self.lock.to_text()?.as_bytes())
    }

    fn markdown(&self) -> String {
        let mut text = String::from("## The catalogue of schemas\n\n");
        if self.changes.is_empty() {
            text += "No release has other CRDs than before.\n\n";
        }
        for section in &self.changes {
            text += section;
            text.push('\n');
        }
        if !self.notes.is_empty() {
            text += "### What could not be had\n\n";
            for note in &self.notes {
                text += &format!("- {note}\n");
            }
        }
        text
    }
}

/// The folders of the releases of a project in a module of another one.
fn bundled(folder: &Path) -> anyhow::Result<BTreeMap<Version, PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut releases = BTreeMap::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let version = name.map(Version::new).filter(Version::is_stable);
        releases.extend(version.map(|version| (version, path)));
    }
    Ok(releases)
}

/// The CRDs of a release.
fn inputs(project: &Project, version: &Version, folder: &Path) -> anyhow::Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for crds in &project.crds {
        let there = crds.paths.iter().map(|path| folder.join(path));
        let Some(path) = there.into_iter().find(|path| path.exists()) else {
            continue;
        };
        let set = Set::new(&project.name, version.as_str(), crds.channel.as_deref());
        for entry in WalkDir::new(&path).sort_by_file_name() {
            let entry = entry?;
            let ending = entry.path().extension().and_then(|it| it.to_str());
            if !entry.file_type().is_file() || !matches!(ending, Some("yaml" | "yml")) {
                continue;
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            inputs.push(Input {
                path: name,
                text: without_templates(&read(entry.path())?),
                set: Some(set.clone()),
            });
        }
    }
    Ok(inputs)
}

/// A file without what a Helm template adds to a CRD, which are labels and conditions.
fn without_templates(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once("{{") {
        Some((before, _)) => before.trim_end(),
        None => line,
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}
