//! `test --record`: writes tests of what happens today.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};

use crate::cli::Global;
use crate::cli::location;
use crate::cli::output::Stream;
use crate::cli::scripts::InChild;
use crate::cli::trace::Material;
use crate::requests::record::record;
use crate::requests::seen::Front;
use envoy_gateway::helm_routes::charted;
use envoy_gateway::resolve;
use envoy_simulate::TraceInputs;
use envoy_simulate::lua::refused_scripts;
use manifest::diagnostic::printable::printable;

/// The first lines of the file.
const HEAD: &str = "# What happens to requests today, as `gatewayctl test --record` found it. Change it as you like.\n\n";

/// Writes the tests of all clusters to a new file below the root, or to standard output for `-`.
///
/// # Errors
/// If there is nothing to write, the file exists already, or it can't be written.
pub(super) fn write(
    file: &str,
    clusters: &mut [Material],
    external: &[String],
    global: &Global,
    out: &mut Stream,
) -> anyhow::Result<ExitCode> {
    let (mut texts, mut count) = (Vec::new(), 0);
    for material in clusters {
        let (text, tests) = of_cluster(material, external)?;
        if tests > 0 {
            texts.push(text);
        }
        count += tests;
    }
    if count == 0 {
        bail!("there is nothing to record: no route is attached to a listener");
    }
    let text = format!("{HEAD}{}", texts.join("\n"));
    if file == "-" {
        out.data().write_all(text.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let root = location::root(global)?;
    create(&root, Path::new(file), &text)?;
    if !global.quiet {
        let noun = if count == 1 { "test" } else { "tests" };
        writeln!(out, "{}", printable(&format!("{file}: {count} {noun}")))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn of_cluster(material: &mut Material, external: &[String]) -> anyhow::Result<(String, usize)> {
    let gathered = &mut material.gathered;
    gathered.settings.refused_scripts = refused_scripts(&gathered.objects, &InChild::default())?;
    let gathered = &material.gathered;
    let charted = charted(&gathered.objects, &gathered.values_from);
    let objects = gathered.objects.iter().chain(charted.objects());
    let resolved = resolve(objects, &gathered.settings);
    let runner = InChild::default();
    let inputs = TraceInputs {
        resolved: &resolved,
        objects: &gathered.objects,
        charted: &charted,
        generated: &material.generated,
        runner: &runner,
    };
    let front = Front::new(&inputs, external.iter().cloned());
    let recorded = record(&front, gathered.cluster.as_deref());
    match runner.failures().into_iter().next() {
        Some(failure) => Err(failure.into()),
        None => Ok(recorded),
    }
}

/// Creates a file below a folder. A file that is there already is somebody's, and links don't lead out of the folder.
fn create(root: &Path, file: &Path, text: &str) -> anyhow::Result<()> {
    let shown = file.display();
    let folder = Dir::open_ambient_dir(root, ambient_authority())
        .with_context(|| format!("{}: can't be opened", root.display()))?;
    if let Some(parent) = file.parent().filter(|it| !it.as_os_str().is_empty()) {
        folder
            .create_dir_all(parent)
            .with_context(|| format!("{}: can't be created in the root", parent.display()))?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let mut created = match folder.open_with(file, &options) {
        Ok(created) => created,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => bail!(
            "{shown} exists already, and is not overwritten; `--record=FILE` writes another file"
        ),
        Err(error) => {
            return Err(error).with_context(|| format!("{shown}: can't be created in the root"));
        }
    };
    created
        .write_all(text.as_bytes())
        .with_context(|| format!("{shown}: can't be written"))
}
