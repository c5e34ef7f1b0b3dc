//! What a render would change.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::classify::{self, Before, Class, Found, Obstacle};
use super::disk::{Disk, Os, Stands};
use super::error::Error;
use super::file::{File, Options, Ownership};
use super::guard::Guard;
use super::intent::{intent, lock_after, missing_folders};
use super::lock::{self, Hash, Lock};
use super::path::{TreePath, lock_temporary};
use crate::diff::{secret, text};

/// The largest file that is compared byte by byte, in bytes; a larger one differs from anything rendered.
const LARGEST: u64 = crate::manifest::read::LARGEST_FILE;

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
    /// `None` where both are the same, or one is no text. A Secret is not shown.
    pub fn diff(&self) -> Option<String> {
        let side = |bytes| std::str::from_utf8(bytes).ok();
        let before = match &self.before {
            Before::Nothing => "",
            Before::Bytes(bytes) => side(bytes)?,
            Before::Large | Before::Blocked(_) => return None,
        };
        let after = self.after.as_deref().map_or(Some(""), side)?;
        let body = if secret::holds(before) || secret::holds(after) {
            format!("{}\n", secret::HIDDEN)
        } else {
            text::unified(before, after)?
        };
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
