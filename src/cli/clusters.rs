//! `gatewayctl clusters`: which clusters cluster.toml describes, and what differs between them.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::{Value as Json, json};

use super::columns::{Row, aligned, shortened};
use super::output::Stream;
use super::project::{ConfigText, Project};
use super::several::JoinedFindings;
use super::{FAILED, Global};
use crate::compile::described;
use crate::config::description::Description;
use manifest::diagnostic::{Diagnostic, Sources, Span};
use manifest::value::{Kind, Node};

/// Arguments of `clusters`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// The format of the list
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables
    Human,
    /// gatewayctl/clusters/v1
    Json,
}

/// The name of the JSON format. Keys are added to it, never renamed or dropped.
const FORMAT: &str = "gatewayctl/clusters/v1";

/// The key that always differs. It is told in the list of clusters.
const PATH: &str = "layout.path";

/// The width of all tables, in characters.
const WIDTH: usize = 80;

/// The most characters of a value that are shown.
const LONGEST: usize = 24;

/// A cluster with its settings.
struct Settings {
    name: String,
    path: String,
    gateways: Vec<String>,
    described: Description,
    sources: Sources,
    /// The values by their keys with dots.
    values: BTreeMap<String, Node>,
}

/// Runs the command.
///
/// # Errors
/// If something can't be read, or `--cluster` names no cluster.
pub(super) fn run(args: &Args, global: &Global, out: &mut Stream) -> anyhow::Result<ExitCode> {
    let mut all = Vec::new();
    let mut joined = JoinedFindings::default();
    for project in Project::all(global, None)? {
        let name = project.config_name();
        let mut sources = Sources::default();
        let text = match project.config_text()? {
            ConfigText::Read(text) | ConfigText::OfAnotherTool(text, _) => text,
            ConfigText::TooLarge(_) => {
                anyhow::bail!("{name} is too large; `gatewayctl validate` says more")
            }
        };
        let source = sources.add(name, text);
        let mut described = described(&mut sources, source, &project);
        let found = std::mem::take(&mut described.diagnostics);
        joined.add(project.cluster.as_deref(), found, &sources, (0, 0));
        if let Some(name) = project.cluster.clone() {
            all.push(Settings::new(name, described, sources));
        }
    }
    if joined.diagnostics.iter().any(Diagnostic::is_error) {
        // What is wrong may be what differs.
        global.report(&joined.report(), &joined.sources)?;
        return Ok(ExitCode::from(FAILED));
    }
    let differing = differing(&all);
    match args.format {
        Format::Json => out.json(&document(&all, &differing))?,
        Format::Human => write!(out, "{}", human(&all, &differing))?,
    }
    Ok(ExitCode::SUCCESS)
}

impl Settings {
    fn new(name: String, described: Description, sources: Sources) -> Self {
        let mut values = BTreeMap::new();
        if let Some(tree) = &described.tree {
            collect(tree, "", &mut values);
        }
        let gateways = described.cluster.iter().flat_map(|it| it.gateways.iter());
        Settings {
            name,
            path: described.path().unwrap_or_default().to_owned(),
            gateways: gateways.map(|(name, _)| name.value.clone()).collect(),
            described,
            sources,
            values,
        }
    }
}

/// Collects all values of tables.
fn collect(node: &Node, path: &str, values: &mut BTreeMap<String, Node>) {
    match &node.kind {
        Kind::Map(map) if !map.is_empty() => {
            for (key, below) in map.iter() {
                let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
                let key = match !key.is_empty() && key.chars().all(is_bare) {
                    true => key.to_owned(),
                    false => format!("{key:?}"),
                };
                let dot = if path.is_empty() { "" } else { "." };
                collect(below, &format!("{path}{dot}{key}"), values);
            }
        }
        Kind::Map(_) if path.is_empty() => {}
        _ => {
            values.insert(path.to_owned(), node.clone());
        }
    }
}

/// The keys that don't have the same value in all clusters.
fn differing(all: &[Settings]) -> Vec<&str> {
    let keys = all.iter().flat_map(|it| it.values.keys());
    let mut keys: Vec<&str> = keys.map(String::as_str).collect();
    keys.sort_unstable();
    keys.dedup();
    let differs = |key: &&str| {
        let mut values = all.iter().map(|it| it.values.get(*key));
        let first = values.next().flatten();
        values.any(|value| value != first)
    };
    keys.retain(|key| *key != PATH && differs(key));
    keys
}

