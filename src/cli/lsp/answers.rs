//! The answers to requests about a document.

mod actions;
mod complete;
mod hover;
mod names;
mod upgrades;

use std::collections::BTreeMap;
use std::path::Path;

use gen_lsp_types as lsp;
use serde_json::{Value, json};

use super::super::Global;
use super::documents::{Document, Documents, from_protocol, range};
use super::server::Root;
use super::uri;
use crate::editor::fields::Schemas;
use crate::editor::index::Place;
use crate::editor::lines::Lines;
use crd_validate::schema::{Catalogue, Selection};

/// The requests that are answered.
pub(super) const METHODS: [&str; 8] = [
    "textDocument/hover",
    "textDocument/completion",
    "textDocument/definition",
    "textDocument/references",
    "textDocument/prepareRename",
    "textDocument/rename",
    "textDocument/codeAction",
    "textDocument/codeLens",
];

/// The document that a request is about, and everything that is known about it.
pub(super) struct Knowledge<'a> {
    pub root: &'a Root,
    /// The folder that names of files are relative to.
    pub folder: &'a Path,
    /// The name of the file.
    pub name: String,
    /// Whether it is the `cluster.toml`.
    pub is_config: bool,
    pub document: &'a Document,
    pub documents: &'a Documents,
    pub catalogue: &'a Catalogue,
    pub selection: &'a Selection,
    /// The JSON Schema of `cluster.toml`.
    pub schema: &'a Value,
    pub global: &'a Global,
}

impl<'a> Knowledge<'a> {
    fn text(&self) -> &'a str {
        &self.document.text
    }

    fn schemas(&self) -> Schemas<'a> {
        Schemas {
            catalogue: self.catalogue,
            selection: self.selection,
        }
    }

    /// Whether the document is YAML or JSON.
    fn is_manifest(&self) -> bool {
        let ending = Path::new(&self.name).extension();
        let ending = ending.map(|ending| ending.to_string_lossy().to_lowercase());
        matches!(ending.as_deref(), Some("yaml" | "yml" | "json"))
    }

    fn uri_of(&self, file: &str) -> String {
        let path = self.folder.join(file);
        match self.documents.of_path(&path) {
            Some((uri, _)) => uri.to_owned(),
            None => uri::of_path(&path),
        }
    }

    /// Places as the protocol has them. Those of files whose text is not known are left out.
    fn locations(&self, places: &[Place]) -> Vec<lsp::Location> {
        let of_place = |place: &Place| {
            let lines = Lines::new(self.root.index.text(&place.file)?);
            Some(lsp::Location {
                uri: lsp::Uri(self.uri_of(&place.file)),
                range: range(&lines, &place.range),
            })
        };
        places.iter().filter_map(of_place).collect()
    }

    /// Changes of files: the same text at several places.
    fn replacing(&self, places: &[Place], text: &str) -> Value {
        let mut changes: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for location in self.locations(places) {
            let edits = changes.entry(location.uri.0).or_default();
            edits.push(json!({"range": location.range, "newText": text}));
        }
        json!({"changes": changes})
    }
}

/// The answer to a request. `None` if there is nothing to say.
pub(super) fn answer(method: &str, params: &Value, known: &Knowledge<'_>) -> Option<Value> {
    let lines = Lines::new(known.text());
    let position = params.get("position").cloned();
    let position = position.and_then(|it| serde_json::from_value::<lsp::Position>(it).ok());
    let at = position.map(|position| lines.offset(from_protocol(position)));
    match method {
        "textDocument/hover" => hover::hover(known, at?),
        "textDocument/completion" => complete::complete(known, at?),
        "textDocument/definition" => names::definition(known, at?),
        "textDocument/references" => names::references(known, at?, params),
        "textDocument/prepareRename" => names::prepare_rename(known, at?),
        "textDocument/rename" => names::rename(known, at?, params.get("newName")?.as_str()?),
        "textDocument/codeAction" => {
            let range = serde_json::from_value(params.get("range")?.clone()).ok()?;
            Some(actions::actions(known, &range))
        }
        "textDocument/codeLens" => Some(actions::lenses(known)),
        _ => None,
    }
}
