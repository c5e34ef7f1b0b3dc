//! The objects that a command looks at: those of folders, or those of the project.

use std::path::PathBuf;

use super::project::Project;
use super::{Global, manifests};
use crate::diagnostic::Sources;
use crate::exposure::with_charted;
use crate::manifest::Object;
use crate::report::Report;
use crate::resolve::Settings;
use crate::resolve::controller::{Files, controller_settings};
use crate::resolve::delivery::{Delivery, as_applied};

/// Where the objects are.
#[derive(Clone, Debug, clap::Args)]
pub struct Place {
    /// Manifests: files, folders, or `-` for standard input [default: what cluster.toml renders]
    #[arg(value_name = "DIR")]
    paths: Vec<PathBuf>,
    /// The same, as a flag
    #[arg(long = "in", value_name = "DIR")]
    within: Vec<PathBuf>,
}

/// Objects as the API server gets them.
pub struct Gathered {
    /// The objects.
    pub objects: Vec<Object>,
    /// What the controller's own chart and its values say.
    pub settings: Settings,
    /// Whether a manifest is broken.
    pub is_broken: bool,
}

/// Gathers the objects, the routes that charts make among them. What is wrong with manifests is told.
///
/// # Errors
/// Where something can't be read, or the project has errors.
pub fn gather(place: &Place, global: &Global) -> anyhow::Result<Gathered> {
    let gathered = applied(place, global)?;
    Ok(Gathered {
        objects: with_charted(gathered.objects),
        ..gathered
    })
}

/// The same without the routes that charts make: only what stands in a manifest.
///
/// # Errors
/// As [`gather`].
pub fn applied(place: &Place, global: &Global) -> anyhow::Result<Gathered> {
    let paths: Vec<PathBuf> = place.paths.iter().chain(&place.within).cloned().collect();
    match paths.is_empty() {
        true => of_project(global),
        false => of_paths(&paths, global),
    }
}

fn of_paths(paths: &[PathBuf], global: &Global) -> anyhow::Result<Gathered> {
    let mut sources = Sources::default();
    let read = manifests::read_all(paths, &mut sources)?;
    let delivery = Delivery::of(&read.objects, &read.names);
    let objects = as_applied(&read.objects, &delivery);
    let files = Files {
        objects: &read.objects,
        delivery: &delivery,
        text_of: &|file: &str| read.text(file, &sources),
    };
    let settings = controller_settings(&objects, &files);
    let report = Report::new(read.diagnostics, read.files, read.objects.len(), &sources);
    if !report.diagnostics.is_empty() {
        global.report(&report, &sources)?;
    }
    Ok(Gathered {
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
        anyhow::bail!("cluster.toml has errors; nothing can be said of what it would render");
    }
    let names = compiled.file_names();
    let delivery = Delivery::of(&compiled.objects, &names);
    let objects = as_applied(&compiled.objects, &delivery);
    let files = Files {
        objects: &compiled.objects,
        delivery: &delivery,
        text_of: &|file: &str| compiled.text(file),
    };
    Ok(Gathered {
        settings: controller_settings(&objects, &files),
        objects,
        is_broken: false,
    })
}
