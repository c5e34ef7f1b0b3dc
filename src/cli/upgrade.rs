//! `gatewayctl upgrade`: what another version of the Envoy Gateway chart would change.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::ValueEnum;
use serde_json::{Map, Value, json};

use super::manifests::{self, Manifests};
use super::output::Stream;
use super::project::{self, Project};
use super::validate::declare_chart;
use super::{Global, found};
use crate::compile::{Beside, Compiled};
use crate::config;
use crate::diff::{self, Change, FieldChange, File};
use crate::lint::upgrade::{Side, Upgrade, compare};
use crate::report::{self, Report};
use crd_validate::schema::bundle::{ENVOY_GATEWAY, GATEWAY_API, gateway_api_of};
use crd_validate::schema::set::title;
use crd_validate::schema::{Catalogue, Reason, Selection, Version};
use envoy_gateway::controller::helm_charts::chart_in;
use envoy_gateway::controller::{CHART, chart_versions};
use manifest::diagnostic::printable::printable;
use manifest::diagnostic::{Diagnostic, Sources, Span};
use manifest::value::{Node, Pointer};

/// Arguments of `upgrade`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// The version of the Envoy Gateway chart to compare with
    #[arg(long, value_name = "VERSION")]
    to: String,
    /// Manifests: files, folders, or `-` for standard input [default: cluster.toml and everything that it renders]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The format of the result
    #[arg(long, default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// For programs: gatewayctl/upgrade/v1
    Json,
}

/// The value of `schema`. The keys `breaks`, `warns`, `changes` and `deprecated` hold findings as in
/// `gatewayctl/report/v1`.
const SCHEMA: &str = "gatewayctl/upgrade/v1";

/// A change that the user has to make.
struct Edit {
    file: String,
    line: usize,
    what: String,
}

/// Everything that is printed.
struct Outlook {
    upgrade: Upgrade,
    sources: Sources,
    before: Selection,
    after: Selection,
    edits: Vec<Edit>,
    /// What is rendered differently, one line each.
    rendered: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// If something can't be read, or the catalogue doesn't have the version.
pub(super) fn run(args: &Args, global: &Global, out: &mut Stream) -> anyhow::Result<ExitCode> {
    let root = match args.paths.is_empty() {
        true => project::root_without_config(global)?,
        false => None,
    };
    let outlook = match (&root, args.paths.is_empty()) {
        (None, true) => of_project(args, global)?,
        (root, _) => Some(of_manifests(root.as_deref(), args, global)?),
    };
    let Some(outlook) = outlook else {
        // The configuration has errors, so it is not known what would change.
        return Ok(ExitCode::from(super::FAILED));
    };
    match args.format {
        Format::Human => human(&outlook, out)?,
        Format::Json => out.json(&document(&outlook)?)?,
    }
    Ok(found(!outlook.upgrade.breaks.is_empty()))
}

/// The versions in force, with the new version of the chart.
fn looked_ahead(
    before: &Selection,
    catalogue: &Catalogue,
    version: &str,
) -> anyhow::Result<Selection> {
    let mut after = before.clone();
    after
        .declare(catalogue, ENVOY_GATEWAY, version, None, "--to")
        .map_err(|unknown| anyhow::anyhow!("{unknown}; {}", unknown.help()))
        .with_context(|| format!("--to {version}"))?;
    Ok(after)
}

fn of_project(args: &Args, global: &Global) -> anyhow::Result<Option<Outlook>> {
    let project = Project::find(global)?;
    let mut before = project.compile()?;
    before.look_across(Beside::default());
    looked_ahead(&before.selection, &project.catalogue, &args.to)?;
    if before.model.is_none() {
        let report = Report::new(before.diagnostics, 0, 0, &before.sources);
        global.report(&report, &before.sources)?;
        return Ok(None);
    }
    let Some(after) = project.compile_again(&before, &args.to) else {
        bail!("[chart] has no `version`: add the version that runs now, then ask again");
    };
    Ok(Some(Outlook {
        upgrade: compare(&side(&before), &side(&after)),
        edits: edits(&before, &after, &args.to),
        rendered: rendered(&before, &after),
        sources: after.sources,
        before: before.selection,
        after: after.selection,
    }))
}

fn side(compiled: &Compiled) -> Side<'_> {
    Side {
        objects: &compiled.objects,
        findings: &compiled.diagnostics,
        selection: &compiled.selection,
    }
}

