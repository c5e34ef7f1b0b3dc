//! The lock file: what was written, and what is about to be written.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::disk::{Content, EntryType, Folder};
use super::error::Error;
use super::path::TreePath;
use super::wire;

/// The name of the lock for `cluster.toml`, in the root.
pub const LOCK_FILE: &str = ".gatewayctl.lock";

/// The format that this version writes.
pub const FORMAT: &str = "gatewayctl/lock/v2";

/// An older format that it reads too. It has no entries of shared files, and doesn't name its configuration.
pub const FORMER: &str = "gatewayctl/lock/v1";

/// The largest lock that is read, in bytes: enough for some hundred thousand files.
const LARGEST: u64 = 16 << 20;

const ABOUT: &str = "The files that gatewayctl wrote here, with the SHA-256 of each: how it tells its own work from a \
                     hand edit. Commit it with the files; do not edit it.";

/// The SHA-256 of a file's bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hash(String);

impl Hash {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Hash(HEXLOWER.encode(&Sha256::digest(bytes)))
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (text.len() == 64 && digits).then(|| Hash(text.to_owned()))
    }
}

/// What the lock says about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owned {
    /// The whole file is ours; with its hash as written.
    Whole(Hash),
    /// Some entries in it are ours.
    Shared(Shared),
}

/// What is ours in a file that also has entries of others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// The entries as they were written; `None` if an earlier version wrote the lock, which didn't record them.
    pub entries: Option<BTreeSet<String>>,
    /// The hash of the whole file, if we created it and nobody has changed it since.
    pub made: Option<Hash>,
}

/// What an unfinished run was about to do with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The hash of the file that it was to replace; `None` if there was none.
    pub old: Option<Hash>,
    /// The hash of what it was to write; `None` if the file was to be removed.
    pub new: Option<Hash>,
}

/// The contents of a lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// The configuration that the lock belongs to, as a path from the lock's folder; `None` for `cluster.toml` in
    /// that folder.
    pub configuration: Option<String>,
    /// The cluster that the lock belongs to, if the configuration describes several.
    pub cluster: Option<String>,
    /// The files that were written, by path.
    pub files: BTreeMap<TreePath, Owned>,
    /// What an unfinished run was about to do, by path; empty if no run was interrupted.
    pub pending: BTreeMap<TreePath, Pending>,
    /// The folders that the unfinished run was about to create.
    pub pending_folders: BTreeSet<TreePath>,
}

impl Lock {
    /// The files in which only some entries are ours.
    pub fn shared(&self) -> impl Iterator<Item = (&TreePath, &Shared)> {
        self.files.iter().filter_map(|(path, owned)| match owned {
            Owned::Shared(shared) => Some((path, shared)),
            Owned::Whole(_) => None,
        })
    }

    /// The files that are completely ours, with their hashes.
    pub fn whole(&self) -> impl Iterator<Item = (&TreePath, &Hash)> {
        self.files.iter().filter_map(|(path, owned)| match owned {
            Owned::Whole(hash) => Some((path, hash)),
            Owned::Shared(_) => None,
        })
    }

    /// Our entries in the shared file at `path`: those in the lock, or, if an earlier version wrote it, the files in
    /// the lock that are below the folder of that file.
    pub fn entries(&self, path: &TreePath) -> BTreeSet<String> {
        let Some(Owned::Shared(shared)) = self.files.get(path) else {
            return BTreeSet::new();
        };
        if let Some(entries) = &shared.entries {
            return entries.clone();
        }
        let folder = path
            .parent()
            .map_or(String::new(), |folder| format!("{folder}/"));
        let below = self
            .whole()
            .filter_map(|(file, _)| file.as_str().strip_prefix(&folder));
        below.map(|file| format!("./{file}")).collect()
    }

    /// The configuration that the lock belongs to, as a path from the lock's folder.
    pub fn owner(&self) -> &str {
        self.configuration.as_deref().unwrap_or(CONFIGURATION)
    }

    /// What the lock belongs to, for messages.
    pub fn owner_in_words(&self) -> String {
        match &self.cluster {
            Some(cluster) => format!("the cluster {cluster} of {}", self.owner()),
            None => self.owner().to_owned(),
        }
    }

    /// Whether a run was interrupted.
    pub fn is_pending(&self) -> bool {
        !self.pending.is_empty() || !self.pending_folders.is_empty()
    }

