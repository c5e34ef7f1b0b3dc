//! Lets only one process write at a time.

use std::fs::{self, TryLockError};
use std::path::Path;

use super::error::Error;

/// Locks the root for one writer. The system releases the lock when the process ends, however it ends.
pub(super) struct Guard {
    held: Option<fs::File>,
}

impl Guard {
    /// Takes an advisory lock on the root folder itself, so that no lock file is left behind.
    ///
    /// If the system can't lock folders (some network file systems, Windows), the run continues without a lock:
    /// [`apply`](super::apply) still compares each file with what the plan saw before it writes.
    ///
    /// # Errors
    /// [`Error::Busy`] if another process holds the lock.
    pub(super) fn take(root: &Path) -> Result<Guard, Error> {
        let Ok(folder) = fs::File::open(root) else {
            return Ok(Guard { held: None });
        };
        match folder.try_lock() {
            Ok(()) => Ok(Guard { held: Some(folder) }),
            Err(TryLockError::WouldBlock) => Err(Error::Busy {
                root: root.display().to_string(),
            }),
            Err(TryLockError::Error(_)) => Ok(Guard { held: None }),
        }
    }
}

impl Drop for Guard {
    /// Releases the lock explicitly. Closing the file is not enough: while another thread starts a process, that
    /// process holds a copy of the file, and with it the lock.
    fn drop(&mut self) {
        if let Some(folder) = &self.held {
            // A failure doesn't matter, because the lock ends with this process.
            let _ = folder.unlock();
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_the_file_does_not_keep_the_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        let guard = Guard::take(folder.path()).expect("the lock");
        let copy = guard
            .held
            .as_ref()
            .expect("a file")
            .try_clone()
            .expect("a copy");
        assert!(matches!(
            Guard::take(folder.path()),
            Err(Error::Busy { .. })
        ));
        drop(guard);
        assert!(Guard::take(folder.path()).is_ok());
        drop(copy);
    }
}
