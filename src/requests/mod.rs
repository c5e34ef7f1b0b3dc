//! Tests of requests: what `[[test]]` tables ask of the gateways, and whether it holds.
//!
//! - [`cases`]: the requests that a test stands for; [`networks`]: the addresses that they come from.
//! - [`seen`]: what happens to a request at a gateway, in the terms of a test.
//! - [`judge`]: compares it with what the test expects. The results are findings at the lines of the test.
//! - [`coverage`]: which listeners and routes no test touches.
//! - [`record`]: writes tests of what happens today.
//! - [`json`], [`junit`]: the results for programs.

pub mod cases;
pub mod codes;
pub mod coverage;
pub mod json;
pub mod judge;
pub mod junit;
pub mod networks;
pub mod record;
pub mod seen;

use manifest::diagnostic::Diagnostic;

/// The result of one request of a test in one cluster.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The name of the test.
    pub test: String,
    /// The request, in one line.
    pub request: String,
    /// The cluster, if there are several.
    pub cluster: Option<String>,
    /// The file of the test, and the line that it begins on.
    pub file: String,
    /// The line, from 1 on.
    pub line: usize,
    /// Why the test fails; empty if it passes.
    pub failures: Vec<Failure>,
}

/// An expectation that doesn't hold.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The key in `expect`.
    pub key: &'static str,
    /// What is expected.
    pub expected: String,
    /// What happens instead, or what is not known.
    pub found: String,
    /// Whether it is not known what happens.
    pub is_unknown: bool,
    /// The same as a finding, with its places.
    pub finding: Diagnostic,
}
