//! `gatewayctl diff`: what a render would change.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::ValueEnum;

use super::cluster::{self, ClusterDiff, Connection, Manager};
use super::gathered::Repository;
use super::output::Stream;
use super::project::{self, Project};
use super::used::Used;
use super::{FAILED, Global, found, git};
use crate::bounds::file::{self, Unread};
use crate::compile::Compiled;
use crate::diff::{self, Content, Diff, File};
use crate::report::Report;
use crate::tree::Lock;
use crd_validate::schema::{Catalogue, Lookup, Selection};
use envoy_gateway::controller::Files;
use envoy_gateway::exposure::{self, compare_clusters};
use flux_repo::Delivery;
use manifest::Object;
use manifest::diagnostic::printable::printable;
use manifest::read::LARGEST_FILE;
use manifest::value::Pointer;

/// Arguments of `diff`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// What to compare with: `tree` (the files on disk), `git:REV` (the files at a revision) or `cluster` (the live
    /// objects, compared with what Flux would apply)
    #[arg(long, default_value = "tree", value_parser = Against::parse)]
    against: Against,
    /// The format of the difference
    #[arg(long, default_value = "text")]
    format: Format,
    #[command(flatten)]
    manager: Manager,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Clone, Debug)]
enum Against {
    Tree,
    Git(String),
    Cluster,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Format {
    /// For a terminal
    Text,
    /// For programs: gatewayctl/diff/v1
    Json,
    /// For a comment on a pull request
    Markdown,
}

impl Against {
    fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "tree" => Ok(Against::Tree),
            None if text == "cluster" => Ok(Against::Cluster),
            Some(("git", _)) => git::parse_revision(text).map(Against::Git),
            _ => Err(
                "write `tree`, `cluster`, or `git:` and a revision such as `git:main`".to_owned(),
            ),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// If something can't be read, or Git doesn't know the revision.
pub(super) fn run(args: &Args, global: &Global, out: &mut Stream) -> anyhow::Result<ExitCode> {
    if let Against::Git(rev) = &args.against {
        return since_revision(rev, args.format, global, out);
    }
    let project = Project::find(global)?;
    let compiled = project.compile()?;
    if compiled.has_errors() {
        let Compiled {
            diagnostics,
            sources,
            files,
            objects,
            ..
        } = compiled;
        let report = Report::new(diagnostics, files.len(), objects.len(), &sources);
        global.report(&report, &sources)?;
        // The configuration has errors, so it is not known what would change.
        return Ok(ExitCode::from(super::FAILED));
    }
    let keys = list_keys(&project.catalogue, &compiled.selection);
    let after: Vec<File> = compiled
        .files
        .iter()
        .map(|file| File::read(file.path.clone(), file.text.clone().into_bytes()))
        .collect();
    let rendered: BTreeSet<&str> = compiled
        .files
        .iter()
        .map(|file| file.path.as_str())
        .collect();
    if let Against::Cluster = args.against {
        let (connection, manager) = (&args.connection, &args.manager);
        let asked = cluster::diff(connection, manager, global, &project, &compiled, &keys)?;
        return show_asked(&asked, args.format, global, out);
    }
    let before = on_disk(&project, &rendered)?;
    let mut diff = diff::diff(&before, &after, Some(&keys));
    diff.exposure = exposure::compare(&exposed(&before), &exposed(&after));
    show(&diff, args.format, global, out)
}

/// Shows what has changed in the whole repository since a revision. What `cluster.toml` renders counts as it would be
/// rendered now.
///
/// # Errors
/// If something can't be read, or Git doesn't know the revision.
pub(super) fn since_revision(
    rev: &str,
    format: Format,
    global: &Global,
    out: &mut Stream,
) -> anyhow::Result<ExitCode> {
    let root = project::root(global)?;
    let after = Repository::read(&[], &Used::default(), global)?;
    let before = after.at_commit(&root, &git::commit(&root, rev)?)?;
    let (old, new) = (before.texts(), after.texts());
    let differing = |texts: &BTreeMap<&str, &str>, others: &BTreeMap<&str, &str>| {
        let differing = texts
            .iter()
            .filter(|(name, text)| others.get(*name) != Some(text));
        let files = differing.map(|(name, text)| File::read(*name, text.as_bytes().to_vec()));
        files.collect::<Vec<File>>()
    };
    let (catalogue, selection) = project::in_force(global)?;
    let keys = list_keys(&catalogue, &selection);
    let mut diff = diff::diff(&differing(&old, &new), &differing(&new, &old), Some(&keys));
    diff.exposure = compare_clusters(&before.exposed(global)?, &after.exposed(global)?);
    show(&diff, format, global, out)
}

/// The keys that identify the entries of a list in an object.
fn list_keys<'c>(
    catalogue: &'c Catalogue,
    selection: &'c Selection,
) -> impl Fn(&Object, &Pointer) -> Option<Vec<String>> + 'c {
    |object: &Object, pointer: &Pointer| {
        let (group, version, kind) = (object.group(), object.version(), object.kind());
        match catalogue.look_up(selection, group, version, kind) {
            Lookup::Known(schema) => schema.list_keys(pointer),
            _ => None,
        }
    }
}

