//! `gatewayctl status`

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::{Value as Json, json};

use super::{Global, found, manifests};
use crate::diagnostic::Sources;
use crate::diff::printable;
use crate::report::Report;
use crate::resolve::condition::kind;
use crate::resolve::delivery::{Delivery, as_applied};
use crate::resolve::{Knowledge, Settings, Status, Verdict, resolve};

/// The format's name. Keys are added to it, never renamed or dropped.
const FORMAT: &str = "gatewayctl/status/v1";

/// Arguments of `status`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Manifests: files, folders, or `-` for standard input
    #[arg(required = true, value_name = "DIR")]
    paths: Vec<PathBuf>,
    /// Take what is not at hand for missing; without it, what depends on that is unknown
    #[arg(long)]
    complete: bool,
    /// How to print conditions
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table, what is refused first
    Human,
    /// gatewayctl/status/v1
    Json,
}

/// Runs the command: prints the conditions that the controller would write. The exit code is 1 where it would
/// refuse something, or where a manifest is broken.
///
/// # Errors
/// Where something can't be read.
pub fn run(args: &Args, global: &Global, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let mut sources = Sources::default();
    let manifests = manifests::read_all(&args.paths, &mut sources)?;
    let settings = Settings {
        knowledge: match args.complete {
            true => Knowledge::Complete,
            false => Knowledge::Partial,
        },
        ..Settings::default()
    };
    let delivery = Delivery::of(&manifests.objects, &manifests.names);
    let applied = as_applied(&manifests.objects, &delivery);
    let resolved = resolve(&applied, &settings);
    let mut verdicts = resolved.verdicts();
    let report = Report::new(
        manifests.diagnostics,
        manifests.files,
        manifests.objects.len(),
        &sources,
    );
    if !report.diagnostics.is_empty() {
        global.report(&report, &sources)?;
    }
    verdicts.sort_by_key(|verdict| {
        let key = crate::resolve::index::Key::of(verdict.object);
        (weight(verdict), verdict.object.kind(), key)
    });
    match args.format {
        Format::Json => writeln!(out, "{:#}", as_json(&verdicts))?,
        Format::Human => {
            let colour = global.colour(std::io::stdout().is_terminal());
            out.write_all(table(&verdicts, global.quiet, colour).as_bytes())?;
        }
    }
    let is_refused = verdicts
        .iter()
        .any(|verdict| weight(verdict) == Weight::Refused);
    Ok(found(report.has_errors() || is_refused))
}

/// How much a condition matters, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// Something is not done.
    Refused,
    /// Something is done otherwise than one may think.
    Minded,
    /// What decides it is not at hand.
    Unknown,
    /// It is as it should be.
    Fine,
}

fn weight(verdict: &Verdict<'_, '_>) -> Weight {
    let condition = verdict.condition;
    match (condition.kind, condition.status) {
        (_, Status::Unknown) => Weight::Unknown,
        (kind::CONFLICTED, Status::True) => Weight::Refused,
        (_, Status::False) if condition.is_bad() => Weight::Refused,
        _ if condition.is_bad() => Weight::Minded,
        _ => Weight::Fine,
    }
}

/// The conditions as JSON:
///
/// - `schema`: [`FORMAT`].
/// - `conditions`: each with `kind`, `namespace`, `name` of its object; `on` (`object`, `listener`, `parent`) and
///   `which` (empty; a listener's name; `namespace/name/section` of a parent, as written); `type`, `status`
///   (`True`, `False`, `Unknown`), `reason`, `message`.
fn as_json(verdicts: &[Verdict<'_, '_>]) -> Json {
    let conditions = verdicts.iter().map(|verdict| {
        json!({
            "kind": verdict.object.kind(),
            "namespace": verdict.object.namespace(),
            "name": verdict.object.name(),
            "on": verdict.on.as_str(),
            "which": verdict.on.which(),
            "type": verdict.condition.kind,
            "status": verdict.condition.status.as_str(),
            "reason": verdict.condition.reason,
            "message": verdict.condition.message,
        })
    });
    json!({"schema": FORMAT, "conditions": conditions.collect::<Vec<_>>()})
}

