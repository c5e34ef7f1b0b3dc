//! What `explain` says about the key at a position.

use gen_lsp_types as lsp;
use serde_json::{Value, json};

use super::super::documents::range;
use super::Knowledge;
use crate::cli::explain::field_page;
use crate::codes;
use crate::config::reference;
use crate::editor::fields::{ObjectAt, node_at};
use crate::editor::lines::Lines;
use crate::editor::outline::unquoted;
use crate::editor::spec_tables::object_place;
use crate::editor::{toml, yaml};
use crd_validate::schema::KindSchema;
use manifest::value::Pointer;
use manifest::value::pointer::Step;

pub(super) fn hover(known: &Knowledge<'_>, at: usize) -> Option<Value> {
    let text = known.text();
    let outline = match (known.is_config, known.is_manifest()) {
        (true, _) => toml::outline(text),
        (false, true) => yaml::outline_at(text, at),
        (false, false) => return None,
    };
    let entry = outline.entry_at(at)?;
    let part = entry.part_at(at)?;
    let page = match known.is_config {
        true => {
            let code = codes::parse(unquoted(text.get(part.clone())?));
            match code {
                Some(code) => code.page().to_owned(),
                None => configuration_page(known, &entry.pointer)?,
            }
        }
        false => {
            let object = ObjectAt::new(&outline, text, &entry.pointer)?;
            let schema = object.schema(&known.schemas())?;
            page(known, &schema, &object.pointer(&entry.pointer))?
        }
    };
    let shown: lsp::Range = range(&Lines::new(text), part);
    Some(json!({"contents": {"kind": "plaintext", "value": page.trim_end()}, "range": shown}))
}

/// The page of a key of `cluster.toml`, or of the field that a key in a `spec` table is.
fn configuration_page(known: &Knowledge<'_>, pointer: &Pointer) -> Option<String> {
    if let Some(place) = object_place(pointer) {
        let schema = known.schemas().newest(place.group, place.kind)?;
        return page(known, &schema, &place.pointer);
    }
    let keys = pointer.steps().iter().filter_map(|step| match step {
        Step::Key(key) => Some(key.as_str()),
        Step::Index(_) => None,
    });
    let path = keys.collect::<Vec<_>>().join(".");
    let found = reference::find(&path).or_else(|| {
        // The name of something that the user names.
        let (above, _) = path.rsplit_once('.')?;
        reference::find(above)
    })?;
    Some(format!("{}: {}\n\n{}", found.path, found.takes, found.text))
}

fn page(known: &Knowledge<'_>, schema: &KindSchema<'_>, pointer: &Pointer) -> Option<String> {
    let id = node_at(schema, pointer)?;
    let keys = pointer.steps().iter().filter_map(|step| match step {
        Step::Key(key) => Some(key.clone()),
        Step::Index(_) => None,
    });
    let keys: Vec<String> = keys.collect();
    let what = match keys.is_empty() {
        true => schema.entry.kind.to_string(),
        false => format!("{}.{}", schema.entry.kind, keys.join(".")),
    };
    let plain = keys.iter().fold(Pointer::root(), |at, key| at.key(key));
    field_page(known.catalogue, schema, (&what, &plain), id).ok()
}
