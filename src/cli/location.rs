//! Where the root of the repository and the configuration are.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::{Global, git, own};

/// The file name of the configuration.
pub(super) const CONFIG: &str = "cluster.toml";

/// The path of the configuration: the one that is given, the one in the given root, or the nearest one at or above
/// the current folder.
pub(super) fn locate(global: &Global) -> anyhow::Result<Option<PathBuf>> {
    if let Some(config) = &global.config {
        if !config.is_file() {
            bail!("{}: no such file", config.display());
        }
        return Ok(Some(config.clone()));
    }
    if let Some(root) = &global.root {
        let config = root.join(CONFIG);
        return Ok(config.is_file().then_some(config));
    }
    at_or_above(CONFIG)
}

/// Finds the root and the configuration.
///
/// # Errors
/// If there is no `cluster.toml`.
pub(super) fn place(global: &Global) -> anyhow::Result<(PathBuf, PathBuf)> {
    let Some(config) = locate(global)? else {
        bail!(
            "there is no {CONFIG} in this folder or above; `gatewayctl init` writes one, `-C DIR` looks in another folder"
        );
    };
    let root = match &global.root {
        Some(root) => root.clone(),
        None => config.parent().map(Path::to_path_buf).unwrap_or_default(),
    };
    let root = if root.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        root
    };
    Ok((root, config))
}

/// The folder of the whole repository for a command that needs no `cluster.toml`: the given root, else the root of the Git
/// repository that contains the current folder. `None` if there is a `cluster.toml`, which says more.
///
/// # Errors
/// If there is neither a `cluster.toml` nor a Git repository.
pub(super) fn root_without_config(global: &Global) -> anyhow::Result<Option<PathBuf>> {
    if locate(global)?.is_some() {
        return Ok(None);
    }
    if let Some(root) = &global.root {
        if !root.is_dir() {
            bail!("{}: there is no such folder", root.display());
        }
        return Ok(Some(root.clone()));
    }
    let here = std::env::current_dir().context("the current folder can't be read")?;
    let here = here.canonicalize().unwrap_or(here);
    let Some(repository) = git::repository(&here) else {
        bail!(
            "there is no {CONFIG} in this folder or above, and this is no Git repository; name the files or folders \
             to work on, or write a {CONFIG} with `gatewayctl init`"
        );
    };
    let depth = here.ancestors().position(|above| above == repository);
    // The path is relative, so that messages show paths as people type them.
    let up: PathBuf = std::iter::repeat_n("..", depth.unwrap_or_default()).collect();
    Ok(Some(match up.as_os_str().is_empty() {
        true => PathBuf::from("."),
        false => up,
    }))
}

/// The folder of the whole repository: that of the project, or the one that [`root_without_config`] finds.
///
/// # Errors
/// If there is neither a `cluster.toml` nor a Git repository.
pub(super) fn root(global: &Global) -> anyhow::Result<PathBuf> {
    match root_without_config(global)? {
        Some(root) => Ok(root),
        None => Ok(place(global)?.0),
    }
}

/// The folder of the user's own schemas: beside `cluster.toml`, else in the root of the repository, else in the current
/// folder.
///
/// # Errors
/// If the named configuration or root doesn't exist.
pub(super) fn schemas_folder(global: &Global) -> anyhow::Result<PathBuf> {
    let root = match locate(global)? {
        Some(_) => Some(place(global)?.0),
        None if global.root.is_some() => root_without_config(global)?,
        // Without a Git repository, the current folder is the only one that can be meant.
        None => root_without_config(global).unwrap_or_default(),
    };
    let root = root.unwrap_or_else(|| PathBuf::from("."));
    Ok(root.join(own::FOLDER))
}

/// The nearest file with this name at or above the current folder.
pub(super) fn at_or_above(name: &str) -> anyhow::Result<Option<PathBuf>> {
    let here = std::env::current_dir().context("the current folder can't be read")?;
    for (depth, folder) in here.ancestors().enumerate() {
        if folder.join(name).is_file() {
            // The path is relative, so that messages show paths as people type them.
            let up: PathBuf = std::iter::repeat_n("..", depth).collect();
            return Ok(Some(up.join(name)));
        }
    }
    Ok(None)
}

/// Whether a path that somebody gives is a description of gateways instead of a manifest.
pub(super) fn is_description(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == CONFIG) && path.is_file()
}
