//! The command line: one file a command. A command's file holds its arguments, the calls into the library, the
//! printing and the exit code.
//!
//! Exit codes: 0 if nothing was found, 1 if there are findings or a difference, 2 if the command could not do its
//! work. Results go to standard output, everything else to standard error.

mod abandoned;
mod checked;
mod closed;
mod cluster;
mod clusters;
mod collisions;
mod columns;
mod crds;
mod described;
mod diff;
mod earlier;
mod evidence;
mod explain;
mod exposure;
mod filter;
mod gathered;
mod git;
mod graph;
mod import;
mod init;
mod location;
mod lsp;
mod manifests;
mod mcp;
mod output;
mod own;
mod owned;
mod place;
mod program;
mod project;
mod render;
mod schemas;
mod scope;
mod scripts;
mod settings;
mod several;
mod shells;
mod status;
mod test;
mod today;
mod trace;
mod upgrade;
mod used;
mod validate;
mod walk;
mod watch;
mod why;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum};

use crate::bounds::unsaved::UnsavedTexts;
use crate::report::{Format, Report};
use output::Stream;

/// Renders the Flux tree of your Envoy Gateway gateways from one cluster.toml, and checks it before Flux applies it.
#[derive(Debug, Parser)]
#[command(
    name = "gatewayctl",
    version,
    max_term_width = 100,
    arg_required_else_help = true
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// The options that every command takes.
#[derive(Clone, Debug, clap::Args)]
pub struct Global {
    /// The folder that holds everything [default: the nearest folder at or above the current one with a cluster.toml, else the
    /// root of the Git repository]
    #[arg(short = 'C', long, value_name = "DIR", global = true)]
    root: Option<PathBuf>,
    /// The configuration file [default: cluster.toml in the root]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// The cluster to look at, if cluster.toml describes several, or the manifests are of several
    #[arg(long, value_name = "NAME", global = true)]
    cluster: Option<String>,
    /// Whether to colour the output
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    color: Color,
    /// Print nothing if nothing is wrong
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Print more
    #[arg(short, long, global = true)]
    verbose: bool,
    /// What somebody has typed in an editor, in place of files.
    #[arg(skip)]
    unsaved: UnsavedTexts,
    /// Whether findings on the way to a result are not printed, because they are shown in another way.
    #[arg(skip)]
    is_background: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Write a first cluster.toml, and print how to use it in CI and before a commit
    Init(init::Args),
    /// Write the tree that cluster.toml describes
    Render(render::Args),
    /// Show what a render would change
    Diff(diff::Args),
    /// Check cluster.toml and everything that it renders, or any manifests
    Validate(validate::Args),
    /// Write the cluster.toml that renders an existing tree, and prove that it does
    Import(import::Args),
    /// Show the conditions that Envoy Gateway would write, without a cluster
    Status(status::Args),
    /// Show who can reach what: hostnames, gateways, DNS records and access restrictions
    Exposure(exposure::Args),
    /// Draw the gateways and their routes: as Mermaid, DOT, SVG or an HTML page
    Graph(graph::Args),
    /// Follow a request to its backend, or to the place where it fails, without a cluster
    Trace(trace::Args),
    /// Run tests of requests, without a cluster
    Test(test::Args),
    /// List the clusters that cluster.toml describes, and what differs between them
    Clusters(clusters::Args),
    /// Show what another version of Envoy Gateway would break, deprecate and change
    Upgrade(upgrade::Args),
    /// Show which line of cluster.toml a rendered value comes from
    Why(why::Args),
    /// Explain a finding, a key of cluster.toml, or a field of a Kubernetes kind
    Explain(explain::Args),
    /// Check everything at each save, and show what the changes since a commit mean
    Watch(watch::Args),
    /// Run the language server, for editors
    Lsp(lsp::Args),
    /// Serve the commands that only read to assistants (Model Context Protocol)
    Mcp(mcp::Args),
    /// List, verify or add schemas
    Schemas(schemas::Args),
    /// Apply CustomResourceDefinitions to a new cluster, before anything else
    Crds(crds::Args),
    /// Print the JSON Schema of cluster.toml, for editors
    ConfigSchema,
    /// Print completions for a shell
    Completions(shells::Args),
    /// Print the manual page
    Man,
}

