//! `gatewayctl init`: writes a first cluster.toml.

mod interview;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use super::Global;
use super::output::Stream;
use crate::compile::{World, compile};
use crate::import::toml::{key, string};
use crate::render::files::Inputs;
use crd_validate::schema::Catalogue;
use interview::Interview;
use manifest::diagnostic::printable::printable;

/// Arguments of `init`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// The domain that the gateways serve
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    /// The Secret with the TLS certificate [default: the domain with `-` for `.`, and `-tls`]
    #[arg(long, value_name = "SECRET")]
    certificate: Option<String>,
    /// A gateway and its address; may be given more than once
    #[arg(long = "gateway", value_name = "NAME=ADDRESS")]
    gateways: Vec<String>,
    /// The Envoy Gateway chart's version [default: the newest known]
    #[arg(long, value_name = "VERSION")]
    chart: Option<String>,
}

/// What the user is asked for, unless flags say it.
#[derive(Clone)]
struct Answers {
    domain: String,
    certificate: String,
    gateways: Vec<(String, String)>,
    chart: String,
}

/// Runs the command.
///
/// # Errors
/// If there is a `cluster.toml` already, an answer is missing or wrong, or the file can't be written.
pub(super) fn run(args: &Args, global: &Global, out: &mut Stream) -> anyhow::Result<ExitCode> {
    let root = global.root.clone().unwrap_or_else(|| PathBuf::from("."));
    let path = global
        .config
        .clone()
        .unwrap_or_else(|| root.join("cluster.toml"));
    if path.symlink_metadata().is_ok() {
        return Err(exists(&path));
    }
    let catalogue = Catalogue::embedded();
    let mut interview = Interview::new(args, &catalogue, out);
    if !interview.goes_on_beside_gateways(&root, global)? {
        return Ok(ExitCode::SUCCESS);
    }
    let answers = interview.answers()?;
    let text = config(&answers);
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path);
    let mut file = file.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => exists(&path),
        _ => anyhow::Error::new(error).context(format!("{}: can't be written", path.display())),
    })?;
    file.write_all(text.as_bytes())
        .with_context(|| format!("{}: can't be written", path.display()))?;
    if !global.quiet {
        let path = printable(&path.display().to_string());
        writeln!(out, "wrote {path}\n\n{}", NEXT.trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn exists(path: &Path) -> anyhow::Error {
    anyhow::anyhow!("{}: exists already, and was not changed", path.display())
}

/// A file system without any file.
struct Nothing;

impl Inputs for Nothing {
    fn read(&self, _: &str) -> Option<String> {
        None
    }
}

impl World for Nothing {
    fn list(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// The first reason why a `cluster.toml` with these answers would be wrong, and what to do. Answers that don't name gateways
/// yet are judged with one.
fn problem(answers: &Answers, catalogue: &Catalogue) -> Option<String> {
    let mut answers = answers.clone();
    if answers.gateways.is_empty() {
        let gateway = ("envoy-internal".to_owned(), "10.10.30.25".to_owned());
        answers.gateways.push(gateway);
    }
    let compiled = compile("cluster.toml", &config(&answers), &Nothing, catalogue);
    let mut errors = compiled
        .diagnostics
        .into_iter()
        .filter(|found| found.is_error());
    errors.next().map(|found| match found.help {
        Some(help) => format!("{}\n  help: {help}", found.message),
        None => found.message,
    })
}

/// The text of a first cluster.toml. Answers are written as TOML strings, whatever they contain.
fn config(answers: &Answers) -> String {
    let mut text = format!(
        "# The front door of one cluster. `gatewayctl render` makes the Flux tree of it; `gatewayctl explain KEY` explains a key.

domain = {}
# The Secret with the TLS certificate of every `https` listener.
certificates = {}

# One version decides which schemas hold, which API versions are written, and what is on by default.
[chart]
version = {}
",
        string(&answers.domain),
        string(&answers.certificate),
        string(&answers.chart),
    );
    for (name, address) in &answers.gateways {
        text.push_str(&format!(
            "\n[gateways.{}]\naddress = {}\n",
            key(name),
            string(address)
        ));
    }
    text.push_str(LAYOUT);
    text
}

/// On a new cluster nothing in a folder is applied while the API server doesn't know the kinds in it.
const LAYOUT: &str = "
# The chart brings the CRDs, so the gateways have a folder and a Kustomization of their own, which waits for the chart.
[layout]
config_folder = \"config\"
";

const NEXT: &str = include_str!("init-next.txt");
