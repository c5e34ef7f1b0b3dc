//! Classifies files on disk: which are ours, edited, or somebody else's.

use std::borrow::Cow;

use super::file::{File, Options};
use super::lock::{Hash, Lock, Owned};
use super::locks::{Locks, Owner};
use super::path::TreePath;

/// What the plan found at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileClass {
    /// Rendered, but doesn't exist yet.
    Create,
    /// Exists as the lock says, but is rendered differently now.
    Update,
    /// Exists as rendered.
    Unchanged,
    /// Exists and was not written by us, but is equal, or the caller takes it over. It becomes ours.
    Adopt,
    /// Ours, but edited by hand since. It is only overwritten with `--force`.
    Edited,
    /// Not ours, and different. It is only overwritten with `--force`.
    Foreign,
    /// Belongs to another configuration, and is different. It is never overwritten.
    Others(Owner),
    /// Not a regular file, or can't be reached safely. It is never overwritten.
    Blocked(Obstacle),
    /// Ours, still exactly as written, and no longer rendered.
    Remove,
    /// Ours, edited by hand since, and no longer rendered. It is kept and belongs to the user from now on.
    KeepEdited,
    /// In the lock, but not a file that a render can have written. It is kept.
    KeepStrange,
    /// Shared and no longer rendered. It is kept, because it has the user's entries.
    KeepShared,
    /// Ours, but removed by hand. It is written again if it is still rendered, else it is forgotten.
    Gone,
}

/// What prevents writing to a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The file itself, or a folder above it, is a symbolic link.
    Link(TreePath),
    /// There is a file where the path needs a folder.
    NotAFolder(TreePath),
    /// There is a folder, a device or a pipe instead of the file.
    NotAFile,
    /// A killed run moved an edit aside and could not put it back, because there is another file now. The edit is
    /// kept under this name in the same folder.
    LeftAside(String),
}

/// What exists at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Nothing.
    Nothing,
    /// A file with these bytes.
    Bytes(Vec<u8>),
    /// A file that is larger than any rendered file.
    Large,
    /// Something that is left alone.
    Blocked(Obstacle),
}

/// The class of a file, and the hash that identified it as ours.
pub(super) struct Classified {
    pub class: FileClass,
    /// The hash of ours that the file on disk has.
    pub known: Option<Hash>,
}

impl Classified {
    pub(super) fn blocked(obstacle: Obstacle) -> Self {
        Classified {
            class: FileClass::Blocked(obstacle),
            known: None,
        }
    }
}

/// What the lock and an interrupted run say about one path.
pub(super) struct KnownHashes<'a> {
    owned: Option<&'a Owned>,
    /// The hashes of what we wrote.
    written: Vec<&'a Hash>,
    /// The hash of what an interrupted run was allowed to replace.
    replaceable: Option<&'a Hash>,
}

impl<'a> KnownHashes<'a> {
    pub(super) fn of(locks: &'a Locks, path: &TreePath) -> Self {
        let lock = &locks.own;
        let (owned, pending) = (lock.files.get(path), lock.pending.get(path));
        let whole = |lock: &'a Lock| match lock.files.get(path) {
            Some(Owned::Whole(hash)) => Some(hash),
            _ => None,
        };
        let mut written: Vec<&Hash> = whole(lock).into_iter().collect();
        written.extend(locks.former.iter().filter_map(whole));
        written.extend(pending.and_then(|pending| pending.new.as_ref()));
        let replaceable = pending.and_then(|pending| pending.old.as_ref());
        KnownHashes {
            owned,
            written,
            replaceable,
        }
    }

    fn known(&self, bytes: &[u8]) -> Option<Hash> {
        let hashes = hashes(bytes);
        let known = self.written.iter().find(|hash| hashes.contains(hash));
        known.map(|hash| (*hash).clone())
    }

    fn may_replace(&self, bytes: &[u8]) -> bool {
        self.replaceable
            .is_some_and(|hash| hashes(bytes).contains(hash))
    }

    /// Whether a file is our work, or what an interrupted run was allowed to replace.
    pub(super) fn is_no_edit(&self, bytes: &[u8]) -> bool {
        self.known(bytes).is_some() || self.may_replace(bytes)
    }

    /// Whether a shared file is as we created it, without anybody else's entries.
    fn is_untouched(&self, bytes: &[u8]) -> bool {
        let Some(Owned::Shared(shared)) = self.owned else {
            return false;
        };
        let made = shared.made.iter().chain(self.written.iter().copied());
        let hashes = hashes(bytes);
        shared.made.is_some() && made.into_iter().any(|hash| hashes.contains(hash))
    }
}

/// Whether a shared file is as we created it, without any change by others.
pub fn is_untouched(locks: &Locks, path: &TreePath, bytes: &[u8]) -> bool {
    KnownHashes::of(locks, path).is_untouched(bytes)
}

/// Whether a file is removed once it is no longer rendered: it is completely ours, and as we wrote it.
pub fn would_go(locks: &Locks, path: &TreePath, bytes: &[u8]) -> bool {
    KnownHashes::of(locks, path).known(bytes).is_some() && !locks.is_others(path)
}

