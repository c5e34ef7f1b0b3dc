//! The few disk operations that the tree needs, each on an open folder.
//!
//! A path is checked and used through the same handle. If somebody replaces a folder by a symbolic link, at whatever
//! moment, no file of ours is written outside the root.

use std::io::{self, Read, Write};
use std::path::Path;

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, FileType, OpenOptions};

/// What exists at a path. Symbolic links are not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryType {
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

/// The result of reading a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A file's bytes.
    Bytes(Vec<u8>),
    /// The file has more bytes than the limit.
    Large,
    /// It is not a regular file, and was not read.
    NoFile,
}

/// A disk. [`Os`] is the real one; tests wrap it to fail or stop at any operation.
pub trait Disk {
    /// Opens the folder at `path`, which may lead through symbolic links; `None` if it doesn't exist. With `create`,
    /// it is created, and the folders above it.
    fn root(&self, path: &Path, create: bool) -> io::Result<Option<Box<dyn Folder>>>;
}

/// An open folder. A `name` is the name of an entry in it, never a path.
pub trait Folder {
    /// What exists at `name`.
    fn stands(&self, name: &str) -> io::Result<EntryType>;
    /// Opens a folder in this one; a symbolic link is an error.
    fn enter(&self, name: &str) -> io::Result<Box<dyn Folder>>;
    /// Reads a file of at most `most` bytes. Links, pipes and devices are neither read nor waited for.
    fn read(&self, name: &str, most: u64) -> io::Result<Content>;
    /// The names of all entries whose name is UTF-8.
    fn names(&self) -> io::Result<Vec<String>>;
    /// Whether it is empty.
    fn is_empty(&self) -> io::Result<bool>;
    /// Creates a folder in this one.
    fn create_folder(&self, name: &str) -> io::Result<()>;
    /// Writes a new file and flushes it to the medium. If `like` is a file, the new one gets its mode, else the
    /// default one of the umask.
    fn write_new(&self, name: &str, bytes: &[u8], like: &str) -> io::Result<()>;
    /// Renames `from` to `to` atomically, replacing `to`.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Renames `from` to `to` atomically; [`io::ErrorKind::AlreadyExists`] if `to` exists.
    fn rename_new(&self, from: &str, to: &str) -> io::Result<()>;
    /// Exchanges two entries atomically; [`io::ErrorKind::Unsupported`] if the system can't.
    fn exchange(&self, one: &str, other: &str) -> io::Result<()>;
    /// Removes a file or a link, never the target of a link.
    fn remove_file(&self, name: &str) -> io::Result<()>;
    /// Removes an empty folder.
    fn remove_folder(&self, name: &str) -> io::Result<()>;
    /// Flushes the folder's entries to the medium.
    fn sync(&self) -> io::Result<()>;
}

/// The operating system's disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Os;

