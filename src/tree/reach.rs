//! Opens folders from the root to a file one by one, without following symbolic links.

use std::io;

use super::classify::{Before, Obstacle};
use super::disk::{Content, Folder, Stands};
use super::error::Error;
use super::path::TreePath;

/// The largest file that is compared byte by byte, in bytes. A larger file differs from every rendered one.
pub(super) const LARGEST: u64 = manifest::read::LARGEST_FILE;

/// A folder that was opened.
pub(super) enum Place<'a> {
    /// The root itself.
    Root(&'a dyn Folder),
    /// A folder below the root.
    Below(Box<dyn Folder>),
}

impl Place<'_> {
    pub(super) fn folder(&self) -> &dyn Folder {
        match self {
            Place::Root(folder) => *folder,
            Place::Below(folder) => folder.as_ref(),
        }
    }
}

/// The result of following a path.
pub(super) enum Reached<'a> {
    /// The folder was opened.
    Folder(Place<'a>),
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
    let mut place = Place::Root(root);
    let way = folder.map(|folder| {
        let mut way = folder.folders();
        way.push(folder.clone());
        way
    });
    for folder in way.into_iter().flatten() {
        let stood = match step(place.folder(), folder.name())? {
            Ok(next) => {
                place = Place::Below(next);
                continue;
            }
            Err(stood) => stood,
        };
        return Ok(match stood {
            Stands::Nothing => Reached::Nothing,
            Stands::Link => Reached::Blocked(Obstacle::Link(folder)),
            _ => Reached::Blocked(Obstacle::NotAFolder(folder)),
        });
    }
    Ok(Reached::Folder(place))
}

/// Opens a folder in another one, or says what is there instead.
pub(super) fn step(here: &dyn Folder, name: &str) -> io::Result<Result<Box<dyn Folder>, Stands>> {
    let stood = here.stands(name)?;
    if stood != Stands::Folder {
        return Ok(Err(stood));
    }
    here.enter(name).map(Ok).or_else(|error| {
        // Something else may have replaced it since.
        match here.stands(name)? {
            Stands::Folder => Err(error),
            other => Ok(Err(other)),
        }
    })
}

/// What exists at a path. `rendered` is the length of the rendered file.
pub(super) fn look(
    root: Option<&dyn Folder>,
    path: &TreePath,
    rendered: usize,
) -> Result<Before, Error> {
    let failed = |error| Error::io("look at", path.as_str(), error);
    let Some(root) = root else {
        return Ok(Before::Nothing);
    };
    match reach(root, path).map_err(failed)? {
        Reached::Nothing => Ok(Before::Nothing),
        Reached::Blocked(obstacle) => Ok(Before::Blocked(obstacle)),
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
) -> io::Result<Before> {
    let mut stood = folder.stands(name)?;
    if stood == Stands::File {
        // Git may have made every line ending one byte longer, so twice the size of the rendered file is enough.
        let rendered = u64::try_from(rendered).unwrap_or(u64::MAX);
        match folder.read(name, LARGEST.max(rendered.saturating_mul(2))) {
            Ok(Content::Bytes(bytes)) => return Ok(Before::Bytes(bytes)),
            Ok(Content::Large) => return Ok(Before::Large),
            Ok(Content::NoFile) => stood = Stands::Other,
            Err(error) => {
                stood = folder.stands(name)?;
                if stood == Stands::File {
                    return Err(error);
                }
            }
        }
    }
    Ok(match stood {
        Stands::Nothing => Before::Nothing,
        Stands::Link => Before::Blocked(Obstacle::Link(path.clone())),
        _ => Before::Blocked(Obstacle::NotAFile),
    })
}
