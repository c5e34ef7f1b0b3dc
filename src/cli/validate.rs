//! `gatewayctl validate`: checks what cluster.toml renders, or any manifests.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use rayon::prelude::*;

use super::cluster::{self, Connection, Manager};
use super::earlier::EarlierFindings;
use super::filter::Filter;
use super::manifests::{self, Manifests};
use super::output::Stream;
use super::project::{self, Project};
use super::settings::{self, ValidateSettings};
use super::several::JoinedFindings;
use super::{FAILED, Global, collisions, evidence, found, git, used};
use crate::bounds::file::{self, Unread};
use crate::compile::Compiled;
use crate::lint::LintInput;
use crate::model::Model;
use crate::render::files::File;
use crate::report::evidence::{FAILURES, Record};
use crate::report::{Base, Format, Report, github};
use crd_validate::codes::SCHEMA_UNCHECKED_KIND;
use crd_validate::schema::bundle::ENVOY_GATEWAY;
use crd_validate::schema::set::is_followed;
use crd_validate::schema::{Catalogue, Chosen, Reason, Selection, Version, releases};
use envoy_gateway::controller::agreed_chart_versions;
use envoy_gateway::controller::helm_charts::chart_in;
use manifest::Object;
use manifest::diagnostic::printable::printable;
use manifest::diagnostic::{Diagnostic, Severity, SourceId, Sources, Span};

/// Arguments of `validate`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Manifests: files, folders, or `-` for standard input; or a cluster.toml [default: cluster.toml and everything that it renders, or,
    /// without a cluster.toml, the whole Git repository]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The version of a project to check against: PROJECT@VERSION[:CHANNEL]
    #[arg(long = "use", value_name = "PROJECT@VERSION")]
    uses: Vec<String>,
    /// An object of a kind that no schema describes is an error
    #[arg(long)]
    strict: bool,
    /// Report only these findings: codes or groups of codes
    #[arg(long, value_name = "CODE,…")]
    select: Vec<String>,
    /// Don't report these findings: codes or groups of codes
    #[arg(long, value_name = "CODE,…")]
    ignore: Vec<String>,
    /// How to print findings: human, json, sarif, github, junit or evidence
    #[arg(long, default_value = "human")]
    format: Format,
    /// What to compare with: `cluster` also asks the API server, by dry runs; `git:REV` reports only findings that the
    /// repository did not have at that revision
    #[arg(long, value_name = "WHAT", value_parser = Against::parse)]
    against: Option<Against>,
    #[command(flatten)]
    manager: Manager,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Clone, Debug)]
enum Against {
    Cluster,
    Git(String),
}

impl Args {
    /// The manifests to read; none for the whole repository.
    pub(super) fn manifests(&self) -> &[PathBuf] {
        let is_whole = self.paths.iter().any(|path| project::is_description(path));
        if is_whole { &[] } else { &self.paths }
    }

    /// Whether a path stands for standard input.
    pub(super) fn reads_standard_input(&self) -> bool {
        self.paths.iter().any(|path| path.as_os_str() == "-")
    }

    /// The paths and the options that decide what is reported, as on a command line.
    fn given(&self) -> Vec<String> {
        let of = |option: &'static str, values: &[String]| -> Vec<String> {
            let values = values.iter();
            values.map(|value| format!("{option}={value}")).collect()
        };
        let against = self.against.iter().map(|against| match against {
            Against::Cluster => "--against=cluster".to_owned(),
            Against::Git(rev) => format!("--against=git:{rev}"),
        });
        let paths = self.paths.iter();
        let paths = paths.map(|path| path.to_string_lossy().replace('\\', "/"));
        let listed = [
            of("--use", &self.uses),
            of("--select", &self.select),
            of("--ignore", &self.ignore),
        ];
        let strict = self.strict.then(|| "--strict".to_owned());
        let options = listed.into_iter().flatten();
        options.chain(strict).chain(against).chain(paths).collect()
    }
}

