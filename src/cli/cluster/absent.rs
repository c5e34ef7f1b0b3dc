//! Stands in for `live` in a program without the feature `live`: every function fails and says so.

use anyhow::bail;

use super::{Applied, Asked, Connection, Definition, How, Judged, Manager, Written};
use crate::check::across::Given;
use crate::cli::Global;
use crate::cli::project::Project;
use crate::compile::Compiled;
use crate::diff::ListKeys;
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
) -> anyhow::Result<Asked> {
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
    _: &Given<'_>,
    _: &Catalogue,
    _: &[Diagnostic],
) -> anyhow::Result<Judged> {
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
pub fn apply(_: &Connection, _: &Global, _: &[Node], _: &How) -> anyhow::Result<Applied> {
    absent()
}

/// Fails, because the feature `live` is missing.
///
/// # Errors
/// Always.
pub fn definitions(_: &Connection) -> anyhow::Result<Vec<Definition>> {
    absent()
}