/// The outlook for the given paths, or for the whole repository below `root`.
fn of_manifests(root: Option<&Path>, args: &Args, global: &Global) -> anyhow::Result<Outlook> {
    let mut sources = Sources::default();
    let manifests = match root {
        Some(root) => manifests::read_root(root, &mut sources)?,
        None => manifests::read_repository(&args.paths, &mut sources)?,
    };
    let (catalogue, mut before) = project::in_force(global)?;
    declare_chart(&manifests.objects, &catalogue, &mut before);
    let after = looked_ahead(&before, &catalogue, &args.to)?;
    let findings = |selection: &Selection| manifests.check(&sources, &catalogue, selection);
    let (old, new) = (findings(&before), findings(&after));
    let side = |findings, selection| Side {
        objects: &manifests.objects,
        findings,
        selection,
    };
    let upgrade = compare(
        &side(old.as_slice(), &before),
        &side(new.as_slice(), &after),
    );
    let edits = chart_edits(&manifests, &sources, &args.to);
    Ok(Outlook {
        upgrade,
        sources,
        before,
        after,
        edits,
        rendered: Vec::new(),
    })
}

/// The versions of charts to change in manifests.
fn chart_edits(manifests: &Manifests, sources: &Sources, to: &str) -> Vec<Edit> {
    let versions = chart_versions(&manifests.objects).into_iter().flatten();
    let edits = versions.filter_map(|version| {
        let by = version.by;
        let tag = ["spec", "ref", "tag"].as_slice();
        let range = ["spec", "ref", "semver"].as_slice();
        let own = ["spec", "chart", "spec", "version"].as_slice();
        let path = [tag, range, own]
            .into_iter()
            .find(|path| by.node.path(path).is_some())?;
        let written = by.node.path(path)?.as_str()?;
        let written = written.strip_prefix('v').unwrap_or(written);
        let pointer = path.iter().fold(Pointer::root(), |at, key| at.key(*key));
        let place = sources.locate(by.span(&pointer)?);
        Some(Edit {
            file: place.file,
            line: place.line,
            what: format!("`{}`: {written} becomes {to}", pointer.dotted()),
        })
    });
    let mut edits: Vec<Edit> = edits.collect();
    edits.extend(kept_crds(manifests, sources, to));
    edits
}

/// The releases of the chart that keep the CRDs of the old version (`spec.upgrade.crds: Skip`).
fn kept_crds(manifests: &Manifests, sources: &Sources, to: &str) -> Vec<Edit> {
    let path = ["spec", "upgrade", "crds"];
    let pointer = path.iter().fold(Pointer::root(), |at, key| at.key(*key));
    let releases = manifests.objects.iter().filter(|object| {
        let chart = chart_in(&object.node).map(|(chart, _)| chart);
        let crds = object.node.path(&path).and_then(Node::as_str);
        object.kind() == "HelmRelease" && chart == Some(CHART) && crds == Some("Skip")
    });
    let edits = releases.filter_map(|release| {
        let place = sources.locate(release.span(&pointer)?);
        Some(Edit {
            file: place.file,
            line: place.line,
            what: format!(
                "`{}`: Skip, so the release keeps the old CRDs: apply those of {to} before it",
                pointer.dotted()
            ),
        })
    });
    edits.collect()
}