fn human(all: &[Settings], differing: &[&str]) -> String {
    if all.is_empty() {
        return "cluster.toml describes one cluster; `[clusters.NAME]` describes several\n"
            .to_owned();
    }
    let mut rows = vec![Row::plain(["cluster", "folder", "gateways"])];
    rows.extend(all.iter().map(|it| {
        let gateways = it.gateways.len().to_string();
        Row::plain([&it.name, &it.path, &gateways])
    }));
    let mut text = aligned(&rows);
    if all.len() < 2 {
        return text;
    }
    if differing.is_empty() {
        return text + "\nthe clusters differ in nothing but their folders\n";
    }
    let cell = |it: &Settings, key: &str| it.values.get(key).map_or("-".to_owned(), shown);
    let keys = differing.iter().map(|key| key.chars().count()).max();
    let keys = keys.unwrap_or_default().max("key".len());
    let width = |it: &Settings| {
        let cells = differing.iter().map(|key| cell(it, key).chars().count());
        cells.max().unwrap_or_default().max(it.name.chars().count())
    };
    // As many clusters beside each other as fit, but at least one.
    let mut rest = all;
    while let Some(first) = rest.first() {
        let (mut count, mut used) = (1, keys + 2 + width(first));
        while let Some(next) = rest
            .get(count)
            .filter(|next| used + 2 + width(next) <= WIDTH)
        {
            used += 2 + width(next);
            count += 1;
        }
        let (now, later) = rest.split_at(count);
        let names = now.iter().map(|it| it.name.clone());
        let head = std::iter::once("key".to_owned()).chain(names);
        let mut rows = vec![Row::plain(head)];
        for key in differing {
            let cells = now.iter().map(|it| cell(it, key));
            let cells = std::iter::once((*key).to_owned()).chain(cells);
            rows.push(Row::plain(cells));
        }
        text.push('\n');
        text.push_str(&aligned(&rows));
        rest = later;
    }
    text
}

/// A value in one cell.
fn shown(node: &Node) -> String {
    let text = match &node.kind {
        Kind::String(text) => text.replace(['\n', '\r'], " "),
        Kind::Map(_) => "{}".to_owned(),
        Kind::List(items) => {
            let items = items.iter().map(|it| match &it.kind {
                Kind::String(text) => text.clone(),
                _ => it.to_json().to_string(),
            });
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        _ => node.to_json().to_string(),
    };
    shortened(&text, LONGEST)
}

/// The clusters as JSON:
///
/// - `schema`: [`FORMAT`].
/// - `clusters`: each with `name`, `path` (the folder of its manifests) and `gateways` (their names).
/// - `differences`: each with `key` (with dots) and `values`: by the name of the cluster `value`, `file`, `line` and `over`
///   (the values that it replaces, the nearest first, each with `file` and `line`); null if the cluster has no value.
fn document(all: &[Settings], differing: &[&str]) -> Json {
    let clusters = all.iter().map(|it| {
        json!({
            "name": it.name,
            "path": it.path,
            "gateways": it.gateways,
        })
    });
    let differences = differing.iter().map(|key| {
        let values = all.iter().map(|it| (it.name.clone(), value(it, key)));
        json!({
            "key": key,
            "values": values.collect::<serde_json::Map<String, Json>>(),
        })
    });
    json!({
        "schema": FORMAT,
        "clusters": clusters.collect::<Vec<_>>(),
        "differences": differences.collect::<Vec<_>>(),
    })
}

fn value(settings: &Settings, key: &str) -> Json {
    let Some(node) = settings.values.get(key) else {
        return Json::Null;
    };
    let place = |span: Span| {
        let place = settings.sources.locate(span);
        json!({"file": place.file, "line": place.line})
    };
    let mut value = match node.span {
        Some(span) => place(span),
        None => json!({"file": null, "line": null}),
    };
    let below = node
        .span
        .map(|span| settings.described.overrides.below(span));
    let over: Vec<Json> = below.unwrap_or_default().into_iter().map(place).collect();
    if let Some(map) = value.as_object_mut() {
        map.insert("value".to_owned(), node.to_json());
        map.insert("over".to_owned(), over.into());
    }
    value
}
