//! `gatewayctl validate`: checks what cluster.toml renders, or any manifests.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};

use super::checked::{Checked, check_each, check_one, check_paths};
use super::cluster::{self, Connection, Manager};
use super::earlier::EarlierFindings;
use super::filter::Filter;
use super::output::Stream;
use super::project::Project;
use super::several::JoinedFindings;
use super::{FAILED, Global, evidence, found, git, location, used};
use crate::bounds::file::{self, Unread};
use crate::report::evidence::{FAILURES, Record};
use crate::report::{Base, Format, Report, github};
use crd_validate::codes::SCHEMA_UNCHECKED_KIND;
use crd_validate::schema::set::is_followed;
use crd_validate::schema::{Chosen, Reason};
use manifest::diagnostic::printable::printable;
use manifest::diagnostic::{Diagnostic, Severity, Sources, Span};

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
        let is_whole = self.paths.iter().any(|path| location::is_description(path));
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
        false => vec![check_paths(&args.paths, &args.uses, global)?],
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
    let Some(path) = all.find(|path| location::is_description(path)) else {
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
