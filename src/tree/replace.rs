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

use super::classify::Existing;
use super::disk::{Content, EntryType, Folder};
use super::error::Error;
use super::path::TreePath;
use super::reach::look_in;

/// How many saves in a row are followed. No editor saves again in less time than two renames take.
const SAVES: usize = 16;

/// The result of replacing or removing a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replacement {
    /// It was replaced or removed.
    Replacement,
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
    pub(super) fn write(&self, before: &Existing, bytes: &[u8]) -> Result<Replacement, Error> {
        let written = self.try_write(before, bytes);
        let temporary = self.path.temporary();
        if !matches!(written, Ok(Replacement::Replacement)) && self.is_file(&temporary) {
            // The first failure is the one that counts. The next run removes what is left.
            let _ = self.folder.remove_file(&temporary);
        }
        written.map_err(|error| Error::io("write", self.path.as_str(), error))
    }

    fn try_write(&self, before: &Existing, bytes: &[u8]) -> io::Result<Replacement> {
        let (temporary, aside) = (self.path.temporary(), self.path.aside());
        let (folder, name) = (self.folder, self.path.name());
        clear(folder, &temporary)?;
        folder.write_new(&temporary, bytes, name)?;
        if *before == Existing::Nothing {
            return match folder.rename_new(&temporary, name) {
                Ok(()) => Ok(Replacement::Replacement),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    Ok(Replacement::Changed)
                }
                Err(error) => Err(error),
            };
        }
        if self.look(name, bytes.len())? != *before {
            return Ok(Replacement::Changed);
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
                    io::ErrorKind::NotFound => Ok(Replacement::Changed),
                    _ => Err(error),
                };
            }
        }
        if self.look(&aside, bytes.len())? == *before {
            folder.remove_file(&aside)?;
            return Ok(Replacement::Replacement);
        }
        self.put_back(Existing::Bytes(bytes.to_vec()))?;
        Ok(Replacement::Changed)
    }

    /// Replaces the file without an exchange, immediately after the check.
    fn rename(&self, before: &Existing, length: usize) -> io::Result<Replacement> {
        let aside = self.path.aside();
        if self.look(self.path.name(), length)? != *before {
            self.folder.remove_file(&aside)?;
            return Ok(Replacement::Changed);
        }
        self.folder.rename(&aside, self.path.name())?;
        Ok(Replacement::Replacement)
    }

    /// Removes the file, if it is still `before`.
    pub(super) fn remove(&self, before: &Existing) -> Result<Replacement, Error> {
        let removed = self.try_remove(before);
        removed.map_err(|error| Error::io("remove", self.path.as_str(), error))
    }

    fn try_remove(&self, before: &Existing) -> io::Result<Replacement> {
        let (name, aside) = (self.path.name(), self.path.aside());
        if self.look(name, 0)? != *before {
            return Ok(Replacement::Changed);
        }
        match self.folder.rename_new(name, &aside) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Replacement::Changed);
            }
            Err(error) => return Err(error),
        }
        if self.look(&aside, 0)? == *before {
            self.folder.remove_file(&aside)?;
            return Ok(Replacement::Replacement);
        }
        self.put_back(Existing::Nothing)?;
        Ok(Replacement::Changed)
    }

    /// Puts back what was moved aside, in place of `ours`. If the file was changed again in the meantime, the last
    /// save stays.
    pub(super) fn put_back(&self, ours: Existing) -> io::Result<()> {
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
    fn look(&self, name: &str, rendered: usize) -> io::Result<Existing> {
        look_in(self.folder, name, self.path, rendered)
    }

    fn is_file(&self, name: &str) -> bool {
        matches!(self.folder.stands(name), Ok(EntryType::File))
    }
}

/// Removes a temporary file. Anything else with that name, for example a link, is removed and not followed.
pub(super) fn clear(folder: &dyn Folder, temporary: &str) -> io::Result<()> {
    match folder.stands(temporary)? {
        EntryType::Nothing | EntryType::Folder => Ok(()),
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
) -> Result<Replacement, Error> {
    let temporary = super::path::temporary_of(name);
    let try_write = || -> io::Result<Replacement> {
        clear(folder, &temporary)?;
        folder.write_new(&temporary, bytes, name)?;
        if !is_still(folder, name, before)? {
            folder.remove_file(&temporary)?;
            return Ok(Replacement::Changed);
        }
        folder.rename(&temporary, name)?;
        Ok(Replacement::Replacement)
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
        (EntryType::Nothing, None) => Ok(true),
        (EntryType::File, Some(bytes)) => {
            let most = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            Ok(folder.read(name, most)? == Content::Bytes(bytes.to_vec()))
        }
        _ => Ok(false),
    }
}
