//! CustomResourceDefinitions made from the catalogue's facts, for use when those of the projects are not available.
//! They have no descriptions, but everything that an API server checks.

use std::path::PathBuf;
use std::sync::LazyLock;

use crd_validate::schema::Catalogue;
use crd_validate::schema::catalogue::Entry;
use crd_validate::schema::compiled::{Compiled, KindVersion};
use crd_validate::schema::node::{Additional, NodeId};
use gatewayctl::cluster::skew::skew;
use gatewayctl::compile::in_force;
use manifest::Object;
use manifest::value::Node;
use serde_json::{Map, Value as Json, json};

use crate::common::REFERENCE;

/// A file with the definitions that the reference configuration needs.
pub fn of_the_reference() -> PathBuf {
    static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let texts: Vec<String> = definitions().iter().map(Json::to_string).collect();
        std::fs::write(folder.path().join("crds.yaml"), texts.join("\n---\n")).expect("the file");
        folder
    });
    FOLDER.path().join("crds.yaml")
}

fn definitions() -> Vec<Json> {
    let catalogue = Catalogue::embedded();
    let selection = in_force("cluster.toml", REFERENCE, &catalogue);
    let entries = catalogue.entries().iter();
    let chosen = entries.filter(|entry| selection.has(&entry.set));
    // Kubernetes' own kinds have no definitions.
    let custom = chosen.filter(|entry| entry.set.project != "core");
    custom.map(definition).collect()
}

fn definition(entry: &Entry) -> Json {
    let compiled = entry.compiled().expect("an embedded schema");
    let header = compiled.header();
    let mut annotations = Map::new();
    if let Some(channel) = &entry.set.channel {
        annotations.insert(
            "gateway.networking.k8s.io/channel".to_owned(),
            json!(channel),
        );
    }
    // Required in Kubernetes' own groups.
    if header.group.ends_with(".k8s.io") {
        annotations.insert(
            "api-approved.kubernetes.io".to_owned(),
            json!("unapproved, for tests"),
        );
    }
    let versions: Vec<Json> = header
        .versions
        .iter()
        .map(|it| version(compiled, it))
        .collect();
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{}.{}", header.plural, header.group), "annotations": annotations},
        "spec": {
            "group": header.group,
            "names": {"kind": header.kind, "plural": header.plural},
            "scope": header.scope,
            "versions": versions,
        },
    })
}

fn version(compiled: &Compiled, version: &KindVersion) -> Json {
    let subresources = match version.status {
        true => json!({"status": {}}),
        false => json!({}),
    };
    json!({
        "name": version.name,
        "served": version.served,
        "storage": version.storage,
        "deprecated": version.deprecated,
        "subresources": subresources,
        "schema": {"openAPIV3Schema": schema(compiled, version.root)},
    })
}

/// A node, with the nodes below it instead of their numbers.
fn schema(compiled: &Compiled, id: NodeId) -> Json {
    let node = compiled.node(id);
    let below = |id: &NodeId| schema(compiled, *id);
    let mut keywords = serde_json::to_value(node).expect("a node is JSON");
    if !node.properties.is_empty() {
        let properties = node.properties.iter();
        let properties: Map<_, _> = properties
            .map(|(name, id)| (name.clone(), below(id)))
            .collect();
        keywords["properties"] = properties.into();
    }
    if let Some(Additional::Schema(id)) = node.additional_properties {
        keywords["additionalProperties"] = below(&id);
    }
    for (keyword, child) in [("items", node.items), ("not", node.not)] {
        if let Some(id) = child {
            keywords[keyword] = below(&id);
        }
    }
    for (keyword, children) in [
        ("allOf", &node.all_of),
        ("anyOf", &node.any_of),
        ("oneOf", &node.one_of),
    ] {
        if !children.is_empty() {
            keywords[keyword] = children.iter().map(below).collect();
        }
    }
    // A rule of several lines must have a message.
    let rules = keywords.get_mut("x-kubernetes-validations");
    for rule in rules.and_then(Json::as_array_mut).into_iter().flatten() {
        rule["message"] = json!("the rule does not hold");
    }
    keywords
}

/// They are equal to the definitions in the catalogue: nothing is lost.
#[test]
fn definitions_that_are_made_say_what_the_catalogue_says() {
    let catalogue = Catalogue::embedded();
    let selection = in_force("cluster.toml", REFERENCE, &catalogue);
    let definitions = definitions();
    assert!(definitions.len() > 40, "{}", definitions.len());
    let objects: Vec<Object> = definitions
        .iter()
        .map(|crd| {
            let (group, kind) = (&crd["spec"]["group"], &crd["spec"]["names"]["kind"]);
            let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
            let object = json!({"apiVersion": format!("{}/v1", text(group)), "kind": kind});
            Object::new(Node::from_json(object), "object.yaml")
        })
        .collect();
    let installed: Vec<Node> = definitions.into_iter().map(Node::from_json).collect();
    assert_eq!(skew(&objects, &installed, &catalogue, &selection), []);
}
