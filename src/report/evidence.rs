//! The record of a run for programs that review changes: a statement of in-toto (<https://in-toto.io/Statement/v1>) with the
//! predicate for results of tests (<https://in-toto.io/attestation/test-result/v0.1>). It says of exactly which files what was
//! judged, against what, and what was not judged and why. The same files give the same record, so there is no time in it.
//!
//! | key | meaning |
//! |---|---|
//! | `subject` | the judged files as one: `digest.dirHash` is the SHA-256 of the lines that `sha256sum` prints for them in the order of their names |
//! | `predicate.result` | `PASSED`, `WARNED` or `FAILED`: the most serious finding, or `FAILED` if something could not be asked |
//! | `predicate.configuration` | the program, `cluster.toml`, and each project and version that was judged against |
//! | `predicate.warnedTests`, `.failedTests` | the codes of warnings and errors. Codes that found nothing are not listed as passed, because there may have been nothing to judge |
//! | `predicate.gatewayctl` | an extension, [`SCHEMA`]: `options`, `judged`, `not_judged`, `exposure` and `findings` |

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Base, Counts, Report, json as report_json, place};
use manifest::diagnostic::{Diagnostic, Severity, Sources, printable};

/// The value of `schema` in the extension. Keys may be added, but are never renamed or removed.
pub const SCHEMA: &str = "gatewayctl/evidence/v1";

/// The most lines and characters of a file that a finding quotes.
const EXCERPT: (usize, usize) = (3, 400);

/// What a record says besides the findings.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The options that decide what is reported, as they were given.
    pub options: Vec<String>,
    /// What was judged against, as package URLs (`pkg:generic/envoy-gateway@1.9.0`), and why it is that version.
    pub against: BTreeMap<String, String>,
    /// The name of `cluster.toml` among the judged files.
    pub config: Option<String>,
    /// The SHA-256 of each judged file, by name.
    pub files: BTreeMap<String, String>,
    /// What was not judged, or judged but not reported.
    pub not_judged: Vec<NotJudged>,
    /// How much is reachable, in each cluster.
    pub exposure: Vec<ExposureSummary>,
}

/// Things that were not judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotJudged {
    /// What they are: `objects`, `paths`, `findings`, `exposure`.
    pub what: &'static str,
    /// How many there are.
    pub count: usize,
    /// Why.
    pub why: String,
}

/// How much is reachable in a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExposureSummary {
    /// The name of the cluster, if there are several.
    pub cluster: Option<String>,
    /// The number of hostnames and ports by the side of the network: `external`, `internal`, `unknown`.
    pub by_side: BTreeMap<&'static str, usize>,
    /// The external ones that are answered without a guard.
    pub external_without_guard: Vec<String>,
}

impl Record {
    /// Adds a judged file.
    pub fn add_file(&mut self, name: &str, text: &str) {
        let digest = HEXLOWER.encode(&Sha256::digest(text));
        self.files.insert(name.to_owned(), digest);
    }

    /// Adds what was not judged, unless there is none of it.
    pub fn add_not_judged(&mut self, what: &'static str, count: usize, why: impl Into<String>) {
        let why = why.into();
        let same = |it: &&mut NotJudged| it.what == what && it.why == why;
        match self.not_judged.iter_mut().find(same) {
            Some(same) => same.count += count,
            None if count > 0 => self.not_judged.push(NotJudged { what, count, why }),
            None => {}
        }
    }

    /// The digest of all files (`dirHash` of in-toto, which is `Hash1` of Go modules in hexadecimal digits).
    fn digest(&self) -> String {
        let mut all = Sha256::new();
        for (name, digest) in &self.files {
            all.update(format!("{digest}  {name}\n"));
        }
        HEXLOWER.encode(&all.finalize())
    }
}

/// Writes the record as one JSON object and a line end.
pub(super) fn write(report: &Report, sources: &Sources, out: &mut dyn io::Write) -> io::Result<()> {
    let json = serde_json::to_string_pretty(&statement(report, sources)?)?;
    writeln!(out, "{}", printable::json(&json))
}

fn statement(report: &Report, sources: &Sources) -> io::Result<Value> {
    let record = &report.record;
    Ok(json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "judged files", "digest": {"dirHash": record.digest()}}],
        "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
        "predicate": {
            "result": result(report),
            "configuration": configuration(record),
            "warnedTests": codes(report, Severity::Warning),
            "failedTests": codes(report, Severity::Error),
            "gatewayctl": extension(report, sources)?,
        },
    }))
}

