//! `gatewayctl upgrade`: what another version of a project would change.

mod edit;
mod edits;
mod installed;
mod list;
mod printed;
mod rendered;
mod targets;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use clap::ValueEnum;

use super::checked::declare_chart;
use super::location;
use super::manifests;
use super::output::Stream;
use super::project::{self, Project};
use super::{Global, found, git};
use crate::compile::{Beside, Compiled};
use crate::config::{chart, versions};
use crate::lint::upgrade::{Move, PROJECTS, Side, Upgrade, compare};
use crate::report::Report;
use crd_validate::schema::bundle::ENVOY_GATEWAY;
use crd_validate::schema::{Catalogue, Reason, Selection};
use edit::Edit;
pub(super) use edit::Fix;
use installed::installed;
use manifest::Object;
use manifest::diagnostic::{Diagnostic, Sources};
use targets::{Running, Target, looked_ahead, running};

/// Arguments of `upgrade`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// The version to compare with, of Envoy Gateway or of another project (`keda@2.20.2`); several times for several
    /// projects
    #[arg(
        long,
        value_name = "[PROJECT@]VERSION",
        required_unless_present = "list"
    )]
    to: Vec<String>,
    /// Write the changes that need no decision into cluster.toml and the manifests
    #[arg(long)]
    fix: bool,
    /// List the projects, and the versions whose changes are known
    #[arg(long, conflicts_with_all = ["to", "fix", "paths"])]
    list: bool,
    /// Manifests: files, folders, or `-` for standard input [default: cluster.toml and everything that it renders]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The format of the result
    #[arg(long, default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// For programs: gatewayctl/upgrade/v1
    Json,
}

/// Everything that is printed.
struct Outlook {
    upgrade: Upgrade,
    sources: Sources,
    before: Selection,
    after: Selection,
    running: Vec<Running>,
    edits: Vec<Edit>,
    /// What is rendered differently, one line each.
    rendered: Vec<String>,
    /// The folder that the names of files are relative to, and the one that nothing outside of is changed.
    folders: (PathBuf, PathBuf),
}

