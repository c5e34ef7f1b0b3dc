//! Stands in for `live` in a program without the feature `live`: every function fails and says so.

use anyhow::bail;

use super::{
    ApplyOptions, ApplyReport, ClusterDiff, ClusterJudgement, Connection, Definition, Manager,
    Written,
};
use crate::cli::Global;
use crate::cli::project::Project;
use crate::compile::Compiled;
use crate::diff::ListKeys;
use crate::lint::LintInput;
use crd_validate::schema::Catalogue;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::value::Node;

fn absent<T>() -> anyhow::Result<T> {
    bail!(
        "this gatewayctl was built without the feature `live`, so it can't ask a cluster\n  \
         help: install it with that feature: `cargo install gatewayctl`; everything that needs no cluster works in this one"
    )
}

/// Fails, because the feature `live` is missing.
///
/// # Errors
/// Always.
pub fn diff(
    _: &Connection,
    _: &Manager,
    _: &Global,
    _: &Project,
    _: &Compiled,
    _: &ListKeys,
) -> anyhow::Result<ClusterDiff> {
    absent()
}

/// Fails, because the feature `live` is missing.
///
/// # Errors
/// Always.
pub fn judge(
    _: &Connection,
    _: &Manager,
    _: &Global,
    _: &LintInput<'_>,
    _: &Catalogue,
    _: &[Diagnostic],
) -> anyhow::Result<ClusterJudgement> {
    absent()
}

/// Fails, because the feature `live` is missing.
///
/// # Errors
/// Always.
pub fn status(_: &Connection, _: &Global, _: &[&Object]) -> anyhow::Result<Written> {
    absent()
}

/// Fails, because the feature `live` is missing.
///
/// # Errors
/// Always.
pub fn apply(
    _: &Connection,
    _: &Global,
    _: &[Node],
    _: &ApplyOptions,
) -> anyhow::Result<ApplyReport> {
    absent()
}

/// Fails, because the feature `live` is missing.
///
/// # Errors
/// Always.
pub fn definitions(_: &Connection) -> anyhow::Result<Vec<Definition>> {
    absent()
}
