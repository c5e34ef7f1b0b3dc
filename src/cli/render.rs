//! `gatewayctl render`: writes the tree.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use super::output::Stream;
use super::owned::with_help;
use super::project::Project;
use super::{Global, found};
use crate::compile::Compiled;
use crate::render::Kind;
use crate::report::Report;
use crate::tree::plan::Action;
use crate::tree::{self, FileClass, Plan};
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
    let project = Project::find_for(global, args.out.as_deref())?;
    let mut compiled = project.compile_to_write()?;
    if args.stdout || compiled.has_errors() {
        let failed = compiled.has_errors();
        if args.stdout && !failed {
            print(&compiled, out)?;
        }
        if !compiled.diagnostics.is_empty() {
            report(global, &mut compiled)?;
        }
        return Ok(found(failed));
    }
    let (plan, not_built) = project.plan(&mut compiled, args.force)?;
    let findings = if args.check {
        plan.out_of_date()
    } else {
        plan.findings()
    };
    // Nothing is written that kustomize could not build, for example if a listed file will not exist or can't be
    // written.
    let builds = not_built.is_empty() && plan.refused.is_empty() && !plan.is_obstructed();
    compiled.diagnostics.extend(findings);
    compiled.diagnostics.extend(not_built);
    let writes = !args.check && builds;
    if writes && plan.has_work() {
        tree::apply(&plan).map_err(with_help)?;
    }
    if writes {
        print_summary(&plan, global, out)?;
    }
    for diff in plan
        .entries
        .iter()
        .filter(|entry| is_kept(entry))
        .filter_map(tree::Entry::diff)
    {
        write!(out, "{diff}")?;
    }
    let failed = compiled.has_errors();
    if !compiled.diagnostics.is_empty() || args.check {
        report(global, &mut compiled)?;
    }
    Ok(found(failed))
}

fn is_kept(entry: &tree::Entry) -> bool {
    entry.action == Action::Leave
        && matches!(
            entry.class,
            FileClass::Edited | FileClass::Foreign | FileClass::Others(_)
        )
}

fn report(global: &Global, compiled: &mut Compiled) -> anyhow::Result<()> {
    let diagnostics = std::mem::take(&mut compiled.diagnostics);
    let report = Report::new(
        diagnostics,
        compiled.files.len(),
        compiled.objects.len(),
        &compiled.sources,
    );
    global.report(&report, &compiled.sources)
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

/// Prints what was done, one line a file.
fn print_summary(plan: &Plan, global: &Global, out: &mut dyn Write) -> anyhow::Result<()> {
    if global.quiet {
        return Ok(());
    }
    let mut unchanged = 0;
    for entry in &plan.entries {
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
    }
    if unchanged > 0 {
        writeln!(
            out,
            "unchanged  {unchanged} {}",
            if unchanged == 1 { "file" } else { "files" }
        )?;
    }
    Ok(())
}
