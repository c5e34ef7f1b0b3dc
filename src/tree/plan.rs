//! What a render would change.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::classify::{self, Before, Class, Found, Obstacle};
use super::disk::{Disk, Os, Stands};
use super::error::Error;
use super::guard::Guard;
use super::lock::{self, Hash, Lock, Owned, Pending};
use super::path::{TreePath, lock_temporary};
use crate::diff::text;

/// The largest file that is compared byte by byte, in bytes; a larger one differs from anything rendered.
const LARGEST: u64 = crate::manifest::read::LARGEST_FILE;

/// One rendered file.
#[derive(Clone, Debug)]
pub struct File {
    /// Relative to the root, with `/` on every system.
    pub path: String,
    /// What it is to hold.
    pub bytes: Vec<u8>,
    /// Whose it is.
    pub ownership: Ownership,
    /// Whether it may replace a file that somebody else wrote.
    pub take_over: bool,
}

impl File {
    /// A file that is ours as a whole.
    pub fn new(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        File {
            path: path.into(),
            bytes: bytes.into(),
            ownership: Ownership::Whole,
            take_over: false,
        }
    }

    /// A file in which only some entries are ours. `bytes` holds the user's entries, too, as they were read
    /// from `merged_from`, the file's present bytes (`None`: there was no file).
    pub fn shared(
        path: impl Into<String>,
        bytes: impl Into<Vec<u8>>,
        merged_from: Option<Vec<u8>>,
    ) -> Self {
        File {
            ownership: Ownership::Shared { merged_from },
            ..File::new(path, bytes)
        }
    }

    /// The same file, allowed to replace one that somebody else wrote.
    #[must_use]
    pub fn taking_over(mut self) -> Self {
        self.take_over = true;
        self
    }
}

/// Whose a rendered file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// Ours: an edit by hand is shown and kept.
    Whole,
    /// Ours and the user's: an edit by hand is part of what was merged. Never removed.
    Shared {
        /// The bytes that the user's entries were read from.
        merged_from: Option<Vec<u8>>,
    },
}

/// Says whether two texts of a path (on disk, rendered) hold equal objects.
pub type SameObjects<'a> = dyn Fn(&str, &str, &str) -> bool + 'a;

/// How to plan.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// Overwrite what was edited by hand, and what somebody else wrote.
    pub force: bool,
    /// Files that we didn't write are ours where this says so.
    pub same_objects: Option<&'a SameObjects<'a>>,
}

/// What is to be done with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Leave,
    /// Write the rendered bytes.
    Write,
    /// Remove it.
    Remove,
}

/// One path of a plan.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The path.
    pub path: TreePath,
    /// What it was found to be.
    pub class: Class,
    /// What is to be done.
    pub action: Action,
    /// What stands there.
    pub before: Before,
    /// What was rendered.
    pub after: Option<Vec<u8>>,
    /// The hash of ours that the file on disk has.
    pub(super) known: Option<Hash>,
}

impl Entry {
    /// The way from what stands there to what was rendered, as a unified diff with the path in its header;
    /// `None` where both are the same, or one is no text.
    pub fn diff(&self) -> Option<String> {
        let side = |bytes| std::str::from_utf8(bytes).ok();
        let before = match &self.before {
            Before::Nothing => "",
            Before::Bytes(bytes) => side(bytes)?,
            Before::Large | Before::Blocked(_) => return None,
        };
        let after = self.after.as_deref().map_or(Some(""), side)?;
        let body = text::unified(before, after)?;
        Some(format!(
            "--- {path} (on disk)\n+++ {path} (rendered)\n{body}",
            path = self.path
        ))
    }
}

