//! Files without a lock, written by the same rules as rendered ones: no link is followed, and a file is only replaced
//! if it is still the one that was read.

use std::collections::BTreeSet;
use std::path::Path;

use super::apply::{sync, write_file};
use super::classify::{Before, Obstacle};
use super::disk::{Disk, Os};
use super::error::Error;
use super::guard::Guard;
use super::path::TreePath;
use super::reach::look;

/// A file as it was read. It is only replaced if it still is the same.
#[derive(Clone, Debug)]
pub struct Seen(Before);

impl Seen {
    /// Its bytes; `None` if it doesn't exist.
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.0 {
            Before::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// What exists at a path below `root`. Symbolic links are not followed.
///
/// # Errors
/// If the path leads out of the root, or something can't be read.
pub fn stands(root: &Path, path: &str) -> Result<Before, Error> {
    let folder = Os.root(root, false);
    let folder = folder.map_err(|error| Error::io("open the folder", shown(root), error))?;
    look(folder.as_deref(), &parse(path)?, 0)
}

/// Reads a file below `root`.
///
/// # Errors
/// If it can't be read, is not a regular file, is too large, or is behind a symbolic link.
pub fn read(root: &Path, path: &str) -> Result<Seen, Error> {
    seen(stands(root, path)?, &parse(path)?).map(Seen)
}

/// Writes files below `root` in order, if each is still as it was seen. Files with the right contents are not
/// written.
///
/// # Errors
/// The same as for [`read`]; also if a file is no longer as it was seen, and the first system call that fails.
pub fn write(root: &Path, files: &[(String, Vec<u8>, Option<Seen>)]) -> Result<(), Error> {
    let failed = |error| Error::io("make the folder", shown(root), error);
    let Some(folder) = Os.root(root, true).map_err(failed)? else {
        return Err(Error::Changed { path: shown(root) });
    };
    let _guard = Guard::take(root)?;
    // All files are checked before the first one is written.
    let mut entries = Vec::new();
    for (path, bytes, expected) in files {
        let path = parse(path)?;
        let before = seen(look(Some(folder.as_ref()), &path, bytes.len())?, &path)?;
        if expected
            .as_ref()
            .is_some_and(|expected| expected.0 != before)
        {
            let path = path.to_string();
            return Err(Error::Changed { path });
        }
        if before != Before::Bytes(bytes.clone()) {
            entries.push((path, before, bytes));
        }
    }
    let mut unsynced = BTreeSet::new();
    for (path, before, bytes) in &entries {
        write_file(folder.as_ref(), path, before, bytes, &mut unsynced)?;
    }
    sync(folder.as_ref(), unsynced)
}

fn parse(path: &str) -> Result<TreePath, Error> {
    TreePath::parse(path).map_err(|problem| Error::Unsafe {
        path: path.to_owned(),
        problem: problem.to_owned(),
    })
}

/// Refuses what can't be replaced.
fn seen(before: Before, path: &TreePath) -> Result<Before, Error> {
    let problem = match &before {
        Before::Nothing | Before::Bytes(_) => return Ok(before),
        Before::Large => "is larger than any file that is written there".to_owned(),
        Before::Blocked(Obstacle::Link(link)) if link == path => "is a symbolic link".to_owned(),
        Before::Blocked(Obstacle::Link(link)) => format!("is behind a symbolic link, `{link}`"),
        Before::Blocked(Obstacle::NotAFolder(file)) => {
            format!("can't exist, because `{file}` is not a folder")
        }
        Before::Blocked(_) => "is not a regular file".to_owned(),
    };
    let path = path.to_string();
    Err(Error::Unsafe { path, problem })
}

fn shown(root: &Path) -> String {
    root.display().to_string()
}
