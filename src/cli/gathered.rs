//! The objects that a command works on: from the folders that it is given, or from the project.

use std::path::PathBuf;

use super::project::Project;
use super::{Global, manifests};
use crate::report::Report;
use envoy_gateway::Settings;
use envoy_gateway::controller::Files;
use envoy_gateway::exposure::with_charted_from;
use envoy_gateway::helm_routes::ReleaseValues;
use flux_repo::Delivery;
use manifest::Object;
use manifest::diagnostic::Sources;

/// Which objects to work on.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ObjectSources {
    /// Manifests: files, folders, or `-` for standard input [default: what cluster.toml renders]
    #[arg(value_name = "DIR")]
    paths: Vec<PathBuf>,
    /// The same as DIR, as a flag
    #[arg(long = "in", value_name = "DIR")]
    within: Vec<PathBuf>,
}

/// The objects, as they would be sent to the API server.
pub(super) struct Gathered {
    /// The objects.
    pub objects: Vec<Object>,
    /// The settings of the controller, from the values of its chart.
    pub settings: Settings,
    /// The values that releases take from ConfigMaps.
    values_from: ReleaseValues,
    /// Whether a manifest has an error.
    pub is_broken: bool,
}

/// Gathers the objects, and adds the routes that Helm charts would create. Findings on the manifests are printed.
///
/// # Errors
/// If something can't be read, or the project has errors.
pub(super) fn gather(place: &ObjectSources, global: &Global) -> anyhow::Result<Gathered> {
    let gathered = applied(place, global)?;
    Ok(Gathered {
        objects: with_charted_from(gathered.objects, &gathered.values_from),
        ..gathered
    })
}

/// Gathers only the objects in manifests, without the routes that Helm charts would create.
///
/// # Errors
/// The same as for [`gather`].
pub(super) fn applied(place: &ObjectSources, global: &Global) -> anyhow::Result<Gathered> {
    let paths: Vec<PathBuf> = place.paths.iter().chain(&place.within).cloned().collect();
    match paths.is_empty() {
        true => of_project(global),
        false => of_paths(&paths, global),
    }
}

fn of_paths(paths: &[PathBuf], global: &Global) -> anyhow::Result<Gathered> {
    let mut sources = Sources::default();
    let read = manifests::read_repository(paths, &mut sources)?;
    let delivery = Delivery::of(&read.objects, &read.names);
    let files = Files {
        objects: &read.objects,
        delivery: &delivery,
        text_of: &|file: &str| read.text(file, &sources),
    };
    let (objects, settings) = files.applied();
    let values_from = files.release_values(&objects);
    let report = Report::new(read.diagnostics, read.files, read.objects.len(), &sources);
    if !report.diagnostics.is_empty() {
        global.report(&report, &sources)?;
    }
    Ok(Gathered {
        values_from,
        objects,
        settings,
        is_broken: report.has_errors(),
    })
}

fn of_project(global: &Global) -> anyhow::Result<Gathered> {
    let project = Project::find(global)?;
    let compiled = project.compile()?;
    if compiled.has_errors() {
        let (files, objects) = (compiled.files.len(), compiled.objects.len());
        let report = Report::new(compiled.diagnostics, files, objects, &compiled.sources);
        global.report(&report, &compiled.sources)?;
        anyhow::bail!("cluster.toml has errors, so it is not known what it would render");
    }
    let delivery = Delivery::of(&compiled.objects, &compiled.file_names());
    let files = Files {
        objects: &compiled.objects,
        delivery: &delivery,
        text_of: &|file: &str| compiled.text(file),
    };
    let (objects, settings) = files.applied();
    Ok(Gathered {
        values_from: files.release_values(&objects),
        objects,
        settings,
        is_broken: false,
    })
}
