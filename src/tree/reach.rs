//! The way from the root to a file, folder by folder; no symbolic link is followed on it.

use std::io;

use super::classify::{Before, Obstacle};
use super::disk::{Content, Folder, Stands};
use super::error::Error;
use super::path::TreePath;

/// The largest file that is compared byte by byte, in bytes; a larger one differs from anything rendered.
pub(super) const LARGEST: u64 = manifest::read::LARGEST_FILE;

/// A folder that was reached.
pub(super) enum Place<'a> {
    /// The root itself.
    Root(&'a dyn Folder),
    /// One below it.
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

/// How far a way leads.
pub(super) enum Reached<'a> {
    /// To its end.
    Folder(Place<'a>),
    /// A folder of it is missing.
    Nothing,
    /// Something stands in it.
    Blocked(Obstacle),
}

/// Opens the folder that holds `path`.
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

/// Opens a folder in another one, or says what stands there.
pub(super) fn step(here: &dyn Folder, name: &str) -> io::Result<Result<Box<dyn Folder>, Stands>> {
    let stood = here.stands(name)?;
    if stood != Stands::Folder {
        return Ok(Err(stood));
    }
    here.enter(name).map(Ok).or_else(|error| {
        // Something else may have taken its place since.
        match here.stands(name)? {
            Stands::Folder => Err(error),
            other => Ok(Err(other)),
        }
    })
}

/// What stands at a path; `rendered` is how long that is which is to stand there.
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

/// What stands at `name` in a folder, in the place of `path` or beside it.
pub(super) fn look_in(
    folder: &dyn Folder,
    name: &str,
    path: &TreePath,
    rendered: usize,
) -> io::Result<Before> {
    let mut stood = folder.stands(name)?;
    if stood == Stands::File {
        // Twice the size holds a rendered file whose every line end Git has widened.
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
