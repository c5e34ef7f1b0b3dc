//! Opens the folders from the root to a file one after the other, without following symbolic links.

use std::io;

use super::classify::{Existing, Obstacle};
use super::disk::{Content, EntryType, Folder};
use super::error::Error;
use super::path::TreePath;

/// The largest file that is compared byte by byte, in bytes. A larger file differs from every rendered one.
pub(super) const LARGEST: u64 = manifest::read::LARGEST_FILE;

/// A folder that was opened.
pub(super) enum OpenFolder<'a> {
    /// The root itself.
    Root(&'a dyn Folder),
    /// A folder below the root.
    Below(Box<dyn Folder>),
}

impl OpenFolder<'_> {
    pub(super) fn folder(&self) -> &dyn Folder {
        match self {
            OpenFolder::Root(folder) => *folder,
            OpenFolder::Below(folder) => folder.as_ref(),
        }
    }
}

/// The result of following a path.
pub(super) enum Reached<'a> {
    /// The folder was opened.
    Folder(OpenFolder<'a>),
    /// A folder of the path doesn't exist.
    Nothing,
    /// Something prevents opening a folder of the path.
    Blocked(Obstacle),
}

/// Opens the folder that contains `path`.
pub(super) fn reach<'a>(root: &'a dyn Folder, path: &TreePath) -> io::Result<Reached<'a>> {
    enter(root, path.parent().as_ref())
}

/// Opens a folder; `None` is the root.
pub(super) fn enter<'a>(
    root: &'a dyn Folder,
    folder: Option<&TreePath>,
) -> io::Result<Reached<'a>> {
    let mut place = OpenFolder::Root(root);
    let way = folder.map(|folder| {
        let mut way = folder.folders();
        way.push(folder.clone());
        way
    });
    for folder in way.into_iter().flatten() {
        let stood = match step(place.folder(), folder.name())? {
            Ok(next) => {
                place = OpenFolder::Below(next);
                continue;
            }
            Err(stood) => stood,
        };
        return Ok(match stood {
            EntryType::Nothing => Reached::Nothing,
            EntryType::Link => Reached::Blocked(Obstacle::Link(folder)),
            _ => Reached::Blocked(Obstacle::NotAFolder(folder)),
        });
    }
    Ok(Reached::Folder(place))
}

/// Opens a folder in another one, or returns what is there instead.
pub(super) fn step(
    here: &dyn Folder,
    name: &str,
) -> io::Result<Result<Box<dyn Folder>, EntryType>> {
    let stood = here.stands(name)?;
    if stood != EntryType::Folder {
        return Ok(Err(stood));
    }
    here.enter(name).map(Ok).or_else(|error| {
        // In the meantime, something else may have replaced the folder.
        match here.stands(name)? {
            EntryType::Folder => Err(error),
            other => Ok(Err(other)),
        }
    })
}

/// What exists at a path. `rendered` is the length of the rendered file.
pub(super) fn look(
    root: Option<&dyn Folder>,
    path: &TreePath,
    rendered: usize,
) -> Result<Existing, Error> {
    let failed = |error| Error::io("look at", path.as_str(), error);
    let Some(root) = root else {
        return Ok(Existing::Nothing);
    };
    match reach(root, path).map_err(failed)? {
        Reached::Nothing => Ok(Existing::Nothing),
        Reached::Blocked(obstacle) => Ok(Existing::Blocked(obstacle)),
        Reached::Folder(place) => {
            let found = look_in(place.folder(), path.name(), path, rendered);
            found.map_err(|error| Error::io("read", path.as_str(), error))
        }
    }
}

/// What exists at `name` in a folder: `path` itself or a file beside it.
pub(super) fn look_in(
    folder: &dyn Folder,
    name: &str,
    path: &TreePath,
    rendered: usize,
) -> io::Result<Existing> {
    let mut stood = folder.stands(name)?;
    if stood == EntryType::File {
        // Git may have made each line ending one byte longer, so twice the size of the rendered file is enough.
        let rendered = u64::try_from(rendered).unwrap_or(u64::MAX);
        match folder.read(name, LARGEST.max(rendered.saturating_mul(2))) {
            Ok(Content::Bytes(bytes)) => return Ok(Existing::Bytes(bytes)),
            Ok(Content::Large) => return Ok(Existing::Large),
            Ok(Content::NoFile) => stood = EntryType::Other,
            Err(error) => {
                stood = folder.stands(name)?;
                if stood == EntryType::File {
                    return Err(error);
                }
            }
        }
    }
    Ok(match stood {
        EntryType::Nothing => Existing::Nothing,
        EntryType::Link => Existing::Blocked(Obstacle::Link(path.clone())),
        _ => Existing::Blocked(Obstacle::NotAFile),
    })
}