/// Runs the command.
///
/// # Errors
/// If something can't be read or written, or a version is not known.
pub(super) fn run(args: &Args, global: &Global, out: &mut Stream) -> anyhow::Result<ExitCode> {
    if args.list {
        let (catalogue, _) = project::in_force(global)?;
        list::print(&catalogue, out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let targets: Vec<Target> = args.to.iter().map(|to| Target::parse(to)).collect();
    let root = match args.paths.is_empty() {
        true => location::root_without_config(global)?,
        false => None,
    };
    let outlook = match (&root, args.paths.is_empty()) {
        (None, true) => of_project(&targets, global)?,
        (root, _) => Some(of_manifests(root.as_deref(), args, &targets, global)?),
    };
    let Some(outlook) = outlook else {
        // The configuration has errors, so it is not known what would change.
        return Ok(ExitCode::from(super::FAILED));
    };
    if args.fix {
        edit::write(&outlook.edits, &outlook.folders.0, &outlook.folders.1)?;
    }
    match args.format {
        Format::Human => printed::human(&outlook, args.fix, out)?,
        Format::Json => out.json(&printed::document(&outlook, args.fix)?)?,
    }
    Ok(found(!outlook.upgrade.breaks.is_empty()))
}

/// What `upgrade --to PROJECT@VERSION --fix` would write, by file.
///
/// # Errors
/// The same as for [`run`].
pub(super) fn fixes(
    project: &str,
    version: &str,
    global: &Global,
) -> anyhow::Result<BTreeMap<String, Vec<Fix>>> {
    let targets = [Target::parse(&format!("{project}@{version}"))];
    let outlook = match location::root_without_config(global)? {
        None => of_project(&targets, global)?,
        Some(root) => {
            let args = Args {
                to: Vec::new(),
                fix: false,
                list: false,
                paths: Vec::new(),
                format: Format::Json,
            };
            Some(of_manifests(Some(&root), &args, &targets, global)?)
        }
    };
    let mut by_file: BTreeMap<String, Vec<Fix>> = BTreeMap::new();
    for edit in outlook.into_iter().flat_map(|it| it.edits) {
        let fixes = by_file.entry(edit.file).or_default();
        fixes.extend(edit.fix.filter(|fix| !fixes.contains(fix)));
    }
    by_file.retain(|_, fixes| !fixes.is_empty());
    Ok(by_file)
}

/// The projects whose version one of these objects sets, and the bytes of the version in the file of the object.
pub(super) fn set_versions(objects: &[Object]) -> Vec<(&'static str, Range<usize>)> {
    let of_project = |project: &'static str| {
        let found = installed(objects, project).into_iter();
        let settings = found.filter(|it| it.is_setting);
        let spans = settings.filter_map(|it| it.object.span(&it.pointer));
        spans
            .map(move |span| (project, span.range()))
            .collect::<Vec<_>>()
    };
    PROJECTS.iter().flat_map(|it| of_project(it.name)).collect()
}

fn all_running(
    targets: &[Target],
    objects: &[Object],
    before: &Selection,
) -> anyhow::Result<Vec<Running>> {
    let of = |target: &Target| running(target, &installed(objects, &target.project), before);
    targets.iter().map(of).collect()
}

fn of_project(targets: &[Target], global: &Global) -> anyhow::Result<Option<Outlook>> {
    let project = Project::find(global)?;
    let mut written = project.compile()?;
    looked_ahead(&written.selection, &project.catalogue, targets)?;
    if written.model.is_none() {
        let report = Report::new(written.diagnostics, 0, 0, &written.sources);
        global.report(&report, &written.sources)?;
        return Ok(None);
    }
    let (beside, _) = project.beside(&mut written)?;
    let running = all_running(targets, &beside.objects, &written.selection)?;
    let text = written.sources.get(written.config).text().to_owned();
    let (before, after) = (
        text_of_now(&text, &running, &project.catalogue),
        text_after(&text, targets, &project.catalogue)?,
    );
    let mut before = project.compile_text(&before);
    let mut after = project.compile_text(&after);
    is_decided_here(&written, &after, targets)?;
    before.look_across(Beside::default());
    after.look_across(Beside::default());
    let (beside, _) = project.beside(&mut after)?;
    let mut objects = after.objects.clone();
    objects.extend(beside.objects.iter().cloned());
    // Their versions are what the user asked for, even if the catalogue lacks them.
    let is_unknown = |one: &Diagnostic| one.code == crate::config::codes::VERSION_UNKNOWN;
    after.diagnostics.retain(|one| !is_unknown(one));
    let moves: Vec<Move> = running.iter().map(|it| it.step.clone()).collect();
    let upgrade = compare(&side(&before), &side(&after), &objects, &moves);
    let mut edits = edits::in_configuration(&written, &after.selection, targets);
    for target in targets {
        edits.extend(edits::of_versions(&beside.objects, &after.sources, target));
    }
    edits.extend(edits::of_findings(
        &beside.objects,
        &after.sources,
        &upgrade,
        &moves,
    ));
    Ok(Some(Outlook {
        edits,
        rendered: rendered::lines(&before, &after),
        upgrade,
        sources: after.sources,
        before: before.selection,
        after: after.selection,
        running,
        folders: (project.root.clone(), project.root),
    }))
}

/// Checks that the chart's version is not decided by the table of a cluster, or only by a file that `cluster.toml` extends.
fn is_decided_here(written: &Compiled, after: &Compiled, targets: &[Target]) -> anyhow::Result<()> {
    let version = |compiled: &Compiled| compiled.cluster.as_ref()?.chart.version.clone();
    let target = targets.iter().find(|it| it.project == ENVOY_GATEWAY);
    let (Some(target), Some(is), Some(becomes)) = (target, version(written), version(after)) else {
        return Ok(());
    };
    if becomes.value == target.version.as_str() {
        return Ok(());
    }
    let place = is.span.map(|span| written.sources.locate(span));
    let place = place.map_or(String::new(), |it| format!(" in {}:{}", it.file, it.line));
    bail!(
        "the chart's version is decided{place}, not in [chart] of cluster.toml: change it there, and see what `gatewayctl validate --against git:HEAD` finds"
    )
}

/// The text of `cluster.toml` with the versions that run, of projects whose versions it doesn't declare.
fn text_of_now(text: &str, running: &[Running], catalogue: &Catalogue) -> String {
    let mut text = text.to_owned();
    for Running { step, .. } in running {
        let now = Target {
            project: step.project.clone(),
            version: step.from.clone(),
        };
        if let Some(known) = now
            .in_catalogue(catalogue)
            .filter(|_| step.project != ENVOY_GATEWAY)
        {
            text = versions::with_declared(&text, &step.project, known.as_str());
        }
    }
    text
}

/// The text of `cluster.toml` with the versions to look at.
fn text_after(text: &str, targets: &[Target], catalogue: &Catalogue) -> anyhow::Result<String> {
    let mut text = text.to_owned();
    for target in targets {
        let known = target.in_catalogue(catalogue);
        let is_chart = target.project == ENVOY_GATEWAY;
        if is_chart {
            let Some(with) = chart::with_version(&text, target.version.as_str()) else {
                bail!("[chart] has no `version`: add the version that runs now, then ask again");
            };
            text = with;
        }
        let shown = match target.project.as_str() {
            // It has no schemas of earlier versions, but another prefix of annotations.
            "external-dns" => Some(target.version.clone()),
            _ => known.filter(|known| !is_chart || *known != target.version),
        };
        if let Some(shown) = shown {
            text = versions::with_declared(&text, &target.project, shown.as_str());
        }
    }
    Ok(text)
}

fn side(compiled: &Compiled) -> Side<'_> {
    Side {
        findings: &compiled.diagnostics,
    }
}

