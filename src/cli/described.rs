//! The clusters that a configuration describes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::bail;

use super::project::{ConfigText, Project};
use super::{Global, git};
use crate::bounds::file::Unread;
use crate::config::description;
use crate::config::load::LARGEST_CONFIG;
use manifest::diagnostic::Sources;
use manifest::diagnostic::printable::printable;
use manifest::diagnostic::suggest::{listed, nearest};
use manifest::value::path;

/// A cluster that the configuration describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DescribedCluster {
    /// Its name.
    pub name: String,
    /// The folder of its manifests, from the root, without `/` at its end.
    pub path: String,
}

/// Reads which clusters a project describes; none if it can't be read, which is reported when it is compiled.
///
/// # Errors
/// If the configuration can't be read.
pub(super) fn read(project: &Project) -> anyhow::Result<Vec<DescribedCluster>> {
    let ConfigText::Read(text) = project.config_text()? else {
        return Ok(Vec::new());
    };
    let mut sources = Sources::default();
    let source = sources.add(project.config_name(), text);
    let extended = |path: &str| extended(project, path);
    let all = description::clusters(&mut sources, source, &extended).into_iter();
    Ok(all
        .map(|(name, path)| DescribedCluster {
            name,
            path: path::normalise(&path),
        })
        .collect())
}

/// The project for each cluster that it describes, or only for the one that `--cluster` names.
///
/// # Errors
/// If it describes no cluster of the name.
pub(super) fn chosen(project: &Project, global: &Global) -> anyhow::Result<Vec<Project>> {
    let described = &project.described;
    // Without clusters in the configuration, those of the manifests can be meant.
    if described.is_empty() {
        return Ok(vec![for_cluster(project, None)]);
    }
    let wanted = global.cluster.as_deref();
    let names = || described.iter().map(|it| it.name.as_str());
    if let Some(wanted) = wanted.filter(|wanted| names().all(|name| name != *wanted)) {
        let near = match nearest(wanted, names()) {
            Some(near) => format!("did you mean `{near}`? "),
            None => String::new(),
        };
        bail!(
            "{} describes no cluster `{}`; {near}It describes {}",
            project.config_name(),
            printable(wanted),
            listed(names())
        );
    }
    let chosen = names().filter(|name| wanted.is_none_or(|wanted| wanted == *name));
    Ok(chosen
        .map(|name| Project {
            is_one_of_several: wanted.is_some() && described.len() > 1,
            ..for_cluster(project, Some(name.to_owned()))
        })
        .collect())
}

/// The only project.
///
/// # Errors
/// If there are several.
pub(super) fn only(mut all: Vec<Project>) -> anyhow::Result<Project> {
    match all.len() {
        1 => Ok(all.remove(0)),
        _ => Err(several(&all)),
    }
}

/// What to do if a command needs one cluster, and there are several.
pub(super) fn several(all: &[Project]) -> anyhow::Error {
    let names = all
        .iter()
        .flat_map(|it| it.described.iter())
        .map(|it| &it.name);
    let names: BTreeSet<&String> = names.collect();
    anyhow::anyhow!(
        "cluster.toml describes {} clusters, {}: choose one with `--cluster NAME`",
        names.len(),
        listed(names.iter())
    )
}

/// The same project for another cluster.
pub(super) fn for_cluster(project: &Project, cluster: Option<String>) -> Project {
    Project {
        root: project.root.clone(),
        out: project.out.clone(),
        config: project.config.clone(),
        catalogue: Arc::clone(&project.catalogue),
        cluster,
        described: Arc::clone(&project.described),
        is_one_of_several: project.is_one_of_several,
        commit: project.commit.clone(),
        unsaved: project.unsaved.clone(),
        owned: OnceLock::new(),
    }
}

/// The text of a file that a configuration extends, by its path from the root. It must be in the same Git repository.
/// Without one, links must not lead further up than the path does.
///
/// # Errors
/// The reason why it can't be read.
pub(super) fn extended(project: &Project, name: &str) -> Result<String, String> {
    if let Some(commit) = &project.commit {
        return at_commit(project, commit, name);
    }
    let path = project.root.join(name);
    let read = project.unsaved.text(&path, LARGEST_CONFIG);
    let text = read.map_err(|error| match error {
        Unread::System(_) if error.is_missing() => "there is no such file".to_owned(),
        error => error.to_string(),
    })?;
    match is_within(&project.root, &path, name) {
        true => Ok(text),
        false => Err("it is outside of the repository".to_owned()),
    }
}

fn is_within(root: &Path, path: &Path, name: &str) -> bool {
    let (Ok(root), Ok(file)) = (root.canonicalize(), path.canonicalize()) else {
        return false;
    };
    let up = name.split('/').take_while(|part| *part == "..").count();
    let folder: Option<PathBuf> = match git::repository(&root) {
        Some(repository) => Some(repository.to_owned()),
        None if path::normalise(name).starts_with('/') => path.parent().map(Path::to_path_buf),
        None => root.ancestors().nth(up).map(Path::to_path_buf),
    };
    folder.is_some_and(|folder| file.starts_with(folder))
}

fn at_commit(project: &Project, commit: &str, name: &str) -> Result<String, String> {
    let read = git::show(&project.root, commit, &[name.to_owned()]);
    let read = read.map_err(|error| error.to_string())?;
    match read.into_iter().next() {
        Some((_, text)) => Ok(String::from_utf8_lossy(&text).into_owned()),
        None => Err("there is no such file at the revision".to_owned()),
    }
}
