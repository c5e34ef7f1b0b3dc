//! `gatewayctl crds`: installs CustomResourceDefinitions in a new cluster.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;

use super::cluster::{self, ApplyOptions, Connection};
use super::{FAILED, Global, manifests};
use crate::report::Report;
use crd_validate::schema::import::is_crd;
use manifest::diagnostic::printable::printable;
use manifest::diagnostic::{Diagnostic, Sources};
use manifest::value::Node;

/// Arguments of `crds`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Apply CustomResourceDefinitions to the cluster, and wait until it serves them. This is the only command that
    /// writes to a cluster
    Apply(Apply),
}

#[derive(Clone, Debug, clap::Args)]
struct Apply {
    /// Manifests: a file, a folder to walk, or `-` for standard input; objects of other kinds are skipped
    #[arg(short, long = "file", value_name = "FILE", default_value = "-")]
    files: Vec<PathBuf>,
    /// Take over fields that other field managers set
    #[arg(long)]
    force_conflicts: bool,
    /// Apply a definition even if it lacks versions in which objects are stored
    #[arg(long)]
    allow_downgrade: bool,
    /// Apply the standard channel of the Gateway API even if the experimental one is installed
    #[arg(long)]
    allow_standard: bool,
    /// How long to wait for each definition to be established, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    wait: u64,
    /// The field manager to apply with
    #[arg(long, value_name = "NAME", default_value = "bootstrap")]
    field_manager: String,
    #[command(flatten)]
    connection: Connection,
}

/// Runs the command.
///
/// # Errors
/// If a file can't be read, or the cluster can't be asked.
pub(super) fn run(args: &Args, global: &Global, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let Command::Apply(args) = &args.command;
    let mut sources = Sources::default();
    let found = manifests::read_all(&args.files, &mut sources)?;
    if found.diagnostics.iter().any(Diagnostic::is_error) {
        let report = Report::new(
            found.diagnostics,
            found.files,
            found.objects.len(),
            &sources,
        );
        global.report(&report, &sources)?;
        bail!("nothing was applied, because some manifests can't be read");
    }
    let objects = found.objects.into_iter();
    let definitions = definitions(objects.map(|object| object.node.into_node()));
    if definitions.is_empty() {
        bail!(
            "there are no CustomResourceDefinitions in these manifests\n  help: `helm template` leaves them out without `--include-crds`"
        );
    }
    let how = ApplyOptions {
        manager: &args.field_manager,
        force_conflicts: args.force_conflicts,
        allow_downgrade: args.allow_downgrade,
        allow_standard: args.allow_standard,
        wait: args.wait,
    };
    let applied = cluster::apply(&args.connection, global, &definitions, &how)?;
    for (name, word) in &applied.done {
        if !global.quiet || *word != "unchanged" {
            writeln!(out, "{word:9}  {}", printable(name))?;
        }
    }
    for name in &applied.not_tried {
        writeln!(out, "not tried  {}", printable(name))?;
    }
    if !applied.refused.is_empty() {
        bail!("nothing was applied:\n{}", applied.refused.join("\n"));
    }
    for failure in &applied.failures {
        writeln!(global.stderr(), "error: {failure}")?;
    }
    if !global.quiet {
        let count = |wanted: &str| {
            applied
                .done
                .iter()
                .filter(|(_, word)| *word == wanted)
                .count()
        };
        writeln!(
            out,
            "{} created, {} changed, {} unchanged",
            count("created"),
            count("changed"),
            count("unchanged")
        )?;
    }
    if !applied.failures.is_empty() {
        return Ok(ExitCode::from(FAILED));
    }
    Ok(ExitCode::SUCCESS)
}

/// The definitions among objects. If several have the same name, the last one counts, as if they were applied in
/// order.
fn definitions(objects: impl Iterator<Item = Node>) -> Vec<Node> {
    let mut found: Vec<Node> = Vec::new();
    let name = |node: &Node| node.path(&["metadata", "name"]).cloned();
    for node in objects.filter(is_crd) {
        match found.iter_mut().find(|there| name(there) == name(&node)) {
            Some(there) => *there = node,
            None => found.push(node),
        }
    }
    found
}
