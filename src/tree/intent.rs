//! The lock after a plan is carried out, and the lock during the work.

use std::collections::BTreeSet;

use super::classify::{Existing, FileClass};
use super::disk::{EntryType, Folder};
use super::error::Error;
use super::file::{File, Ownership};
use super::lock::{Hash, Lock, Owned, Pending, Shared};
use super::path::TreePath;
use super::plan::{Action, Entry, Rendered};
use super::reach::{Reached, reach};

/// What is ours at a path before this run: as the lock says, or as an interrupted run was about to write it.
fn owned_before(lock: &Lock, path: &TreePath) -> Option<Owned> {
    let written = || lock.pending.get(path)?.new.clone().map(Owned::Whole);
    lock.files.get(path).cloned().or_else(written)
}

fn shared_before(lock: &Lock, path: &TreePath) -> Option<Shared> {
    match lock.files.get(path) {
        Some(Owned::Shared(shared)) => Some(shared.clone()),
        _ => None,
    }
}

/// The lock after everything is done.
pub(super) fn lock_after(entries: &[Entry], rendered: &Rendered, lock: &Lock) -> Lock {
    let mut after = Lock {
        configuration: lock.configuration.clone(),
        cluster: lock.cluster.clone(),
        ..Lock::default()
    };
    for entry in entries {
        let Some(file) = rendered.get(&entry.path) else {
            continue;
        };
        let owned = match (&entry.class, entry.action) {
            _ if matches!(file.ownership, Ownership::Left { .. }) => None,
            (_, Action::Write) | (FileClass::Unchanged | FileClass::Adopt, _) => {
                Some(written(entry, file, lock))
            }
            _ => owned_before(lock, &entry.path),
        };
        if let Some(owned) = owned {
            after.files.insert(entry.path.clone(), owned);
        }
    }
    after
}

/// What is ours at a path once it is written, or found to be as rendered.
fn written(entry: &Entry, file: &File, lock: &Lock) -> Owned {
    let Ownership::Shared { entries, fresh, .. } = &file.ownership else {
        return Owned::Whole(Hash::of(&file.bytes));
    };
    let hash = || Hash::of(&file.bytes);
    let made = match (entry.action, &entry.before) {
        (Action::Write, Existing::Nothing) => Some(hash()),
        _ if *fresh || entry.known.is_some() => Some(hash()),
        (Action::Write, _) => None,
        // Somebody has changed the file. If they revert that, it is again the one that we created.
        _ => shared_before(lock, &entry.path).and_then(|shared| shared.made),
    };
    Owned::Shared(Shared {
        entries: Some(entries.clone()),
        made,
    })
}

/// The lock during the work: unchanged files already have their new entry, files that will change have their old one,
/// and the pending section says what happens to them.
pub(super) fn intent(entries: &[Entry], rendered: &Rendered, lock: &Lock, after: &Lock) -> Lock {
    let mut intent = after.clone();
    intent.pending_folders.clone_from(&lock.pending_folders);
    for entry in entries.iter().filter(|entry| entry.action != Action::Leave) {
        let path = entry.path.clone();
        let is_shared = rendered
            .get(&path)
            .is_some_and(|file| file.ownership.merged_from().is_some());
        let known = || entry.known.clone().map(Owned::Whole);
        let owned = if is_shared {
            // From the first moment it has the user's entries, so it must never look as if it were completely ours.
            shared_on_the_way(lock, after, &path).map(Owned::Shared)
        } else {
            known().or_else(|| owned_before(lock, &path))
        };
        match owned {
            Some(owned) => intent.files.insert(path.clone(), owned),
            None => intent.files.remove(&path),
        };
        let old = match &entry.before {
            Existing::Bytes(bytes) => Some(Hash::of(bytes)),
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

/// What is ours in a shared file, whether it has been written yet or not.
fn shared_on_the_way(lock: &Lock, after: &Lock, path: &TreePath) -> Option<Shared> {
    let before = shared_before(lock, path);
    let Some(after) = shared_before(after, path) else {
        return before;
    };
    let had = before.is_some().then(|| lock.entries(path));
    let entries = after.entries.into_iter().chain(had).flatten().collect();
    let made_before = before.and_then(|shared| shared.made);
    Some(Shared {
        entries: Some(entries),
        made: after.made.map(|made| made_before.unwrap_or(made)),
    })
}

/// The folders that will be created.
pub(super) fn missing_folders(
    root: Option<&dyn Folder>,
    entries: &[Entry],
) -> Result<BTreeSet<TreePath>, Error> {
    let written = entries.iter().filter(|entry| entry.action == Action::Write);
    let all: BTreeSet<TreePath> = written.flat_map(|entry| entry.path.folders()).collect();
    let mut missing = BTreeSet::new();
    for folder in all {
        let stands = match root {
            None => EntryType::Nothing,
            Some(root) => stands(root, &folder)
                .map_err(|error| Error::io("look at", folder.as_str(), error))?,
        };
        if stands == EntryType::Nothing {
            missing.insert(folder);
        }
    }
    Ok(missing)
}

fn stands(root: &dyn Folder, path: &TreePath) -> std::io::Result<EntryType> {
    match reach(root, path)? {
        Reached::Folder(place) => place.folder().stands(path.name()),
        Reached::Nothing => Ok(EntryType::Nothing),
        Reached::Blocked(_) => Ok(EntryType::Other),
    }
}
