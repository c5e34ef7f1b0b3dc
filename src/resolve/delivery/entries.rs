//! What one kustomization lists and sets.

use std::collections::{BTreeMap, BTreeSet};

use super::{Generated, SUBSTITUTE};
use crate::manifest::Object;
use crate::value::path::{folder, join};
use crate::value::{Node, Pointer};

/// The file names by which kustomize finds a kustomization in a folder.
pub const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The keys of a kustomization that make or change objects in ways that are not followed here.
const GENERATORS: [&str; 5] = [
    "generators",
    "helmCharts",
    "helmChartInflationGenerator",
    "transformers",
    "replacements",
];

/// A local path that a kustomization lists.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where it stands.
    pub pointer: Pointer,
    /// The path, as findings show paths.
    pub path: String,
    /// Whether it is listed as a component.
    pub is_component: bool,
}

/// What a kustomization sets on all that it lists.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub namespace: Option<String>,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    pub prefix: String,
    pub suffix: String,
    pub patches: bool,
    pub is_partly_unknown: bool,
}

fn texts<'a>(node: &'a Node, key: &'static str) -> impl Iterator<Item = (Pointer, &'a str)> {
    let items = node.get(key).and_then(Node::as_list).unwrap_or_default();
    items
        .iter()
        .enumerate()
        .filter_map(move |(at, item)| Some((Pointer::root().key(key).index(at), item.as_str()?)))
}

/// Whether an entry leads out of the repository: an address, or a repository's short form.
fn is_remote(path: &str) -> bool {
    path.contains("://")
        || path.contains("?ref=")
        || path.starts_with("git@")
        || path.starts_with("github.com/")
}

/// The local paths that it lists, and whether it lists anything else.
pub fn listed(object: &Object) -> (Vec<Entry>, bool) {
    let here = folder(&object.file);
    let mut entries = Vec::new();
    let mut has_remote = false;
    for key in ["resources", "bases", "components"] {
        for (pointer, path) in texts(&object.node, key) {
            if is_remote(path) {
                has_remote = true;
            } else {
                entries.push(Entry {
                    pointer,
                    path: join(here, path),
                    is_component: key == "components",
                });
            }
        }
    }
    (entries, has_remote)
}

/// The files that it reads and that are no objects of their own: patches and settings.
pub fn inputs(object: &Object) -> BTreeSet<String> {
    let here = folder(&object.file);
    let plain = [
        "patchesStrategicMerge",
        "configurations",
        "generators",
        "transformers",
        "validators",
        "crds",
    ];
    let plain = plain.iter().flat_map(|key| texts(&object.node, key));
    let by_path = ["patches", "patchesJson6902", "replacements"].iter();
    let by_path = by_path.flat_map(|key| {
        let items = object.node.get(key).and_then(Node::as_list);
        items.unwrap_or_default()
    });
    plain
        .map(|(_, path)| path)
        .chain(by_path.filter_map(|item| item.get("path")?.as_str()))
        .filter(|path| !path.contains('\n'))
        .map(|path| join(here, path))
        .collect()
}

fn pairs(node: Option<&Node>) -> impl Iterator<Item = (String, String)> {
    let map = node.and_then(Node::as_map).into_iter();
    map.flat_map(|map| map.iter())
        .filter_map(|(key, value)| Some((key.to_owned(), value.as_str()?.to_owned())))
}

/// What it sets itself, its components left out.
pub fn settings(object: &Object) -> Settings {
    let node = &object.node;
    let text = |key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
    let has_any = |key: &&str| {
        let list = node.get(key).and_then(Node::as_list);
        list.is_some_and(|list| !list.is_empty())
    };
    let in_labels = node.get("labels").and_then(Node::as_list);
    let in_labels = in_labels.unwrap_or_default().iter();
    Settings {
        namespace: text("namespace").filter(|namespace| !namespace.is_empty()),
        labels: in_labels
            .flat_map(|one| pairs(one.get("pairs")))
            .chain(pairs(node.get("commonLabels")))
            .collect(),
        annotations: pairs(node.get("commonAnnotations")).collect(),
        prefix: text("namePrefix").unwrap_or_default(),
        suffix: text("nameSuffix").unwrap_or_default(),
        patches: super::patches_anything(object),
        is_partly_unknown: GENERATORS.iter().any(has_any),
    }
}

/// The ConfigMaps and Secrets that it makes.
pub fn generated(at: usize, object: &Object) -> Vec<Generated> {
    let here = folder(&object.file);
    let is_disabled = |options: Option<&Node>| {
        let maps = ["annotations", "labels"].iter();
        maps.filter_map(|below| options?.get(below)?.get(SUBSTITUTE)?.as_str())
            .any(|value| value == "disabled")
    };
    let shared = is_disabled(object.node.get("generatorOptions"))
        || pairs(object.node.get("commonAnnotations"))
            .any(|(key, value)| key == SUBSTITUTE && value == "disabled");
    let mut all = Vec::new();
    for (key, kind) in [
        ("configMapGenerator", "ConfigMap"),
        ("secretGenerator", "Secret"),
    ] {
        let items = object.node.get(key).and_then(Node::as_list);
        for (nth, item) in items.unwrap_or_default().iter().enumerate() {
            let files = item.get("files").and_then(Node::as_list);
            let files = files.unwrap_or_default().iter().filter_map(Node::as_str);
            all.push(Generated {
                by: at,
                pointer: Pointer::root().key(key).index(nth),
                kind,
                name: item
                    .get("name")
                    .and_then(Node::as_str)
                    .unwrap_or_default()
                    .to_owned(),
                files: files.map(|file| key_and_path(here, file)).collect(),
                is_left_as_it_is: shared || is_disabled(item.get("options")),
            });
        }
    }
    all
}

/// `path` or `key=path`; a key is the file's name unless given.
fn key_and_path(here: &str, file: &str) -> (String, String) {
    let (key, path) = match file.split_once('=') {
        Some((key, path)) => (key, path),
        None => (file.rsplit('/').next().unwrap_or(file), file),
    };
    (key.to_owned(), join(here, path))
}
