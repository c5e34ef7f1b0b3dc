//! `gatewayctl render`: writes the tree.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use super::abandoned::{self, AbandonedCluster};
use super::output::Stream;
use super::owned::with_help;
use super::project::Project;
use super::{Global, collisions, found, several};
use crate::compile::Compiled;
use crate::render::Kind;
use crate::tree::plan::Action;
use crate::tree::{self, FileClass, Plan};
use manifest::diagnostic::Sources;
use manifest::diagnostic::printable::printable;

/// Arguments of `render`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Write nothing, and fail if the tree is not what cluster.toml renders
    #[arg(long, conflicts_with_all = ["stdout", "force"])]
    check: bool,
    /// Write below this folder instead of the root
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the manifests instead of writing them
    #[arg(long)]
    stdout: bool,
    /// Overwrite files that were edited by hand or were not written by gatewayctl
    #[arg(long)]
    force: bool,
}

/// Runs the command.
///
/// # Errors
/// If something can't be read or written.
pub(super) fn run(args: &Args, global: &Global, out: &mut Stream) -> anyhow::Result<ExitCode> {
    let projects = Project::all(global, args.out.as_deref())?;
    let mut compiled = several::compile_each(projects, Project::compile_to_write)?;
    collisions::report(&mut compiled);
    let failed = compiled.iter().any(|(_, compiled)| compiled.has_errors());
    if args.stdout || failed {
        if args.stdout && !failed {
            for (_, compiled) in &compiled {
                print(compiled, out)?;
            }
        }
        let joined = several::joined(compiled);
        if !joined.diagnostics.is_empty() {
            global.report(&joined.report(), &joined.sources)?;
        }
        return Ok(found(failed));
    }
    let mut plans = Vec::new();
    // Nothing is written that kustomize could not build, for example if a listed file will not exist or can't be
    // written.
    let mut builds = true;
    for (project, compiled) in &mut compiled {
        let (plan, not_built) = project.plan(compiled, args.force)?;
        builds &= not_built.is_empty() && plan.refused.is_empty() && !plan.is_obstructed();
        compiled.diagnostics.extend(match args.check {
            true => plan.out_of_date(),
            false => plan.findings(),
        });
        compiled.diagnostics.extend(not_built);
        plans.push(plan);
    }
    let mut sources = Sources::default();
    let abandoned = match several::cluster_of(&compiled, global) {
        Some(_) => Vec::new(),
        None => abandoned::plans(&compiled, &mut sources)?,
    };
    builds &= abandoned.iter().all(AbandonedCluster::is_possible);
    if builds && !args.check {
        for plan in plans.iter().filter(|plan| plan.has_work()) {
            tree::apply(plan).map_err(with_help)?;
        }
        for cluster in &abandoned {
            cluster.apply()?;
        }
        let abandoned = abandoned.iter().map(|cluster| &cluster.plan);
        print_summary(plans.iter().chain(abandoned), global, out)?;
    }
    for diff in plans
        .iter()
        .flat_map(|plan| &plan.entries)
        .filter(|entry| is_kept(entry))
        .filter_map(tree::Entry::diff)
    {
        write!(out, "{diff}")?;
    }
    let mut joined = several::joined(compiled);
    for cluster in &abandoned {
        joined.add(None, cluster.findings(args.check), &sources, (0, 0));
    }
    let report = joined.report();
    if !report.diagnostics.is_empty() || args.check {
        global.report(&report, &joined.sources)?;
    }
    Ok(found(report.has_errors()))
}

fn is_kept(entry: &tree::Entry) -> bool {
    entry.action == Action::Leave
        && matches!(
            entry.class,
            FileClass::Edited | FileClass::Foreign | FileClass::Others(_)
        )
}

/// Prints all manifests as one stream, each file below a comment with its path.
fn print(compiled: &Compiled, out: &mut Stream) -> anyhow::Result<()> {
    let is_printed = |kind: Kind| kind.has_objects() && kind != Kind::Left;
    for file in compiled.files.iter().filter(|file| is_printed(file.kind)) {
        writeln!(out, "# Source: {}", printable(&file.path))?;
        out.data().write_all(file.text.as_bytes())?;
    }
    Ok(())
}

/// Prints what was done, one line a file, then how much it was and what to do next.
fn print_summary<'p>(
    plans: impl Iterator<Item = &'p Plan>,
    global: &Global,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    if global.quiet {
        return Ok(());
    }
    let mut unchanged = 0;
    let mut done: Vec<(&str, usize)> = Vec::new();
    for entry in plans.flat_map(|plan| &plan.entries) {
        let word = match (&entry.class, entry.action) {
            (_, Action::Leave) => {
                let same = matches!(entry.class, FileClass::Unchanged | FileClass::Adopt);
                if same && global.verbose {
                    writeln!(out, "unchanged  {}", printable(entry.path.as_str()))?;
                }
                unchanged += usize::from(same && !global.verbose);
                continue;
            }
            (FileClass::Create | FileClass::Gone, _) => "created",
            (FileClass::Remove, _) => "removed",
            (FileClass::Edited | FileClass::Foreign, _) => "overwrote",
            _ => "updated",
        };
        writeln!(out, "{word:>9}  {}", printable(entry.path.as_str()))?;
        match done.iter_mut().find(|(there, _)| *there == word) {
            Some((_, count)) => *count += 1,
            None => done.push((word, 1)),
        }
    }
    if unchanged > 0 {
        writeln!(
            out,
            "unchanged  {unchanged} {}",
            if unchanged == 1 { "file" } else { "files" }
        )?;
    }
    if !done.is_empty() {
        let done = done.iter().enumerate().map(|(at, (word, count))| {
            let noun = match (at, count) {
                (0, 1) => " file",
                (0, _) => " files",
                _ => "",
            };
            let word = if *word == "overwrote" {
                "overwritten"
            } else {
                word
            };
            format!("{count}{noun} {word}")
        });
        let done = done.collect::<Vec<_>>().join(", ");
        writeln!(
            out,
            "{done}; `gatewayctl validate` checks the whole repository"
        )?;
    }
    Ok(())
}
