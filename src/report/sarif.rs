//! The report for code scanning: SARIF 2.1.0, the Static Analysis Results Interchange Format of OASIS.
//! The location of a result is the position to change, as in the report for people. The position in the
//! rendered file is a related location. Files are given by their paths from the repository's root, relative
//! to `%SRCROOT%`.

mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use data_encoding::HEXLOWER;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use self::model::{
    Artifact, Configuration, Driver, Exact, Finding, Fingerprints, Log, Logical, Physical, Place,
    Properties, Region, Rule, Run, Text, Tool, UriBase, UriBases,
};
use super::{Report, place, text};
use manifest::diagnostic::{Code, Diagnostic, Location, ObjectRef, Sources, printable};

/// The address of the format's JSON schema.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The name of the base of relative paths, which services know (3.14.14).
const ROOT: &str = "%SRCROOT%";

/// Writes `report` as a SARIF log with one run, and a line end.
pub(super) fn write(report: &Report, sources: &Sources, out: &mut dyn io::Write) -> io::Result<()> {
    let codes: BTreeSet<Code> = report.diagnostics.iter().map(|it| it.code).collect();
    let codes: Vec<Code> = codes.into_iter().collect();
    let mut seen = BTreeMap::new();
    let results = report
        .diagnostics
        .iter()
        .map(|finding| Finding {
            rule_id: finding.code.as_str(),
            rule_index: codes.binary_search(&finding.code).ok(),
            // SARIF uses the same words for severities (3.27.10).
            level: finding.severity.as_str(),
            message: message(&paragraphs(finding)),
            locations: locations(finding, report, sources),
            related_locations: related(finding, report, sources),
            partial_fingerprints: fingerprint(finding, report, sources, &mut seen),
            properties: (!finding.clusters.is_empty()).then(|| Properties {
                clusters: finding.clusters.clone(),
            }),
        })
        .collect();
    let description = plain("The root of the repository.");
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "gatewayctl",
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    rules: codes.into_iter().map(rule).collect(),
                },
            },
            original_uri_base_ids: UriBases {
                root: UriBase { description },
            },
            column_kind: "unicodeCodePoints",
            results,
        }],
    };
    let json = serde_json::to_string_pretty(&log)?;
    writeln!(out, "{}", printable::json(&json))
}

fn plain(text: &str) -> Text {
    Text {
        text: text.to_owned(),
        markdown: None,
    }
}

/// A message. Braces are doubled because single braces are placeholders (3.11.5), and brackets are escaped so
/// that quoted text is not interpreted as a link (3.11.6).
fn message(text: &str) -> Text {
    plain(
        &text
            .replace('{', "{{")
            .replace('}', "}}")
            .replace("](", "\\]("),
    )
}

