//! A walk over a folder: the files in a stable order, and what was passed over.
//!
//! `ignore` reads the patterns. Its own walk is not used, because it does not say what it passed over, nor why.

use std::fs::FileType;
use std::io;
use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::git;
use crate::bounds::file;
use crate::manifest::read::LARGEST_FILE;

/// How deep folders are walked: deeper ones are a mistake, or a trap.
const DEEPEST: usize = 64;

/// What a walk met.
#[derive(Debug, Default)]
pub struct Walked {
    /// The files, folder by folder, by name.
    pub files: Vec<PathBuf>,
    /// What was not looked at, and why.
    pub passed_over: Vec<(PathBuf, Why)>,
}

/// Why something was not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// A `.gitignore` names it.
    Ignored,
    /// Its name starts with a dot.
    Hidden,
    /// A symbolic link that leads to no file. One to a folder may lead anywhere, or in a circle.
    Link,
    /// No file and no folder: a socket, a pipe.
    Special,
    /// More folders are above it than anybody has.
    Deep,
}

impl Why {
    /// The reason, as said behind a path.
    pub fn as_str(self) -> &'static str {
        match self {
            Why::Ignored => "a .gitignore names it",
            Why::Hidden => "its name starts with a dot",
            Why::Link => "it is a symbolic link that leads to no file",
            Why::Special => "it is neither a file nor a folder",
            Why::Deep => "it lies too deep",
        }
    }
}

/// Walks `folder`. What `.gitignore` files name is passed over, those above `folder` in the same repository
/// included; so is what has a name with a leading dot. A link to a file is that file; one to a folder is not followed.
///
/// # Errors
/// Where a folder can't be read.
pub fn walk(folder: &Path) -> io::Result<Walked> {
    let full = folder.canonicalize()?;
    let mut walk = Walk {
        ignores: above(&full),
        walked: Walked::default(),
    };
    walk.folder(folder, &full, 0)?;
    Ok(walk.walked)
}

struct Walk {
    /// The `.gitignore`s in force, the outermost first.
    ignores: Vec<Gitignore>,
    walked: Walked,
}

impl Walk {
    /// `full` is the same folder without links and dots: patterns are matched on paths from the repository's root.
    fn folder(&mut self, folder: &Path, full: &Path, depth: usize) -> io::Result<()> {
        let own = read(full);
        let has_own = own.is_some();
        self.ignores.extend(own);
        let mut entries = std::fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let (path, full) = (entry.path(), full.join(entry.file_name()));
            let kind = entry.file_type()?;
            match self.passes(&full, kind, depth) {
                Some(why) => self.walked.passed_over.push((path, why)),
                None if kind.is_dir() => self.folder(&path, &full, depth + 1)?,
                None => self.walked.files.push(path),
            }
        }
        if has_own {
            self.ignores.pop();
        }
        Ok(())
    }

    /// Why something is passed over; `None` where it isn't.
    fn passes(&self, path: &Path, kind: FileType, depth: usize) -> Option<Why> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match () {
            () if name.starts_with('.') => Some(Why::Hidden),
            () if self.is_ignored(path, kind.is_dir()) => Some(Why::Ignored),
            () if kind.is_dir() && depth == DEEPEST => Some(Why::Deep),
            () if kind.is_file() || kind.is_dir() => None,
            () if !kind.is_symlink() => Some(Why::Special),
            () if path.is_file() => None,
            () => Some(Why::Link),
        }
    }

    /// What the innermost `.gitignore` that has a word on it says.
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

/// The `.gitignore` of a folder, where it has one that can be read. Lines that are no patterns are passed over, as Git does.
fn read(folder: &Path) -> Option<Gitignore> {
    let bytes = file::read(&folder.join(".gitignore"), LARGEST_FILE).ok()?;
    let mut builder = GitignoreBuilder::new(folder);
    for line in String::from_utf8_lossy(&bytes).lines() {
        let _ = builder.add_line(None, line.trim_start_matches('\u{feff}'));
    }
    builder.build().ok()
}

/// The `.gitignore`s of the folders above, up to the repository's.
fn above(folder: &Path) -> Vec<Gitignore> {
    let Some(repository) = git::repository(folder) else {
        return Vec::new();
    };
    let between = folder
        .ancestors()
        .skip(1)
        .take_while(|it| it.starts_with(repository));
    let mut found: Vec<Gitignore> = between.filter_map(read).collect();
    found.reverse();
    found
}
