//! The parts of a SARIF log that a report needs, with the names of SARIF 2.1.0. Each type names its section
//! in the specification.
//! A key without a value is left out and never null.

use serde::Serialize;

/// 3.13: the whole document.
#[derive(Serialize)]
pub(super) struct Log {
    #[serde(rename = "$schema")]
    pub schema: &'static str,
    pub version: &'static str,
    pub runs: [Run; 1],
}

/// 3.14: one run of one tool.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Run {
    pub tool: Tool,
    pub original_uri_base_ids: UriBases,
    pub column_kind: &'static str,
    pub results: Vec<Finding>,
}

/// 3.18: the tool.
#[derive(Serialize)]
pub(super) struct Tool {
    pub driver: Driver,
}

/// 3.19: the program and its rules.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Driver {
    pub name: &'static str,
    pub semantic_version: &'static str,
    pub rules: Vec<Rule>,
}

/// 3.49: the meaning of a code.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rule {
    pub id: &'static str,
    pub short_description: Text,
    pub full_description: Text,
    pub help: Text,
    pub default_configuration: Configuration,
}

/// 3.50: the default severity of a rule.
#[derive(Serialize)]
pub(super) struct Configuration {
    pub level: &'static str,
}

/// 3.11 and 3.12: a text, optionally also in Markdown.
#[derive(Serialize)]
pub(super) struct Text {
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub markdown: Option<&'static str>,
}

/// 3.14.14: the bases of relative paths. The root has no address, because each service knows its own.
#[derive(Serialize)]
pub(super) struct UriBases {
    #[serde(rename = "%SRCROOT%")]
    pub root: UriBase,
}

/// 3.4: the description of a base.
#[derive(Serialize)]
pub(super) struct UriBase {
    pub description: Text,
}

/// 3.27: a result.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Finding {
    pub rule_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_index: Option<usize>,
    pub level: &'static str,
    pub message: Text,
    pub locations: Vec<Place>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related_locations: Vec<Place>,
    pub partial_fingerprints: Fingerprints,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub properties: Option<Properties>,
}

/// 3.8: what SARIF has no property for.
#[derive(Serialize)]
pub(super) struct Properties {
    /// The names of the clusters in which something is found.
    pub clusters: Vec<String>,
}

/// 3.27.17: identifies the same finding in later runs.
#[derive(Serialize)]
pub(super) struct Fingerprints {
    #[serde(rename = "gatewayctl/v1")]
    pub v1: String,
}

/// 3.28: a location.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Place {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_location: Option<Physical>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub logical_locations: Vec<Logical>,
}

/// 3.29: a position in a file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Physical {
    pub artifact_location: Artifact,
    pub region: Region,
}

/// 3.4: a file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Artifact {
    pub uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri_base_id: Option<&'static str>,
}

/// 3.30: lines and columns start at 1; the end column is exclusive. A region with only a line is the whole
/// line.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Region {
    pub start_line: usize,
    #[serde(flatten)]
    pub exact: Option<Exact>,
}

/// The rest of a region that is not a whole line.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Exact {
    pub start_column: usize,
    pub end_line: usize,
    pub end_column: usize,
}

/// 3.33: a Kubernetes object.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Logical {
    pub name: String,
    pub fully_qualified_name: String,
    pub kind: &'static str,
}
