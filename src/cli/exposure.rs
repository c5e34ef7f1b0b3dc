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
use envoy_gateway::exposure::table::{NoRecord, Record};
use envoy_gateway::exposure::{
    ExposedGateway, Exposure, Guard, Records, Side, Table, compare_clusters, json,
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
    if args.format == Format::Json {
        let tables = clusters.iter().map(|it| (it.cluster.clone(), it.exposed()));
        let tables: Vec<(Option<String>, Table)> = tables.collect();
        match tables.as_slice() {
            [(None, only)] => out.json(&json::json(only))?,
            several => {
                let named = several.iter().cloned();
                let named = named.map(|(name, table)| (name.unwrap_or_default(), table));
                out.json(&json::of_clusters(&named.collect::<Vec<_>>()))?;
            }
        }
        return Ok(found(is_broken));
    }
    for (nth, gathered) in clusters.iter().enumerate() {
        gathered.write_heading(nth, out)?;
        let text = human(&gathered.exposed(), out.has_colour());
        write!(out.styled(), "{text}")?;
    }
    Ok(found(is_broken))
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
    let reach = match front.reach.side {
        Side::Unknown => "it is not known whether it is internal or external".to_owned(),
        side => format!("{}, since {}", side.as_str(), front.reach.why),
    };
    let mut parts = vec![reach];
    parts.extend((!front.addresses.is_empty()).then(|| front.addresses.join(", ")));
    let trusts: std::collections::BTreeSet<&str> = front
        .listeners
        .iter()
        .filter_map(|listener| listener.trusted.as_ref())
        .flat_map(|it| it.cidrs.iter().map(String::as_str))
        .collect();
    let trusts: Vec<&str> = trusts.into_iter().collect();
    parts.extend((!trusts.is_empty()).then(|| format!("trusts {}", trusts.join(", "))));
    format!("{name}: {}\n", printable(&parts.join("; ")))
}

fn row(table: &Table, it: &Exposure) -> [String; 5] {
    let mut routes: Vec<String> = it
        .routes
        .iter()
        .map(|route| match route.kind.as_str() {
            "HTTPRoute" => route.path(),
            kind => format!("{kind} {}", route.path()),
        })
        .collect();
    if it.is_redirect {
        routes.push("(redirects)".to_owned());
    }
    if it.is_plain {
        routes.push("(without TLS)".to_owned());
    }
    if !it.is_certain {
        routes.push("(perhaps)".to_owned());
    }
    let hostname = it.hostname.to_string();
    [
        if hostname == "*" {
            "any".to_owned()
        } else {
            hostname
        },
        format!("{} {}", short(table, &it.gateway), it.listeners.join(",")),
        records(&it.records, table.gateway(&it.gateway)),
        guards(&it.guards),
        routes.join(" "),
    ]
}

/// The name of a gateway without its namespace, if no other gateway has the same name. The lines above the table show
/// both.
fn short<'t>(table: &Table, gateway: &'t str) -> &'t str {
    let name = last(gateway);
    let same = table.gateways.iter().filter(|it| last(&it.name) == name);
    if same.count() == 1 { name } else { gateway }
}

/// The name without kind and namespace, which only the JSON has.
fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn records(records: &Records, front: Option<&ExposedGateway>) -> String {
    let one = |record: &Record| {
        let by = last(&record.by);
        let sure = if record.is_certain { "" } else { "perhaps " };
        match &record.target {
            Some(target) => format!("{sure}{by} -> {target}"),
            None => format!("{sure}{by}"),
        }
    };
    match records.none {
        None => records.all.iter().map(one).collect::<Vec<_>>().join(", "),
        Some(NoRecord::NotKnown) => match front.and_then(|it| it.target.as_ref()) {
            Some(target) => format!("unknown -> {target}"),
            None => "not known".to_owned(),
        },
        Some(NoRecord::Nobody) => "nobody's".to_owned(),
        Some(NoRecord::Nameless) => "-".to_owned(),
    }
}

fn guards(guards: &[Guard]) -> String {
    let one = |guard: &Guard| {
        let policy = last(&guard.policy);
        let part = if guard.is_everywhere { "" } else { " in part" };
        format!("{}{part} ({policy})", guard.kind.as_str())
    };
    match guards.is_empty() {
        true => "none".to_owned(),
        false => guards.iter().map(one).collect::<Vec<_>>().join(", "),
    }
}
