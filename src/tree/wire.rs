//! The JSON format of the lock. Anything unknown is refused, because ignoring it could lose an edit.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::lock::{FORMAT, FORMER, Hash, Lock, Owned, Pending, Shared};
use super::path::TreePath;

/// Why a text is not a valid lock.
pub(super) enum Problem {
    /// What is wrong with it, as the end of a sentence.
    Broken(String),
    /// It has this format, which is not supported.
    Unknown(String),
}

/// Parses a lock.
pub(super) fn parse(text: &str) -> Result<Lock, Problem> {
    if text.lines().any(|line| line.starts_with("<<<<<<< ")) {
        let problem = "it has the conflict markers of a Git merge";
        return Err(Problem::Broken(problem.to_owned()));
    }
    let head: Head = serde_json::from_str(text)
        .map_err(|error| Problem::Broken(format!("not JSON: {error}")))?;
    match head.schema {
        Some(schema) if schema == FORMAT || schema == FORMER => {}
        Some(found) => return Err(Problem::Unknown(found.chars().take(100).collect())),
        None => return Err(Problem::Broken("it has no `schema`".to_owned())),
    }
    let wire: Wire =
        serde_json::from_str(text).map_err(|error| Problem::Broken(error.to_string()))?;
    wire.lock().map_err(Problem::Broken)
}

/// The part that identifies the format, whatever else there is.
#[derive(Deserialize)]
struct Head {
    schema: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    #[serde(rename = "about")]
    _about: Option<String>,
    #[serde(rename = "schema")]
    _schema: String,
    configuration: Option<String>,
    cluster: Option<String>,
    files: Unique<WireFile>,
    #[serde(default)]
    pending: Unique<WirePending>,
    #[serde(default)]
    pending_folders: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireFile {
    sha256: Option<String>,
    ownership: Option<String>,
    entries: Option<BTreeSet<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePending {
    old: Option<String>,
    new: Option<String>,
}

/// A map in which every key must be unique.
struct Unique<T>(BTreeMap<String, T>);

impl<T> Default for Unique<T> {
    fn default() -> Self {
        Unique(BTreeMap::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Unique<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Once<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Once<T> {
            type Value = Unique<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut map = BTreeMap::new();
                while let Some((key, value)) = access.next_entry::<String, T>()? {
                    if map.insert(key.clone(), value).is_some() {
                        return Err(A::Error::custom(format!("{key:?} appears twice")));
                    }
                }
                Ok(Unique(map))
            }
        }
        deserializer.deserialize_map(Once(PhantomData))
    }
}

impl Wire {
    fn lock(self) -> Result<Lock, String> {
        let path = |text: &str| {
            TreePath::parse(text).map_err(|problem| format!("the path {text:?} {problem}"))
        };
        let hash = |path: &TreePath, text: &str| {
            Hash::parse(text).ok_or_else(|| format!("{path}: not a SHA-256"))
        };
        let mut lock = Lock {
            configuration: self.configuration,
            cluster: self.cluster,
            ..Lock::default()
        };
        for (text, file) in self.files.0 {
            let path = path(&text)?;
            let sha256 = file.sha256.map(|text| hash(&path, &text)).transpose()?;
            let owned = match (sha256, file.ownership.as_deref(), file.entries) {
                (Some(hash), None, None) => Owned::Whole(hash),
                (made, Some("shared"), entries) => Owned::Shared(Shared { entries, made }),
                _ => return Err(format!("{path}: neither a SHA-256 nor shared")),
            };
            lock.files.insert(path, owned);
        }
        for (text, change) in self.pending.0 {
            let path = path(&text)?;
            let side = |text: Option<String>| text.map(|text| hash(&path, &text)).transpose();
            let change = Pending {
                old: side(change.old)?,
                new: side(change.new)?,
            };
            lock.pending.insert(path, change);
        }
        for text in &self.pending_folders {
            lock.pending_folders.insert(path(text)?);
        }
        Ok(lock)
    }
}
