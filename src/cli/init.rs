//! `gatewayctl init`: writes a first cluster.toml.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};

use super::Global;
use super::output::Stream;
use crate::compile::{World, compile};
use crate::import::toml::{key, string};
use crate::render::files::Inputs;
use crate::report::Report;
use crd_validate::schema::{Catalogue, Selection};
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
struct Answers {
    domain: String,
    certificate: String,
    gateways: Vec<(String, String)>,
    chart: String,
}

/// Runs the command.
///
/// # Errors
/// If there is a `cluster.toml` already, an answer is missing, or the file can't be written.
pub(super) fn run(args: &Args, global: &Global, out: &mut Stream) -> anyhow::Result<ExitCode> {
    let root = global.root.clone().unwrap_or_else(|| PathBuf::from("."));
    let path = global
        .config
        .clone()
        .unwrap_or_else(|| root.join("cluster.toml"));
    let catalogue = Catalogue::embedded();
    let answers = answers(args, &catalogue, out)?;
    let text = config(&answers);
    let compiled = compile("cluster.toml", &text, &Nothing, &catalogue);
    if compiled.has_errors() {
        let report = Report::new(compiled.diagnostics, 0, 0, &compiled.sources);
        global.report(&report, &compiled.sources)?;
        bail!("with these answers cluster.toml would have errors, so nothing was written");
    }
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path);
    let mut file = file.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            anyhow::anyhow!("{}: exists already, and was not changed", path.display())
        }
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

/// The answers from the flags. What they don't say is asked if there is a terminal.
fn answers(args: &Args, catalogue: &Catalogue, out: &mut Stream) -> anyhow::Result<Answers> {
    let asks = std::io::stdin().is_terminal() && out.is_terminal();
    let mut ask = |given: &Option<String>,
                   question: &str,
                   flag: &str,
                   default: Option<String>|
     -> anyhow::Result<String> {
        if let Some(given) = given {
            return Ok(given.clone());
        }
        if !asks {
            return default.with_context(|| {
                format!("{flag} is needed, because there is no terminal to ask on")
            });
        }
        let shown = default
            .as_ref()
            .map_or_else(String::new, |default| format!(" [{default}]"));
        write!(out, "{question}{shown}: ")?;
        out.flush()?;
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        match (line.trim(), default) {
            ("", Some(default)) => Ok(default),
            ("", None) => bail!("an answer is needed; you can also give it with {flag}"),
            (line, _) => Ok(line.to_owned()),
        }
    };
    let domain = ask(
        &args.domain,
        "The domain that the gateways serve",
        "--domain",
        None,
    )?;
    let secret = format!("{}-tls", domain.replace('.', "-"));
    let certificate = ask(
        &args.certificate,
        "The Secret with its TLS certificate",
        "--certificate",
        Some(secret),
    )?;
    let newest = Selection::newest(catalogue);
    let newest = newest.of("envoy-gateway").map(|chosen| {
        chosen
            .set
            .version
            .as_str()
            .trim_start_matches('v')
            .to_owned()
    });
    let chart = ask(
        &args.chart,
        "The Envoy Gateway chart's version",
        "--chart",
        newest,
    )?;
    let mut gateways = Vec::new();
    if args.gateways.is_empty() {
        for name in ["envoy-external", "envoy-internal"] {
            let question = format!("The address of {name}");
            gateways.push((
                name.to_owned(),
                ask(&None, &question, "--gateway NAME=ADDRESS", None)?,
            ));
        }
    }
    for text in &args.gateways {
        let Some((name, address)) = text.split_once('=') else {
            bail!("--gateway {text}: write NAME=ADDRESS, such as envoy-internal=10.10.30.25");
        };
        gateways.push((name.to_owned(), address.to_owned()));
    }
    Ok(Answers {
        domain,
        certificate,
        gateways,
        chart,
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
    text
}

const NEXT: &str = include_str!("init-next.txt");
