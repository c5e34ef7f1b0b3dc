//! The few operations on a disk that the room needs.

use std::fs::{self, Permissions};
use std::io::{self, Read, Write};
use std::path::Path;

/// What stands at a path; symbolic links are not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// Nothing.
    Nothing,
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A device, a pipe, a socket.
    Other,
}

/// A disk. [`Os`] is the real one; tests wrap it to fail or to stop at any operation.
pub trait Disk {
    /// What stands at `path`.
    fn stands(&self, path: &Path) -> io::Result<Stands>;
    /// The bytes of a file; `None` where there are more than `most`.
    fn read(&self, path: &Path, most: u64) -> io::Result<Option<Vec<u8>>>;
    /// Whether a folder holds nothing.
    fn is_empty(&self, folder: &Path) -> io::Result<bool>;
    /// Makes one folder.
    fn create_folder(&self, path: &Path) -> io::Result<()>;
    /// Writes a file that must not exist yet and flushes it to the medium, with the mode of `like` where
    /// that exists, else as the umask has it.
    fn write_new(&self, path: &Path, bytes: &[u8], like: &Path) -> io::Result<()>;
    /// Puts `from` in the place of `to`, atomically.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file or a link, never what a link leads to.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty folder.
    fn remove_folder(&self, path: &Path) -> io::Result<()>;
    /// Flushes a folder's entries to the medium.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
}

/// The operating system's disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Os;

impl Disk for Os {
    fn stands(&self, path: &Path) -> io::Result<Stands> {
        let kind = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata.file_type(),
            // A file stands where a folder of the path should: nothing stands below it.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(Stands::Nothing);
            }
            Err(error) => return Err(error),
        };
        Ok(if kind.is_symlink() {
            Stands::Link
        } else if kind.is_file() {
            Stands::File
        } else if kind.is_dir() {
            Stands::Folder
        } else {
            Stands::Other
        })
    }

    fn read(&self, path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
        let file = fs::File::open(path)?;
        let length = file.metadata()?.len();
        if length > most {
            return Ok(None);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        // It may grow under our hands; one byte past the bound tells.
        file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        let whole = u64::try_from(bytes.len()).is_ok_and(|read| read <= most);
        Ok(whole.then_some(bytes))
    }

    fn is_empty(&self, folder: &Path) -> io::Result<bool> {
        Ok(fs::read_dir(folder)?.next().is_none())
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn write_new(&self, path: &Path, bytes: &[u8], like: &Path) -> io::Result<()> {
        let mut file = fs::File::create_new(path)?;
        file.write_all(bytes)?;
        // Some mounts know one mode only, and refuse even to set that.
        if let Some(mode) = mode_of(like)?
            && mode != file.metadata()?.permissions()
        {
            file.set_permissions(mode)?;
        }
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        sync_folder(path)
    }
}

fn mode_of(path: &Path) -> io::Result<Option<Permissions>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(Some(metadata.permissions())),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    match fs::File::open(path)?.sync_all() {
        // Some network and user-space file systems have no such thing; there is nothing to be done about it.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        result => result,
    }
}

/// Elsewhere a folder can't be opened as a file; the rename itself is journalled by the file system.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