    /// The text of the lock, with one line for each path in order, so that Git can merge it line by line.
    pub fn text(&self) -> String {
        let quoted = |text: &str| Value::from(text).to_string();
        let mut text = format!(
            "{{\n  \"about\": {},\n  \"schema\": {},\n",
            quoted(ABOUT),
            quoted(FORMAT)
        );
        if let Some(configuration) = &self.configuration {
            text.push_str(&format!(
                "  \"configuration\": {},\n",
                quoted(configuration)
            ));
        }
        if let Some(cluster) = &self.cluster {
            text.push_str(&format!("  \"cluster\": {},\n", quoted(cluster)));
        }
        text.push_str("  \"files\": ");
        let files = self.files.iter().map(|(path, owned)| {
            let owned = match owned {
                Owned::Whole(hash) => format!("{{\"sha256\": {}}}", quoted(&hash.0)),
                Owned::Shared(shared) => {
                    let mut parts = vec!["\"ownership\": \"shared\"".to_owned()];
                    if let Some(entries) = &shared.entries {
                        let entries: Vec<String> = entries.iter().map(|it| quoted(it)).collect();
                        parts.push(format!("\"entries\": [{}]", entries.join(", ")));
                    }
                    if let Some(made) = &shared.made {
                        parts.push(format!("\"sha256\": {}", quoted(&made.0)));
                    }
                    format!("{{{}}}", parts.join(", "))
                }
            };
            format!("{}: {owned}", quoted(path.as_str()))
        });
        block(&mut text, '{', files, '}');
        if self.is_pending() {
            let hash = |hash: &Option<Hash>| {
                hash.as_ref()
                    .map_or("null".to_owned(), |hash| quoted(&hash.0))
            };
            text.push_str(",\n  \"pending\": ");
            let pending = self.pending.iter().map(|(path, change)| {
                let (old, new) = (hash(&change.old), hash(&change.new));
                format!(
                    "{}: {{\"old\": {old}, \"new\": {new}}}",
                    quoted(path.as_str())
                )
            });
            block(&mut text, '{', pending, '}');
            text.push_str(",\n  \"pending_folders\": ");
            block(
                &mut text,
                '[',
                self.pending_folders
                    .iter()
                    .map(|path| quoted(path.as_str())),
                ']',
            );
        }
        text.push_str("\n}\n");
        text
    }

    /// Parses a lock. `file` is its name.
    ///
    /// # Errors
    /// If it is broken, or has a format that this version can't read.
    pub fn parse(file: &str, text: &str) -> Result<Lock, Error> {
        wire::parse(text).map_err(|problem| match problem {
            wire::Problem::Broken(problem) => Error::BrokenLock {
                file: file.to_owned(),
                problem,
            },
            wire::Problem::Unknown(found) => Error::UnknownLock {
                file: file.to_owned(),
                found,
                known: FORMAT,
            },
        })
    }

    /// The lock as an earlier version would have written it, without what that version didn't record.
    pub(super) fn without_account(&self) -> Lock {
        let mut former = Lock {
            configuration: None,
            ..self.clone()
        };
        for owned in former.files.values_mut() {
            if let Owned::Shared(shared) = owned {
                *shared = Shared::default();
            }
        }
        former
    }

    /// Whether it has everything that this version records.
    pub(super) fn keeps_account(&self) -> bool {
        self.shared().all(|(_, shared)| shared.entries.is_some())
    }
}

/// The configuration of a lock that names none.
pub const CONFIGURATION: &str = "cluster.toml";

/// Reads a lock in the root: its text (`None` if there is no lock) and its contents.
pub(super) fn load(folder: &dyn Folder, file: &str) -> Result<(Option<Vec<u8>>, Lock), Error> {
    let failed = |error| Error::io("read", file, error);
    let broken = |problem: String| Error::BrokenLock {
        file: file.to_owned(),
        problem,
    };
    match folder.stands(file).map_err(failed)? {
        EntryType::Nothing => return Ok((None, Lock::default())),
        EntryType::File => {}
        _ => return Err(broken("it is not a regular file".to_owned())),
    }
    let bytes = match folder.read(file, LARGEST).map_err(failed)? {
        Content::Bytes(bytes) => bytes,
        Content::Large => return Err(broken(format!("it has more than {} MiB", LARGEST >> 20))),
        Content::NoFile => return Err(broken("it is not a regular file".to_owned())),
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| broken("it is not UTF-8".to_owned()))?;
    let lock = Lock::parse(file, text)?;
    Ok((Some(bytes), lock))
}

/// Items in brackets, one on each line.
fn block(text: &mut String, open: char, items: impl Iterator<Item = String>, close: char) {
    text.push(open);
    let mut separator = "";
    for item in items {
        text.push_str(separator);
        text.push_str("\n    ");
        text.push_str(&item);
        separator = ",";
    }
    if !separator.is_empty() {
        text.push_str("\n  ");
    }
    text.push(close);
}