/// The conditions as a table. Where `is_quiet`, only those that something is wrong with.
fn table(verdicts: &[Verdict<'_, '_>], is_quiet: bool, colour: bool) -> String {
    let shown = |verdict: &&Verdict<'_, '_>| !is_quiet || weight(verdict) <= Weight::Minded;
    let rows: Vec<(Weight, [String; 5])> = verdicts
        .iter()
        .filter(shown)
        .map(|verdict| (weight(verdict), row(verdict)))
        .collect();
    let head = ["object", "on", "condition", "reason", "message"].map(str::to_owned);
    let mut widths = [0; 4];
    for (_, row) in rows.iter().chain([&(Weight::Fine, head.clone())]) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    if !rows.is_empty() {
        push_row(&mut text, &head, &widths, None);
    }
    for (weight, row) in &rows {
        let code = match weight {
            Weight::Refused => "31",
            Weight::Minded => "33",
            Weight::Unknown => "36",
            Weight::Fine => "32",
        };
        push_row(&mut text, row, &widths, colour.then_some(code));
    }
    if !is_quiet {
        text.push_str(&summary(verdicts));
    }
    text
}

fn row(verdict: &Verdict<'_, '_>) -> [String; 5] {
    let key = crate::resolve::index::Key::of(verdict.object);
    let condition = verdict.condition;
    let which = verdict.on.which();
    let on = match verdict.on.as_str() {
        "object" => String::new(),
        on => format!("{on} {which}"),
    };
    [
        format!("{} {key}", verdict.object.kind()),
        on,
        format!("{}={}", condition.kind, condition.status),
        condition.reason.to_string(),
        condition.message.clone(),
    ]
    .map(|cell| printable(&cell))
}

fn push_row(text: &mut String, row: &[String; 5], widths: &[usize; 4], code: Option<&str>) {
    let [cells @ .., message] = row;
    for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let padding = " ".repeat(width.saturating_sub(cell.chars().count()) + 2);
        match code.filter(|_| at == 2) {
            Some(code) => text.push_str(&format!("\u{1b}[{code}m{cell}\u{1b}[0m{padding}")),
            None => text.push_str(&format!("{cell}{padding}")),
        }
    }
    text.push_str(message);
    text.push('\n');
}

/// `3 refused, 1 to mind, 4 unknown, 61 fine`
fn summary(verdicts: &[Verdict<'_, '_>]) -> String {
    let count = |wanted| verdicts.iter().filter(|it| weight(it) == wanted).count();
    let parts: Vec<String> = [
        (Weight::Refused, "refused"),
        (Weight::Minded, "to mind"),
        (Weight::Unknown, "unknown"),
        (Weight::Fine, "fine"),
    ]
    .into_iter()
    .map(|(weight, word)| (count(weight), word))
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect();
    match parts.is_empty() {
        true => "no condition: nothing here is Envoy Gateway's\n".to_owned(),
        false => format!("{}\n", parts.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Object, read};

    fn objects(text: &str) -> Vec<Object> {
        let mut sources = Sources::default();
        let id = sources.add("a.yaml", text);
        let (documents, problems) = read(&sources, id);
        assert!(problems.is_empty(), "{problems:?}");
        let object = |node| Object {
            node,
            origins: None,
            file: "a.yaml".to_owned(),
        };
        documents.into_iter().map(|it| object(it.node)).collect()
    }

    const GATEWAY: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: external, namespace: network}
spec:
  gatewayClassName: envoy
  listeners:
    - {name: http, port: 80, protocol: HTTP}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: app, namespace: apps}
spec:
  parentRefs: [{name: external, namespace: network, sectionName: https}]
  rules: [{backendRefs: [{name: app, port: 80}]}]
";

    #[test]
    fn the_table_begins_with_what_is_refused() {
        let objects = objects(GATEWAY);
        let resolved = resolve(&objects, &Settings::default());
        let mut verdicts = resolved.verdicts();
        verdicts.sort_by_key(weight);
        let text = table(&verdicts, false, false);
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[1].starts_with(
                "HTTPRoute apps/app        parent network/external/https  Accepted=False"
            ),
            "{text}"
        );
        assert!(lines[1].contains("NoMatchingParent"), "{text}");
        assert!(lines[2].contains("ResolvedRefs=Unknown"), "{text}");
        assert_eq!(
            *lines.last().expect("a line"),
            "1 refused, 1 unknown, 3 fine"
        );
        assert_eq!(table(&verdicts, true, false).lines().count(), 2);
        assert!(table(&verdicts, false, true).contains("\u{1b}[31mAccepted=False\u{1b}[0m"));
    }

    #[test]
    fn the_json_has_a_condition_each() {
        let objects = objects(GATEWAY);
        let resolved = resolve(&objects, &Settings::default());
        let json = as_json(&resolved.verdicts());
        assert_eq!(json["schema"], "gatewayctl/status/v1");
        let first = &json["conditions"][0];
        assert_eq!(first["on"], "listener");
        assert_eq!(first["which"], "http");
        assert_eq!(first["status"], "True");
    }
}
