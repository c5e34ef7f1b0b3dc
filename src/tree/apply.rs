//! Doing what a plan says, whole file by whole file.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::classify::Before;
use super::disk::{Disk, Os, Stands};
use super::error::Error;
use super::guard::Guard;
use super::lock::{LOCK_FILE, Lock};
use super::path::{TreePath, lock_temporary};
use super::plan::{Action, Entry, Plan, look};

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The files written.
    pub written: Vec<TreePath>,
    /// The files removed.
    pub removed: Vec<TreePath>,
    /// The folders removed since nothing was left in them.
    pub removed_folders: Vec<TreePath>,
}

/// Does what `plan` says.
///
/// Stopped at any instant, killed included, every file is whole: the old one or the new one. The next
/// [`plan`](super::plan()) finishes the work.
///
/// # Errors
/// The first system call that fails, with its path and the system's reason; [`Error::Busy`] where another
/// render is at work; [`Error::Changed`] where a file is no longer what the plan saw.
pub fn apply(plan: &Plan) -> Result<Applied, Error> {
    apply_on(&Os, plan)
}

/// [`apply`] on any disk.
///
/// # Errors
/// As [`apply`].
pub fn apply_on(disk: &dyn Disk, plan: &Plan) -> Result<Applied, Error> {
    if !plan.has_work() {
        return Ok(Applied::default());
    }
    create_root(disk, &plan.root)?;
    let _guard = Guard::take(&plan.root)?;
    let mut work = Work {
        disk,
        plan,
        root: &plan.root,
        unsynced: BTreeSet::new(),
        applied: Applied::default(),
    };
    work.check()?;
    work.clear_leftovers()?;
    // Where no file changes there is nothing to announce: the lock itself is replaced atomically.
    if plan.intent.is_pending() {
        work.write_lock(&plan.intent)?;
    }
    for entry in plan.changes().filter(|entry| entry.action == Action::Write) {
        work.write(entry)?;
    }
    for entry in plan
        .changes()
        .filter(|entry| entry.action == Action::Remove)
    {
        work.remove(entry)?;
    }
    work.prune()?;
    work.sync()?;
    if plan.lock_changes() || plan.intent.is_pending() {
        work.write_lock(&plan.lock_after)?;
    }
    Ok(work.applied)
}

struct Work<'a> {
    disk: &'a dyn Disk,
    plan: &'a Plan,
    root: &'a Path,
    /// Folders whose entries changed. They are flushed once, before the lock says that all is done.
    unsynced: BTreeSet<PathBuf>,
    applied: Applied,
}

