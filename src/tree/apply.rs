//! Carries out a plan, one whole file at a time.

use std::collections::BTreeSet;

use super::classify::Before;
use super::disk::{Disk, Folder, Os, Stands};
use super::error::Error;
use super::guard::Guard;
use super::lock::Lock;
use super::path::{TreePath, temporary_of};
use super::plan::{Action, Entry, Plan};
use super::reach::{Place, Reached, enter, look, look_in, reach, step};
use super::replace::{Done, Target, clear, is_still, write_lock};

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The files written.
    pub written: Vec<TreePath>,
    /// The files removed.
    pub removed: Vec<TreePath>,
    /// The folders removed because they were empty afterwards.
    pub removed_folders: Vec<TreePath>,
}

/// Carries out `plan`.
///
/// Whenever it is stopped, even killed, every file is whole: either the old one or the new one. The next
/// [`plan`](super::plan()) finishes the work.
///
/// # Errors
/// The first system call that fails, with its path and the system's reason; [`Error::Busy`] if another render is
/// running; [`Error::Changed`] if a file is no longer what the plan saw.
pub fn apply(plan: &Plan) -> Result<Applied, Error> {
    apply_on(&Os, plan)
}

/// Like [`apply`], on any disk.
///
/// # Errors
/// The same as for [`apply`].
pub fn apply_on(disk: &dyn Disk, plan: &Plan) -> Result<Applied, Error> {
    if !plan.has_work() {
        return Ok(Applied::default());
    }
    let shown = || plan.root.display().to_string();
    let failed = |error| Error::io("make the folder", shown(), error);
    let Some(root) = disk.root(&plan.root, true).map_err(failed)? else {
        return Err(Error::Changed { path: shown() });
    };
    let _guard = Guard::take(&plan.root)?;
    let mut work = Work {
        plan,
        root: root.as_ref(),
        lock: plan.lock_before.clone(),
        unsynced: BTreeSet::new(),
        applied: Applied::default(),
    };
    work.check()?;
    work.clear_leftovers()?;
    // If no file changes, the intent need not be recorded: the lock itself is replaced atomically.
    if plan.intent.is_pending() {
        work.write_lock(&plan.intent)?;
    }
    let of = |action| plan.changes().filter(move |entry| entry.action == action);
    for entry in of(Action::Write) {
        work.write(entry)?;
    }
    for entry in of(Action::Remove) {
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
    plan: &'a Plan,
    root: &'a dyn Folder,
    /// The lock's text as it should be on disk.
    lock: Option<Vec<u8>>,
    /// Folders whose entries have changed; `None` is the root. They are flushed once, before the lock says that the work
    /// is finished.
    unsynced: BTreeSet<Option<TreePath>>,
    applied: Applied,
}

fn changed(path: &TreePath) -> Error {
    let path = path.to_string();
    Error::Changed { path }
}

impl Work<'_> {
    /// Checks that everything that will be touched, and the lock, is still what the plan saw.
    fn check(&self) -> Result<(), Error> {
        let name = &self.plan.lock;
        let is_still = is_still(self.root, name, self.lock.as_deref());
        if !is_still.map_err(|error| Error::io("read", name, error))? {
            let path = name.clone();
            return Err(Error::Changed { path });
        }
        let touched = |entry: &&Entry| entry.action != Action::Leave || entry.restore.is_some();
        for entry in self.plan.entries.iter().filter(touched) {
            let length = entry.after.as_ref().map_or(0, Vec::len);
            let seen = entry.restore.as_ref().unwrap_or(&entry.before);
            if look(Some(self.root), &entry.path, length)? != *seen {
                return Err(changed(&entry.path));
            }
        }
        Ok(())
    }

    /// Puts back edits that a killed run had moved aside, and removes its temporary files.
    fn clear_leftovers(&self) -> Result<(), Error> {
        for entry in &self.plan.entries {
            if let Some(ours) = &entry.restore {
                let path = &entry.path;
                self.at(path, "put back", |folder| {
                    Target { folder, path }.put_back(ours.clone())
                })?;
            }
        }
        for (path, aside) in &self.plan.leftovers {
            self.at(path, "remove the temporary file of", |folder| {
                clear(folder, &path.temporary())?;
                let name = path.aside();
                match aside {
                    // If it is another file by now, it stays for the next run.
                    Some(ours) if look_in(folder, &name, path, length(ours))? == *ours => {
                        folder.remove_file(&name)
                    }
                    _ => Ok(()),
                }
            })?;
        }
        let lock = &self.plan.lock;
        clear(self.root, &temporary_of(lock))
            .map_err(|error| Error::io("remove the temporary file of", lock, error))
    }

    /// Calls a function with the folder that contains a path, if that folder can be reached.
    fn at(
        &self,
        path: &TreePath,
        doing: &'static str,
        work: impl FnOnce(&dyn Folder) -> std::io::Result<()>,
    ) -> Result<(), Error> {
        let done = match reach(self.root, path) {
            Ok(Reached::Folder(place)) => work(place.folder()),
            Ok(Reached::Nothing | Reached::Blocked(_)) => Ok(()),
            Err(error) => Err(error),
        };
        done.map_err(|error| Error::io(doing, path.as_str(), error))
    }

    fn write(&mut self, entry: &Entry) -> Result<(), Error> {
        let Some(bytes) = &entry.after else {
            return Ok(());
        };
        write_file(
            self.root,
            &entry.path,
            &entry.before,
            bytes,
            &mut self.unsynced,
        )?;
        self.applied.written.push(entry.path.clone());
        Ok(())
    }

    fn remove(&mut self, entry: &Entry) -> Result<(), Error> {
        let path = &entry.path;
        let failed = |error| Error::io("remove", path.as_str(), error);
        let Reached::Folder(place) = reach(self.root, path).map_err(failed)? else {
            return Err(changed(path));
        };
        let folder = place.folder();
        if (Target { folder, path }).remove(&entry.before)? == Done::Changed {
            return Err(changed(path));
        }
        self.unsynced.insert(path.parent());
        self.applied.removed.push(path.clone());
        Ok(())
    }

    /// Removes the folders that this run, or the one that it finishes, has emptied or created unnecessarily.
    fn prune(&mut self) -> Result<(), Error> {
        // Parents come before their children, so in reverse order the inner folders are removed first.
        for folder in self.plan.intent.pending_folders.iter().rev() {
            let failed = |error| Error::io("remove the folder", folder.as_str(), error);
            let Reached::Folder(place) = reach(self.root, folder).map_err(failed)? else {
                continue;
            };
            let above = place.folder();
            let Ok(within) = step(above, folder.name()).map_err(failed)? else {
                continue;
            };
            if within.is_empty().map_err(failed)? {
                above.remove_folder(folder.name()).map_err(failed)?;
                self.unsynced.remove(&Some(folder.clone()));
                self.unsynced.insert(folder.parent());
                self.applied.removed_folders.push(folder.clone());
            }
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Error> {
        sync(self.root, std::mem::take(&mut self.unsynced))
    }

    fn write_lock(&mut self, lock: &Lock) -> Result<(), Error> {
        let (name, text) = (&self.plan.lock, lock.text().into_bytes());
        if write_lock(self.root, name, self.lock.as_deref(), &text)? == Done::Changed {
            let path = name.clone();
            return Err(Error::Changed { path });
        }
        self.lock = Some(text);
        let synced = self.root.sync();
        synced.map_err(|error| Error::io("flush the folder", ".", error))
    }
}

/// Writes one file, if its path is still what the plan saw, and creates missing folders above it. The folders whose
/// entries change must still be flushed.
pub(super) fn write_file(
    root: &dyn Folder,
    path: &TreePath,
    before: &Before,
    bytes: &[u8],
    unsynced: &mut BTreeSet<Option<TreePath>>,
) -> Result<(), Error> {
    let mut place = Place::Root(root);
    for folder in path.folders() {
        let here = place.folder();
        let failed = |error| Error::io("make the folder", folder.as_str(), error);
        let next = match step(here, folder.name()).map_err(failed)? {
            Ok(next) => next,
            Err(Stands::Nothing) => {
                here.create_folder(folder.name()).map_err(failed)?;
                unsynced.insert(folder.parent());
                here.enter(folder.name()).map_err(failed)?
            }
            // For example, a link was created since the plan was made. Nothing is created behind it.
            Err(_) => return Err(changed(&folder)),
        };
        place = Place::Below(next);
    }
    let folder = place.folder();
    if (Target { folder, path }).write(before, bytes)? == Done::Changed {
        return Err(changed(path));
    }
    unsynced.insert(path.parent());
    Ok(())
}

/// Flushes folders; `None` is the root.
pub(super) fn sync(root: &dyn Folder, folders: BTreeSet<Option<TreePath>>) -> Result<(), Error> {
    for folder in folders {
        let shown = folder.as_ref().map_or(".", TreePath::as_str).to_owned();
        let synced = match enter(root, folder.as_ref()) {
            Ok(Reached::Folder(place)) => place.folder().sync(),
            // The folder was moved away, together with what is in it.
            Ok(Reached::Nothing | Reached::Blocked(_)) => Ok(()),
            Err(error) => Err(error),
        };
        synced.map_err(|error| Error::io("flush the folder", shown, error))?;
    }
    Ok(())
}

fn length(before: &Before) -> usize {
    match before {
        Before::Bytes(bytes) => bytes.len(),
        _ => 0,
    }
}
