//! What Flux would apply of a folder: each Kustomization's folder, built by kustomize, with its namespace and variables.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

/// The objects of a file or a stream with several documents.
pub fn parse(text: &str) -> Vec<Value> {
    let documents: Vec<Value> = serde_yaml::from_multiple(text).expect("YAML");
    documents.into_iter().filter(|it| !it.is_null()).collect()
}

/// The objects of the kustomization in a folder, and of all Flux Kustomizations among them, whose paths begin at the root.
pub fn applied(root: &Path, folder: &str) -> Vec<Value> {
    let mut objects = Vec::new();
    for object in build(&root.join(folder)) {
        let is_flux = object["apiVersion"]
            .as_str()
            .is_some_and(|it| it.starts_with("kustomize.toolkit.fluxcd.io/"));
        if !is_flux {
            objects.push(object);
            continue;
        }
        let spec = &object["spec"];
        let path = spec["path"].as_str().unwrap_or(".");
        let variables: BTreeMap<String, String> =
            serde_json::from_value(spec["postBuild"]["substitute"].clone()).unwrap_or_default();
        for mut inner in applied(root, path) {
            substitute(&mut inner, &variables);
            if let Some(namespace) = spec["targetNamespace"].as_str() {
                set_namespace(&mut inner, namespace);
            }
            objects.push(inner);
        }
    }
    objects
}

fn build(folder: &Path) -> Vec<Value> {
    let built = Command::new("kustomize").arg("build").arg(folder).output();
    let built = built.expect("kustomize runs");
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "kustomize build: {said}");
    parse(&String::from_utf8_lossy(&built.stdout))
}

/// kustomize leaves kinds alone that belong to no namespace.
fn set_namespace(object: &mut Value, namespace: &str) {
    let kind = object["kind"].as_str().unwrap_or_default();
    if !matches!(kind, "GatewayClass" | "Namespace") && !kind.starts_with("Cluster") {
        object["metadata"]["namespace"] = json!(namespace);
    }
}

/// Replaces `${NAME}` in all texts. A text that is nothing else becomes what YAML makes of its value, because Flux
/// replaces variables in the text of a manifest.
pub fn substitute(value: &mut Value, variables: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            let is_whole = text.starts_with("${") && text.ends_with('}');
            for (name, replacement) in variables {
                *text = text.replace(&format!("${{{name}}}"), replacement);
            }
            let number = text.parse::<i64>().ok().filter(|_| is_whole);
            if let Some(number) = number {
                *value = json!(number);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|it| substitute(it, variables)),
        Value::Object(fields) => fields.values_mut().for_each(|it| substitute(it, variables)),
        _ => {}
    }
}
