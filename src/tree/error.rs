//! Errors of the tree.

use std::io;

/// The work could not be done. This is not a finding: the command exits with 2.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A system call failed.
    #[error("can't {doing} `{path}`: {source}")]
    Io {
        /// What was tried, as a verb.
        doing: &'static str,
        /// The path, relative to the root if it is below it.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The lock file exists but can't be parsed.
    #[error("`{file}` is not a lock file that can be read: {problem}")]
    BrokenLock {
        /// The lock's name.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// The lock file has a format that this version can't read.
    #[error("`{file}` has the format `{found}`, but this version of gatewayctl reads `{known}`")]
    UnknownLock {
        /// The lock's name.
        file: String,
        /// The format that was found.
        found: String,
        /// The format that this version reads.
        known: &'static str,
    },
    /// Another render is writing to the same root.
    #[error("another gatewayctl is writing to `{root}`")]
    Busy {
        /// The root.
        root: String,
    },
    /// A file changed between planning and writing.
    #[error("`{path}` changed while gatewayctl was running")]
    Changed {
        /// The path, relative to the root.
        path: String,
    },
    /// A file without a lock can't be read or written safely at its path.
    #[error("`{path}` {problem}")]
    Unsafe {
        /// The path, relative to the root.
        path: String,
        /// What is wrong, as the end of a sentence.
        problem: String,
    },
    /// The same path was rendered twice, or both as a file and as a folder. This is a bug of the caller.
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
                "every file is complete, either old or new; free some space and render again to finish".to_owned()
            }
            Error::Io { .. } => {
                "every file is complete, either old or new; fix the cause and render again to finish"
                    .to_owned()
            }
            Error::BrokenLock { file, .. } => format!(
                "restore it with `git checkout -- {file}`, or delete it and render again: files that equal \
                 the rendered ones are taken over, and all others are reported and not overwritten"
            ),
            Error::UnknownLock { .. } => {
                "a newer gatewayctl wrote it; use that version here too, because with a wrong reading of the lock \
                 edits could be lost"
                    .to_owned()
            }
            Error::Busy { .. } => "wait until it has finished, then run again".to_owned(),
            Error::Changed { .. } => "it was not changed; run again to see its new state".to_owned(),
            Error::Unsafe { .. } => {
                "nothing was written; replace it by a regular file or a folder, or move it away".to_owned()
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