/// What to change in `cluster.toml`.
fn edits(before: &Compiled, after: &Compiled, to: &str) -> Vec<Edit> {
    let Some(model) = &before.model else {
        return Vec::new();
    };
    let source = model.chart.source.as_ref().map(|source| &source.values);
    let at = |span: Option<Span>, what: String| {
        let place = before.sources.locate(span?);
        Some(Edit {
            file: place.file,
            line: place.line,
            what,
        })
    };
    let version = source.and_then(|source| {
        let what = format!("`version`: {} becomes {to}", source.tag.value);
        at(source.tag.span, what)
    });
    let digest = source
        .and_then(|source| source.digest.as_ref())
        .and_then(|digest| {
            let what =
                "set `digest` to that of the new chart, or remove it: Flux prefers it to the version";
            at(digest.span, what.to_owned())
        });
    let gateway_api = gateway_api_edit(before, after);
    [version, digest, gateway_api]
        .into_iter()
        .flatten()
        .collect()
}

/// The change to `gateway_api`, if it is declared and differs from the release that the new chart brings.
fn gateway_api_edit(before: &Compiled, after: &Compiled) -> Option<Edit> {
    let (cluster, _) = config::load(&before.sources, before.config);
    let declared = cluster?.versions.gateway_api?;
    let chart = &after.selection.of(ENVOY_GATEWAY)?.set.version;
    let brought = gateway_api_of(chart)?.version;
    let place = before.sources.locate(declared.span?);
    (Version::new(&declared.value) != brought).then(|| Edit {
        file: place.file,
        line: place.line,
        what: format!(
            "`gateway_api`: {}; the chart brings {brought}, so remove this line if the chart installs the CRDs",
            declared.value
        ),
    })
}

/// What is rendered differently, one line each.
fn rendered(before: &Compiled, after: &Compiled) -> Vec<String> {
    let files = |compiled: &Compiled| -> Vec<File> {
        let files = compiled.files.iter();
        let read = files.map(|it| File::read(it.path.clone(), it.text.clone().into_bytes()));
        read.collect()
    };
    let diff = diff::diff(&files(before), &files(after), None);
    let mut lines = Vec::new();
    for object in &diff.objects {
        let name = &object.identity;
        match &object.change {
            Change::Added { file } => lines.push(format!("{name}: new, in {file}")),
            Change::Removed { file } => lines.push(format!("{name}: removed from {file}")),
            Change::Moved { to, .. } => lines.push(format!("{name}: moved to {to}")),
            Change::Changed { .. } => {}
        }
        for field in &object.fields {
            lines.push(format!("{name}: {}{}", field.path, change(&field.change)));
        }
    }
    lines.extend(
        diff.files
            .iter()
            .map(|file| format!("{}: changed", file.path)),
    );
    lines
}

/// How a field changes, as the end of a line.
fn change(change: &FieldChange) -> String {
    let shown = |value: &diff::Value| match value {
        diff::Value::Shown(node) => node.to_json().to_string(),
        diff::Value::Hidden => "(hidden)".to_owned(),
    };
    match change {
        FieldChange::Added(value) => format!(": new, {}", shown(value)),
        FieldChange::Removed(value) => format!(": removed, was {}", shown(value)),
        FieldChange::Changed { old, new, .. } => format!(": {} becomes {}", shown(old), shown(new)),
        FieldChange::Reordered { .. } => ": in another order".to_owned(),
    }
}

/// The projects whose version changes with the upgrade: name, version before, version after.
fn moved(outlook: &Outlook) -> Vec<(&'static str, String, String)> {
    let of = |selection: &Selection, project: &str| {
        let chosen = selection.of(project)?;
        let version = match &chosen.reason {
            Reason::Like { declared, .. } => declared,
            _ => &chosen.set.version,
        };
        Some(version.to_string())
    };
    let both = |project: &'static str| {
        Some((
            project,
            of(&outlook.before, project)?,
            of(&outlook.after, project)?,
        ))
    };
    [both(ENVOY_GATEWAY), both(GATEWAY_API)]
        .into_iter()
        .flatten()
        .collect()
}

