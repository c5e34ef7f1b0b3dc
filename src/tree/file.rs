//! What a render hands over, and how to plan with it.

use std::collections::BTreeSet;

use super::locks::Locks;

/// One rendered file.
#[derive(Clone, Debug)]
pub struct File {
    /// Relative to the root, with `/` on every system.
    pub path: String,
    /// What it is to hold.
    pub bytes: Vec<u8>,
    /// Whose it is.
    pub ownership: Ownership,
    /// Whether it may replace a file that somebody else wrote.
    pub take_over: bool,
}

impl File {
    /// A file that is ours as a whole.
    pub fn new(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        File {
            path: path.into(),
            bytes: bytes.into(),
            ownership: Ownership::Whole,
            take_over: false,
        }
    }

    /// A file in which only `entries` are ours. `bytes` holds the user's entries, too, as they were read
    /// from `merged_from`, the file's present bytes (`None`: there was no file).
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

    /// The same shared file, which has nothing of anybody else's where `is_fresh`.
    #[must_use]
    pub fn fresh(mut self, is_fresh: bool) -> Self {
        if let Ownership::Shared { fresh, .. } = &mut self.ownership {
            *fresh = is_fresh;
        }
        self
    }

    /// A shared file in which nothing is ours any longer: `bytes` is what the others have in it.
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

    /// The same file, allowed to replace one that somebody else wrote.
    #[must_use]
    pub fn taking_over(mut self) -> Self {
        self.take_over = true;
        self
    }
}

/// Whose a rendered file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// Ours: an edit by hand is shown and kept.
    Whole,
    /// Ours and the user's: an edit by hand is part of what was merged.
    Shared {
        /// The bytes that the user's entries were read from.
        merged_from: Option<Vec<u8>>,
        /// The entries that are ours.
        entries: BTreeSet<String>,
        /// Whether it is what is written where nothing stands: it has nothing of anybody else's.
        fresh: bool,
    },
    /// The user's alone from now on: our entries have been taken out.
    Left {
        /// The bytes that the user's entries were read from.
        merged_from: Option<Vec<u8>>,
    },
}

impl Ownership {
    /// The bytes that the user's entries were read from; `None` where the file has none.
    pub(super) fn merged_from(&self) -> Option<Option<&[u8]>> {
        match self {
            Ownership::Whole => None,
            Ownership::Shared { merged_from, .. } | Ownership::Left { merged_from } => {
                Some(merged_from.as_deref())
            }
        }
    }
}

/// Says whether two texts of a path (on disk, rendered) hold equal objects.
pub type SameObjects<'a> = dyn Fn(&str, &str, &str) -> bool + 'a;

/// Says whether a render can have written a path, as a whole or, where the second value is true, in parts.
pub type CouldRender<'a> = dyn Fn(&str, bool) -> bool + 'a;

/// How to plan.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// Overwrite what was edited by hand, and what somebody else wrote.
    pub force: bool,
    /// Files that we didn't write are ours where this says so.
    pub same_objects: Option<&'a SameObjects<'a>>,
    /// The locks in the root, of this configuration and of others; where not given, those of `cluster.toml` are read.
    pub locks: Option<&'a Locks>,
    /// What else than this allows is never removed, whatever the lock says.
    pub could_render: Option<&'a CouldRender<'a>>,
}