fn show(
    diff: &Diff,
    format: Format,
    global: &Global,
    out: &mut Stream,
) -> anyhow::Result<ExitCode> {
    if !(global.quiet && diff.is_empty()) {
        match format {
            Format::Text => {
                let text = diff::terminal::text(diff, out.has_colour());
                write!(out.styled(), "{text}")?;
            }
            Format::Markdown => write!(out, "{}", diff::markdown::markdown(diff))?,
            Format::Json => out.json(&diff::json::json(diff))?,
        }
    }
    Ok(found(!diff.is_empty()))
}

/// Prints the result of asking a cluster. It says that nothing differs only if every object was compared.
fn show_asked(
    asked: &ClusterDiff,
    format: Format,
    global: &Global,
    out: &mut Stream,
) -> anyhow::Result<ExitCode> {
    let is_complete = asked.failures.is_empty();
    let is_empty = asked.diff.is_empty();
    let is_told = !(global.quiet && is_complete && is_empty);
    let partial = format!(
        "incomplete: only {} of {} objects were compared with {}\n",
        asked.compared, asked.objects, asked.server
    );
    match format {
        _ if !is_told => {}
        Format::Json => out.json(&json(asked))?,
        Format::Text => {
            for note in &asked.notes {
                writeln!(out, "note: {}", printable(note))?;
            }
            if is_complete || !is_empty {
                let text = diff::terminal::text(&asked.diff, out.has_colour());
                write!(out.styled(), "{text}")?;
            }
            if !is_complete {
                out.write_all(partial.as_bytes())?;
            }
        }
        Format::Markdown => {
            if is_complete || !is_empty {
                write!(out, "{}", diff::markdown::markdown(&asked.diff))?;
            }
            for note in &asked.notes {
                write!(out, "\n> {}\n", printable(note))?;
            }
            if !is_complete {
                write!(out, "\n> {partial}")?;
            }
        }
    }
    for failure in &asked.failures {
        writeln!(global.stderr(), "error: {failure}")?;
    }
    match is_complete {
        true => Ok(found(!is_empty)),
        false => Ok(ExitCode::from(FAILED)),
    }
}

/// The difference as JSON. The key `cluster` says where it comes from and whether it is complete: `server`,
/// `context`, `complete`, `objects`, `compared`, `notes`, `failures`.
fn json(asked: &ClusterDiff) -> serde_json::Value {
    let mut json = diff::json::json(&asked.diff);
    let about = serde_json::json!({
        "server": asked.server,
        "context": asked.context,
        "complete": asked.failures.is_empty(),
        "objects": asked.objects,
        "compared": asked.compared,
        "notes": asked.notes,
        "failures": asked.failures,
    });
    if let Some(map) = json.as_object_mut() {
        map.insert("cluster".to_owned(), about);
    }
    json
}

/// What the objects in files expose.
fn exposed(files: &[File]) -> exposure::Table {
    let objects: Vec<Object> = files
        .iter()
        .filter_map(|file| match &file.content {
            Content::Objects(objects) => Some(objects.iter().cloned()),
            Content::Opaque(_) => None,
        })
        .flatten()
        .collect();
    let names = files.iter().map(|file| file.path.clone()).collect();
    let delivery = Delivery::of(&objects, &names);
    // The text of manifests is not kept. Their content is written as JSON, which is also YAML.
    let text_of = |name: &str| match &files.iter().find(|file| file.path == name)?.content {
        Content::Opaque(bytes) => String::from_utf8(bytes.clone()).ok(),
        Content::Objects(objects) => match objects.as_slice() {
            [only] => Some(only.node.to_json().to_string()),
            _ => None,
        },
    };
    let given = Files {
        objects: &objects,
        delivery: &delivery,
        text_of: &text_of,
    };
    let (applied, settings) = given.applied();
    exposure::table_of(applied, &settings)
}

/// The paths in a lock that are compared. Files that are shared with others are left out, unless they are rendered
/// now: their other entries are not ours to compare.
fn listed(lock: &Lock) -> impl Iterator<Item = &str> {
    lock.whole().map(|(path, _)| path.as_str())
}

/// The files on disk that are rendered, or that the lock lists.
fn on_disk(project: &Project, rendered: &BTreeSet<&str>) -> anyhow::Result<Vec<File>> {
    let (root, owned) = (&project.root, project.owned()?);
    let paths: BTreeSet<&str> = listed(&owned.locks.own)
        .chain(rendered.iter().copied())
        .collect();
    let mut files = Vec::new();
    for path in paths {
        match file::read(&root.join(path), LARGEST_FILE) {
            Ok(bytes) => files.push(File::read(path, bytes)),
            Err(error) if error.is_missing() => {}
            Err(Unread::TooLarge { most, .. }) => {
                bail!("{path} has more than {most} bytes; no rendered file is that large")
            }
            Err(error) => return Err(error).with_context(|| format!("{path}: can't be read")),
        }
    }
    Ok(files)
}
