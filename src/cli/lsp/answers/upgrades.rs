//! The newest release of a project, where its version is written.

use std::ops::Range;

use serde_json::{Map, Value, json};

use super::super::super::upgrade;
use super::super::analysis::{Analysis, options};
use super::super::documents::range;
use super::Knowledge;
use crate::editor::lines::Lines;
use crate::editor::toml::outline;
use crd_validate::schema::bundle::ENVOY_GATEWAY;
use crd_validate::schema::set;
use manifest::value::pointer::Step;

/// What `upgrade --to` the newest release `--fix` would write, if the version of a project is at these bytes.
pub(super) fn action(
    known: &Knowledge<'_>,
    analysis: &Analysis,
    at: Range<usize>,
) -> Option<Value> {
    let project = match known.is_config {
        true => declared_at(known.text(), &at)?,
        false => set_at(known, &at)?.to_owned(),
    };
    let versions = analysis.catalogue.versions(&project);
    let newest = versions.iter().rev().find(|it| it.is_stable())?;
    let now = analysis.selection.of(&project)?;
    if now.declared() >= newest {
        return None;
    }
    let global = options(
        known.folder,
        known.global,
        known.documents.texts_below(known.folder),
    );
    // What can't be looked ahead at is told by the command.
    let fixes = upgrade::fixes(&project, newest.as_str(), &global).ok()?;
    let mut changes = Map::new();
    for (file, fixes) in &fixes {
        let text = known.root.index.text(file)?;
        let lines = Lines::new(text);
        let mut edits = Vec::new();
        for fix in fixes {
            // A text that is not known as it is can't be changed, and half of an upgrade is none.
            text.get(fix.range.clone()).filter(|it| *it == fix.before)?;
            edits.push(json!({"range": range(&lines, &fix.range), "newText": fix.after}));
        }
        changes.insert(known.uri_of(file), Value::Array(edits));
    }
    let title = format!("Upgrade to {} {newest}", set::title(&project));
    (!changes.is_empty())
        .then(|| json!({"title": title, "kind": "refactor.rewrite", "edit": {"changes": changes}}))
}

fn overlaps(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start <= other.end && other.start <= one.end
}

/// The project whose version `cluster.toml` declares at these bytes.
fn declared_at(text: &str, at: &Range<usize>) -> Option<String> {
    let outline = outline(text);
    let mut entries = outline.entries.iter();
    let entry = entries.find(|it| it.value.as_ref().is_some_and(|value| overlaps(value, at)))?;
    match entry.pointer.steps() {
        [Step::Key(table), Step::Key(key)] if table == "chart" && key == "version" => {
            Some(ENVOY_GATEWAY.to_owned())
        }
        [Step::Key(table), Step::Key(project)] if table == "versions" => {
            Some(project.replace('_', "-"))
        }
        _ => None,
    }
}

/// The project whose version a manifest sets at these bytes.
fn set_at(known: &Knowledge<'_>, at: &Range<usize>) -> Option<&'static str> {
    let objects = known.root.index.objects_in(&known.name).into_iter();
    let objects: Vec<_> = objects.map(|(object, _)| object.clone()).collect();
    let set = upgrade::set_versions(&objects).into_iter();
    set.filter(|(_, version)| overlaps(version, at))
        .map(|(project, _)| project)
        .next()
}