/// The groups of findings: the key in JSON, the title, and the findings.
fn sections(upgrade: &Upgrade) -> [(&'static str, &'static str, &Vec<Diagnostic>); 4] {
    [
        ("breaks", "What breaks", &upgrade.breaks),
        ("warns", "New warnings", &upgrade.warns),
        ("changes", "What behaves differently", &upgrade.changes),
        ("deprecated", "What is deprecated", &upgrade.deprecated),
    ]
}

fn part(findings: &[Diagnostic], sources: &Sources) -> Report {
    Report::new(findings.to_vec(), 0, 0, sources)
}

fn human(outlook: &Outlook, out: &mut Stream) -> anyhow::Result<()> {
    let versions: Vec<String> = moved(outlook)
        .into_iter()
        .map(|(project, before, after)| {
            let title = title(project);
            match before == after {
                true => format!("{title} {after}, as before"),
                false => format!("{title} {before} to {after}"),
            }
        })
        .collect();
    writeln!(
        out,
        "{}
",
        versions.join("; ")
    )?;
    let now = outlook.before.of(ENVOY_GATEWAY);
    if let Some(chosen) = now.filter(|it| matches!(it.reason, Reason::Like { .. })) {
        let told = printable(&chosen.clause());
        writeln!(
            out,
            "note: {told}; what seems broken already may only break with the new version\n"
        )?;
    }
    for (_, title, findings) in sections(&outlook.upgrade) {
        if !findings.is_empty() {
            writeln!(
                out,
                "{title}:
"
            )?;
            let report = part(findings, &outlook.sources);
            let terminal = out.terminal();
            report.write_part(&outlook.sources, terminal, &mut out.styled())?;
        }
    }
    if !outlook.edits.is_empty() {
        writeln!(
            out,
            "What to change:
"
        )?;
        for Edit { file, line, what } in &outlook.edits {
            writeln!(out, "  {}:{line}: {}", printable(file), printable(what))?;
        }
        writeln!(out)?;
    }
    if !outlook.rendered.is_empty() {
        writeln!(
            out,
            "What is rendered otherwise, by itself:
"
        )?;
        for line in &outlook.rendered {
            writeln!(out, "  {}", printable(line))?;
        }
        writeln!(out)?;
    }
    let upgrade = &outlook.upgrade;
    let summary = match (upgrade.breaks.len(), upgrade.already_broken) {
        (0, 0) => "nothing breaks".to_owned(),
        (0, already) => format!(
            "nothing more would break; {already} broken already (see `gatewayctl validate`)"
        ),
        (breaks, 0) => format!("{breaks} would break"),
        (breaks, already) => format!(
            "{breaks} would break, in addition to {already} broken already (see `gatewayctl validate`)"
        ),
    };
    writeln!(out, "{summary}")?;
    Ok(())
}

fn document(outlook: &Outlook) -> anyhow::Result<Value> {
    let versions = moved(outlook).into_iter();
    let versions: Value = versions
        .map(|(project, before, after)| json!({"project": project, "before": before, "after": after}))
        .collect();
    let edits = outlook.edits.iter();
    let edits: Value = edits
        .map(|it| json!({"file": it.file, "line": it.line, "what": it.what}))
        .collect();
    let mut document = Map::new();
    document.insert("schema".to_owned(), json!(SCHEMA));
    document.insert("versions".to_owned(), versions);
    for (key, _, findings) in sections(&outlook.upgrade) {
        let report = part(findings, &outlook.sources);
        let findings = report::json::findings(&report, &outlook.sources)?;
        document.insert(key.to_owned(), findings);
    }
    document.insert("edits".to_owned(), edits);
    document.insert("rendered".to_owned(), json!(outlook.rendered));
    let already = json!(outlook.upgrade.already_broken);
    document.insert("already_broken".to_owned(), already);
    Ok(Value::Object(document))
}
