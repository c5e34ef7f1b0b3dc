//! Our own schemas as JSON Schema files, so that `kubeconform` checks the same facts without a network.

use std::path::Path;

use gatewayctl::compile::{World, compile};
use gatewayctl::render::files::{Inputs, Output};
use gatewayctl::schema::node::{Additional, NodeId};
use gatewayctl::schema::{Catalogue, KindSchema, Lookup};
use serde_json::{Map, Value, json};

/// A root with nothing but the configuration.
struct Bare;

impl Inputs for Bare {
    fn read(&self, _: &str) -> Option<String> {
        None
    }
    fn read_output(&self, _: &str) -> Output {
        Output::Nothing
    }
}

impl World for Bare {
    fn list(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// Writes the schemas of all kinds in one of the reference's files, as `GROUP/KIND_VERSION.json` in lower case; how many
/// documents the file has.
pub fn write(root: &Path, file: &str, folder: &Path) -> usize {
    let text = std::fs::read_to_string(root.join("cluster.toml")).expect("cluster.toml");
    let catalogue = Catalogue::embedded();
    let compiled = compile("cluster.toml", &text, &Bare, &catalogue);
    let objects = compiled.objects.iter().filter(|it| it.file == file);
    let mut documents = 0;
    for object in objects {
        documents += 1;
        let (group, version, kind) = (object.group(), object.version(), object.kind());
        let Lookup::Known(schema) = catalogue.look_up(&compiled.selection, group, version, kind)
        else {
            panic!("no schema of {kind}");
        };
        let folder = folder.join(group);
        std::fs::create_dir_all(&folder).expect("a folder");
        let json = expand(&schema, schema.version.root).to_string();
        let name = format!("{}_{version}.json", kind.to_lowercase());
        std::fs::write(folder.join(name), json).expect("it is written");
    }
    documents
}

/// A node with everything below it, in JSON Schema's keywords.
fn expand(schema: &KindSchema<'_>, id: NodeId) -> Value {
    let node = schema.node(id);
    let below = |id: NodeId| expand(schema, id);
    let all = |ids: &[NodeId]| Value::from(ids.iter().map(|id| below(*id)).collect::<Vec<_>>());
    let Ok(Value::Object(mut keywords)) = serde_json::to_value(node) else {
        return json!({});
    };
    keywords.retain(|keyword, _| !keyword.starts_with("x-") && keyword != "nullable");
    if !node.properties.is_empty() {
        let properties = node.properties.iter();
        let properties: Map<_, _> = properties
            .map(|(name, id)| (name.clone(), below(*id)))
            .collect();
        keywords.insert("properties".to_owned(), properties.into());
    }
    match node.additional_properties {
        Some(Additional::Schema(id)) => {
            keywords.insert("additionalProperties".to_owned(), below(id));
        }
        None if !node.properties.is_empty() && !node.is_open() => {
            keywords.insert("additionalProperties".to_owned(), false.into());
        }
        _ => {}
    }
    if let Some(items) = node.items {
        keywords.insert("items".to_owned(), below(items));
    }
    for (keyword, ids) in [
        ("allOf", &node.all_of),
        ("anyOf", &node.any_of),
        ("oneOf", &node.one_of),
    ] {
        if !ids.is_empty() {
            keywords.insert(keyword.to_owned(), all(ids));
        }
    }
    if let Some(not) = node.not {
        keywords.insert("not".to_owned(), below(not));
    }
    if node.int_or_string {
        keywords.insert("type".to_owned(), json!(["integer", "string"]));
    } else if node.nullable
        && let Some(one) = keywords.get("type").cloned()
    {
        keywords.insert("type".to_owned(), json!([one, "null"]));
    }
    Value::Object(keywords)
}
