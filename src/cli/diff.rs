//! `gatewayctl diff`: what a render would change.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::ValueEnum;
use rayon::prelude::*;

use super::cluster::{self, ClusterDiff, Connection, Manager};
use super::gathered::Repository;
use super::location;
use super::output::Stream;
use super::project::{self, Project};
use super::used::Used;
use super::{FAILED, Global, collisions, found, git, several};
use crate::bounds::file::{self, Unread};
use crate::compile::Compiled;
use crate::diff::{self, Content, Diff, File};
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
    /// A page for a browser
    Html,
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
    let projects = match args.against {
        Against::Cluster => vec![Project::find(global)?],
        _ => Project::all(global, None)?,
    };
    let mut compiled = several::compile_each(projects, Project::compile)?;
    collisions::report(&mut compiled);
    if compiled.iter().any(|(_, compiled)| compiled.has_errors()) {
        let joined = several::joined(compiled);
        let report = joined.report();
        global.report(&report, &joined.sources)?;
        // The configuration has errors, so it is not known what would change.
        return Ok(ExitCode::from(super::FAILED));
    }
    if let (Against::Cluster, [(project, compiled)]) = (&args.against, compiled.as_slice()) {
        let (connection, manager) = (&args.connection, &args.manager);
        let keys = list_keys(&project.catalogue, &compiled.selection);
        let asked = cluster::diff(connection, manager, global, project, compiled, &keys)?;
        return show_asked(&asked, args.format, global, out);
    }
    let diffs = compiled
        .par_iter()
        .map(|(project, compiled)| against_tree(project, compiled));
    let mut diffs: Vec<Diff> = diffs.collect::<anyhow::Result<_>>()?;
    if let (Some((project, _)), None) = (compiled.first(), several::cluster_of(&compiled, global)) {
        diffs.push(abandoned(project, &compiled)?);
    }
    show(&together(diffs), args.format, global, out)
}

/// What rendering one cluster would change.
fn against_tree(project: &Project, compiled: &Compiled) -> anyhow::Result<Diff> {
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
    let before = on_disk(project, &rendered)?;
    let mut diff = diff::diff(&before, &after, Some(&keys));
    let side = |files: &[File]| [(project.cluster.clone(), exposed(files))];
    diff.exposure = compare_clusters(&side(&before), &side(&after));
    Ok(diff)
}

/// The files that a render would remove because their clusters are not described any more.
fn abandoned(project: &Project, compiled: &[(Project, Compiled)]) -> anyhow::Result<Diff> {
    let rendered = compiled
        .iter()
        .flat_map(|(_, compiled)| compiled.file_names());
    let rendered: BTreeSet<String> = rendered.collect();
    let mut diffs = Vec::new();
    for (cluster, files) in project.abandoned_files()? {
        let files: BTreeSet<&str> = files.iter().map(String::as_str).collect();
        let gone = files.into_iter().filter(|file| !rendered.contains(*file));
        let before = read_files(&project.root, &gone.collect())?;
        let mut diff = diff::diff(&before, &[], None);
        let nothing = exposed(&[]);
        diff.exposure = compare_clusters(
            &[(cluster.clone(), exposed(&before))],
            &[(cluster, nothing)],
        );
        diffs.push(diff);
    }
    Ok(together(diffs))
}

/// Puts together what changes in several clusters. What is told for one of them is not told again.
fn together(diffs: Vec<Diff>) -> Diff {
    let mut all = Diff::default();
    for diff in diffs {
        all.exposure.extend(diff.exposure);
        all.objects.extend(diff.objects);
        all.files.extend(diff.files);
    }
    all.objects
        .sort_by(|a, b| (a.file(), &a.identity).cmp(&(b.file(), &b.identity)));
    all.objects.dedup();
    all.files.sort_by(|a, b| a.path.cmp(&b.path));
    all.files.dedup();
    all
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
    let root = location::root(global)?;
    let commit = git::commit(&root, rev)?;
    let each = Repository::read_each(&[], &Used::default(), global)?;
    let diffs = each
        .par_iter()
        .map(|after| since_commit(after, &root, &commit, global));
    let diffs: Vec<Diff> = diffs.collect::<anyhow::Result<_>>()?;
    show(&together(diffs), format, global, out)
}

/// What has changed for one cluster since a commit.
fn since_commit(
    after: &Repository,
    root: &Path,
    commit: &str,
    global: &Global,
) -> anyhow::Result<Diff> {
    let before = after.at_commit(root, commit)?;
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
    Ok(diff)
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
            Format::Html => write!(out, "{}", diff::html::html(diff, &[]))?,
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
        Format::Html => {
            let mut notes = asked.notes.clone();
            notes.extend((!is_complete).then(|| partial.trim_end().to_owned()));
            write!(out, "{}", diff::html::html(&asked.diff, &notes))?;
        }
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
    let owned = project.owned()?;
    let paths: BTreeSet<&str> = listed(&owned.locks.own)
        .chain(rendered.iter().copied())
        .collect();
    read_files(&project.root, &paths)
}

/// The files at these paths, as far as they exist.
fn read_files(root: &Path, paths: &BTreeSet<&str>) -> anyhow::Result<Vec<File>> {
    let mut files = Vec::new();
    for path in paths {
        match file::read(&root.join(path), LARGEST_FILE) {
            Ok(bytes) => files.push(File::read(*path, bytes)),
            Err(error) if error.is_missing() => {}
            Err(Unread::TooLarge { most, .. }) => {
                bail!("{path} has more than {most} bytes; no rendered file is that large")
            }
            Err(error) => return Err(error).with_context(|| format!("{path}: can't be read")),
        }
    }
    Ok(files)
}
