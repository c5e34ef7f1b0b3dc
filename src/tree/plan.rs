//! Plans a render: what would change.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::classify::{self, Before, Class, Found, Obstacle, Record};
use super::disk::{Disk, Folder, Os, Stands};
use super::error::Error;
use super::file::{File, Options};
use super::guard::Guard;
use super::intent::{intent, lock_after, missing_folders};
use super::lock::{Hash, Lock};
use super::locks::{self, Configuration, Locks};
use super::path::{TreePath, temporary_of};
use super::reach::{Reached, look, look_in, reach};
use crate::diff::{secret, text};

/// What to do with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Leave,
    /// Write the rendered bytes.
    Write,
    /// Remove the file.
    Remove,
}

/// One path of a plan.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The path.
    pub path: TreePath,
    /// What was found there.
    pub class: Class,
    /// What to do.
    pub action: Action,
    /// What exists there now.
    pub before: Before,
    /// The rendered bytes.
    pub after: Option<Vec<u8>>,
    /// The hash of ours that the file on disk has.
    pub(super) known: Option<Hash>,
    /// What is at the path now, if `before` is an edit that a killed run moved aside and that will be put back.
    pub(super) restore: Option<Before>,
}

impl Entry {
    /// The unified diff from the existing file to the rendered one, with the path in its header; `None` if they are
    /// equal, or one is not text. The contents of Secrets are not shown.
    pub fn diff(&self) -> Option<String> {
        let side = |bytes| std::str::from_utf8(bytes).ok();
        let before = match &self.before {
            Before::Nothing => "",
            Before::Bytes(bytes) => side(bytes)?,
            Before::Large | Before::Blocked(_) => return None,
        };
        let after = self.after.as_deref().map_or(Some(""), side)?;
        let body = secret::unified(before, after, text::unified)?;
        Some(format!(
            "--- {path} (on disk)\n+++ {path} (rendered)\n{body}",
            path = self.path
        ))
    }
}

/// A path that was refused because of its text.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The path as it was given.
    pub path: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// What a render would change. [`apply`](super::apply()) carries it out.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) root: PathBuf,
    /// The paths, in order.
    pub entries: Vec<Entry>,
    /// The paths that were refused.
    pub refused: Vec<Refused>,
    /// Whether an earlier run was interrupted, so that this one finishes it.
    pub interrupted: bool,
    /// The name of the lock.
    pub(super) lock: String,
    pub(super) lock_before: Option<Vec<u8>>,
    /// The contents of the lock.
    lock_found: Lock,
    /// The lock after the work.
    pub(super) lock_after: Lock,
    /// The lock during the work.
    pub(super) intent: Lock,
    /// Paths for which an interrupted run may have left temporary files, with the file that is aside if it is ours.
    pub(super) leftovers: BTreeMap<TreePath, Option<Before>>,
    pub(super) lock_leftover: bool,
}

impl Plan {
    /// The paths that will be written or removed.
    pub fn changes(&self) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(|entry| entry.action != Action::Leave)
    }

    /// Whether the lock has to change. A lock by an earlier version that only lacks what that version didn't record
    /// is not out of date.
    pub fn lock_is_out_of_date(&self) -> bool {
        let is_former = !self.lock_found.keeps_account();
        match is_former && self.lock_before.is_some() {
            true => self.lock_found.without_account() != self.lock_after.without_account(),
            false => self.lock_changes() && self.lock_found != self.lock_after,
        }
    }

    /// Whether there will be a file at a path; `None` if the plan doesn't include the path. Something that prevents
    /// writing counts as existing, because it is reported anyway.
    pub fn will_stand(&self, path: &str) -> Option<bool> {
        let found = self
            .entries
            .binary_search_by(|it| it.path.as_str().cmp(path));
        let entry = self.entries.get(found.ok()?)?;
        Some(match entry.action {
            Action::Write => true,
            Action::Remove => false,
            Action::Leave => entry.before != Before::Nothing,
        })
    }

    /// Whether a file can't be written because something else is there, so that a kustomization that lists it can't
    /// be built.
    pub fn is_obstructed(&self) -> bool {
        let obstructs = |entry: &Entry| {
            let is_obstacle = matches!(
                entry.class,
                Class::Blocked(Obstacle::NotAFile | Obstacle::NotAFolder(_))
            );
            entry.after.is_some() && is_obstacle
        };
        self.entries.iter().any(obstructs)
    }

    /// Whether the text of the lock will change.
    pub fn lock_changes(&self) -> bool {
        let text = self.lock_after.text();
        match &self.lock_before {
            Some(before) => !classify::is_same(before, text.as_bytes()),
            None => !self.lock_after.files.is_empty(),
        }
    }

    /// Whether there is anything for [`apply`](super::apply()) to do.
    pub fn has_work(&self) -> bool {
        self.lock_leftover
            || self.lock_changes()
            || self.changes().next().is_some()
            || self.entries.iter().any(|entry| entry.restore.is_some())
            || self.leftovers.values().any(Option::is_some)
    }
}

/// Compares rendered files with what is below `root`. It changes nothing.
///
/// # Errors
/// If something can't be read, the lock is broken or unknown, a shared file changed since it was merged, a path was
/// given twice, or another render is running.
pub fn plan(root: &Path, files: &[File], options: &Options) -> Result<Plan, Error> {
    plan_on(&Os, root, files, options)
}

