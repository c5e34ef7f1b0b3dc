//! Why the work could not be done.

use std::io;

/// A failure of the work itself, not a finding: the command exits with 2.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A system call failed.
    #[error("can't {doing} `{path}`: {source}")]
    Io {
        /// What was attempted, as a verb.
        doing: &'static str,
        /// The path, relative to the root where it is below it.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The lock file is there but can't be read as one.
    #[error("`{file}` is not a lock file that can be read: {problem}")]
    BrokenLock {
        /// The lock's name.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The lock file is of a format that this version doesn't know.
    #[error("`{file}` has the format `{found}`, this version of gatewayctl reads `{known}`")]
    UnknownLock {
        /// The lock's name.
        file: String,
        /// The format found.
        found: String,
        /// The format known.
        known: &'static str,
    },
    /// Another render is at work on the same root.
    #[error("another gatewayctl is writing to `{root}`")]
    Busy {
        /// The root.
        root: String,
    },
    /// Something changed between the look and the write.
    #[error("`{path}` changed while gatewayctl was at work")]
    Changed {
        /// The path, relative to the root.
        path: String,
    },
    /// A file that has no lock can't be read or written where it is.
    #[error("`{path}` {problem}")]
    Unsafe {
        /// The path, relative to the root.
        path: String,
        /// What is wrong, as the end of a sentence.
        problem: String,
    },
    /// The same path was rendered twice, or as a file and as a folder: a bug of the caller.
    #[error("`{path}` is rendered twice, or both as a file and as a folder")]
    Duplicate {
        /// The path.
        path: String,
    },
}

impl Error {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Error::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "every file is whole, the old one or the new; make room, then render again: it finishes".to_owned()
            }
            Error::Io { .. } => {
                "every file is whole, the old one or the new; once the cause is gone, render again: it finishes"
                    .to_owned()
            }
            Error::BrokenLock { file, .. } => format!(
                "restore it with `git checkout -- {file}`; or delete it and render again: files that are as \
                 rendered are taken over, any other is shown before it is overwritten"
            ),
            Error::UnknownLock { .. } => {
                "a newer gatewayctl wrote it: use that version here, too; a lock is never guessed at, since \
                 hand-edited files could be lost"
                    .to_owned()
            }
            Error::Busy { .. } => "wait until it is done, then run again".to_owned(),
            Error::Changed { .. } => "it was left as it is; run again to see what it is now".to_owned(),
            Error::Unsafe { .. } => {
                "nothing was written; put a regular file or a folder in its place, or move it away".to_owned()
            }
            Error::Duplicate { .. } => "give one of the two another name".to_owned(),
        }
    }

    pub(super) fn io(doing: &'static str, path: impl Into<String>, source: io::Error) -> Self {
        let path = path.into();
        Error::Io {
            doing,
            path,
            source,
        }
    }
}