/// The outlook for the given paths, or for the whole repository below `root`.
fn of_manifests(
    root: Option<&Path>,
    args: &Args,
    targets: &[Target],
    global: &Global,
) -> anyhow::Result<Outlook> {
    let mut sources = Sources::default();
    let manifests = match root {
        Some(root) => manifests::read_root(root, &global.unsaved, &mut sources)?,
        None => manifests::read_repository(&args.paths, &mut sources)?,
    };
    let (catalogue, mut before) = project::in_force(global)?;
    declare_chart(&manifests.objects, &catalogue, &mut before);
    let running = all_running(targets, &manifests.objects, &before)?;
    for (now, target) in running.iter().zip(targets) {
        let chosen = before.of(&target.project);
        if chosen.is_none_or(|chosen| chosen.reason == Reason::Assumed) {
            let at = installed(&manifests.objects, &target.project);
            let by = at.first().map_or("--to", |one| one.object.file.as_str());
            // If the catalogue doesn't have its minor version, only the tables of changes know the release.
            let from = now.step.from.as_str();
            let _ = before.declare(&catalogue, &target.project, from, None, by);
        }
    }
    let after = looked_ahead(&before, &catalogue, targets)?;
    let findings = |selection: &Selection| manifests.check(&sources, &catalogue, selection);
    let (old, new) = (findings(&before), findings(&after));
    let side = |findings| Side { findings };
    let moves: Vec<Move> = running.iter().map(|it| it.step.clone()).collect();
    let upgrade = compare(&side(&old), &side(&new), &manifests.objects, &moves);
    let mut edits = Vec::new();
    for target in targets {
        edits.extend(edits::of_versions(&manifests.objects, &sources, target));
    }
    edits.extend(edits::of_findings(
        &manifests.objects,
        &sources,
        &upgrade,
        &moves,
    ));
    Ok(Outlook {
        upgrade,
        sources,
        before,
        after,
        running,
        edits,
        rendered: Vec::new(),
        folders: (PathBuf::from("."), root_of(global)?),
    })
}

/// The folder that nothing outside of is changed: that of `cluster.toml`, or the repository, or the current one.
fn root_of(global: &Global) -> anyhow::Result<PathBuf> {
    if location::locate(global)?.is_some() {
        return Ok(location::place(global)?.0);
    }
    let here = Path::new(".");
    let given = global.root.clone();
    let absolute = here.canonicalize().unwrap_or_else(|_| here.to_owned());
    Ok(given
        .or_else(|| git::repository(&absolute).map(Path::to_path_buf))
        .unwrap_or(absolute))
}
