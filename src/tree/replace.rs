//! One file in the place of another, unless somebody has changed that in the meantime.
//!
//! A look before a rename leaves an instant in which an edit is overwritten. Here there is none: the new file and that
//! which stands there change places in one step, and what came out is compared with what was seen when the change was
//! decided. Is it something else, somebody saved just then, and it is put back. An editor that saves by a rename, or
//! that empties the file and writes it anew, loses nothing. (One that keeps a file open, doesn't empty it, and writes
//! into it later would write into what was taken away; no system call tells of it.)
//!
//! Where the system can't exchange two files (Windows, some network file systems) the look comes directly before the
//! rename.

use std::io;

use super::classify::Before;
use super::disk::{Content, Folder, Stands};
use super::error::Error;
use super::path::TreePath;
use super::reach::look_in;

/// How many saves in a row are followed: an editor that saves in less time than two renames take is none.
const SAVES: usize = 16;

/// Whether the file was replaced, or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    /// It was.
    Done,
    /// Something else stands there than what was to be replaced; it was left, or put back.
    Changed,
}

/// A path in its open folder.
pub(super) struct Target<'a> {
    pub folder: &'a dyn Folder,
    pub path: &'a TreePath,
}

impl Target<'_> {
    /// Writes `bytes`, if `before` is what stands there.
    pub(super) fn write(&self, before: &Before, bytes: &[u8]) -> Result<Done, Error> {
        let written = self.try_write(before, bytes);
        let temporary = self.path.temporary();
        if !matches!(written, Ok(Done::Done)) && self.is_file(&temporary) {
            // What matters is the first failure; what this leaves, the next run removes.
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
        // Whole and flushed it takes the name under which, from the exchange on, the old file waits.
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

    /// Without an exchange: as close to the look as can be.
    fn rename(&self, before: &Before, length: usize) -> io::Result<Done> {
        let aside = self.path.aside();
        if self.look(self.path.name(), length)? != *before {
            self.folder.remove_file(&aside)?;
            return Ok(Done::Changed);
        }
        self.folder.rename(&aside, self.path.name())?;
        Ok(Done::Done)
    }

    /// Removes the file, if `before` is what stands there.
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

    /// Puts what waits aside back in its place, where `ours` stands now. Was that changed in the meantime, too, the
    /// last save is what stays.
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
                // Removed between the two calls: the next time the name is free.
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

    /// What stands at a name of the folder.
    fn look(&self, name: &str, rendered: usize) -> io::Result<Before> {
        look_in(self.folder, name, self.path, rendered)
    }

    fn is_file(&self, name: &str) -> bool {
        matches!(self.folder.stands(name), Ok(Stands::File))
    }
}

/// Removes a temporary file; what is no file of ours under its name, a link for one, is removed and not followed.
pub(super) fn clear(folder: &dyn Folder, temporary: &str) -> io::Result<()> {
    match folder.stands(temporary)? {
        Stands::Nothing | Stands::Folder => Ok(()),
        _ => folder.remove_file(temporary),
    }
}

/// Writes a small file whole, if `before` is what stands there directly before it is replaced: for the lock, which
/// nobody edits while a render is at work.
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
        // What matters is the first failure; what this leaves, the next run removes.
        let _ = folder.remove_file(&temporary);
        Error::io("write", name, error)
    })
}

/// Whether a file holds these bytes still; `None`: whether nothing stands there.
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
