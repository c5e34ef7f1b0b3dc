//! `gatewayctl render`

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use super::output::Stream;
use super::project::Project;
use super::{Global, found};
use crate::compile::Compiled;
use crate::diagnostic::printable::printable;
use crate::manifest::meaning;
use crate::render::files::{Inputs, Output};
use crate::render::{File, Kind};
use crate::report::Report;
use crate::tree::plan::Action;
use crate::tree::{self, Class, Options, Plan};

/// Arguments of `render`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Write nothing; fail where the tree is not what cluster.toml renders
    #[arg(long, conflicts_with_all = ["stdout", "force"])]
    check: bool,
    /// Write below this folder in place of the root
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the manifests in place of writing them
    #[arg(long)]
    stdout: bool,
    /// Overwrite files that were edited by hand, or that gatewayctl didn't write
    #[arg(long)]
    force: bool,
}

/// Runs the command.
///
/// # Errors
/// Where something can't be read or written.
pub fn run(args: &Args, global: &Global, out: &mut Stream) -> anyhow::Result<ExitCode> {
    let project = Project::find_for(global, args.out.as_deref())?;
    let mut compiled = project.compile()?;
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
    let files: Vec<tree::File> = compiled
        .files
        .iter()
        .map(|file| tree_file(file, &project))
        .collect();
    let options = Options {
        force: args.force,
        same_objects: Some(&meaning::same),
    };
    let plan = tree::plan(&project.out, &files, &options).map_err(with_help)?;
    let findings = if args.check {
        plan.out_of_date()
    } else {
        plan.findings()
    };
    compiled.diagnostics.extend(findings);
    // What is listed beside a file that can't be written would not build.
    let writes = !args.check && plan.refused.is_empty();
    if writes && plan.has_work() {
        tree::apply(&plan).map_err(with_help)?;
    }
    if writes {
        say(&plan, global, out)?;
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
    entry.action == Action::Leave && matches!(entry.class, Class::Edited | Class::Foreign)
}

/// The system's reason, and what to do.
fn with_help(error: tree::Error) -> anyhow::Error {
    let help = error.help();
    anyhow::anyhow!("{error}\n  help: {help}")
}

/// A file for the tree: the namespace's kustomization is shared with its other entries.
pub fn tree_file(file: &File, project: &Project) -> tree::File {
    match file.kind {
        Kind::Index => {
            let present = match project.read_output(&file.path) {
                Output::Text(text) => Some(text.into_bytes()),
                Output::Nothing | Output::Unreadable => None,
            };
            tree::File::shared(&file.path, file.text.as_bytes(), present)
        }
        Kind::Manifest | Kind::Script | Kind::Plain => {
            tree::File::new(&file.path, file.text.as_bytes())
        }
    }
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

/// All manifests as one stream, each file under a comment with its path.
fn print(compiled: &Compiled, out: &mut Stream) -> anyhow::Result<()> {
    for file in compiled.files.iter().filter(|file| file.kind.has_objects()) {
        writeln!(out, "# Source: {}", printable(&file.path))?;
        out.data().write_all(file.text.as_bytes())?;
    }
    Ok(())
}

/// What was done, a line a file.
fn say(plan: &Plan, global: &Global, out: &mut dyn Write) -> anyhow::Result<()> {
    if global.quiet {
        return Ok(());
    }
    let mut unchanged = 0;
    for entry in &plan.entries {
        let word = match (&entry.class, entry.action) {
            (_, Action::Leave) => {
                let same = matches!(entry.class, Class::Unchanged | Class::Adopt);
                if same && global.verbose {
                    writeln!(out, "unchanged  {}", printable(entry.path.as_str()))?;
                }
                unchanged += usize::from(same && !global.verbose);
                continue;
            }
            (Class::Create | Class::Gone, _) => "created",
            (Class::Remove, _) => "removed",
            (Class::Edited | Class::Foreign, _) => "overwrote",
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
