//! The lock file: what was written here, and what is about to be.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::disk::{Disk, Os, Stands};
use super::error::Error;
use super::path::{TreePath, hex};

/// The lock's name, at the root.
pub const LOCK_FILE: &str = ".gatewayctl.lock";

/// The format that this version writes and reads.
pub const FORMAT: &str = "gatewayctl/lock/v1";

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
        Hash(hex(&Sha256::digest(bytes)))
    }

    fn parse(text: &str) -> Option<Self> {
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
    /// Some entries in it are ours. It has no hash: the others change it as they like.
    Shared,
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
    /// What was written, by path.
    pub files: BTreeMap<TreePath, Owned>,
    /// What an unfinished run was about to do, by path; empty where none was interrupted.
    pub pending: BTreeMap<TreePath, Pending>,
    /// The folders that the unfinished run was about to make.
    pub pending_folders: BTreeSet<TreePath>,
}

impl Lock {
    /// Reads the lock below `root`; an empty one where there is none.
    ///
    /// # Errors
    /// Where it can't be read, is broken, or of a format that this version doesn't know.
    pub fn load(root: &Path) -> Result<Lock, Error> {
        Ok(load(&Os, root)?.1)
    }

    /// The files of which only some entries are ours.
    pub fn shared(&self) -> impl Iterator<Item = &TreePath> {
        let shared = |(path, owned): (_, &Owned)| (*owned == Owned::Shared).then_some(path);
        self.files.iter().filter_map(shared)
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
        text.push_str("  \"files\": ");
        let files = self.files.iter().map(|(path, owned)| {
            let owned = match owned {
                Owned::Whole(hash) => format!("{{\"sha256\": {}}}", quoted(&hash.0)),
                Owned::Shared => "{\"ownership\": \"shared\"}".to_owned(),
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

    /// Reads a lock's text.
    ///
    /// # Errors
    /// Where it is broken, or of a format that this version doesn't know.
    pub fn parse(text: &str) -> Result<Lock, Error> {
        let broken = |problem: String| Error::BrokenLock { problem };
        if text.lines().any(|line| line.starts_with("<<<<<<< ")) {
            return Err(broken(
                "it holds the marks of a Git merge conflict".to_owned(),
            ));
        }
        let json: Value =
            serde_json::from_str(text).map_err(|error| broken(format!("not JSON: {error}")))?;
        match json.get("schema") {
            Some(Value::String(schema)) if schema == FORMAT => {}
            Some(Value::String(found)) => {
                let found = found.chars().take(100).collect();
                return Err(Error::UnknownLock {
                    found,
                    known: FORMAT,
                });
            }
            _ => return Err(broken("it has no `schema`".to_owned())),
        }
        let wire: Wire = serde_json::from_value(json).map_err(|error| broken(error.to_string()))?;
        wire.lock().map_err(broken)
    }
}

/// The lock as a plan needs it: the text as it stands on disk (`None` where there is none), and what it says.
pub(super) fn load(disk: &dyn Disk, root: &Path) -> Result<(Option<Vec<u8>>, Lock), Error> {
    let path = root.join(LOCK_FILE);
    let failed = |error| Error::io("read", LOCK_FILE, error);
    match disk.stands(&path).map_err(failed)? {
        Stands::Nothing => return Ok((None, Lock::default())),
        Stands::File => {}
        _ => {
            let problem = "it is no regular file".to_owned();
            return Err(Error::BrokenLock { problem });
        }
    }
    let problem = || format!("it has more than {} MiB", LARGEST >> 20);
    let bytes = disk.read(&path, LARGEST).map_err(failed)?;
    let bytes = bytes.ok_or_else(|| Error::BrokenLock { problem: problem() })?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Error::BrokenLock {
        problem: "it is not UTF-8".to_owned(),
    })?;
    let lock = Lock::parse(text)?;
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

/// The lock as it is written. Unknown keys are refused: ignoring one could lose an edit.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    #[serde(rename = "about")]
    _about: Option<String>,
    #[serde(rename = "schema")]
    _schema: String,
    files: BTreeMap<String, WireFile>,
    #[serde(default)]
    pending: BTreeMap<String, WirePending>,
    #[serde(default)]
    pending_folders: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireFile {
    sha256: Option<String>,
    ownership: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePending {
    old: Option<String>,
    new: Option<String>,
}

impl Wire {
    fn lock(self) -> Result<Lock, String> {
        let path = |text: &str| {
            TreePath::parse(text).map_err(|problem| format!("the path {text:?} {problem}"))
        };
        let hash = |path: &TreePath, text: &str| {
            Hash::parse(text).ok_or_else(|| format!("{path}: no SHA-256"))
        };
        let mut lock = Lock::default();
        for (text, file) in &self.files {
            let path = path(text)?;
            let owned = match (&file.sha256, file.ownership.as_deref()) {
                (Some(sha256), None) => Owned::Whole(hash(&path, sha256)?),
                (None, Some("shared")) => Owned::Shared,
                _ => return Err(format!("{path}: neither a SHA-256 nor shared")),
            };
            lock.files.insert(path, owned);
        }
        for (text, change) in &self.pending {
            let path = path(text)?;
            let side =
                |text: &Option<String>| text.as_ref().map(|text| hash(&path, text)).transpose();
            let change = Pending {
                old: side(&change.old)?,
                new: side(&change.new)?,
            };
            lock.pending.insert(path, change);
        }
        for text in &self.pending_folders {
            lock.pending_folders.insert(path(text)?);
        }
        Ok(lock)
    }
}
