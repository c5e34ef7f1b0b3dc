//! The list of a catalogue's files, with the file that each was made from, and the hashes of both.

use std::collections::{BTreeMap, HashMap};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::set::Set;

/// One file of a catalogue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Locked {
    /// The path, relative to the root of the catalogue.
    pub path: String,
    /// The project.
    pub project: String,
    /// The project's version, without a leading `v`; empty for the user's own schemas that belong to no project.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// The project's channel, if it has channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The name of the file that it was made from.
    pub source: String,
    /// The SHA-256 of that file, in hexadecimal.
    pub source_sha256: String,
    /// The SHA-256 of this file, in hexadecimal.
    pub sha256: String,
}

impl Locked {
    /// An entry for a file at `path` with the contents `text`, which was made from the file named `source` with that
    /// SHA-256.
    pub(crate) fn new(
        set: &Set,
        path: String,
        text: &str,
        source: &str,
        source_sha256: &str,
    ) -> Self {
        Locked {
            path,
            project: set.project.clone(),
            version: set.version.to_string(),
            channel: set.channel.clone(),
            source: source.to_owned(),
            source_sha256: source_sha256.to_owned(),
            sha256: sha256(text.as_bytes()),
        }
    }

    /// The set that the file belongs to.
    pub fn set(&self) -> Set {
        Set::new(&self.project, &self.version, self.channel.as_deref())
    }
}

/// The list, in the form of `lock.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    files: Vec<Locked>,
}

impl Lock {
    /// Parses a list.
    ///
    /// # Errors
    /// If the text is not in the form of `to_text`.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The text of the list: sorted by path, and the same for the same files.
    ///
    /// # Errors
    /// None that strings can cause.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// The files, by path.
    pub fn files(&self) -> &[Locked] {
        &self.files
    }

    /// The file at `path`.
    pub fn get(&self, path: &str) -> Option<&Locked> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The files for which another list doesn't have the same entry.
    pub fn without<'a>(&'a self, other: &Lock) -> impl Iterator<Item = &'a Locked> {
        let theirs: HashMap<&str, &str> = other
            .files
            .iter()
            .map(|it| (&*it.path, &*it.sha256))
            .collect();
        let is_theirs = move |it: &&Locked| theirs.get(&*it.path) == Some(&&*it.sha256);
        self.files.iter().filter(move |it| !is_theirs(it))
    }

    /// Adds files, and replaces existing entries for them.
    pub fn add(&mut self, files: impl IntoIterator<Item = Locked>) {
        let all = std::mem::take(&mut self.files).into_iter().chain(files);
        let by_path: BTreeMap<String, Locked> = all.map(|file| (file.path.clone(), file)).collect();
        self.files = by_path.into_values().collect();
    }

    /// Keeps only the files that `is_kept` holds for.
    pub fn retain(&mut self, is_kept: impl Fn(&Locked) -> bool) {
        self.files.retain(is_kept);
    }
}

/// A short hash of several files: twelve hexadecimal digits that only depend on the files.
pub fn digest(files: &[&Locked]) -> String {
    let sums: Vec<&str> = files.iter().map(|file| &*file.sha256).collect();
    let mut digest = sha256(sums.join("\n").as_bytes());
    digest.truncate(12);
    digest
}

/// The SHA-256 of some bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}
