//! The report for programs: `gatewayctl/report/v1`.
//!
//! One JSON object and a line end. Every key is always there, in the order below; keys may be added, none is
//! ever renamed or dropped. Lines count from 1; columns count from 1 in characters (Unicode scalar values, a tab
//! is one); `end_column` is one past the last character.
//!
//! | key | meaning |
//! |---|---|
//! | `schema` | `gatewayctl/report/v1` |
//! | `summary.files` | files looked at: `cluster.toml` and its scripts, rendered files, manifests |
//! | `summary.objects` | Kubernetes objects looked at |
//! | `summary.errors`, `.warnings`, `.notes` | entries of `diagnostics` with that severity |
//! | `diagnostics` | the findings, sorted by `file`, `line`, `column`, `code`; identical ones once |
//!
//! Of each finding:
//!
//! | key | meaning |
//! |---|---|
//! | `code` | `group/name`; `gatewayctl explain CODE` tells more |
//! | `severity` | `error`, `warning` or `note`; an error makes the exit status 1 |
//! | `message` | what is wrong, one line |
//! | `help` | what to do; empty where there is nothing to say |
//! | `file` | the file at fault, relative to the root, with `/`; a rendered file where the finding is on what was rendered; empty where no file is at fault |
//! | `line`, `column`, `end_line`, `end_column` | the place in `file`; all 1 where the finding is on the file as a whole |
//! | `object` | the object: `apiVersion`, `kind`, `namespace` and `name` as written, empty where not; null where the finding is on none |
//! | `pointer` | the field in the object, RFC 6901; null where none is known |
//! | `origin` | the place in `cluster.toml` that the fault was rendered from: `file`, `line`, `column`, `end_line`, `end_column`; null where it was not rendered from there |
//! | `why` | what follows from it in the cluster; empty where there is nothing to say |
//! | `related` | further places, each with `file`, `line`, `column`, `end_line`, `end_column` and `label`, what is there |
//!
//! Text is as it was found: a message may quote what a file holds. Control characters and marks of direction
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
    diagnostics: Vec<Finding<'a>>,
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
        diagnostics: report
            .diagnostics
            .iter()
            .map(|finding| Finding::new(finding, sources))
            .collect(),
    };
    let json = serde_json::to_string_pretty(&document)?;
    writeln!(out, "{}", printable::json(&json))
}

/// The findings of a report as the list under `diagnostics`, for documents of another kind.
///
/// # Errors
/// Where they can't be JSON, which no finding can't.
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