/// Classifies the path of a rendered file.
pub(super) fn rendered(
    path: &TreePath,
    file: &File,
    before: &Existing,
    locks: &Locks,
    options: &Options,
) -> Classified {
    let record = KnownHashes::of(locks, path);
    let is_shared = file.ownership.merged_from().is_some();
    let bytes = match before {
        Existing::Blocked(obstacle) => return Classified::blocked(obstacle.clone()),
        Existing::Nothing => {
            let class = if record.owned.is_some() {
                FileClass::Gone
            } else {
                FileClass::Create
            };
            return Classified { class, known: None };
        }
        Existing::Bytes(bytes) => Some(bytes),
        Existing::Large => None,
    };
    let known = bytes.and_then(|bytes| record.known(bytes));
    let is_same = bytes.is_some_and(|bytes| is_same(bytes, &file.bytes));
    let is_ours = !record.written.is_empty() || is_shared;
    let is_made = bytes.is_some_and(|bytes| record.is_untouched(bytes));
    let class = if is_same {
        if is_ours || record.owned.is_some() {
            FileClass::Unchanged
        } else {
            FileClass::Adopt
        }
    } else if let Some(owner) = locks.owner(path, !is_shared) {
        FileClass::Others(owner)
    } else if is_shared
        || is_made
        || known.is_some()
        || bytes.is_some_and(|bytes| record.may_replace(bytes))
    {
        FileClass::Update
    } else if is_ours {
        FileClass::Edited
    } else if file.take_over
        || bytes.is_some_and(|bytes| same_objects(path, bytes, &file.bytes, options))
    {
        FileClass::Adopt
    } else {
        FileClass::Foreign
    };
    let made = bytes.filter(|_| is_made).map(|bytes| Hash::of(bytes));
    Classified {
        class,
        known: if is_shared { made } else { known },
    }
}

/// Classifies a path that is in the lock but no longer rendered; `None` if there is nothing to report.
pub(super) fn abandoned(
    path: &TreePath,
    before: &Existing,
    locks: &Locks,
    options: &Options,
) -> Option<Classified> {
    let record = KnownHashes::of(locks, path);
    // Another configuration continues to use it.
    if locks.is_others(path) {
        return None;
    }
    let known = match before {
        Existing::Bytes(bytes) => record.known(bytes),
        _ => None,
    };
    let could_render = |is_shared| {
        let could_render = options.could_render;
        could_render.is_none_or(|could_render| could_render(path.as_str(), is_shared))
    };
    let class = match (before, record.owned) {
        (Existing::Nothing, None) => return None,
        (Existing::Nothing, Some(_)) if locks.own.pending.contains_key(path) => return None,
        (Existing::Nothing, Some(_)) => FileClass::Gone,
        (Existing::Bytes(bytes), Some(Owned::Shared(_))) if record.is_untouched(bytes) => {
            let class = if could_render(true) {
                FileClass::Remove
            } else {
                FileClass::KeepShared
            };
            return Some(Classified {
                class,
                known: Some(Hash::of(bytes)),
            });
        }
        (_, Some(Owned::Shared(_))) => FileClass::KeepShared,
        _ if known.is_some() && could_render(false) => FileClass::Remove,
        _ if known.is_some() => FileClass::KeepStrange,
        // An interrupted run intended to replace it but didn't get that far, so it never was ours.
        (Existing::Bytes(bytes), None) if record.may_replace(bytes) => return None,
        _ => FileClass::KeepEdited,
    };
    Some(Classified { class, known })
}

/// Whether a file on disk is the rendered one: byte for byte, or except for the line endings that Git's
/// `core.autocrlf` changes on checkout.
pub(super) fn is_same(disk: &[u8], rendered: &[u8]) -> bool {
    disk == rendered || (!has_crlf(rendered) && *without_crlf(disk) == *rendered)
}

/// The bytes with `\r\n` replaced by `\n`.
pub(super) fn without_crlf(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !has_crlf(bytes) {
        return Cow::Borrowed(bytes);
    }
    let mut plain = Vec::with_capacity(bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        if !(*byte == b'\r' && bytes.get(at + 1) == Some(&b'\n')) {
            plain.push(*byte);
        }
    }
    Cow::Owned(plain)
}

fn has_crlf(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| pair == b"\r\n")
}

/// The hashes that a file is compared by: that of its bytes, and that of its bytes before `core.autocrlf`.
fn hashes(bytes: &[u8]) -> Vec<Hash> {
    let mut hashes = vec![Hash::of(bytes)];
    if let Cow::Owned(plain) = without_crlf(bytes) {
        hashes.push(Hash::of(&plain));
    }
    hashes
}

fn same_objects(path: &TreePath, disk: &[u8], rendered: &[u8], options: &Options) -> bool {
    let (Some(same), Ok(disk), Ok(rendered)) = (
        options.same_objects,
        std::str::from_utf8(disk),
        std::str::from_utf8(rendered),
    ) else {
        return false;
    };
    same(path.as_str(), disk, rendered)
}
