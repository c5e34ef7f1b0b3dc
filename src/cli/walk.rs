//! Walks a folder: lists the files in a stable order, and what was skipped.
//!
//! `ignore` interprets the patterns. Its own walk is not used, because it does not say what it skipped, and why.

use std::fs::FileType;
use std::io;
use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::git;
use crate::bounds::file;
use manifest::read::LARGEST_FILE;

/// How deep folders are walked. Deeper ones are a mistake or an attack.
const DEEPEST: usize = 64;

/// The result of a walk.
#[derive(Debug, Default)]
pub(super) struct FolderListing {
    /// The files, sorted by name within each folder.
    pub files: Vec<PathBuf>,
    /// What was skipped, and why.
    pub skipped: Vec<(PathBuf, SkipReason)>,
}

/// Why something was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SkipReason {
    /// A `.gitignore` lists it.
    Ignored,
    /// Its name starts with a dot.
    Hidden,
    /// It is a symbolic link that doesn't lead to a file. Links to folders are not followed: they may lead anywhere,
    /// or in a circle.
    Link,
    /// It is neither a file nor a folder, for example a socket or a pipe.
    Special,
    /// It is in too many nested folders.
    Deep,
    /// It is YAML or JSON, but for something else than Kubernetes.
    NotAnObject,
    /// Flux applies other files of the folder, but not this one.
    NotApplied,
    /// It is a template, of a Helm chart or another program, and nothing applies it as it is.
    Template,
    /// git-crypt has encrypted it.
    Encrypted,
}

impl SkipReason {
    /// The reason, as printed after a path.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            SkipReason::Ignored => "a .gitignore lists it",
            SkipReason::Hidden => "its name starts with a dot",
            SkipReason::Link => "it is a symbolic link that doesn't lead to a file",
            SkipReason::Special => "it is neither a file nor a folder",
            SkipReason::Deep => "it is in too many nested folders",
            SkipReason::NotAnObject => "it is not a Kubernetes object",
            SkipReason::Template => "it is a template, and no manifest itself",
            SkipReason::Encrypted => "git-crypt has encrypted it",
            SkipReason::NotApplied => "no Flux Kustomization applies it as an object",
        }
    }
}

/// Walks `folder`. Files that a `.gitignore` lists are skipped, also if that `.gitignore` is above `folder` in the
/// same repository, and so are names that start with a dot. A link to a file counts as that file; a link to a folder
/// is not followed.
///
/// # Errors
/// If a folder can't be read.
pub(super) fn walk(folder: &Path) -> io::Result<FolderListing> {
    let full = folder.canonicalize()?;
    let mut walk = FolderWalker {
        ignores: gitignores_above(&full),
        walked: FolderListing::default(),
    };
    walk.folder(folder, &full, 0)?;
    Ok(walk.walked)
}

struct FolderWalker {
    /// The `.gitignore` files that apply, the outermost first.
    ignores: Vec<Gitignore>,
    walked: FolderListing,
}

impl FolderWalker {
    /// `full` is the canonical path of `folder`: patterns are matched on paths from the repository's root.
    fn folder(&mut self, folder: &Path, full: &Path, depth: usize) -> io::Result<()> {
        let mut entries = std::fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        let mut names = entries.iter().map(std::fs::DirEntry::file_name);
        let own = match names.any(|name| name == ".gitignore") {
            true => read_gitignore(full),
            false => None,
        };
        let has_own = own.is_some();
        self.ignores.extend(own);
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let (path, full) = (entry.path(), full.join(entry.file_name()));
            let kind = entry.file_type()?;
            match self.skip_reason(&full, kind, depth) {
                Some(why) => self.walked.skipped.push((path, why)),
                None if kind.is_dir() => self.folder(&path, &full, depth + 1)?,
                None => self.walked.files.push(path),
            }
        }
        if has_own {
            self.ignores.pop();
        }
        Ok(())
    }

    /// Why something is skipped; `None` if it isn't.
    fn skip_reason(&self, path: &Path, kind: FileType, depth: usize) -> Option<SkipReason> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match () {
            () if name.starts_with('.') => Some(SkipReason::Hidden),
            () if self.is_ignored(path, kind.is_dir()) => Some(SkipReason::Ignored),
            () if kind.is_dir() && depth == DEEPEST => Some(SkipReason::Deep),
            () if kind.is_file() || kind.is_dir() => None,
            () if !kind.is_symlink() => Some(SkipReason::Special),
            () if path.is_file() => None,
            () => Some(SkipReason::Link),
        }
    }

    /// Whether the innermost `.gitignore` that matches the path ignores it.
    fn is_ignored(&self, path: &Path, is_folder: bool) -> bool {
        for ignore in self.ignores.iter().rev() {
            match ignore.matched(path, is_folder) {
                Match::None => {}
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
            }
        }
        false
    }
}

/// The `.gitignore` of a folder, if it has a readable one. Lines that are not valid patterns are skipped, as Git
/// does.
fn read_gitignore(folder: &Path) -> Option<Gitignore> {
    let bytes = file::read(&folder.join(".gitignore"), LARGEST_FILE).ok()?;
    let mut builder = GitignoreBuilder::new(folder);
    for line in String::from_utf8_lossy(&bytes).lines() {
        let _ = builder.add_line(None, line.trim_start_matches('\u{feff}'));
    }
    builder.build().ok()
}

/// The `.gitignore` files of the folders above, up to the repository's root.
fn gitignores_above(folder: &Path) -> Vec<Gitignore> {
    let Some(repository) = git::repository(folder) else {
        return Vec::new();
    };
    let between = folder
        .ancestors()
        .skip(1)
        .take_while(|it| it.starts_with(repository));
    let mut found: Vec<Gitignore> = between.filter_map(read_gitignore).collect();
    found.reverse();
    found
}