impl Global {
    /// Whether to write colours to a stream.
    fn colour(&self, is_terminal: bool) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && is_colour_wanted(),
        }
    }

    fn stdout(&self) -> Stream {
        Stream::stdout(|is_terminal| self.colour(is_terminal))
    }

    fn stderr(&self) -> Stream {
        Stream::stderr(|is_terminal| self.colour(is_terminal))
    }

    /// Prints findings in the given format.
    fn print(
        &self,
        format: Format,
        report: &Report,
        sources: &manifest::diagnostic::Sources,
        out: &mut Stream,
    ) -> std::io::Result<()> {
        let terminal = out.terminal();
        match format {
            Format::Human => format.write(report, sources, terminal, &mut out.styled()),
            Format::Github => format.write(report, sources, terminal, &mut out.commands()),
            _ => format.write(report, sources, terminal, out),
        }
    }

    /// Prints findings for people to standard error. With `--quiet`, it prints nothing if there are none.
    fn report(
        &self,
        report: &Report,
        sources: &manifest::diagnostic::Sources,
    ) -> anyhow::Result<()> {
        if self.is_background || self.quiet && report.diagnostics.is_empty() {
            return Ok(());
        }
        self.print(Format::Human, report, sources, &mut self.stderr())?;
        Ok(())
    }
}

/// Exit code of a command that found something: findings, or a difference.
const FOUND: u8 = 1;
/// Exit code of a command that could not do its work.
const FAILED: u8 = 2;

/// The exit code of a command that looks for something: 1 if it found any.
fn found(any: bool) -> ExitCode {
    if any {
        ExitCode::from(FOUND)
    } else {
        ExitCode::SUCCESS
    }
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    if scripts::is_wanted() {
        return scripts::main();
    }
    std::panic::set_hook(Box::new(output::tell_panic));
    let cli = match program::parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let ran = std::panic::catch_unwind(|| run(cli)).unwrap_or_else(|_| {
        Err(anyhow::anyhow!(
            "this is a bug in gatewayctl; please report it with the output above and your cluster.toml"
        ))
    });
    match ran {
        Ok(code) => code,
        Err(error) => {
            // If even this can't be written, nothing is left to be done.
            let _ = writeln!(Stream::stderr(|_| false), "error: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

/// Whether the environment allows colours (<https://no-color.org>).
fn is_colour_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Prints what clap has to say: the help that was asked for, or what is wrong with the arguments. The text may quote
/// any argument, so it goes through the same guard as all other output.
fn usage(error: &clap::Error) -> ExitCode {
    let text = error.render();
    let colour = |is_terminal: bool| is_terminal && is_colour_wanted();
    let written = match error.use_stderr() {
        true => write!(Stream::stderr(colour), "{text}"),
        false => {
            let mut out = Stream::stdout(colour);
            let written = match out.has_colour() {
                true => write!(out.styled(), "{}", text.ansi()),
                false => write!(out, "{text}"),
            };
            written.and_then(|()| out.flush())
        }
    };
    match (written, u8::try_from(error.exit_code())) {
        (Ok(()), Ok(code)) => ExitCode::from(code),
        _ => ExitCode::from(FAILED),
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let mut out = cli.global.stdout();
    let code = run_command(cli, &mut out)?;
    // Standard output is buffered by line. Without the flush, a full disk could look like success.
    out.flush().context("standard output")?;
    Ok(code)
}

fn run_command(cli: Cli, out: &mut Stream) -> anyhow::Result<ExitCode> {
    let global = &cli.global;
    match cli.command {
        Command::Init(args) => init::run(&args, global, out),
        Command::Render(args) => render::run(&args, global, out),
        Command::Diff(args) => diff::run(&args, global, out),
        Command::Validate(args) => validate::run(&args, global, out),
        Command::Import(args) => import::run(&args, global, out),
        Command::Status(args) => status::run(&args, global, out),
        Command::Exposure(args) => exposure::run(&args, global, out),
        Command::Graph(args) => graph::run(&args, global, out),
        Command::Trace(args) => trace::run(&args, global, out),
        Command::Test(args) => test::run(&args, global, out),
        Command::Clusters(args) => clusters::run(&args, global, out),
        Command::Upgrade(args) => upgrade::run(&args, global, out),
        Command::Why(args) => why::run(&args, global, out),
        Command::Explain(args) => explain::run(&args, global, out),
        Command::Watch(args) => watch::run(&args, global, out),
        Command::Lsp(args) => lsp::run(&args, global, out),
        Command::Mcp(args) => mcp::run(&args, global, out),
        Command::Schemas(args) => schemas::run(args, global, out),
        Command::Crds(args) => crds::run(&args, global, out),
        Command::ConfigSchema => shells::config_schema(out),
        Command::Completions(args) => shells::completions(&args, out),
        Command::Man => shells::man(out),
    }
}
