//! Compares rendered trees with real ones, object by object.
//!
//! Each config in `tests/trees` renders the Envoy Gateway folder of a public repository. The repositories themselves
//! are not part of this project; without `../shared/trees` the comparison is skipped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crd_validate::schema::Catalogue;
use gatewayctl::compile::{World, compile};
use gatewayctl::render::Kind;
use gatewayctl::render::files::{Inputs, Output};
use manifest::diagnostic::Sources;
use manifest::read;
use manifest::value::Node;

/// The folder of the repositories.
fn shared() -> PathBuf {
    match std::env::var_os("GATEWAYCTL_SHARED") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
    }
}

/// A repository's own files, from which scripts are read.
struct Repository(PathBuf);

impl Inputs for Repository {
    fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.0.join(path)).ok()
    }
    fn read_output(&self, _: &str) -> Output {
        Output::Nothing
    }
}

impl World for Repository {
    fn list(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// The contents of a folder, by path: objects without their order in the file, scripts as text.
#[derive(Debug, PartialEq)]
enum Content {
    Objects(BTreeMap<String, Node>),
    Text(String),
}

fn content(path: &str, text: &str) -> Content {
    if !path.ends_with(".yaml") {
        return Content::Text(text.to_owned());
    }
    let mut sources = Sources::default();
    let id = sources.add(path, text);
    let (documents, problems) = read::read(&sources, id);
    assert!(problems.is_empty(), "{path}: {problems:?}");
    let objects = documents.into_iter().map(|document| {
        let text = |keys: &[&str]| {
            document
                .node
                .path(keys)
                .and_then(Node::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        (
            format!("{} {}", text(&["kind"]), text(&["metadata", "name"])),
            document.node,
        )
    });
    Content::Objects(objects.collect())
}

fn folder(root: &Path, below: &str) -> BTreeMap<String, Content> {
    let files = walkdir::WalkDir::new(root.join(below))
        .into_iter()
        .map(|entry| entry.expect("a folder that can be walked"));
    files
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry
                .path()
                .strip_prefix(root)
                .expect("below the root")
                .to_string_lossy()
                .into_owned();
            let text = std::fs::read_to_string(entry.path()).expect("text");
            let content = content(&path, &text);
            (path, content)
        })
        .collect()
}

/// The correct findings on these trees: one runs a later Envoy than that of its chart, and passes TLS through beside a
/// listener for all names; the other one offers HTTP/3 together with the PROXY protocol.
const KNOWN: &[(&str, &str)] = &[
    ("bjw-s-labs+home-ops", "envoy/without-quic"),
    ("chaijunkin+home-ops", "envoy/passthrough-without-route"),
    ("chaijunkin+home-ops", "version/envoy-image"),
];

/// Renders a config of `tests/trees` and compares its app's folder with the one in the repository.
fn same_as_the_real_tree(name: &str, below: &str) {
    let root = shared().join("trees").join(name);
    if !root.is_dir() {
        println!("skipped: {} is not here", root.display());
        return;
    }
    let config = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/trees")
        .join(format!("{name}.toml"));
    let config = std::fs::read_to_string(config).expect("a config");
    let compiled = compile(
        "cluster.toml",
        &config,
        &Repository(root.clone()),
        &Catalogue::embedded(),
    );
    let found = compiled.diagnostics.iter().map(|one| one.code.as_str());
    let known = KNOWN.iter().filter(|(tree, _)| *tree == name);
    let known: Vec<&str> = known.map(|(_, code)| *code).collect();
    let mut found: Vec<&str> = found.collect();
    found.sort_unstable();
    assert_eq!(found, known, "{:#?}", compiled.diagnostics);
    let rendered: BTreeMap<String, Content> = compiled
        .files
        .iter()
        .filter(|file| file.path.starts_with(&format!("{below}/")))
        .map(|file| {
            let content = match file.kind {
                Kind::Script => Content::Text(file.text.clone()),
                _ => content(&file.path, &file.text),
            };
            (file.path.clone(), content)
        })
        .collect();
    let real = folder(&root, below);
    let objects: usize = real
        .values()
        .map(|content| match content {
            Content::Objects(objects) => objects.len(),
            Content::Text(_) => 0,
        })
        .sum();
    let paths = |tree: &BTreeMap<String, Content>| tree.keys().cloned().collect::<Vec<_>>();
    assert_eq!(paths(&rendered), paths(&real));
    for (path, there) in &real {
        match (there, &rendered[path]) {
            (Content::Objects(there), Content::Objects(ours)) => {
                assert_eq!(
                    there.keys().collect::<Vec<_>>(),
                    ours.keys().collect::<Vec<_>>(),
                    "{path}"
                );
                for (name, node) in there {
                    let text = |node: &Node| {
                        serde_json::to_string_pretty(&sorted(node.to_json())).expect("JSON")
                    };
                    assert_eq!(text(&ours[name]), text(node), "{path}: {name}");
                }
            }
            (there, ours) => assert_eq!(ours, there, "{path}"),
        }
    }
    println!(
        "{name}: {} files and {objects} objects are equal",
        real.len()
    );
}

/// A value with the keys of its maps sorted.
fn sorted(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Object(map) => {
            let map: BTreeMap<String, Value> = map
                .into_iter()
                .map(|(key, value)| (key, sorted(value)))
                .collect();
            map.into_iter().collect()
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

#[test]
fn one_folder_with_lua_passthrough_and_autoscaling() {
    same_as_the_real_tree(
        "chaijunkin+home-ops",
        "kubernetes/apps/network/envoy-gateway",
    );
}

#[test]
fn two_folders_in_another_namespace() {
    same_as_the_real_tree(
        "buroa+k8s-gitops",
        "kubernetes/apps/networking/envoy-gateway",
    );
}

#[test]
fn two_folders_with_a_file_a_gateway() {
    same_as_the_real_tree(
        "bjw-s-labs+home-ops",
        "kubernetes/apps/network/envoy-gateway",
    );
}

#[test]
fn one_folder_without_policies_of_its_own() {
    same_as_the_real_tree("onedr0p+home-ops", "kubernetes/apps/network/envoy-gateway");
}
