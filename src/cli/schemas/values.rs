//! `gatewayctl schemas import --values`: the schema of a Helm chart's values.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::Value;

use super::Target;
use crate::bounds::file;
use crate::cli::own;
use crate::compile::chart_values::json::{Unusable, bundle};
use crd_validate::schema::lock::sha256;
use crd_validate::schema::{Set, files, values};
use manifest::diagnostic::printable::printable;
use manifest::read::LARGEST_FILE;

/// Imports the schema in the only one of `paths` for a chart. `references` are the schemas that it refers to, as `URL=FILE`.
///
/// # Errors
/// If a file can't be read or written, or is not a JSON Schema.
pub(super) fn import(
    chart: &Set,
    paths: &[PathBuf],
    references: &[String],
    into: &Path,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let [path] = paths else {
        bail!("--values takes one file, the values.schema.json of the chart");
    };
    let text = read(path)?;
    let schema = json(&text, path)?;
    let mut given = BTreeMap::new();
    for reference in references {
        let Some((url, path)) = reference.rsplit_once('=') else {
            bail!("--ref {reference}: write URL=FILE");
        };
        let path = Path::new(path);
        given.insert(url.to_owned(), json(&read(path)?, path)?);
    }
    let bundled = match bundle(&schema, &given) {
        Ok(bundled) => bundled,
        Err(Unusable::Missing(url)) => bail!(
            "the schema refers to {url}: download it, and give it with `--ref {url}=FILE`; nothing was written"
        ),
        Err(error) => bail!("{}: {error}; nothing was written", path.display()),
    };
    let target = Target::of(into);
    let listed = target.seen(files::LOCK)?;
    let mut lock = own::list(into)?;
    let bundled = serde_json::to_string(&bundled)? + "\n";
    let source = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy();
    let entry = values::listed(
        &chart.project,
        chart.version.as_str(),
        &bundled,
        &source,
        &sha256(text.as_bytes()),
    );
    let written = entry.path.clone();
    lock.add([entry]);
    let list = lock.to_text()?.into_bytes();
    let all = vec![
        (written, bundled.into_bytes()),
        (files::LOCK.to_owned(), list),
    ];
    target.write(all, listed)?;
    writeln!(
        out,
        "the values of {} {} in {}",
        printable(&chart.project),
        printable(chart.version.as_str()),
        printable(&into.display().to_string())
    )?;
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> anyhow::Result<String> {
    file::text(path, LARGEST_FILE).with_context(|| path.display().to_string())
}

fn json(text: &str, path: &Path) -> anyhow::Result<Value> {
    serde_json::from_str(text).with_context(|| format!("{}: not JSON", path.display()))
}
