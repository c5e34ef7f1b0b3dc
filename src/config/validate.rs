//! `[validate]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules::Rules;
use super::test::Test;
use super::types::{Named, Text, Texts};
use manifest::diagnostic::Spanned;

table! {
    /// What `validate` reports. Without a `cluster.toml`, it can be in a `gatewayctl.toml` in the root of the repository.
    pub struct Validate {
        /// Findings that are not reported. An entry applies to the findings that fit all of its keys; it needs a
        /// `reason` and at least one other key.
        pub ignore: Vec<Ignore>,
        /// The severity of codes, or groups of codes: `error`, `warning`, `note`, or `off` to leave them out. A code
        /// takes precedence over its group.
        pub severity: Named<Spanned<Level>>,
        /// `warnings` reports warnings as errors, so that they fail a CI job, too.
        pub deny: Option<Spanned<Deny>>,
    }
}

table! {
    /// Findings that are not reported.
    pub struct Ignore {
        /// A code (`attachment/no-hostname`) or a group of codes (`attachment`).
        pub code: Option<Text>,
        /// The kind of the object.
        pub kind: Option<Text>,
        /// The name of the object; `*` stands for any characters.
        pub name: Option<Text>,
        /// The namespace of the object; `*` stands for any characters.
        pub namespace: Option<Text>,
        /// The file, relative to the root: `apps/wiki/route.yaml`. `*` stands for any characters of a name, and `**` for
        /// any folders.
        pub path: Option<Text>,
        /// The JSON pointer of the field, or of a field above it: `/spec/rules`. `*` stands for any key or index.
        pub pointer: Option<Text>,
        /// Why these findings are not reported. `validate --verbose` prints it.
        pub reason: Option<Text>,
    }
}

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The run fails.
    Error,
    /// Something may break.
    Warning,
    /// Only information.
    Note,
    /// It is not reported.
    Off,
}

/// What makes a run fail beside errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Deny {
    /// Warnings.
    Warnings,
}

table! {
    /// The settings of a repository without a `cluster.toml`, in `gatewayctl.toml`.
    pub struct RepositorySettings {
        /// What `validate` reports.
        pub validate: Validate,
        /// What must never be merged.
        pub rules: Rules,
        /// Tests of requests, which `gatewayctl test` runs.
        pub test: Vec<Test>,
        /// Networks that the tests name, each with one CIDR or several.
        pub networks: Named<Texts>,
    }
}
