//! Files that have no lock: written by the same rules as rendered ones. No link is followed, and nothing is replaced
//! that is not what was read.

use std::collections::BTreeSet;
use std::path::Path;

use super::apply::{sync, write_file};
use super::classify::{Before, Obstacle};
use super::disk::{Disk, Os};
use super::error::Error;
use super::guard::Guard;
use super::path::TreePath;
use super::reach::look;

/// A file as it was read, to be replaced only if it still is that.
#[derive(Clone, Debug)]
pub struct Seen(Before);

impl Seen {
    /// Its bytes; `None` where there is none.
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.0 {
            Before::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// What stands at a path below `root`; symbolic links are not followed.
///
/// # Errors
/// If the path leads elsewhere by its text, or something can't be read.
pub fn stands(root: &Path, path: &str) -> Result<Before, Error> {
    let folder = Os.root(root, false);
    let folder = folder.map_err(|error| Error::io("open the folder", shown(root), error))?;
    look(folder.as_deref(), &parse(path)?, 0)
}

/// Reads a file below `root`.
///
/// # Errors
/// If it can't be read, is no regular file, is too large, or lies behind a symbolic link.
pub fn read(root: &Path, path: &str) -> Result<Seen, Error> {
    seen(stands(root, path)?, &parse(path)?).map(Seen)
}

/// Writes files below `root`, in their order, each in the place of what was seen of it. What is so already is left.
///
/// # Errors
/// As [`read`]; where a file is no longer what was seen; and the first system call that fails.
pub fn write(root: &Path, files: &[(String, Vec<u8>, Option<Seen>)]) -> Result<(), Error> {
    let failed = |error| Error::io("make the folder", shown(root), error);
    let Some(folder) = Os.root(root, true).map_err(failed)? else {
        return Err(Error::Changed { path: shown(root) });
    };
    let _guard = Guard::take(root)?;
    // All are looked at before the first is written.
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

/// Something that can be replaced.
fn seen(before: Before, path: &TreePath) -> Result<Before, Error> {
    let problem = match &before {
        Before::Nothing | Before::Bytes(_) => return Ok(before),
        Before::Large => "is larger than anything that is written there".to_owned(),
        Before::Blocked(Obstacle::Link(link)) if link == path => "is a symbolic link".to_owned(),
        Before::Blocked(Obstacle::Link(link)) => format!("lies behind a symbolic link, `{link}`"),
        Before::Blocked(Obstacle::NotAFolder(file)) => {
            format!("can't be there: `{file}` is no folder")
        }
        Before::Blocked(_) => "is no regular file".to_owned(),
    };
    let path = path.to_string();
    Err(Error::Unsafe { path, problem })
}

fn shown(root: &Path) -> String {
    root.display().to_string()
}