fn result(report: &Report) -> &'static str {
    let Counts {
        errors, warnings, ..
    } = report.counts();
    let is_incomplete = report
        .record
        .not_judged
        .iter()
        .any(|it| it.what == FAILURES);
    match (errors, warnings) {
        _ if is_incomplete => "FAILED",
        (0, 0) => "PASSED",
        (0, _) => "WARNED",
        _ => "FAILED",
    }
}

/// What could not be asked, in [`NotJudged::what`]. A failure is never a verdict.
pub const FAILURES: &str = "failures";

fn configuration(record: &Record) -> Vec<Value> {
    let program = format!("pkg:cargo/gatewayctl@{}", env!("CARGO_PKG_VERSION"));
    let config = record.config.as_ref().and_then(|name| {
        let digest = record.files.get(name)?;
        Some(json!({"name": name, "digest": {"sha256": digest}}))
    });
    let against = record.against.iter();
    let against = against.map(|(uri, why)| json!({"uri": uri, "annotations": {"why": why}}));
    let program = std::iter::once(json!({"uri": program}));
    program.chain(config).chain(against).collect()
}

fn codes(report: &Report, severity: Severity) -> BTreeSet<&'static str> {
    let found = report.diagnostics.iter();
    let found = found.filter(|it| it.severity == severity);
    found.map(|it| it.code.as_str()).collect()
}

fn extension(report: &Report, sources: &Sources) -> io::Result<Value> {
    let record = &report.record;
    let counts = report.counts();
    let not_judged = record.not_judged.iter();
    let not_judged =
        not_judged.map(|it| json!({"what": it.what, "count": it.count, "why": it.why}));
    let exposure = record.exposure.iter().map(|it| {
        let mut summary: Map<String, Value> = Map::new();
        summary.extend(
            it.cluster
                .iter()
                .map(|name| ("cluster".into(), json!(name))),
        );
        let sides = it.by_side.iter();
        summary.extend(sides.map(|(side, count)| ((*side).to_owned(), json!(count))));
        let bare = json!(it.external_without_guard);
        summary.insert("external_without_guard".to_owned(), bare);
        Value::Object(summary)
    });
    Ok(json!({
        "schema": SCHEMA,
        "options": record.options,
        "judged": {
            "files": report.files,
            "objects": report.objects,
            "clusters": report.clusters.iter().map(|it| &it.name).collect::<Vec<_>>(),
            "errors": counts.errors,
            "warnings": counts.warnings,
            "notes": counts.notes,
        },
        "not_judged": not_judged.collect::<Vec<_>>(),
        "exposure": exposure.collect::<Vec<_>>(),
        "findings": findings(report, sources)?,
    }))
}

/// The findings as in [`report_json`], each with the lines that it is about and the digest of their file.
fn findings(report: &Report, sources: &Sources) -> io::Result<Value> {
    let mut all = report_json::findings(report, sources)?;
    let entries = all.as_array_mut().into_iter().flatten();
    for (entry, finding) in entries.zip(&report.diagnostics) {
        let Some(entry) = entry.as_object_mut() else {
            continue;
        };
        in_repository(entry, &report.base);
        let file = place::at_fault(finding, sources).file;
        let digest = report.record.files.get(&report.base.path(&file));
        entry.insert("sha256".to_owned(), json!(digest));
        entry.insert("excerpt".to_owned(), json!(excerpt(finding, sources)));
    }
    Ok(all)
}

/// Replaces the names of files in a finding and its other places by their paths in the repository.
fn in_repository(place: &mut Map<String, Value>, base: &Base) {
    if let Some(Value::String(file)) = place.get_mut("file") {
        *file = base.path(file);
    }
    if let Some(Value::Object(origin)) = place.get_mut("origin") {
        in_repository(origin, base);
    }
    let related = place.get_mut("related").and_then(Value::as_array_mut);
    let related = related.into_iter().flatten();
    for place in related.filter_map(Value::as_object_mut) {
        in_repository(place, base);
    }
}

/// The lines of a finding, as they are in the file; empty if it is about a whole file.
fn excerpt(finding: &Diagnostic, sources: &Sources) -> String {
    let Some(span) = finding.span.or(finding.origin) else {
        return String::new();
    };
    let at = sources.locate(span);
    let source = sources.get(span.source);
    let (most_lines, most) = EXCERPT;
    let end = at.end_line.min(at.line + most_lines - 1);
    let lines: Vec<&str> = (at.line..=end).map(|line| source.line(line)).collect();
    lines.join("\n").chars().take(most).collect()
}