/// The message, the clusters, the consequences and the help, one paragraph each. Services show a result's message, and
/// not its properties.
fn paragraphs(finding: &Diagnostic) -> String {
    let why = finding.why.as_deref().map(str::to_owned);
    let help = finding.help.as_deref().map(|help| format!("Help: {help}"));
    let among = text::clusters(finding).map(|(name, among)| match name {
        "cluster" => format!("Cluster: {among}"),
        _ => format!("Clusters: {among}"),
    });
    let all = [Some(finding.message.clone()), among, why, help];
    all.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

fn rule(code: Code) -> Rule {
    let page = code.page();
    let help = Text {
        text: page.to_owned(),
        markdown: Some(page),
    };
    Rule {
        id: code.as_str(),
        short_description: plain(code.summary()),
        full_description: plain(&meaning(page)),
        help,
        default_configuration: Configuration {
            level: code.severity().as_str(),
        },
    }
}

/// The paragraphs between a page's title and its first example, each on one line.
fn meaning(page: &str) -> String {
    let lines = page.lines().skip(1);
    let prose: Vec<&str> = lines.take_while(|line| !line.starts_with("## ")).collect();
    let paragraphs = prose.split(|line| line.is_empty());
    let joined = paragraphs.map(|lines| lines.join(" "));
    let joined: Vec<String> = joined.filter(|text| !text.is_empty()).collect();
    joined.join("\n")
}

/// The position to change and the object; empty if neither is known.
fn locations(finding: &Diagnostic, report: &Report, sources: &Sources) -> Vec<Place> {
    let at = place::to_change(finding, sources);
    let physical_location = physical(&at, place::is_exact(finding), report);
    let object = finding.object.as_ref();
    let logical = object.map(|object| logical(object, finding.pointer.as_deref()));
    if physical_location.is_none() && logical.is_none() {
        return Vec::new();
    }
    vec![Place {
        physical_location,
        logical_locations: logical.into_iter().collect(),
        ..Place::default()
    }]
}

/// The position in the rendered file, and the related positions of the finding.
fn related(finding: &Diagnostic, report: &Report, sources: &Sources) -> Vec<Place> {
    let rendered = place::rendered(finding, sources)
        .map(|at| (at, finding.span.is_some(), "rendered to here"));
    let others = finding.related.iter().map(|related| {
        let label = related.label.as_str();
        (sources.locate(related.span), true, label)
    });
    rendered
        .into_iter()
        .chain(others)
        .enumerate()
        .map(|(id, (at, exact, label))| Place {
            id: Some(id),
            message: Some(message(label)),
            physical_location: physical(&at, exact, report),
            logical_locations: Vec::new(),
        })
        .collect()
}

fn physical(at: &Location, exact: bool, report: &Report) -> Option<Physical> {
    let path = report.base.path(&at.file);
    if path.is_empty() {
        return None;
    }
    // A path outside of the repository is absolute and has no base.
    let artifact_location = match path.strip_prefix('/') {
        Some(_) => Artifact {
            uri: format!("file://{}", encode(&path)),
            uri_base_id: None,
        },
        None => Artifact {
            uri: encode(&path),
            uri_base_id: Some(ROOT),
        },
    };
    let exact = exact.then_some(Exact {
        start_column: at.column,
        end_line: at.end_line,
        end_column: at.end_column,
    });
    Some(Physical {
        artifact_location,
        region: Region {
            start_line: at.line,
            exact,
        },
    })
}

/// What is percent-encoded in the path of a URI (RFC 3986, 3.3): all but unreserved characters and `/`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

fn encode(path: &str) -> String {
    utf8_percent_encode(path, ESCAPED).to_string()
}

fn logical(object: &ObjectRef, pointer: Option<&str>) -> Logical {
    Logical {
        name: text::object(object),
        fully_qualified_name: format!(
            "{}{}",
            identity(object),
            pointer
                .map(|pointer| format!("#{pointer}"))
                .unwrap_or_default()
        ),
        kind: "resource",
    }
}

/// The full identity of an object.
fn identity(object: &ObjectRef) -> String {
    let ObjectRef {
        api_version,
        kind,
        namespace,
        name,
    } = object;
    format!("{api_version}/{kind}/{namespace}/{name}")
}

/// A hash of everything that stays the same when lines move: the code, the object and the field in it, and
/// the text of the line, or the file's path if the line is unknown. Findings for which all of this is equal
/// are numbered.
fn fingerprint(
    finding: &Diagnostic,
    report: &Report,
    sources: &Sources,
    seen: &mut BTreeMap<String, usize>,
) -> Fingerprints {
    let line = match finding.origin.or(finding.span) {
        Some(span) => {
            let source = sources.get(span.source);
            let (line, _) = source.line_column(span.start);
            source.line(line).trim().to_owned()
        }
        None => report.base.path(&place::at_fault(finding, sources).file),
    };
    let object = finding.object.as_ref().map(identity).unwrap_or_default();
    let pointer = finding.pointer.as_deref().unwrap_or_default();
    let mut hash = Sha256::new();
    for part in [finding.code.as_str(), &object, pointer, &line] {
        // The length is included, so that different lists of parts never give the same text.
        hash.update(format!("{}:", part.len()));
        hash.update(part);
    }
    let digits = HEXLOWER.encode(&hash.finalize());
    let number = seen.entry(digits.clone()).or_insert(0);
    *number += 1;
    Fingerprints {
        v1: format!("{digits}:{number}"),
    }
}
