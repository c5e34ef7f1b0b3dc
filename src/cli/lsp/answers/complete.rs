//! What may be written at a position.

use gen_lsp_types::CompletionItemKind;
use serde_json::{Value, json};

use super::super::documents::range;
use super::Knowledge;
use crate::codes;
use crate::editor::lines::Lines;
use crate::editor::{Candidate, CandidateKind, Cursor, fields, keys, toml, yaml};

pub(super) fn complete(known: &Knowledge<'_>, at: usize) -> Option<Value> {
    let text = known.text();
    let (cursor, candidates) = match (known.is_config, known.is_manifest()) {
        (true, _) => {
            let cursor = toml::cursor(text, at)?;
            let codes = codes::all().iter().map(|code| code.as_str());
            let codes: Vec<&'static str> = codes.chain(codes::groups().iter().copied()).collect();
            let knowledge = keys::Knowledge {
                schema: known.schema,
                codes: &codes,
                schemas: known.schemas(),
                index: &known.root.index,
            };
            let found = keys::candidates(text, &toml::outline(text), &cursor, &knowledge);
            (cursor, found)
        }
        (false, true) => {
            let cursor = yaml::cursor(text, at)?;
            let outline = yaml::outline_at(text, at);
            let index = &known.root.index;
            let found = fields::candidates(text, &outline, &cursor, &known.schemas(), index);
            (cursor, found)
        }
        (false, false) => return None,
    };
    let lines = Lines::new(text);
    let shown = range(&lines, &cursor.word);
    let colon = key_end(text, &cursor, known.is_config);
    let items = candidates.iter().enumerate().map(|(nth, candidate)| {
        let is_key = candidate.kind == CandidateKind::Key;
        let new = match is_key {
            true => format!("{}{colon}", candidate.label),
            false => candidate.label.clone(),
        };
        json!({
            "label": candidate.label.trim_matches('"'),
            "kind": u32::from(kind(candidate)),
            "detail": candidate.detail,
            "documentation": candidate.documentation,
            // In this order, which has the likeliest first.
            "sortText": format!("{nth:05}"),
            "filterText": candidate.label,
            "textEdit": {"range": shown, "newText": new},
        })
    });
    Some(json!({"isIncomplete": false, "items": items.collect::<Vec<_>>()}))
}

/// What follows a key, unless it is there already: a colon in YAML, nothing in TOML, where a header, a key with dots or a value may
/// follow.
fn key_end(text: &str, cursor: &Cursor, is_config: bool) -> &'static str {
    let rest = text.get(cursor.word.end..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default();
    match is_config || line.trim_start().starts_with(':') {
        true => "",
        false => ":",
    }
}

fn kind(candidate: &Candidate) -> CompletionItemKind {
    match candidate.kind {
        CandidateKind::Key => CompletionItemKind::Property,
        CandidateKind::Value => CompletionItemKind::Value,
        CandidateKind::Name => CompletionItemKind::Reference,
    }
}