/// Like [`plan`], on any disk.
///
/// # Errors
/// The same as for [`plan`].
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
    let opened = disk.root(root, false);
    let opened =
        opened.map_err(|error| Error::io("open the folder", root.display().to_string(), error))?;
    let folder = opened.as_deref();
    let locks = match options.locks {
        Some(locks) => Cow::Borrowed(locks),
        None => Cow::Owned(locks::load(folder, &Configuration::default())?),
    };
    let lock = &locks.own;
    if lock.is_pending() {
        // A pending section belongs to a run that was interrupted, or to one that is still running.
        Guard::take(root)?;
    }
    let (rendered, refused) = parse(files)?;
    let mut looked = Looked {
        root: folder,
        locks: &locks,
        options,
        leftovers: lock
            .pending
            .keys()
            .map(|path| (path.clone(), None))
            .collect(),
    };
    let mut entries = Vec::new();
    for (path, file) in &rendered {
        entries.extend(looked.entry(path, Some(file))?);
    }
    let known: BTreeSet<&TreePath> = lock.files.keys().chain(lock.pending.keys()).collect();
    for path in known
        .into_iter()
        .filter(|path| !rendered.contains_key(path))
    {
        entries.extend(looked.entry(path, None)?);
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    let leftovers = looked.leftovers;

    let lock_after = lock_after(&entries, &rendered, lock);
    let mut intent = intent(&entries, &rendered, lock, &lock_after);
    intent
        .pending_folders
        .extend(missing_folders(folder, &entries)?);
    let lock_leftover = match folder {
        None => false,
        Some(folder) => {
            let stands = folder.stands(&temporary_of(&locks.file));
            let failed = |error| Error::io("look at", root.display().to_string(), error);
            stands.map_err(failed)? != Stands::Nothing
        }
    };
    Ok(Plan {
        root: root.to_owned(),
        entries,
        refused,
        interrupted: lock.is_pending(),
        lock: locks.file.clone(),
        lock_before: locks.text.clone(),
        lock_found: lock.clone(),
        lock_after,
        intent,
        leftovers,
        lock_leftover,
    })
}

/// The state while paths are examined.
struct Looked<'a> {
    root: Option<&'a dyn Folder>,
    locks: &'a Locks,
    options: &'a Options<'a>,
    leftovers: BTreeMap<TreePath, Option<Before>>,
}

impl Looked<'_> {
    /// What to do with a path; `None` if there is nothing to report.
    fn entry(&mut self, path: &TreePath, file: Option<&File>) -> Result<Option<Entry>, Error> {
        let length = file.map_or(0, |file| file.bytes.len());
        let mut before = look(self.root, path, length)?;
        let aside = self.aside(path, file, &before)?;
        let mut restore = None;
        let mut in_the_way = None;
        match aside {
            Aside::Nothing => {}
            Aside::Ours(found) => {
                self.leftovers.insert(path.clone(), Some(found));
            }
            Aside::Edit(held) => restore = Some(std::mem::replace(&mut before, held)),
            Aside::InTheWay => in_the_way = Some(Obstacle::Aside(path.aside())),
        }
        if let Some(merged_from) = file.and_then(|file| file.ownership.merged_from()) {
            check_merged(path, merged_from, &before)?;
        }
        let found = match (in_the_way, file) {
            (Some(obstacle), _) => Found::blocked(obstacle),
            (None, Some(file)) => classify::rendered(path, file, &before, self.locks, self.options),
            (None, None) => {
                let found = classify::abandoned(path, &before, self.locks, self.options);
                let Some(found) = found else { return Ok(None) };
                found
            }
        };
        let after = file.map(|file| &file.bytes);
        let mut entry = entry(path, found, before, after, self.options.force);
        entry.restore = restore;
        Ok(Some(entry))
    }

    /// What a killed run has left aside for a path.
    fn aside(&self, path: &TreePath, file: Option<&File>, before: &Before) -> Result<Aside, Error> {
        let Some(root) = self.root else {
            return Ok(Aside::Nothing);
        };
        let failed = |error| Error::io("look beside", path.as_str(), error);
        let Reached::Folder(place) = reach(root, path).map_err(failed)? else {
            return Ok(Aside::Nothing);
        };
        let length = file.map_or(0, |file| file.bytes.len());
        let held = look_in(place.folder(), &path.aside(), path, length).map_err(failed)?;
        let record = Record::of(self.locks, path);
        let is_no_edit = |found: &Before| match found {
            Before::Bytes(bytes) => {
                record.is_no_edit(bytes) || file.is_some_and(|file| file.bytes == *bytes)
            }
            Before::Nothing => true,
            Before::Large | Before::Blocked(_) => false,
        };
        Ok(match () {
            () if held == Before::Nothing => Aside::Nothing,
            () if is_no_edit(&held) => Aside::Ours(held),
            () if is_no_edit(before) => Aside::Edit(held),
            () => Aside::InTheWay,
        })
    }
}

/// What a killed run has left aside for a path.
enum Aside {
    Nothing,
    /// The file that it replaced, or was about to write.
    Ours(Before),
    /// Somebody's edit, which will be put back.
    Edit(Before),
    /// Somebody's edit, but somebody has saved another file at the path since.
    InTheWay,
}

/// The rendered files by path.
pub(super) type Rendered<'a> = BTreeMap<TreePath, &'a File>;

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

/// Checks that a shared file was merged from its current bytes, because an edit would be lost otherwise.
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
        restore: None,
    }
}
