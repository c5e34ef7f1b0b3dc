//! What was written for clusters that a configuration doesn't describe any more.

use std::path::Path;

use super::disk::{Disk, EntryType, Os};
use super::error::Error;
use super::lock::{self, Lock};
use super::locks::{Configuration, Locks};
use super::path::is_lock;

/// The locks in `root` of clusters that the configuration doesn't describe any more, each as that of a configuration
/// which renders nothing.
///
/// # Errors
/// If a lock can't be read, is broken, or has a format that this version can't read.
pub fn abandoned(root: &Path, configuration: &Configuration) -> Result<Vec<Locks>, Error> {
    let failed = |error| Error::io("open the folder", root.display().to_string(), error);
    let Some(folder) = Os.root(root, false).map_err(failed)? else {
        return Ok(Vec::new());
    };
    let names = folder.names();
    let names = names.map_err(|error| Error::io("read the names in", ".", error))?;
    let mut all = Vec::new();
    for name in names.into_iter().filter(|name| is_lock(name)) {
        let (text, lock) = lock::load(folder.as_ref(), &name)?;
        all.push((name, text, lock));
    }
    let (abandoned, others): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|(_, _, lock)| configuration.has_abandoned(lock));
    let others: Vec<(String, Lock)> = others
        .into_iter()
        .map(|(name, _, lock)| (name, lock))
        .collect();
    let abandoned = abandoned.into_iter().map(|(file, text, own)| Locks {
        file,
        own,
        text,
        others: others.clone(),
        former: Vec::new(),
    });
    Ok(abandoned.collect())
}

/// Removes a lock that lists nothing any more.
///
/// # Errors
/// If it can't be removed.
pub fn remove_lock(root: &Path, file: &str) -> Result<(), Error> {
    let failed = |error| Error::io("remove", file, error);
    let folder = Os.root(root, false).map_err(failed)?;
    let Some(folder) = folder.filter(|_| is_lock(file)) else {
        return Ok(());
    };
    let (_, lock) = match folder.stands(file).map_err(failed)? {
        EntryType::File => lock::load(folder.as_ref(), file)?,
        _ => return Ok(()),
    };
    match lock.files.is_empty() && !lock.is_pending() {
        true => folder.remove_file(file).map_err(failed),
        false => Ok(()),
    }
}