impl Against {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "cluster" => Ok(Against::Cluster),
            _ => git::parse_revision(text).map(Against::Git).map_err(|_| {
                "write `cluster`, or `git:` and a revision such as `git:main`".to_owned()
            }),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// If something can't be read.
pub(super) fn run(args: &Args, global: &Global, out: &mut Stream) -> anyhow::Result<ExitCode> {
    let filter = Filter::parse(&args.select, &args.ignore)?;
    let described = description(args)?.map(|path| Global {
        config: Some(path),
        ..global.clone()
    });
    let global = described.as_ref().unwrap_or(global);
    let all = match args.paths.is_empty() || described.is_some() {
        true if matches!(args.against, Some(Against::Cluster)) => {
            vec![check_one(&args.uses, global)?]
        }
        true => check_each(&args.uses, global)?,
        false => vec![check_paths(args, global)?],
    };
    let folder = all.first().map(|it| it.folder.clone()).unwrap_or_default();
    let mut joined = JoinedFindings::default();
    let mut failures = Vec::new();
    let base = base(&folder);
    let is_record = args.format == Format::Evidence;
    let mut record = Record::default();
    for checked in all {
        let counts = (checked.files, checked.count);
        if is_record {
            evidence::add_checked(&mut record, &checked, &base);
        }
        let settled = settled(checked, args, global, &filter)?;
        failures.extend(settled.failures);
        for (why, count) in settled.left_out {
            record.add_not_judged("findings", count, why);
        }
        let entries = settled.entries.iter().copied();
        joined.add_settings(entries, &settled.sources);
        let cluster = settled.cluster.as_deref();
        joined.add(cluster, settled.diagnostics, &settled.sources, counts);
    }
    joined.leave_out_used_settings();
    let mut report = joined.report().based(base);
    if is_record {
        record.options = args.given();
        evidence::add_exposure(&mut record, args, global);
        evidence::add_unchecked(&mut record, &joined.diagnostics);
        for failure in &failures {
            record.add_not_judged(FAILURES, 1, failure);
        }
        report.record = record;
    }
    if !(global.quiet && report.diagnostics.is_empty() && args.format == Format::Human) {
        global.print(args.format, &report, &joined.sources, out)?;
    }
    if args.format == Format::Github {
        append_step_summary(&report, &joined.sources)?;
    }
    for failure in &failures {
        writeln!(global.stderr(), "error: {failure}")?;
    }
    match failures.is_empty() {
        true => Ok(found(report.has_errors())),
        false => Ok(ExitCode::from(FAILED)),
    }
}

/// What is reported of one cluster, or of all manifests.
struct Settled {
    cluster: Option<String>,
    diagnostics: Vec<Diagnostic>,
    sources: Sources,
    /// The places of the entries in `[validate]`.
    entries: Vec<Span>,
    failures: Vec<String>,
    /// How many findings are not reported, and why.
    left_out: Vec<(&'static str, usize)>,
}

/// Asks whom the arguments name, and applies the settings.
fn settled(
    checked: Checked,
    args: &Args,
    global: &Global,
    filter: &Filter,
) -> anyhow::Result<Settled> {
    let folder = checked.folder.clone();
    let (failures, judged) = match args.against {
        Some(Against::Cluster) => judge(args, global, &checked)?,
        Some(Against::Git(_)) | None => (Vec::new(), Vec::new()),
    };
    let earlier = match &args.against {
        Some(Against::Git(rev)) => Some(earlier_findings(rev, args, global, &folder, &checked)?),
        Some(Against::Cluster) | None => None,
    };
    let changes = earlier.as_ref().map(|earlier| {
        let objects = &checked.manifests.objects;
        earlier.changes(objects, &checked.catalogue, &checked.selection)
    });
    let Checked {
        mut diagnostics,
        sources,
        selection,
        manifests,
        rendered,
        settings,
        is_project,
        others,
        cluster,
        is_one_of_several,
        ..
    } = checked;
    // The process is about to end. Freeing a million small allocations one by one would only take time.
    std::mem::forget((manifests, rendered, others));
    diagnostics.extend(judged);
    diagnostics.extend(changes.into_iter().flatten());
    if global.verbose {
        // Most repositories use only a few of the projects whose newest release is assumed.
        let is_told =
            |chosen: &&Chosen| is_followed(&chosen.set.project) || chosen.reason != Reason::Assumed;
        let of = cluster.as_ref();
        let of = of.map_or(String::new(), |name| format!("{}, ", printable(name)));
        for chosen in selection.all().filter(is_told) {
            writeln!(
                global.stderr(),
                "{of}against {}: {}",
                chosen.set.title(),
                chosen.clause()
            )?;
        }
    }
    let (mut entries, mut left_out) = (Vec::new(), Vec::new());
    let settings = match settings {
        Some(mut settings) => {
            settings.apply(&mut diagnostics, &sources, &folder);
            entries.extend(settings.entries());
            let is_whole = is_project || args.paths.is_empty() || settings.is_all_in(&args.paths);
            // Of one of several clusters, it is not known what the entries are for.
            if is_whole && !is_one_of_several {
                diagnostics.extend(settings.unused());
            }
            left_out.push((
                "`[validate]` in cluster.toml ignores them",
                settings.silenced(),
            ));
            if !global.quiet {
                settings.print_silenced(global.verbose, &mut global.stderr())?;
            }
            Some(settings)
        }
        None => None,
    };
    if args.strict {
        let unchecked = diagnostics.iter_mut();
        for finding in unchecked.filter(|one| one.code == SCHEMA_UNCHECKED_KIND) {
            finding.severity = Severity::Error;
        }
    }
    if let Some(earlier) = earlier {
        let removed = earlier.remove_from(&mut diagnostics, &sources);
        left_out.push(("the revision had them already", removed));
        if removed > 0 && !global.quiet {
            let noun = if removed == 1 { "finding" } else { "findings" };
            writeln!(
                global.stderr(),
                "{removed} {noun} left out that the revision had already"
            )?;
        }
    }
    let before = diagnostics.len();
    filter.apply(&mut diagnostics);
    let filtered = before.saturating_sub(diagnostics.len());
    left_out.push(("--select or --ignore leaves them out", filtered));
    if let Some(settings) = &settings {
        settings.deny(&mut diagnostics);
    }
    Ok(Settled {
        cluster,
        diagnostics,
        sources,
        entries,
        failures,
        left_out,
    })
}

/// The `cluster.toml` that is given as the path to validate.
fn description(args: &Args) -> anyhow::Result<Option<PathBuf>> {
    let mut all = args.paths.iter();
    let Some(path) = all.find(|path| project::is_description(path)) else {
        return Ok(None);
    };
    let shown = path.display();
    if args.paths.len() > 1 {
        bail!(
            "{shown} is checked together with everything that it renders; run `gatewayctl validate {shown}` for it, and once more for the other paths"
        );
    }
    if !args.uses.is_empty() {
        bail!("--use is for manifests; {shown} has its own versions in `[versions]` and `[chart]`");
    }
    Ok(Some(path.clone()))
}

/// What was found at a revision, of the same manifests.
fn earlier_findings(
    rev: &str,
    args: &Args,
    global: &Global,
    root: &Path,
    checked: &Checked,
) -> anyhow::Result<EarlierFindings> {
    if !args.paths.is_empty() {
        bail!("--against git:REV compares the whole repository; leave out the PATH");
    }
    match checked.is_project {
        true => {
            let global = Global {
                cluster: checked.cluster.clone().or(global.cluster.clone()),
                ..global.clone()
            };
            EarlierFindings::of_project(&Project::find(&global)?, rev)
        }
        false => {
            let (catalogue, selection) = used::selection(&args.uses, global)?;
            EarlierFindings::of_repository(
                root,
                rev,
                &catalogue,
                &selection,
                checked.manifests.rules.clone(),
            )
        }
    }
}

/// Asks the API server about the objects. Returns what could not be asked, and the findings.
fn judge(
    args: &Args,
    global: &Global,
    checked: &Checked,
) -> anyhow::Result<(Vec<String>, Vec<Diagnostic>)> {
    let given = checked.lint_input();
    let found = &checked.diagnostics;
    let judged = cluster::judge(
        &args.connection,
        &args.manager,
        global,
        &given,
        &checked.catalogue,
        found,
    )?;
    if !global.quiet {
        let mut stderr = global.stderr();
        for note in &judged.notes {
            writeln!(stderr, "note: {note}")?;
        }
        let of = checked.manifests.objects.len();
        writeln!(
            stderr,
            "the API server judged {} of {of} objects",
            judged.judged
        )?;
    }
    Ok((judged.failures, judged.diagnostics))
}

/// The folder that file names in reports are relative to: the root of the Git repository that contains `folder`, else
/// `folder` itself.
fn base(folder: &Path) -> Base {
    let Ok(folder) = folder.canonicalize() else {
        return Base::default();
    };
    let repository = git::repository(&folder);
    let shown = |path: &Path| path.to_string_lossy().replace('\\', "/");
    Base {
        repository: shown(repository.unwrap_or(&folder)),
        folder: shown(&folder),
    }
}

/// Appends to the job summary of GitHub Actions, if this is a step of a workflow.
fn append_step_summary(report: &Report, sources: &Sources) -> anyhow::Result<()> {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    let append = || -> Result<(), Unread> {
        let mut file = file::append(Path::new(&path))?;
        // The limit holds for the whole step, including what it wrote before.
        let written = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        let most = github::LARGEST_SUMMARY.saturating_sub(written);
        file.write_all(github::step_summary(report, sources, most).as_bytes())?;
        Ok(())
    };
    append().with_context(|| {
        let path = Path::new(&path).display();
        format!("{path}, the file in GITHUB_STEP_SUMMARY, can't be written")
    })
}

/// What was checked, and what it was checked against.
pub(super) struct Checked {
    pub diagnostics: Vec<Diagnostic>,
    files: usize,
    count: usize,
    /// The objects and the files that they were read from, or those that `cluster.toml` renders.
    pub manifests: Manifests,
    /// The files that `cluster.toml` renders.
    pub rendered: Vec<File>,
    /// The objects beside those that `cluster.toml` renders.
    pub others: Vec<Object>,
    pub sources: Sources,
    pub catalogue: Arc<Catalogue>,
    pub selection: Selection,
    /// The cluster, if `cluster.toml` describes several.
    pub cluster: Option<String>,
    /// Whether only this one of several clusters is looked at.
    is_one_of_several: bool,
    /// The source of the `cluster.toml` that was checked.
    pub config: Option<SourceId>,
    pub model: Option<Model>,
    /// The folder that the names of files are relative to.
    folder: PathBuf,
    /// Whether `cluster.toml` was checked, with what is beside it.
    pub is_project: bool,
    /// The `[validate]` table.
    settings: Option<ValidateSettings>,
}

impl Checked {
    fn lint_input(&self) -> LintInput<'_> {
        LintInput {
            model: self.model.as_ref(),
            ..self.manifests.lint_input(&self.sources, &self.selection)
        }
    }

