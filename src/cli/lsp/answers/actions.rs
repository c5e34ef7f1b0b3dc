//! What mends a finding, what a newer release needs, and who can reach a route.

use gen_lsp_types as lsp;
use serde_json::{Value, json};

use super::super::documents::{from_protocol, range};
use super::{Knowledge, upgrades};
use crate::editor::index::Place;
use crate::editor::lines::Lines;
use crate::editor::replacement;

/// The changes that mend the findings in a range, and the upgrade of a version that is there.
pub(super) fn actions(known: &Knowledge<'_>, wanted: &lsp::Range) -> Value {
    let Some(analysis) = &known.root.analysis else {
        return json!([]);
    };
    let lines = Lines::new(known.text());
    let start = lines.offset(from_protocol(wanted.start));
    let end = lines.offset(from_protocol(wanted.end));
    let upgrade = upgrades::action(known, analysis, start..end);
    let mut actions: Vec<Value> = Vec::new();
    // The places of findings are those in the text that was checked.
    let path = known.folder.join(&known.name);
    let is_current = analysis.unsaved.get(&path) == Some(&known.document.text);
    let findings = analysis.findings.iter().filter(|_| is_current);
    for finding in findings {
        let Some(at) = finding.origin.or(finding.span) else {
            continue;
        };
        let is_here = analysis.sources.get(at.source).name() == known.name;
        let at = at.range();
        if !is_here || at.start > end || start > at.end {
            continue;
        }
        let Some(replacement) = replacement::of(finding, &analysis.sources) else {
            continue;
        };
        let place = Place {
            file: analysis
                .sources
                .get(replacement.span.source)
                .name()
                .to_owned(),
            range: replacement.span.range(),
        };
        let edit = json!({"changes": {known.uri_of(&place.file): [{
            "range": range(&Lines::new(analysis.sources.get(replacement.span.source).text()), &place.range),
            "newText": replacement.text,
        }]}});
        let action = json!({
            "title": format!("Write `{}`", replacement.text),
            "kind": "quickfix",
            "isPreferred": true,
            "edit": edit,
        });
        if !actions.contains(&action) {
            actions.push(action);
        }
    }
    actions.extend(upgrade);
    json!(actions)
}

/// A line above each route of the document that says who can reach it.
pub(super) fn lenses(known: &Knowledge<'_>) -> Value {
    let Some(exposures) = &known.root.exposures else {
        return json!([]);
    };
    let index = &known.root.index;
    let Some(text) = index.text(&known.name) else {
        return json!([]);
    };
    let lines = Lines::new(text);
    let mut lenses = Vec::new();
    for (object, name) in index.objects_in(&known.name) {
        if !object.kind().ends_with("Route") || object.group() != "gateway.networking.k8s.io" {
            continue;
        }
        let shown = range(&lines, &name);
        let key = (object.kind().to_owned(), object.name().to_owned());
        let of_route = exposures.get(&key).map(Vec::as_slice).unwrap_or_default();
        let own = of_route.iter().filter(|exposed| {
            object.namespace().is_empty() || object.namespace() == exposed.namespace
        });
        let mut titles: Vec<&str> = own.map(|exposed| exposed.words.as_str()).collect();
        if titles.is_empty() {
            titles.push("no gateway is known to accept this route");
        }
        lenses.extend(
            titles
                .into_iter()
                .map(|title| json!({"range": shown, "command": {"title": title, "command": ""}})),
        );
    }
    json!(lenses)
}
