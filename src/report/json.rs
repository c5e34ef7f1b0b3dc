//! The report for programs: `gatewayctl/report/v1`.
//! It is one JSON object and a line end. Every key is present, in the order below, unless it says otherwise. Keys may be added
//! in later versions, but none is renamed or removed. Lines start at 1. Columns start at 1 and count
//! characters (Unicode scalar values; a tab is one). `end_column` is the column after the last character.
//!
//! | key | meaning |
//! |---|---|
//! | `schema` | `gatewayctl/report/v1` |
//! | `summary.files` | number of checked files: `cluster.toml` and its scripts, rendered files, manifests |
//! | `summary.objects` | number of checked Kubernetes objects |
//! | `summary.errors`, `.warnings`, `.notes` | number of entries in `diagnostics` with that severity |
//! | `clusters` | how much was checked and found in each cluster, with `name`, `files`, `objects`, `errors`, `warnings` and `notes`; missing unless `cluster.toml` describes clusters by name |
//! | `diagnostics` | the findings, sorted by `file`, `line`, `column`, `code`, without duplicates |
//!
//! Each finding has these keys:
//!
//! | key | meaning |
//! |---|---|
//! | `code` | `group/name`; `gatewayctl explain CODE` shows its page |
//! | `severity` | `error`, `warning` or `note`; an error makes the exit status 1 |
//! | `message` | what is wrong, one line |
//! | `help` | what to do; may be empty |
//! | `file` | the file with the mistake, relative to the root, with `/`; this may be a rendered file; empty if the finding is about no file |
//! | `line`, `column`, `end_line`, `end_column` | the position in `file`; all 1 if the finding is about the whole file |
//! | `object` | the object: `apiVersion`, `kind`, `namespace` and `name` as written, or empty; null if the finding is about no object |
//! | `pointer` | the JSON pointer (RFC 6901) of the field in the object; null if it is unknown |
//! | `origin` | the position in `cluster.toml` that the mistake was rendered from: `file`, `line`, `column`, `end_line`, `end_column`; null if it was not rendered from there |
//! | `why` | the consequences in the cluster; may be empty |
//! | `related` | other relevant positions, each with `file`, `line`, `column`, `end_line`, `end_column` and a description in `label` |
//! | `clusters` | the names of the clusters in which this is found; missing if the repository is for only one |
//!
//! Messages may quote the content of files. Control characters and characters that change the text direction
//! are written as `\u` escapes, so that the report can be shown in a terminal.

use std::io;

use serde::Serialize;

use super::{Report, place};
use manifest::diagnostic::{Diagnostic, Location, ObjectRef, Sources, printable};

/// The value of `schema`.
pub const SCHEMA: &str = "gatewayctl/report/v1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    summary: Summary,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    clusters: Vec<ClusterSummary<'a>>,
    diagnostics: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct ClusterSummary<'a> {
    name: &'a str,
    files: usize,
    objects: usize,
    errors: usize,
    warnings: usize,
    notes: usize,
}

#[derive(Serialize)]
struct Summary {
    files: usize,
    objects: usize,
    errors: usize,
    warnings: usize,
    notes: usize,
}

#[derive(Serialize)]
struct Finding<'a> {
    code: &'static str,
    severity: &'static str,
    message: &'a str,
    help: &'a str,
    #[serde(flatten)]
    place: Place,
    object: Option<Object<'a>>,
    pointer: Option<&'a str>,
    origin: Option<Place>,
    why: &'a str,
    related: Vec<Related<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    clusters: &'a [String],
}

#[derive(Serialize)]
struct Place {
    file: String,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Serialize)]
struct Related<'a> {
    #[serde(flatten)]
    place: Place,
    label: &'a str,
}

#[derive(Serialize)]
struct Object<'a> {
    #[serde(rename = "apiVersion")]
    api_version: &'a str,
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
}

/// Writes `report` as one JSON object and a line end.
pub(super) fn write(report: &Report, sources: &Sources, out: &mut dyn io::Write) -> io::Result<()> {
    let counts = report.counts();
    let document = Document {
        schema: SCHEMA,
        summary: Summary {
            files: report.files,
            objects: report.objects,
            errors: counts.errors,
            warnings: counts.warnings,
            notes: counts.notes,
        },
        clusters: report.clusters.iter().map(ClusterSummary::from).collect(),
        diagnostics: report
            .diagnostics
            .iter()
            .map(|finding| Finding::new(finding, sources))
            .collect(),
    };
    let json = serde_json::to_string_pretty(&document)?;
    writeln!(out, "{}", printable::json(&json))
}

/// The findings of a report in the form of the list `diagnostics`, for other JSON documents.
/// # Errors
/// Fails if they can't be serialized, which never happens.
pub fn findings(report: &Report, sources: &Sources) -> serde_json::Result<serde_json::Value> {
    let findings = report.diagnostics.iter();
    let findings: Vec<Finding<'_>> = findings.map(|it| Finding::new(it, sources)).collect();
    serde_json::to_value(findings)
}

impl<'a> Finding<'a> {
    fn new(finding: &'a Diagnostic, sources: &Sources) -> Self {
        Finding {
            code: finding.code.as_str(),
            severity: finding.severity.as_str(),
            message: &finding.message,
            help: finding.help.as_deref().unwrap_or_default(),
            place: place::at_fault(finding, sources).into(),
            object: finding.object.as_ref().map(Object::from),
            pointer: finding.pointer.as_deref(),
            origin: finding.origin.map(|span| sources.locate(span).into()),
            why: finding.why.as_deref().unwrap_or_default(),
            related: finding
                .related
                .iter()
                .map(|related| Related {
                    place: sources.locate(related.span).into(),
                    label: &related.label,
                })
                .collect(),
            clusters: &finding.clusters,
        }
    }
}

impl<'a> From<&'a super::ClusterSummary> for ClusterSummary<'a> {
    fn from(cluster: &'a super::ClusterSummary) -> Self {
        ClusterSummary {
            name: &cluster.name,
            files: cluster.files,
            objects: cluster.objects,
            errors: cluster.counts.errors,
            warnings: cluster.counts.warnings,
            notes: cluster.counts.notes,
        }
    }
}

impl From<Location> for Place {
    fn from(location: Location) -> Self {
        Place {
            file: location.file,
            line: location.line,
            column: location.column,
            end_line: location.end_line,
            end_column: location.end_column,
        }
    }
}

impl<'a> From<&'a ObjectRef> for Object<'a> {
    fn from(object: &'a ObjectRef) -> Self {
        Object {
            api_version: &object.api_version,
            kind: &object.kind,
            namespace: &object.namespace,
            name: &object.name,
        }
    }
}
