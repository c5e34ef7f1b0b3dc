//! `gatewayctl exposure`: who can reach what.

use std::io::Write;
use std::process::ExitCode;

use clap::ValueEnum;
use rayon::prelude::*;

use super::columns::{Row, aligned};
use super::gathered::{Gathered, ObjectSources, Repository, repositories};
use super::location;
use super::output::Stream;
use super::used::Used;
use super::{Global, found, git};
use crate::page;
use envoy_gateway::exposure::{
    ExposedGateway, Exposure, Side, Table, compare_clusters, json, words,
};
use manifest::diagnostic::printable::printable;

/// Arguments of `exposure`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: ObjectSources,
    /// The format of the result
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// Show only what has changed since a revision: `git:REV`, such as `git:main`
    #[arg(long, value_name = "git:REV", value_parser = git::parse_revision, conflicts_with_all = ["paths", "within"])]
    against: Option<String>,
}

/// The name of the JSON format of changes. Keys are added to it, never renamed or dropped.
const CHANGES_FORMAT: &str = "gatewayctl/exposure-changes/v1";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table
    Human,
    /// gatewayctl/exposure/v1
    Json,
    /// A page for a browser
    Html,
}

/// Runs the command: prints who can reach what. The exit code is 1 if a manifest has an error.
///
/// # Errors
/// If something can't be read.
pub(super) fn run(args: &Args, global: &Global, out: &mut Stream) -> anyhow::Result<ExitCode> {
    let repositories = repositories(&args.place, &Used::default(), global)?;
    if let Some(rev) = &args.against {
        return compared(rev, args, &repositories, global, out);
    }
    let clusters = repositories.par_iter().map(|it| it.charted(global));
    let clusters: Vec<Vec<Gathered>> = clusters.collect::<anyhow::Result<_>>()?;
    let clusters: Vec<Gathered> = clusters.into_iter().flatten().collect();
    let is_broken = repositories.iter().any(|it| it.is_broken);
    let tables = || -> Vec<(Option<String>, Table)> {
        let tables = clusters.iter().map(|it| (it.cluster.clone(), it.exposed()));
        tables.collect()
    };
    match args.format {
        Format::Json => out.json(&as_json(tables()))?,
        Format::Html => write!(out, "{}", page::exposure::page(&tables()))?,
        Format::Human => {
            for (nth, gathered) in clusters.iter().enumerate() {
                gathered.write_heading(nth, out)?;
                let text = human(&gathered.exposed(), out.has_colour());
                write!(out.styled(), "{text}")?;
            }
        }
    }
    Ok(found(is_broken))
}

fn as_json(mut tables: Vec<(Option<String>, Table)>) -> serde_json::Value {
    if let [(None, only)] = tables.as_slice() {
        return json::json(only);
    }
    let named = tables.drain(..);
    let named = named.map(|(name, table)| (name.unwrap_or_default(), table));
    json::of_clusters(&named.collect::<Vec<_>>())
}

/// Prints what has changed since a revision. The exit code is 1 if anything has.
fn compared(
    rev: &str,
    args: &Args,
    repositories: &[Repository],
    global: &Global,
    out: &mut Stream,
) -> anyhow::Result<ExitCode> {
    let root = location::root(global)?;
    let commit = git::commit(&root, rev)?;
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for repository in repositories {
        let then = repository.at_commit(&root, &commit)?;
        before.extend(then.exposed(global)?);
        after.extend(repository.exposed(global)?);
    }
    let changes = compare_clusters(&before, &after);
    match args.format {
        Format::Json => out.json(&serde_json::json!({
            "schema": CHANGES_FORMAT,
            "changes": json::changes(&changes),
        }))?,
        Format::Html => {
            let page = page::exposure::page_of_changes(&changes, rev);
            write!(out, "{page}")?;
        }
        Format::Human => {
            for change in &changes {
                let direction = change.direction.as_str();
                writeln!(
                    out.styled(),
                    "{direction}: {}",
                    printable(&change.message())
                )?;
            }
            if changes.is_empty() && !global.quiet {
                writeln!(out.styled(), "nothing changes in who can reach what")?;
            }
        }
    }
    Ok(found(!changes.is_empty()))
}

/// The table for people: one line a gateway, then one line an exposure.
fn human(table: &Table, colour: bool) -> String {
    let mut text = String::new();
    for front in &table.gateways {
        text.push_str(&gateway(front, colour));
    }
    if table.exposures.is_empty() {
        return text + "nothing is exposed: no route is attached\n";
    }
    let mut rows = vec![Row::plain([
        "hostname",
        "gateway",
        "dns record",
        "guards",
        "routes",
    ])];
    rows.extend(table.exposures.iter().map(|it| {
        let code = paint(table.side(&it.gateway)).filter(|_| colour);
        Row::coloured(row(table, it), 1, code)
    }));
    text.push('\n');
    text.push_str(&aligned(&rows));
    text
}

fn paint(side: Side) -> Option<&'static str> {
    match side {
        Side::External => Some("33"),
        Side::Internal => Some("36"),
        Side::Unknown => None,
    }
}

/// `network/envoy-external  external, since its name says so; 10.10.30.26`
fn gateway(front: &ExposedGateway, colour: bool) -> String {
    let name = printable(&front.name);
    let name = match paint(front.reach.side).filter(|_| colour) {
        Some(code) => format!("\u{1b}[{code}m{name}\u{1b}[0m"),
        None => name,
    };
    let mut parts = vec![words::reach(front)];
    parts.extend((!front.addresses.is_empty()).then(|| front.addresses.join(", ")));
    let trusts = words::trusted(front);
    parts.extend((!trusts.is_empty()).then(|| format!("trusts {}", trusts.join(", "))));
    format!("{name}: {}\n", printable(&parts.join("; ")))
}

fn row(table: &Table, it: &Exposure) -> [String; 5] {
    let mut routes = words::routes(it);
    let remarks = words::remarks(it).into_iter();
    routes.extend(remarks.map(|remark| format!("({remark})")));
    let gateway = words::short(table, &it.gateway);
    [
        words::hostname(it),
        format!("{gateway} {}", it.listeners.join(",")),
        words::records(it, table.gateway(&it.gateway)),
        words::guards(&it.guards),
        routes.join(" "),
    ]
}
