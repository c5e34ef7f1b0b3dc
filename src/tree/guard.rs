//! One writer at a time.

use std::fs::{self, TryLockError};
use std::path::Path;

use super::error::Error;

/// Holds the root for one writer; the system lets go of it when the process ends, however it ends.
pub(super) struct Guard {
    _held: Option<fs::File>,
}

impl Guard {
    /// Takes an advisory lock on the root folder itself, so that nothing is left behind.
    ///
    /// Where the system has no locks on folders (some network file systems, Windows) the run goes on
    /// without: [`apply`](super::apply) still compares each file with what the plan saw before it writes.
    ///
    /// # Errors
    /// [`Error::Busy`] where another process holds it.
    pub(super) fn take(root: &Path) -> Result<Guard, Error> {
        let Ok(folder) = fs::File::open(root) else {
            return Ok(Guard { _held: None });
        };
        match folder.try_lock() {
            Ok(()) => Ok(Guard {
                _held: Some(folder),
            }),
            Err(TryLockError::WouldBlock) => Err(Error::Busy {
                root: root.display().to_string(),
            }),
            Err(TryLockError::Error(_)) => Ok(Guard { _held: None }),
        }
    }
}
