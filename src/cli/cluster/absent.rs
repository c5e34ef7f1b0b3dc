//! A program without the feature `live`: each way to a cluster says so.

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
        "this gatewayctl was built without the feature `live`: it knows no cluster\n  \
         help: install one with it, `cargo install gatewayctl`; everything that doesn't ask a cluster works here"
    )
}

/// Says that there is no way.
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

/// Says that there is no way.
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

/// Says that there is no way.
///
/// # Errors
/// Always.
pub fn status(_: &Connection, _: &Global, _: &[&Object]) -> anyhow::Result<Written> {
    absent()
}

/// Says that there is no way.
///
/// # Errors
/// Always.
pub fn apply(_: &Connection, _: &Global, _: &[Node], _: &How) -> anyhow::Result<Applied> {
    absent()
}

/// Says that there is no way.
///
/// # Errors
/// Always.
pub fn definitions(_: &Connection) -> anyhow::Result<Vec<Definition>> {
    absent()
}