    /// The number of files.
    pub(super) fn files(&self) -> usize {
        self.files
    }

    /// The number of objects.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Takes the findings that are reported if no options choose others.
    pub(super) fn take_reported(&mut self) -> Vec<Diagnostic> {
        let mut found = std::mem::take(&mut self.diagnostics);
        if let Some(settings) = &mut self.settings {
            settings.apply(&mut found, &self.sources, &self.folder);
            if !self.is_one_of_several {
                found.extend(settings.unused());
            }
            settings.deny(&mut found);
        }
        found
    }
}

/// Checks `cluster.toml` and everything that it renders, together with what is beside it; or, without a `cluster.toml`, the
/// whole repository. If `cluster.toml` describes several clusters, the result has the objects of the first one, and the
/// findings of all. `uses` are the versions that `--use` declares.
///
/// # Errors
/// If something can't be read.
pub(super) fn check_whole(uses: &[String], global: &Global) -> anyhow::Result<Checked> {
    let mut all = check_each(uses, global)?;
    let mut first = all.remove(0);
    if all.is_empty() {
        return Ok(first);
    }
    let (found, entries) = first.take_settled();
    let sources = std::mem::take(&mut first.sources);
    let mut joined = JoinedFindings::with(sources, &found, first.config);
    let counts = (first.files, first.count);
    joined.keep_settings(entries);
    joined.keep(first.cluster.as_deref(), found, counts);
    for mut other in all {
        let (found, entries) = other.take_settled();
        joined.add_settings(entries.into_iter(), &other.sources);
        let counts = (other.files, other.count);
        joined.add(other.cluster.as_deref(), found, &other.sources, counts);
    }
    joined.leave_out_used_settings();
    Ok(Checked {
        diagnostics: joined.diagnostics,
        sources: joined.sources,
        files: joined.files,
        count: joined.objects,
        settings: None,
        ..first
    })
}

/// Like [`check_whole`], for each cluster that `cluster.toml` describes.
///
/// # Errors
/// If something can't be read.
fn check_each(uses: &[String], global: &Global) -> anyhow::Result<Vec<Checked>> {
    if let Some(root) = project::root_without_config(global)? {
        let mut sources = Sources::default();
        let found = manifests::read_root(&root, &global.unsaved, &mut sources)?;
        let checked = check_manifests(found, sources, uses, global)?;
        return Ok(vec![Checked {
            folder: root,
            ..checked
        }]);
    }
    if !uses.is_empty() {
        bail!(
            "--use is for manifests without a cluster.toml, or with a PATH; cluster.toml declares its versions itself"
        );
    }
    let projects = Project::all(global, None)?;
    let wholes = projects.into_par_iter().map(|project| {
        let (mut compiled, mut manifests) = project.compile_whole()?;
        compiled.diagnostics.append(&mut manifests.diagnostics);
        Ok(((project, compiled), manifests))
    });
    let wholes: Vec<_> = wholes.collect::<anyhow::Result<_>>()?;
    let (mut compiled, manifests): (Vec<_>, Vec<_>) = wholes.into_iter().unzip();
    collisions::report(&mut compiled);
    let all = compiled.into_iter().zip(manifests);
    Ok(all
        .map(|((project, compiled), manifests)| Checked::of_project(project, compiled, manifests))
        .collect())
}

/// Like [`check_whole`], for the only cluster, or the one that `--cluster` names.
///
/// # Errors
/// If there are several, or something can't be read.
fn check_one(uses: &[String], global: &Global) -> anyhow::Result<Checked> {
    if project::locate(global)?.is_some() {
        Project::find(global)?;
    }
    check_whole(uses, global)
}

impl Checked {
    fn of_project(project: Project, mut compiled: Compiled, mut manifests: Manifests) -> Self {
        let settings = settings::of_project(&project, &mut compiled);
        let (files, count) = (manifests.files, manifests.count + compiled.objects.len());
        let others = std::mem::replace(&mut manifests.objects, compiled.objects);
        Checked {
            diagnostics: compiled.diagnostics,
            files: compiled.files.len() + files,
            count,
            manifests,
            rendered: compiled.files,
            others,
            sources: compiled.sources,
            catalogue: project.catalogue,
            selection: compiled.selection,
            is_one_of_several: project.is_one_of_several,
            cluster: project.cluster,
            config: Some(compiled.config),
            model: compiled.model,
            folder: project.root,
            is_project: true,
            settings,
        }
    }

