//! Where an import reads, and where it writes.

use std::io::Write;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail};
use walkdir::WalkDir;

use super::{Args, CONFIG};
use crate::bounds::file::{self, Unread};
use crate::cli::output::Stream;
use crate::cli::{git, place};
use crate::import::files::{self, Files};
use crate::import::find;
use manifest::read::LARGEST_FILE;

/// The top of the repository, and the folder that paths in `cluster.toml` are relative to.
pub(super) struct Root {
    pub top: PathBuf,
    pub base: PathBuf,
}

/// Where the configuration was written.
pub(super) struct Written {
    pub word: &'static str,
    pub shown: String,
    pub on_stdout: bool,
}

impl Root {
    pub(super) fn of(given: &Path, args: &Args) -> anyhow::Result<Self> {
        let top = match git::repository(given) {
            Some(top) => top.to_path_buf(),
            None => above(given)?,
        };
        let output = args
            .output
            .as_deref()
            .filter(|output| output.as_os_str() != "-");
        let folder = output.map(|output| output.parent().unwrap_or(Path::new("")));
        let folder = folder.map(|folder| {
            if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            }
        });
        // Paths are relative to the folder of cluster.toml, or to the top of the repository if that folder is
        // outside.
        let base = match folder.map(Path::canonicalize) {
            Some(Ok(folder)) if folder.starts_with(&top) => folder,
            Some(Err(error)) => {
                return Err(error).with_context(|| {
                    format!(
                        "{}: there is no such folder",
                        folder.unwrap_or(Path::new("")).display()
                    )
                });
            }
            _ => top.clone(),
        };
        Ok(Root { top, base })
    }

    /// The folder that the user asked for, relative to the base.
    pub(super) fn wanted(&self, given: &Path, args: &Args) -> anyhow::Result<String> {
        let path = match &args.path {
            Some(path) => {
                let below = [&self.top, given].map(|folder| folder.join(path).canonicalize());
                below.into_iter().find_map(Result::ok).with_context(|| {
                    format!(
                        "--path {path}: there is no such folder in {}",
                        self.top.display()
                    )
                })?
            }
            None => given.to_path_buf(),
        };
        Ok(match path.strip_prefix(&self.base) {
            Ok(below) => place::slashed(below),
            Err(_) if self.base.starts_with(&path) => String::new(),
            Err(_) => bail!(
                "{}: is outside of {}, where cluster.toml would be",
                path.display(),
                self.base.display()
            ),
        })
    }

    /// The manifests and scripts below a folder. Links are not followed: their targets in the repository are read
    /// where they are.
    pub(super) fn files(&self, folder: &Path) -> anyhow::Result<Files> {
        let mut files = Files {
            prefix: place::prefix(folder, folder),
            ..Files::default()
        };
        let visible = |entry: &walkdir::DirEntry| {
            entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.')
        };
        for entry in WalkDir::new(folder)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(visible)
        {
            let entry = entry.with_context(|| format!("{}: can't be walked", folder.display()))?;
            let path = place::slashed(entry.path().strip_prefix(folder).unwrap_or(entry.path()));
            if entry.path_is_symlink() {
                let inside = entry
                    .path()
                    .canonicalize()
                    .is_ok_and(|target| target.starts_with(&self.top));
                if !inside {
                    let why = "is a symbolic link that is broken or leads out of the repository";
                    files.unreadable.insert(path, why.to_owned());
                }
                continue;
            }
            let is_wanted = files::is_manifest(&path) || path.ends_with(".lua");
            if !entry.file_type().is_file() || !is_wanted {
                continue;
            }
            match file::yaml(entry.path(), LARGEST_FILE) {
                Ok(text) => files.texts.insert(path, text),
                Err(why) => files.unreadable.insert(path, why.to_string()),
            };
        }
        Ok(files)
    }

    /// Writes the configuration, completely or not at all. An existing file with other contents is not changed.
    pub(super) fn write(
        &self,
        args: &Args,
        config: &str,
        out: &mut Stream,
    ) -> anyhow::Result<Written> {
        let path = match &args.output {
            Some(path) if path.as_os_str() == "-" => {
                out.data().write_all(config.as_bytes())?;
                return Ok(Written {
                    word: "printed",
                    shown: CONFIG.to_owned(),
                    on_stdout: true,
                });
            }
            Some(path) => path.clone(),
            None => self.base.join(CONFIG),
        };
        let name = match (&args.output, path.strip_prefix(&self.base)) {
            (None, Ok(name)) => place::slashed(name),
            _ => path.display().to_string(),
        };
        let written = |word| Written {
            word,
            shown: name.clone(),
            on_stdout: false,
        };
        match file::read(&path, LARGEST_FILE) {
            Ok(there) if there == config.as_bytes() => return Ok(written("unchanged")),
            Ok(_) | Err(Unread::TooLarge { .. }) => bail!(
                "{}: exists already, and was not changed\n  help: write to another file with `--output FILE`, or print with `--output -`",
                path.display()
            ),
            Err(error) if error.is_missing() => {}
            Err(error) => {
                return Err(error).with_context(|| format!("{}: can't be read", path.display()));
            }
        }
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let temporary = folder.join(format!(".{CONFIG}.{}.tmp", std::process::id()));
        let done =
            std::fs::write(&temporary, config).and_then(|()| std::fs::rename(&temporary, &path));
        if let Err(error) = done {
            // The incomplete file is useless. A failure to remove it adds nothing to the error below.
            let _ = std::fs::remove_file(&temporary);
            return Err(error).with_context(|| format!("{}: can't be written", path.display()));
        }
        Ok(written("wrote"))
    }
}

/// The top of a tree that is not in a Git repository: the folder that the `spec.path` of the tree's own Flux
/// Kustomizations is relative to, else the folder itself.
fn above(given: &Path) -> anyhow::Result<PathBuf> {
    let root = Root {
        top: given.to_path_buf(),
        base: given.to_path_buf(),
    };
    let mut files = root.files(given)?;
    // The Flux Kustomization of a folder is usually beside the folder or above it.
    for above in given.ancestors().skip(1).take(2) {
        for entry in std::fs::read_dir(above)
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
        {
            let path = entry.path();
            let name = place::slashed(&path);
            if path.is_file() && files::is_manifest(&name) {
                files.texts.extend(
                    file::yaml(&path, LARGEST_FILE)
                        .ok()
                        .map(|text| (name, text)),
                );
            }
        }
    }
    let parts: Vec<String> = given
        .components()
        .filter_map(|part| match part {
            Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
            _ => None,
        })
        .collect();
    let up = find::levels_above(&files, &parts);
    Ok(given.ancestors().nth(up).unwrap_or(given).to_path_buf())
}