impl Disk for Os {
    fn root(&self, path: &Path, create: bool) -> io::Result<Option<Box<dyn Folder>>> {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        if create {
            std::fs::create_dir_all(path)?;
        }
        match Dir::open_ambient_dir(path, ambient_authority()) {
            Ok(dir) => Ok(Some(Box::new(OsFolder(dir)))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

struct OsFolder(Dir);

impl Folder for OsFolder {
    fn stands(&self, name: &str) -> io::Result<EntryType> {
        match self.0.symlink_metadata(name) {
            Ok(metadata) => Ok(stands(metadata.file_type())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(EntryType::Nothing),
            Err(error) => Err(error),
        }
    }

    fn enter(&self, name: &str) -> io::Result<Box<dyn Folder>> {
        Ok(Box::new(OsFolder(self.0.open_dir_nofollow(name)?)))
    }

    fn read(&self, name: &str, most: u64) -> io::Result<Content> {
        let mut options = OpenOptions::new();
        options.read(true).nonblock(true).follow(FollowSymlinks::No);
        let file = self.0.open_with(name, &options)?;
        // The open file is asked, because the name may refer to another file by now.
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok(Content::NoFile);
        }
        if metadata.len() > most {
            return Ok(Content::Large);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
        // The file may grow while it is read. One byte more than the limit shows that.
        file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        let is_whole = u64::try_from(bytes.len()).is_ok_and(|read| read <= most);
        Ok(if is_whole {
            Content::Bytes(bytes)
        } else {
            Content::Large
        })
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in self.0.entries()? {
            names.extend(entry?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }

    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.0.entries()?.next().is_none())
    }

    fn create_folder(&self, name: &str) -> io::Result<()> {
        self.0.create_dir(name)
    }

    fn write_new(&self, name: &str, bytes: &[u8], like: &str) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create_new(true)
            .follow(FollowSymlinks::No);
        let mut file = self.0.open_with(name, &options)?;
        file.write_all(bytes)?;
        let mode = match self.0.symlink_metadata(like) {
            Ok(metadata) if metadata.is_file() => Some(metadata.permissions()),
            Ok(_) => None,
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        // Some mounts have a fixed mode, and refuse even to set the same one.
        if let Some(mode) = mode
            && mode != file.metadata()?.permissions()
        {
            file.set_permissions(mode)?;
        }
        file.sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, &self.0, to)
    }

    fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        match system::rename_new(&self.0, from, to) {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
            done => return done,
        }
        // A hard link is only created if the name is free, on every file system that supports hard links.
        match self.0.hard_link(from, &self.0, to) {
            Ok(()) => self.0.remove_file(from),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
            Err(_) if self.stands(to)? == EntryType::Nothing => self.rename(from, to),
            Err(_) => Err(io::ErrorKind::AlreadyExists.into()),
        }
    }

    fn exchange(&self, one: &str, other: &str) -> io::Result<()> {
        system::exchange(&self.0, one, other)
    }

    fn remove_file(&self, name: &str) -> io::Result<()> {
        self.0.remove_file_or_symlink(name)
    }

    fn remove_folder(&self, name: &str) -> io::Result<()> {
        self.0.remove_dir(name)
    }

    fn sync(&self) -> io::Result<()> {
        sync(&self.0)
    }
}

fn stands(kind: FileType) -> EntryType {
    if kind.is_symlink() {
        EntryType::Link
    } else if kind.is_file() {
        EntryType::File
    } else if kind.is_dir() {
        EntryType::Folder
    } else {
        EntryType::Other
    }
}

#[cfg(unix)]
fn sync(folder: &Dir) -> io::Result<()> {
    // cap-std opens folders with O_PATH, but only a folder that is open for reading can be flushed.
    match folder.open(".")?.sync_all() {
        // Some network and user-space file systems don't support this, and there is no alternative.
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

/// Other systems can't open a folder as a file, but their file systems journal the rename.
#[cfg(not(unix))]
fn sync(_: &Dir) -> io::Result<()> {
    Ok(())
}

/// Operations that Linux and macOS have, but POSIX doesn't.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
mod system {
    use std::io;

    use cap_std::fs::Dir;
    use rustix::fs::{RenameFlags, renameat_with};
    use rustix::io::Errno;

    pub(super) fn rename_new(folder: &Dir, from: &str, to: &str) -> io::Result<()> {
        rename(folder, from, to, RenameFlags::NOREPLACE)
    }

    pub(super) fn exchange(folder: &Dir, one: &str, other: &str) -> io::Result<()> {
        rename(folder, one, other, RenameFlags::EXCHANGE)
    }

    fn rename(folder: &Dir, from: &str, to: &str, how: RenameFlags) -> io::Result<()> {
        renameat_with(folder, from, folder, to, how).map_err(|error| match error {
            // An old kernel, or a file system that doesn't support it.
            Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP => io::ErrorKind::Unsupported.into(),
            error => error.into(),
        })
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
mod system {
    use std::io;

    use cap_std::fs::Dir;

    pub fn rename_new(_: &Dir, _: &str, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub fn exchange(_: &Dir, _: &str, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