/// A path that was refused for its text.
#[derive(Clone, Debug)]
pub struct Refused {
    /// As it was given.
    pub path: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// What a render would change. [`apply`](super::apply()) does it.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) root: PathBuf,
    /// Each path, in order.
    pub entries: Vec<Entry>,
    /// The paths that were refused.
    pub refused: Vec<Refused>,
    /// Whether an earlier run was interrupted; this one finishes its work.
    pub interrupted: bool,
    pub(super) lock_before: Option<Vec<u8>>,
    /// The lock as it will be.
    pub(super) lock_after: Lock,
    /// The lock while the work is being done.
    pub(super) intent: Lock,
    /// Where an interrupted run may have left temporary files.
    pub(super) leftovers: BTreeSet<TreePath>,
    pub(super) lock_leftover: bool,
}

impl Plan {
    /// The paths that will be written or removed.
    pub fn changes(&self) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(|entry| entry.action != Action::Leave)
    }

    /// Whether the lock will say something else than it does.
    pub fn lock_changes(&self) -> bool {
        let text = self.lock_after.text();
        match &self.lock_before {
            Some(before) => !classify::is_same(before, text.as_bytes()),
            None => !self.lock_after.files.is_empty(),
        }
    }

    /// Whether there is anything for [`apply`](super::apply()) to do.
    pub fn has_work(&self) -> bool {
        self.lock_leftover || self.lock_changes() || self.changes().next().is_some()
    }
}

/// Compares rendered files with what stands below `root`. Changes nothing.
///
/// # Errors
/// Where something can't be read, the lock is broken or unknown, a shared file changed since it was merged,
/// a path was given twice, or another render is at work.
pub fn plan(root: &Path, files: &[File], options: &Options) -> Result<Plan, Error> {
    plan_on(&Os, root, files, options)
}

/// [`plan`] on any disk.
///
/// # Errors
/// As [`plan`].
pub fn plan_on(
    disk: &dyn Disk,
    root: &Path,
    files: &[File],
    options: &Options,
) -> Result<Plan, Error> {
    let root = if root.as_os_str().is_empty() {
        Path::new(".")
    } else {
        root
    };
    let (lock_before, lock) = lock::load(disk, root)?;
    if lock.is_pending() {
        // A section like this is either a dead run's or a living one's.
        Guard::take(root)?;
    }
    let (rendered, refused) = parse(files)?;
    let mut entries = Vec::new();
    for (path, file) in &rendered {
        let before = look(disk, root, path, file.bytes.len())?;
        if let Ownership::Shared { merged_from } = &file.ownership {
            check_merged(path, merged_from.as_deref(), &before)?;
        }
        let found = classify::rendered(path, file, &before, &lock, options);
        entries.push(entry(path, found, before, Some(&file.bytes), options.force));
    }
    let known: BTreeSet<&TreePath> = lock.files.keys().chain(lock.pending.keys()).collect();
    for path in known
        .into_iter()
        .filter(|path| !rendered.contains_key(path))
    {
        let before = look(disk, root, path, 0)?;
        if let Some(found) = classify::abandoned(path, &before, &lock) {
            entries.push(entry(path, found, before, None, options.force));
        }
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));

    let lock_after = lock_after(&entries, &rendered, &lock);
    let mut intent = intent(&entries, &lock, &lock_after);
    intent
        .pending_folders
        .extend(missing_folders(disk, root, &entries)?);
    let lock_leftover = disk
        .stands(&lock_temporary(root))
        .map_err(|error| Error::io("look at", root.display().to_string(), error))?
        != Stands::Nothing;
    Ok(Plan {
        root: root.to_owned(),
        entries,
        refused,
        interrupted: lock.is_pending(),
        lock_before,
        lock_after,
        intent,
        leftovers: lock.pending.into_keys().collect(),
        lock_leftover,
    })
}

type Rendered<'a> = BTreeMap<TreePath, &'a File>;

/// The files by path, and the paths that were refused.
fn parse(files: &[File]) -> Result<(Rendered<'_>, Vec<Refused>), Error> {
    let (mut rendered, mut refused) = (Rendered::new(), Vec::new());
    for file in files {
        match TreePath::parse(&file.path) {
            Ok(path) => {
                if rendered.insert(path, file).is_some() {
                    let path = file.path.clone();
                    return Err(Error::Duplicate { path });
                }
            }
            Err(problem) => refused.push(Refused {
                path: file.path.clone(),
                problem,
            }),
        }
    }
    let both = rendered
        .keys()
        .flat_map(TreePath::folders)
        .find(|folder| rendered.contains_key(folder));
    match both {
        Some(folder) => Err(Error::Duplicate {
            path: folder.to_string(),
        }),
        None => Ok((rendered, refused)),
    }
}

