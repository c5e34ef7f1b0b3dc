//! `upgrade --list`: what is known of each project.

use std::io::Write;

use super::super::output::Stream;
use crate::lint::upgrade::PROJECTS;
use crd_validate::schema::Catalogue;

/// Prints a line for each project.
///
/// # Errors
/// If it can't be written.
pub(super) fn print(catalogue: &Catalogue, out: &mut Stream) -> anyhow::Result<()> {
    let rows = PROJECTS.iter().map(|project| {
        // The CRDs of Flux are those of its controllers.
        let name = match project.name {
            "flux" => "helm-controller",
            name => name,
        };
        let versions = catalogue.versions(name).into_iter();
        let versions: Vec<String> = versions.map(|version| version.to_string()).collect();
        let versions = match project.name {
            "flux" => "those of its controllers".to_owned(),
            _ => versions.join(", "),
        };
        let (from, to) = project.covers;
        let count = project.changes.len().to_string();
        [
            project.name.to_owned(),
            format!("{from} to {to}"),
            count,
            versions,
        ]
    });
    let head = ["PROJECT", "FROM AND TO", "CHANGES", "SCHEMAS"].map(str::to_owned);
    let rows: Vec<[String; 4]> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(String::len).max().unwrap_or_default()
    };
    for [name, covers, count, versions] in &rows {
        writeln!(
            out,
            "{name:<a$}  {covers:<b$}  {count:>c$}  {versions}",
            a = width(0),
            b = width(1),
            c = width(2)
        )?;
    }
    Ok(())
}
