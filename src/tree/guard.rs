//! One writer at a time.

use std::fs::{self, TryLockError};
use std::path::Path;

use super::error::Error;

/// Holds the root for one writer; the system lets go of it when the process ends, however it ends.
pub(super) struct Guard {
    held: Option<fs::File>,
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
    /// Lets go of the lock itself. To close the file would not do: a process that is being started elsewhere in
    /// this one holds a copy of it for a moment, and with the copy the lock.
    fn drop(&mut self) {
        if let Some(folder) = &self.held {
            // It can't be held any longer than this process lives.
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
