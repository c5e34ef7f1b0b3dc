//! The input of a plan: the rendered files, and options.

use std::collections::BTreeSet;

use super::locks::Locks;

/// One rendered file.
#[derive(Clone, Debug)]
pub struct File {
    /// Relative to the root, with `/` on every system.
    pub path: String,
    /// The contents.
    pub bytes: Vec<u8>,
    /// Who owns it.
    pub ownership: Ownership,
    /// Whether it may replace a file that somebody else wrote.
    pub take_over: bool,
}

impl File {
    /// A file that is completely ours.
    pub fn new(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        File {
            path: path.into(),
            bytes: bytes.into(),
            ownership: Ownership::Whole,
            take_over: false,
        }
    }

    /// A file in which only `entries` are ours. `bytes` also has the user's entries, as they were read from
    /// `merged_from`, the file's current bytes (`None` if the file doesn't exist).
    pub fn shared(
        path: impl Into<String>,
        bytes: impl Into<Vec<u8>>,
        merged_from: Option<Vec<u8>>,
        entries: impl IntoIterator<Item = String>,
    ) -> Self {
        File {
            ownership: Ownership::Shared {
                merged_from,
                entries: entries.into_iter().collect(),
                fresh: false,
            },
            ..File::new(path, bytes)
        }
    }

    /// Sets whether a shared file only has our entries.
    #[must_use]
    pub fn fresh(mut self, is_fresh: bool) -> Self {
        if let Ownership::Shared { fresh, .. } = &mut self.ownership {
            *fresh = is_fresh;
        }
        self
    }

    /// A shared file in which nothing is ours any more: `bytes` has only the entries of others.
    pub fn left(
        path: impl Into<String>,
        bytes: impl Into<Vec<u8>>,
        merged_from: Option<Vec<u8>>,
    ) -> Self {
        File {
            ownership: Ownership::Left { merged_from },
            ..File::new(path, bytes)
        }
    }

    /// Allows the file to replace one that somebody else wrote.
    #[must_use]
    pub fn taking_over(mut self) -> Self {
        self.take_over = true;
        self
    }
}

/// Who owns a rendered file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// It is ours. Edits by hand are reported and kept.
    Whole,
    /// It is ours and the user's. Edits by hand are part of what was merged.
    Shared {
        /// The bytes that the user's entries were read from.
        merged_from: Option<Vec<u8>>,
        /// The entries that are ours.
        entries: BTreeSet<String>,
        /// Whether it is what would be written if no file existed, so that it only has our entries.
        fresh: bool,
    },
    /// It is only the user's from now on, because our entries have been removed.
    Left {
        /// The bytes that the user's entries were read from.
        merged_from: Option<Vec<u8>>,
    },
}

impl Ownership {
    /// The bytes that the user's entries were read from; `None` if the file is not shared.
    pub(super) fn merged_from(&self) -> Option<Option<&[u8]>> {
        match self {
            Ownership::Whole => None,
            Ownership::Shared { merged_from, .. } | Ownership::Left { merged_from } => {
                Some(merged_from.as_deref())
            }
        }
    }
}

/// Decides whether two texts of a path (on disk, rendered) contain equal objects.
pub type SameObjects<'a> = dyn Fn(&str, &str, &str) -> bool + 'a;

/// Decides whether a render can have written a path, completely or, if the second value is true, in parts.
pub type CouldRender<'a> = dyn Fn(&str, bool) -> bool + 'a;

/// Options of a plan.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// Overwrite files that were edited by hand, and files that somebody else wrote.
    pub force: bool,
    /// Files that we didn't write become ours if this returns true.
    pub same_objects: Option<&'a SameObjects<'a>>,
    /// The locks in the root, of this configuration and of others. By default, those for `cluster.toml` are read.
    pub locks: Option<&'a Locks>,
    /// Files for which this returns false are never removed, whatever the lock says.
    pub could_render: Option<&'a CouldRender<'a>>,
}
