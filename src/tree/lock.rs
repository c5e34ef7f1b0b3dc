//! The lock file: what was written here, and what is about to be.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::disk::{Content, Folder, Stands};
use super::error::Error;
use super::path::TreePath;
use super::wire;

/// The name of the lock of `cluster.toml`, at the root.
pub const LOCK_FILE: &str = ".gatewayctl.lock";

/// The format that this version writes.
pub const FORMAT: &str = "gatewayctl/lock/v2";

/// The format that it reads besides. There the entries of shared files are not told, nor whose the lock is.
pub const FORMER: &str = "gatewayctl/lock/v1";

/// The largest lock that is read, in bytes: some hundred thousand files.
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

/// What the lock says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owned {
    /// The whole file is ours; its hash as written.
    Whole(Hash),
    /// Some entries in it are ours.
    Shared(Shared),
}

/// What is ours of a file that holds other people's entries too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// The entries, as they were written; `None` where an earlier version wrote the lock, which kept no account of them.
    pub entries: Option<BTreeSet<String>>,
    /// The hash of the whole file, where we made it and have found it untouched since.
    pub made: Option<Hash>,
}

/// What an unfinished run was about to do to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// What it found and was to replace; `None`: nothing.
    pub old: Option<Hash>,
    /// What it was to write; `None`: the file was to be removed.
    pub new: Option<Hash>,
}

/// The lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// The configuration whose lock it is, by its path from the lock's folder; `None`: `cluster.toml` in that folder.
    pub configuration: Option<String>,
    /// What was written, by path.
    pub files: BTreeMap<TreePath, Owned>,
    /// What an unfinished run was about to do, by path; empty where none was interrupted.
    pub pending: BTreeMap<TreePath, Pending>,
    /// The folders that the unfinished run was about to make.
    pub pending_folders: BTreeSet<TreePath>,
}

impl Lock {
    /// The files of which only some entries are ours.
    pub fn shared(&self) -> impl Iterator<Item = (&TreePath, &Shared)> {
        self.files.iter().filter_map(|(path, owned)| match owned {
            Owned::Shared(shared) => Some((path, shared)),
            Owned::Whole(_) => None,
        })
    }

    /// The files that are ours as a whole, with their hashes.
    pub fn whole(&self) -> impl Iterator<Item = (&TreePath, &Hash)> {
        self.files.iter().filter_map(|(path, owned)| match owned {
            Owned::Whole(hash) => Some((path, hash)),
            Owned::Shared(_) => None,
        })
    }

    /// Our entries in the shared file at `path`: those that the lock names, or, where it was written before entries
    /// were kept account of, the files that it lists below the folder of that file.
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

    /// The configuration whose lock it is, by its path from the lock's folder.
    pub fn owner(&self) -> &str {
        self.configuration.as_deref().unwrap_or(CONFIGURATION)
    }

    /// Whether a run was interrupted.
    pub fn is_pending(&self) -> bool {
        !self.pending.is_empty() || !self.pending_folders.is_empty()
    }

    /// The lock's text: one line a file, by path, so that Git merges it line by line.
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

    /// Reads the text of the lock that is called `file`.
    ///
    /// # Errors
    /// Where it is broken, or of a format that this version doesn't know.
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

    /// The same lock as an earlier version would have written it: without what that kept no account of.
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

    /// Whether it says all that this version keeps account of.
    pub(super) fn keeps_account(&self) -> bool {
        self.shared().all(|(_, shared)| shared.entries.is_some())
    }
}

/// The configuration whose lock names none.
pub const CONFIGURATION: &str = "cluster.toml";

/// A lock as it stands in the root: its text (`None` where there is none), and what it says.
pub(super) fn load(folder: &dyn Folder, file: &str) -> Result<(Option<Vec<u8>>, Lock), Error> {
    let failed = |error| Error::io("read", file, error);
    let broken = |problem: String| Error::BrokenLock {
        file: file.to_owned(),
        problem,
    };
    match folder.stands(file).map_err(failed)? {
        Stands::Nothing => return Ok((None, Lock::default())),
        Stands::File => {}
        _ => return Err(broken("it is no regular file".to_owned())),
    }
    let bytes = match folder.read(file, LARGEST).map_err(failed)? {
        Content::Bytes(bytes) => bytes,
        Content::Large => return Err(broken(format!("it has more than {} MiB", LARGEST >> 20))),
        Content::NoFile => return Err(broken("it is no regular file".to_owned())),
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| broken("it is not UTF-8".to_owned()))?;
    let lock = Lock::parse(file, text)?;
    Ok((Some(bytes), lock))
}

/// Items in brackets, each on its line.
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
