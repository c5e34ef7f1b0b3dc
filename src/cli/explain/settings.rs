//! Where a key of cluster.toml is set, if that takes more than one look at one file.

use std::io::Write;

use super::super::Global;
use super::super::columns::shortened;
use super::super::location;
use super::super::project::{ConfigText, Project};
use crate::compile::described;
use crate::config::description::Description;
use manifest::diagnostic::printable::printable;
use manifest::diagnostic::{Sources, Span};
use manifest::value::{Kind, Node, Pointer};

/// The most characters of a value that are shown.
const LONGEST: usize = 60;

/// Prints where a key is set, and over which values, for each cluster: if the description consists of several files or
/// clusters.
///
/// # Errors
/// If something can't be read, or `--cluster` names no cluster.
pub(super) fn print(key: &str, global: &Global, out: &mut dyn Write) -> anyhow::Result<()> {
    if location::locate(global)?.is_none() {
        return Ok(());
    }
    let mut all = Vec::new();
    for project in Project::all(global, None)? {
        let ConfigText::Read(text) = project.config_text()? else {
            return Ok(());
        };
        let mut sources = Sources::default();
        let source = sources.add(project.config_name(), text);
        let described = described(&mut sources, source, &project);
        let Some((node, span)) = found(key, &described) else {
            continue;
        };
        let is_plain = span.source == source && described.overrides.below(span).is_empty();
        if project.cluster.is_none() && is_plain {
            continue;
        }
        let of = project
            .cluster
            .map_or(String::new(), |name| format!("{name}: "));
        let places = places(span, &described, &sources);
        let line = format!("{of}{}, set in {places}", shown(node));
        all.push(printable(&line));
    }
    if !all.is_empty() {
        writeln!(out, "\n{}", all.join("\n"))?;
    }
    Ok(())
}

/// The value of a key and its place.
fn found<'d>(key: &str, described: &'d Description) -> Option<(&'d Node, Span)> {
    let key = match key
        .strip_prefix("clusters.")
        .and_then(|it| it.split_once('.'))
    {
        Some((_, key)) => key,
        None => key,
    };
    let pointer = key
        .split('.')
        .fold(Pointer::root(), |at, step| at.key(step));
    let node = described.tree.as_ref()?.at(&pointer)?;
    Some((node, node.span?))
}

fn shown(node: &Node) -> String {
    let text = match &node.kind {
        Kind::Map(map) => format!("a table of {} keys", map.len()),
        _ => node.to_json().to_string(),
    };
    shortened(&text, LONGEST)
}

/// `cluster.toml:12, over common.toml:7`
fn places(span: Span, described: &Description, sources: &Sources) -> String {
    let place = |span: Span| {
        let place = sources.locate(span);
        format!("{}:{}", place.file, place.line)
    };
    let below = described.overrides.below(span).into_iter();
    let over = below.map(|span| format!(", over {}", place(span)));
    place(span) + &over.collect::<String>()
}
