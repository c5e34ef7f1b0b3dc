//! A project's own schemas, in the folder `schemas` beside its `cluster.toml`.

use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail};
use walkdir::WalkDir;

use crate::bounds::file;
use crate::compile::chart_values;
use crd_validate::schema::lock::{Lock, Locked, sha256};
use crd_validate::schema::values::{self, ValuesSchema};
use crd_validate::schema::{Catalogue, embedded, files};
use manifest::read::LARGEST_FILE;

/// The name of the folder, in a project's root.
pub(super) const FOLDER: &str = "schemas";

/// The list of the schemas in `folder`; empty if there is none.
///
/// # Errors
/// If the list can't be read.
pub(super) fn list(folder: &Path) -> anyhow::Result<Lock> {
    let path = folder.join(files::LOCK);
    let shown = path.display();
    match file::text(&path, LARGEST_FILE) {
        Ok(text) => Lock::parse(&text).with_context(|| {
            format!(
                "{shown} is not a valid list of schemas; `gatewayctl schemas import` writes one"
            )
        }),
        Err(error) if error.is_missing() => Ok(Lock::default()),
        Err(error) => Err(error).with_context(|| format!("{shown}: can't be read")),
    }
}

/// Adds the schemas in `folder` to the catalogue, except for those that are embedded in the program anyway.
///
/// # Errors
/// If a listed file can't be read, or is not a compiled schema.
pub(super) fn add(catalogue: &mut Catalogue, folder: &Path) -> anyhow::Result<()> {
    let list = list(folder)?;
    if list.files().is_empty() {
        return Ok(());
    }
    for listed in own(&list)? {
        let path = path_of(folder, listed)?;
        let shown = path.display();
        let text = file::text(&path, LARGEST_FILE)
            .with_context(|| format!("{shown}: is listed in {} but can't be read", files::LOCK))?;
        if listed.project == values::PROJECT {
            let is_listed = sha256(text.as_bytes()) == listed.sha256;
            if !is_listed {
                bail!("{shown}: was edited after it was imported; import the chart's schema again");
            }
            chart_values::json::check(&text)
                .with_context(|| format!("{shown}: import the chart's schema again"))?;
            let set = listed.set();
            catalogue.add_values(ValuesSchema {
                chart: set.channel.unwrap_or_default(),
                version: set.version,
                text,
            });
            continue;
        }
        catalogue
            .add(listed, text)
            .with_context(|| format!("{shown}: import its CustomResourceDefinition again"))?;
    }
    Ok(())
}

/// The listed files that are not embedded in the program.
///
/// # Errors
/// If the program's own list is damaged.
pub(super) fn own(list: &Lock) -> anyhow::Result<Vec<&Locked>> {
    let embedded =
        Lock::parse(embedded::LOCK).context("can't read the list of schemas in this program")?;
    Ok(list.without(&embedded).collect())
}

/// The files below `folder` that a list could contain, by their names in the list, each with its text if it is
/// readable.
///
/// # Errors
/// If the folder can't be walked.
pub(super) fn files_in(folder: &Path) -> anyhow::Result<Vec<(String, Option<String>)>> {
    let mut found = Vec::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = entry?;
        let name = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        let name = name.to_string_lossy().replace('\\', "/");
        let is_schema =
            entry.path().extension().is_some_and(|it| it == "json") && name != files::LOCK;
        if entry.file_type().is_file() && is_schema {
            found.push((name, file::text(entry.path(), LARGEST_FILE).ok()));
        }
    }
    Ok(found)
}

/// The path of a listed file. The list is user input, so a path that leads out of the folder is refused.
fn path_of(folder: &Path, listed: &Locked) -> anyhow::Result<PathBuf> {
    let path = Path::new(&listed.path);
    if path
        .components()
        .any(|part| !matches!(part, Component::Normal(_)))
    {
        bail!(
            "{} lists `{}`, which is outside of its folder",
            folder.join(files::LOCK).display(),
            listed.path
        );
    }
    Ok(folder.join(path))
}