/// What stands at a path, looked at without following a link.
pub(super) fn look(
    disk: &dyn Disk,
    root: &Path,
    path: &TreePath,
    rendered: usize,
) -> Result<Before, Error> {
    let stands = |path: &TreePath| {
        disk.stands(&path.under(root))
            .map_err(|error| Error::io("look at", path.as_str(), error))
    };
    for folder in path.folders() {
        match stands(&folder)? {
            Stands::Folder => {}
            Stands::Nothing => return Ok(Before::Nothing),
            Stands::Link => return Ok(Before::Blocked(Obstacle::Link(folder))),
            Stands::File | Stands::Other => {
                return Ok(Before::Blocked(Obstacle::NotAFolder(folder)));
            }
        }
    }
    match stands(path)? {
        Stands::Nothing => Ok(Before::Nothing),
        Stands::Link => Ok(Before::Blocked(Obstacle::Link(path.clone()))),
        Stands::Folder | Stands::Other => Ok(Before::Blocked(Obstacle::NotAFile)),
        Stands::File => {
            // Twice the size holds a rendered file whose every line end Git has widened.
            let most = LARGEST.max(
                u64::try_from(rendered)
                    .unwrap_or(u64::MAX)
                    .saturating_mul(2),
            );
            let bytes = disk
                .read(&path.under(root), most)
                .map_err(|error| Error::io("read", path.as_str(), error))?;
            Ok(bytes.map_or(Before::Large, Before::Bytes))
        }
    }
}

/// A shared file was merged from the file's bytes: those that stand there now, or an edit would be lost.
fn check_merged(path: &TreePath, merged_from: Option<&[u8]>, before: &Before) -> Result<(), Error> {
    let fits = match before {
        Before::Nothing => merged_from.is_none(),
        Before::Bytes(bytes) => merged_from == Some(bytes.as_slice()),
        Before::Large => false,
        Before::Blocked(_) => true,
    };
    let path = path.to_string();
    if fits {
        Ok(())
    } else {
        Err(Error::Changed { path })
    }
}

fn entry(
    path: &TreePath,
    found: Found,
    before: Before,
    after: Option<&Vec<u8>>,
    force: bool,
) -> Entry {
    let differs = match (&before, after) {
        (Before::Bytes(before), Some(after)) => !classify::is_same(before, after),
        _ => true,
    };
    let action = match found.class {
        Class::Create | Class::Update => Action::Write,
        Class::Adopt if differs => Action::Write,
        Class::Gone if after.is_some() => Action::Write,
        Class::Edited | Class::Foreign if force => Action::Write,
        Class::Remove => Action::Remove,
        _ => Action::Leave,
    };
    Entry {
        path: path.clone(),
        class: found.class,
        action,
        before,
        after: after.cloned(),
        known: found.known,
    }
}

/// What is ours of a path before this run: as the lock says, or as an interrupted run was about to write it.
fn owned_before(lock: &Lock, path: &TreePath) -> Option<Owned> {
    let written = || lock.pending.get(path)?.new.clone().map(Owned::Whole);
    lock.files.get(path).cloned().or_else(written)
}

/// The lock once everything is done.
fn lock_after(entries: &[Entry], rendered: &Rendered, lock: &Lock) -> Lock {
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
fn intent(entries: &[Entry], lock: &Lock, after: &Lock) -> Lock {
    let mut intent = after.clone();
    intent.pending_folders.clone_from(&lock.pending_folders);
    for entry in entries.iter().filter(|entry| entry.action != Action::Leave) {
        let path = entry.path.clone();
        match entry
            .known
            .clone()
            .map(Owned::Whole)
            .or_else(|| owned_before(lock, &path))
        {
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
fn missing_folders(
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
