//! The lock that a plan leads to, and the lock on the way there.

use std::collections::BTreeSet;
use std::path::Path;

use super::classify::{Before, Class};
use super::disk::{Disk, Stands};
use super::error::Error;
use super::file::Ownership;
use super::lock::{Hash, Lock, Owned, Pending};
use super::path::TreePath;
use super::plan::{Action, Entry, Rendered};

/// What is ours of a path before this run: as the lock says, or as an interrupted run was about to write it.
fn owned_before(lock: &Lock, path: &TreePath) -> Option<Owned> {
    let written = || lock.pending.get(path)?.new.clone().map(Owned::Whole);
    lock.files.get(path).cloned().or_else(written)
}

/// The lock once everything is done.
pub(super) fn lock_after(entries: &[Entry], rendered: &Rendered, lock: &Lock) -> Lock {
    let mut after = Lock::default();
    for entry in entries {
        let Some(file) = rendered.get(&entry.path) else {
            continue;
        };
        let written = || match file.ownership {
            Ownership::Whole => Owned::Whole(Hash::of(&file.bytes)),
            Ownership::Shared { .. } => Owned::Shared,
        };
        let owned = match (&entry.class, entry.action) {
            (_, Action::Write) | (Class::Unchanged | Class::Adopt, _) => Some(written()),
            _ => owned_before(lock, &entry.path),
        };
        if let Some(owned) = owned {
            after.files.insert(entry.path.clone(), owned);
        }
    }
    after
}

/// The lock during the work: what stays has its new entry already, what will change has its old one, and the
/// pending section says what becomes of it.
pub(super) fn intent(entries: &[Entry], lock: &Lock, after: &Lock) -> Lock {
    let mut intent = after.clone();
    intent.pending_folders.clone_from(&lock.pending_folders);
    for entry in entries.iter().filter(|entry| entry.action != Action::Leave) {
        let path = entry.path.clone();
        // A shared file holds the user's entries from the first moment on: it must never look like ours alone.
        let shared = || Some(Owned::Shared).filter(|shared| after.files.get(&path) == Some(shared));
        let known = || entry.known.clone().map(Owned::Whole);
        let owned = shared()
            .or_else(known)
            .or_else(|| owned_before(lock, &path));
        match owned {
            Some(owned) => intent.files.insert(path.clone(), owned),
            None => intent.files.remove(&path),
        };
        let old = match &entry.before {
            Before::Bytes(bytes) => Some(Hash::of(bytes)),
            _ => None,
        };
        let new = match entry.action {
            Action::Write => entry.after.as_deref().map(Hash::of),
            _ => None,
        };
        if entry.action == Action::Remove {
            intent.pending_folders.extend(path.folders());
        }
        intent.pending.insert(path, Pending { old, new });
    }
    intent
}

/// The folders that are to be made.
pub(super) fn missing_folders(
    disk: &dyn Disk,
    root: &Path,
    entries: &[Entry],
) -> Result<BTreeSet<TreePath>, Error> {
    let written = entries.iter().filter(|entry| entry.action == Action::Write);
    let mut missing = written
        .flat_map(|entry| entry.path.folders())
        .collect::<BTreeSet<_>>();
    let mut failed = None;
    missing.retain(|folder| match disk.stands(&folder.under(root)) {
        Ok(stands) => stands == Stands::Nothing,
        Err(error) => {
            failed = Some(Error::io("look at", folder.as_str(), error));
            false
        }
    });
    failed.map_or(Ok(missing), Err)
}
