//! The locks in a root: one for each configuration.

use std::path::Path;

use super::disk::{Disk, Folder, Os};
use super::error::Error;
use super::lock::{self, CONFIGURATION, LOCK_FILE, Lock, Owned};
use super::path::{TreePath, is_lock, lock_of};
use data_encoding::HEXLOWER;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

/// The configuration that is rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// Its path from the project's root, with `/`.
    pub from_root: String,
    /// Its path from the folder that files are written to, with `/`. It identifies the configuration in that folder.
    pub from_output: String,
    /// The cluster, if the configuration describes several.
    pub cluster: Option<String>,
    /// All clusters that the configuration describes. What an earlier render wrote for others is not needed any more.
    pub clusters: Vec<String>,
}

impl Configuration {
    /// Whether a lock was written for this configuration, but for a cluster that it doesn't describe any more.
    pub(super) fn has_abandoned(&self, lock: &Lock) -> bool {
        let is_described = match &lock.cluster {
            Some(name) => self.clusters.contains(name),
            None => self.clusters.is_empty(),
        };
        lock.owner() == self.from_output && !is_described
    }
}

impl Default for Configuration {
    fn default() -> Self {
        Configuration {
            from_root: CONFIGURATION.to_owned(),
            from_output: CONFIGURATION.to_owned(),
            cluster: None,
            clusters: Vec::new(),
        }
    }
}

/// The locks in a root.
#[derive(Clone, Debug)]
pub struct Locks {
    /// The name of the lock of this configuration.
    pub file: String,
    /// The contents of that lock.
    pub own: Lock,
    /// Its text; `None` if it doesn't exist yet.
    pub(super) text: Option<Vec<u8>>,
    /// The other locks, each with its name.
    pub(super) others: Vec<(String, Lock)>,
    /// A lock of an earlier version, which had one lock for all configurations, and the locks of clusters that the
    /// configuration doesn't describe any more. They are used to tell our work from edits, but not to remove files.
    pub(super) former: Vec<Lock>,
}

/// Another configuration that owns a file, and its lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The configuration, as a path from the root.
    pub configuration: String,
    /// The name of its lock.
    pub lock: String,
}

impl Locks {
    /// Reads the locks in `root`.
    ///
    /// # Errors
    /// If one can't be read, is broken, or has a format that this version can't read.
    pub fn load(root: &Path, configuration: &Configuration) -> Result<Locks, Error> {
        let shown = root.display().to_string();
        let folder = Os.root(root, false);
        let folder = folder.map_err(|error| Error::io("open the folder", shown, error))?;
        load(folder.as_deref(), configuration)
    }

    /// The other configuration that owns a file completely, or, if `shared`, in any way.
    pub(super) fn owner(&self, path: &TreePath, shared: bool) -> Option<Owner> {
        let has = |lock: &Lock| match lock.files.get(path) {
            Some(Owned::Whole(_)) => true,
            Some(Owned::Shared(_)) => shared,
            None => false,
        };
        let found = self.others.iter().find(|(_, lock)| has(lock));
        found.map(|(file, lock)| Owner {
            configuration: lock.owner_in_words(),
            lock: file.clone(),
        })
    }

    /// Whether another configuration has this entry in the shared file at `path`.
    pub fn is_listed_by_others(&self, path: &TreePath, entry: &str) -> bool {
        self.others
            .iter()
            .any(|(_, lock)| lock.entries(path).contains(entry))
    }

    /// Whether another configuration owns a file, or entries in it.
    pub fn is_others(&self, path: &TreePath) -> bool {
        self.owner(path, true).is_some()
    }
}

/// Like [`Locks::load`], for an open folder. Without a folder there are no locks.
pub(super) fn load(
    folder: Option<&dyn Folder>,
    configuration: &Configuration,
) -> Result<Locks, Error> {
    let failed = |error| Error::io("read the names in", ".", error);
    let mut all = Vec::new();
    let mut has_configuration = false;
    if let Some(folder) = folder {
        for name in folder.names().map_err(failed)? {
            has_configuration |= name == CONFIGURATION;
            if is_lock(&name) {
                let (text, lock) = lock::load(folder, &name)?;
                all.push((name, text, lock));
            }
        }
    }
    let key = &configuration.from_output;
    // Without a `cluster.toml`, a lock that names no configuration belongs to the one that an earlier version
    // rendered.
    let is_former = |name: &str, lock: &Lock| {
        name == LOCK_FILE
            && lock.configuration.is_none()
            && key != CONFIGURATION
            && !has_configuration
    };
    let (former, mut all): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|(name, _, lock)| is_former(name, lock) || configuration.has_abandoned(lock));
    let former_names: Vec<String> = former.iter().map(|(name, ..)| name.clone()).collect();
    let former = former.into_iter().map(|(_, _, lock)| lock).collect();
    let cluster = &configuration.cluster;
    let is_own = |lock: &Lock| lock.owner() == key && lock.cluster == *cluster;
    let own = all.iter().position(|(_, _, lock)| is_own(lock));
    let (file, text, own) = match own {
        Some(at) => all.remove(at),
        None => {
            let is_free = |name: &String| {
                !former_names.contains(name) && all.iter().all(|(there, ..)| there != name)
            };
            let name = names(configuration).into_iter().find(is_free);
            let cluster = cluster.as_deref().unwrap_or_default();
            let name = name.unwrap_or_else(|| encoded(&format!("{key}\n{cluster}")));
            (name, None, Lock::default())
        }
    };
    let mut own = own;
    own.configuration = (key != CONFIGURATION).then(|| key.clone());
    own.cluster.clone_from(cluster);
    let others = all.into_iter().map(|(name, _, lock)| (name, lock));
    Ok(Locks {
        file,
        own,
        text,
        others: others.collect(),
        former,
    })
}

/// The possible names of a configuration's lock, the preferred one first.
fn names(configuration: &Configuration) -> Vec<String> {
    let (from_root, from_output) = (&configuration.from_root, &configuration.from_output);
    match &configuration.cluster {
        Some(cluster) if from_root == CONFIGURATION => {
            vec![
                encoded(cluster),
                encoded(&format!("{from_output} {cluster}")),
            ]
        }
        Some(cluster) => vec![
            encoded(&format!("{from_root} {cluster}")),
            encoded(&format!("{from_output} {cluster}")),
        ],
        None if from_root == CONFIGURATION => vec![LOCK_FILE.to_owned(), encoded(from_output)],
        None => vec![encoded(from_root), encoded(from_output)],
    }
}

/// The name of a lock that contains a path to distinguish it.
fn encoded(path: &str) -> String {
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');
    let mut name = utf8_percent_encode(path, ESCAPED).to_string();
    // A name has 255 bytes at most.
    if name.len() > 200 {
        name = HEXLOWER.encode(&Sha256::digest(path));
    }
    lock_of(&name)
}
