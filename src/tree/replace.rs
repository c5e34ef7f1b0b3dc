//! Replaces one file by another, unless somebody has changed it in the meantime.
//!
//! Checking a file before a rename leaves a moment in which an edit can be overwritten. This code has no such moment:
//! the new file and the existing one are exchanged in one step, and the old one is then compared with what was seen
//! when the change was decided. If it differs, somebody has just saved it, and it is put back. An editor that saves
//! by a rename, or that truncates the file and writes it again, loses nothing. (An editor that keeps a file open and
//! later writes into it without truncating it would write into the file that was replaced; no system call can detect
//! that.)
//!
//! If the system can't exchange two files (Windows, some network file systems), the check is done immediately before
//! the rename.

use std::io;

use super::classify::Before;
use super::disk::{Content, Folder, Stands};
use super::error::Error;
use super::path::TreePath;
use super::reach::look_in;

/// How many saves in a row are followed. No editor saves again in less time than two renames take.
const SAVES: usize = 16;

/// The result of replacing or removing a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    /// It was replaced or removed.
    Done,
    /// The file is no longer the one that was to be replaced. It was left alone, or put back.
    Changed,
}

/// A path, with its open folder.
pub(super) struct Target<'a> {
    pub folder: &'a dyn Folder,
    pub path: &'a TreePath,
}

impl Target<'_> {
    /// Writes `bytes`, if the file is still `before`.
    pub(super) fn write(&self, before: &Before, bytes: &[u8]) -> Result<Done, Error> {
        let written = self.try_write(before, bytes);
        let temporary = self.path.temporary();
        if !matches!(written, Ok(Done::Done)) && self.is_file(&temporary) {
            // The first failure is the one that counts. The next run removes what is left.
            let _ = self.folder.remove_file(&temporary);
        }
        written.map_err(|error| Error::io("write", self.path.as_str(), error))
    }

    fn try_write(&self, before: &Before, bytes: &[u8]) -> io::Result<Done> {
        let (temporary, aside) = (self.path.temporary(), self.path.aside());
        let (folder, name) = (self.folder, self.path.name());
        clear(folder, &temporary)?;
        folder.write_new(&temporary, bytes, name)?;
        if *before == Before::Nothing {
            return match folder.rename_new(&temporary, name) {
                Ok(()) => Ok(Done::Done),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Done::Changed),
                Err(error) => Err(error),
            };
        }
        if self.look(name, bytes.len())? != *before {
            return Ok(Done::Changed);
        }
        // The complete and flushed file gets the name that the old file will have after the exchange.
        folder.rename_new(&temporary, &aside)?;
        match folder.exchange(&aside, name) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                return self.rename(before, bytes.len());
            }
            Err(error) => {
                folder.remove_file(&aside)?;
                return match error.kind() {
                    io::ErrorKind::NotFound => Ok(Done::Changed),
                    _ => Err(error),
                };
            }
        }
        if self.look(&aside, bytes.len())? == *before {
            folder.remove_file(&aside)?;
            return Ok(Done::Done);
        }
        self.put_back(Before::Bytes(bytes.to_vec()))?;
        Ok(Done::Changed)
    }

    /// Replaces the file without an exchange, immediately after the check.
    fn rename(&self, before: &Before, length: usize) -> io::Result<Done> {
        let aside = self.path.aside();
        if self.look(self.path.name(), length)? != *before {
            self.folder.remove_file(&aside)?;
            return Ok(Done::Changed);
        }
        self.folder.rename(&aside, self.path.name())?;
        Ok(Done::Done)
    }

    /// Removes the file, if it is still `before`.
    pub(super) fn remove(&self, before: &Before) -> Result<Done, Error> {
        let removed = self.try_remove(before);
        removed.map_err(|error| Error::io("remove", self.path.as_str(), error))
    }

    fn try_remove(&self, before: &Before) -> io::Result<Done> {
        let (name, aside) = (self.path.name(), self.path.aside());
        if self.look(name, 0)? != *before {
            return Ok(Done::Changed);
        }
        match self.folder.rename_new(name, &aside) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Done::Changed),
            Err(error) => return Err(error),
        }
        if self.look(&aside, 0)? == *before {
            self.folder.remove_file(&aside)?;
            return Ok(Done::Done);
        }
        self.put_back(Before::Nothing)?;
        Ok(Done::Changed)
    }

    /// Puts back what was moved aside, in place of `ours`. If the file was changed again in the meantime, the last
    /// save stays.
    pub(super) fn put_back(&self, ours: Before) -> io::Result<()> {
        let (name, aside) = (self.path.name(), self.path.aside());
        let mut outdated = vec![ours];
        for _ in 0..SAVES {
            let held = self.look(&aside, 0)?;
            let swapped = match self.folder.rename_new(&aside, name) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    self.folder.exchange(&aside, name)
                }
                Err(error) => return Err(error),
            };
            match swapped {
                Ok(()) => {}
                // The file was removed between the two calls. The name will be free in the next iteration.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                    if outdated.contains(&self.look(name, 0)?) {
                        return self.folder.rename(&aside, name);
                    }
                    return self.folder.remove_file(&aside);
                }
                Err(error) => return Err(error),
            }
            if outdated.contains(&self.look(&aside, 0)?) {
                return self.folder.remove_file(&aside);
            }
            outdated.push(held);
        }
        Ok(())
    }

    /// What exists at a name in the folder.
    fn look(&self, name: &str, rendered: usize) -> io::Result<Before> {
        look_in(self.folder, name, self.path, rendered)
    }

    fn is_file(&self, name: &str) -> bool {
        matches!(self.folder.stands(name), Ok(Stands::File))
    }
}

/// Removes a temporary file. Anything else with that name, for example a link, is removed and not followed.
pub(super) fn clear(folder: &dyn Folder, temporary: &str) -> io::Result<()> {
    match folder.stands(temporary)? {
        Stands::Nothing | Stands::Folder => Ok(()),
        _ => folder.remove_file(temporary),
    }
}

/// Writes a small file as a whole, if it is still `before` immediately before it is replaced. This is for the lock,
/// which nobody edits during a render.
pub(super) fn write_lock(
    folder: &dyn Folder,
    name: &str,
    before: Option<&[u8]>,
    bytes: &[u8],
) -> Result<Done, Error> {
    let temporary = super::path::temporary_of(name);
    let try_write = || -> io::Result<Done> {
        clear(folder, &temporary)?;
        folder.write_new(&temporary, bytes, name)?;
        if !is_still(folder, name, before)? {
            folder.remove_file(&temporary)?;
            return Ok(Done::Changed);
        }
        folder.rename(&temporary, name)?;
        Ok(Done::Done)
    };
    try_write().map_err(|error| {
        // The first failure is the one that counts. The next run removes what is left.
        let _ = folder.remove_file(&temporary);
        Error::io("write", name, error)
    })
}

/// Whether a file still has these bytes; with `None`, whether it still doesn't exist.
pub(super) fn is_still(folder: &dyn Folder, name: &str, bytes: Option<&[u8]>) -> io::Result<bool> {
    match (folder.stands(name)?, bytes) {
        (Stands::Nothing, None) => Ok(true),
        (Stands::File, Some(bytes)) => {
            let most = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            Ok(folder.read(name, most)? == Content::Bytes(bytes.to_vec()))
        }
        _ => Ok(false),
    }
}