    /// Takes the findings that are reported if no options choose others, and the places of the entries in `[validate]`.
    fn take_settled(&mut self) -> (Vec<Diagnostic>, Vec<Span>) {
        let entries = self.settings.as_ref().map(ValidateSettings::entries);
        (self.take_reported(), entries.unwrap_or_default())
    }
}

/// Checks manifests as they are, against the versions that `--use` and `cluster.toml` declare.
fn check_paths(args: &Args, global: &Global) -> anyhow::Result<Checked> {
    let mut sources = Sources::default();
    let found = manifests::read_repository(&args.paths, &mut sources)?;
    check_manifests(found, sources, &args.uses, global)
}

fn check_manifests(
    mut found: Manifests,
    mut sources: Sources,
    uses: &[String],
    global: &Global,
) -> anyhow::Result<Checked> {
    if !global.quiet {
        found.print_skipped(global.verbose, &mut global.stderr())?;
    }
    let (catalogue, mut selection) = used::selection(uses, global)?;
    declare_chart(&found.objects, &catalogue, &mut selection);
    let in_force = settings::in_force(global, &mut sources, &mut found.diagnostics)?;
    let (settings, rules) = in_force.unzip();
    found.rules = rules;
    let mut checked = Checked {
        diagnostics: std::mem::take(&mut found.diagnostics),
        files: found.files,
        count: found.count,
        manifests: found,
        rendered: Vec::new(),
        others: Vec::new(),
        sources,
        catalogue,
        selection,
        cluster: None,
        is_one_of_several: false,
        config: None,
        model: None,
        folder: PathBuf::from("."),
        is_project: false,
        settings,
    };
    let found = checked
        .manifests
        .check(&checked.sources, &checked.catalogue, &checked.selection);
    checked.diagnostics.extend(found);
    Ok(checked)
}

/// Uses the versions of charts in the manifests, if none is declared for their projects, and all manifests agree on one.
pub(super) fn declare_chart(objects: &[Object], catalogue: &Catalogue, selection: &mut Selection) {
    for (chart, version) in agreed_chart_versions(objects) {
        let Some((project, releases)) = releases::of_chart(chart) else {
            continue;
        };
        let chosen = selection.of(project);
        let is_open = chosen.is_some_and(|chosen| chosen.reason == Reason::Assumed);
        // The version of a chart that counts differently says nothing about that of the project.
        if !is_open || releases.newest_chart.is_some() {
            continue;
        }
        let written = chart_in(&version.by.node).and_then(|(_, written)| written);
        let range = written.filter(|written| Version::new(written).minor().is_none());
        let by = &version.by.file;
        let is_declared = range.is_some_and(|range| {
            selection.declare_range(catalogue, project, (range, version.minor), by)
        });
        if is_declared {
            continue;
        }
        let declared = Version::new(&version.text);
        let has_minor = || {
            let versions = catalogue.versions(project);
            versions.iter().any(|it| it.minor() == declared.minor())
        };
        // Envoy Gateway's version decides more than its CRDs. Of other projects, the newest release is as good a guess.
        if project == ENVOY_GATEWAY || has_minor() {
            selection.declare_nearest(catalogue, project, &declared, by);
        }
    }
}