impl Work<'_> {
    /// Everything that will be touched, and the lock, is still what the plan saw.
    fn check(&self) -> Result<(), Error> {
        let path = self.root.join(LOCK_FILE);
        let failed = |error| Error::io("read", LOCK_FILE, error);
        let lock = match self.disk.stands(&path).map_err(failed)? {
            Stands::Nothing => None,
            _ => self.disk.read(&path, u64::MAX).map_err(failed)?,
        };
        if lock != self.plan.lock_before {
            let path = LOCK_FILE.to_owned();
            return Err(Error::Changed { path });
        }
        self.plan
            .changes()
            .try_for_each(|entry| self.check_entry(entry))
    }

    fn check_entry(&self, entry: &Entry) -> Result<(), Error> {
        let length = entry.after.as_ref().map_or(0, Vec::len);
        if look(self.disk, self.root, &entry.path, length)? == entry.before {
            return Ok(());
        }
        let path = entry.path.to_string();
        Err(Error::Changed { path })
    }

    /// Removes the temporary files of a run that was killed.
    fn clear_leftovers(&self) -> Result<(), Error> {
        for path in &self.plan.leftovers {
            if !matches!(look(self.disk, self.root, path, 0)?, Before::Blocked(_)) {
                self.clear(&path.temporary(self.root), path.as_str())?;
            }
        }
        self.clear(&lock_temporary(self.root), LOCK_FILE)
    }

    fn clear(&self, temporary: &Path, path: &str) -> Result<(), Error> {
        let failed = |error| Error::io("remove the temporary file of", path, error);
        match self.disk.stands(temporary).map_err(failed)? {
            Stands::Nothing | Stands::Folder => Ok(()),
            _ => self.disk.remove_file(temporary).map_err(failed),
        }
    }

    fn write(&mut self, entry: &Entry) -> Result<(), Error> {
        let Some(bytes) = &entry.after else {
            return Ok(());
        };
        for folder in entry.path.folders() {
            self.create_folder(&folder)?;
        }
        self.check_entry(entry)?;
        self.replace(
            &entry.path.temporary(self.root),
            &entry.path.under(self.root),
            bytes,
            entry.path.as_str(),
        )?;
        self.changed_in(entry.path.parent());
        self.applied.written.push(entry.path.clone());
        Ok(())
    }

    fn create_folder(&mut self, folder: &TreePath) -> Result<(), Error> {
        let path = folder.under(self.root);
        let failed = |error| Error::io("make the folder", folder.as_str(), error);
        match self.disk.stands(&path).map_err(failed)? {
            Stands::Folder => Ok(()),
            Stands::Nothing => {
                self.disk.create_folder(&path).map_err(failed)?;
                self.changed_in(folder.parent());
                Ok(())
            }
            // A link, for one, that was put there since the plan was made: nothing is made behind it.
            _ => Err(Error::Changed {
                path: folder.to_string(),
            }),
        }
    }

    /// Writes a file whole: beside it first, then in its place.
    fn replace(
        &self,
        temporary: &Path,
        target: &Path,
        bytes: &[u8],
        path: &str,
    ) -> Result<(), Error> {
        self.clear(temporary, path)?;
        let written = self
            .disk
            .write_new(temporary, bytes, target)
            .and_then(|()| self.disk.rename(temporary, target));
        written.map_err(|error| {
            // What matters is the first failure; what this leaves, the next run removes.
            let _ = self.disk.remove_file(temporary);
            Error::io("write", path, error)
        })
    }

    fn remove(&mut self, entry: &Entry) -> Result<(), Error> {
        self.check_entry(entry)?;
        self.disk
            .remove_file(&entry.path.under(self.root))
            .map_err(|error| Error::io("remove", entry.path.as_str(), error))?;
        self.changed_in(entry.path.parent());
        self.applied.removed.push(entry.path.clone());
        Ok(())
    }

    /// Removes the folders that this run, or the one that it finishes, has emptied or made for nothing.
    fn prune(&mut self) -> Result<(), Error> {
        // Below comes after above, so that the reverse empties from the inside.
        for folder in self.plan.intent.pending_folders.iter().rev() {
            let path = folder.under(self.root);
            let failed = |error| Error::io("remove the folder", folder.as_str(), error);
            let reached =
                folder
                    .folders()
                    .iter()
                    .chain([folder])
                    .try_fold(true, |reached, folder| {
                        Ok::<_, io::Error>(
                            reached
                                && self.disk.stands(&folder.under(self.root))? == Stands::Folder,
                        )
                    });
            if reached.map_err(failed)? && self.disk.is_empty(&path).map_err(failed)? {
                self.disk.remove_folder(&path).map_err(failed)?;
                self.unsynced.remove(&path);
                self.changed_in(folder.parent());
                self.applied.removed_folders.push(folder.clone());
            }
        }
        Ok(())
    }

    fn changed_in(&mut self, folder: Option<TreePath>) {
        let path = folder.map_or_else(|| self.root.to_owned(), |folder| folder.under(self.root));
        self.unsynced.insert(path);
    }

    fn sync(&mut self) -> Result<(), Error> {
        for folder in std::mem::take(&mut self.unsynced) {
            self.sync_folder(&folder)?;
        }
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> Result<(), Error> {
        let synced = self.disk.sync_folder(folder);
        synced.map_err(|error| Error::io("flush the folder", folder.display().to_string(), error))
    }

    fn write_lock(&self, lock: &Lock) -> Result<(), Error> {
        let target = self.root.join(LOCK_FILE);
        self.replace(
            &lock_temporary(self.root),
            &target,
            lock.text().as_bytes(),
            LOCK_FILE,
        )?;
        self.sync_folder(self.root)
    }
}

/// Makes the root where it is missing; the root itself may be reached by a symbolic link.
fn create_root(disk: &dyn Disk, root: &Path) -> Result<(), Error> {
    let mut missing = Vec::new();
    for folder in root.ancestors().filter(|path| !path.as_os_str().is_empty()) {
        let failed = |error| Error::io("look at", folder.display().to_string(), error);
        // With the dot a link is looked through.
        if disk.stands(&folder.join(".")).map_err(failed)? != Stands::Nothing {
            break;
        }
        missing.push(folder);
    }
    for folder in missing.into_iter().rev() {
        let failed = |error| Error::io("make the folder", folder.display().to_string(), error);
        disk.create_folder(folder).map_err(failed)?;
    }
    Ok(())
}
