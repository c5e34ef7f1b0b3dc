//! What a kustomization lists: paths of files and folders, and the ConfigMaps that it makes.
//!
//! Fields as in kustomize's `api/types` (v5.7): what loads from elsewhere (addresses, inline patches) is left out.

use crate::manifest::Object;
use crate::value::path::join;
pub use crate::value::path::split;
use crate::value::{Node, Pointer, variable};

/// The names that kustomize looks for in a folder, in its order.
pub const NAMES: &[&str] = &["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// A path in a kustomization.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where it stands.
    pub pointer: Pointer,
    /// What it names, as files are named.
    pub target: String,
    /// Whether a folder may stand there, which then needs a kustomization of its own.
    pub may_be_folder: bool,
}

/// A ConfigMap that a kustomization makes.
#[derive(Clone, Debug)]
pub struct Generated<'a> {
    /// Its name without the hash.
    pub name: String,
    /// Whether a hash of its content is added to the name.
    pub has_hash: bool,
    /// Its keys, each with the file that it is read from, or its text.
    pub keys: Vec<(String, Content<'a>)>,
    /// Whether it has further keys, from files of variables.
    pub has_more: bool,
    /// Where it stands.
    pub pointer: Pointer,
}

/// What a generated key holds.
#[derive(Clone, Debug)]
pub enum Content<'a> {
    /// The text of a file.
    File(String),
    /// A text.
    Text(&'a str),
}

/// Whether an object is the kustomization, or the component, of its folder.
pub fn is_kustomization(object: &Object) -> bool {
    let (_, name) = split(&object.file);
    object.group() == "kustomize.config.k8s.io" && NAMES.contains(&name)
}

/// Whether kustomize would fetch what an entry names, or an entry is no path at all.
fn is_elsewhere(path: &str) -> bool {
    let host = path.split_once('/').map(|(first, _)| first);
    path.contains(['\n', '?', '*'])
        || path.contains("//")
        || path.contains(": ")
        || path.starts_with("git@")
        || path.starts_with('/')
        || host.is_some_and(|host| !host.starts_with('.') && host.contains('.'))
        || variable::in_text(path)
        || path.trim().is_empty()
}

/// Lists of paths at the top of a kustomization; whether a folder may stand in them.
const LISTS: &[(&str, bool)] = &[
    ("resources", true),
    ("bases", true),
    ("components", true),
    ("generators", true),
    ("transformers", true),
    ("validators", true),
    ("crds", false),
    ("configurations", false),
    ("patchesStrategicMerge", false),
];

/// Lists of maps at the top of a kustomization, and the key of each map that holds a path.
const KEYED: &[(&str, &str)] = &[
    ("patches", "path"),
    ("patchesJson6902", "path"),
    ("replacements", "path"),
    ("helmCharts", "valuesFile"),
    ("helmChartInflationGenerator", "values"),
];

/// Lists of maps at the top of a kustomization, and the key of each map that holds a list of paths.
const NESTED: &[(&str, &str)] = &[
    ("configMapGenerator", "files"),
    ("configMapGenerator", "envs"),
    ("secretGenerator", "files"),
    ("secretGenerator", "envs"),
    ("helmCharts", "additionalValuesFiles"),
];

/// The files and folders that a kustomization names.
pub fn entries(object: &Object) -> Vec<Entry> {
    let (folder, _) = split(&object.file);
    let mut found = Vec::new();
    let mut add = |pointer: Pointer, node: &Node, may_be_folder: bool| {
        let Some(text) = node.as_str() else { return };
        // A generator's file may be given a key: `key=path`.
        let path = text.split_once('=').map_or(text, |(_, path)| path);
        if !is_elsewhere(path) {
            let target = join(folder, path);
            found.push(Entry {
                pointer,
                target,
                may_be_folder,
            });
        }
    };
    for (list, may_be_folder) in LISTS {
        for (pointer, node) in items(&object.node, &Pointer::root().key(*list)) {
            add(pointer, node, *may_be_folder);
        }
    }
    for (list, key) in KEYED {
        for (pointer, node) in items(&object.node, &Pointer::root().key(*list)) {
            if let Some(path) = node.get(key) {
                add(pointer.key(*key), path, false);
            }
        }
    }
    for (list, key) in NESTED {
        for (pointer, _) in items(&object.node, &Pointer::root().key(*list)) {
            for (pointer, node) in items(&object.node, &pointer.key(*key)) {
                add(pointer, node, false);
            }
        }
    }
    found
}

/// The items of the list at `pointer`, each with its place; none where there is no list.
pub fn items<'a>(
    root: &'a Node,
    pointer: &Pointer,
) -> impl Iterator<Item = (Pointer, &'a Node)> + use<'a> {
    let pointer = pointer.clone();
    let list = root.at(&pointer).and_then(Node::as_list);
    let list = list.unwrap_or_default().iter().enumerate();
    list.map(move |(index, node)| (pointer.index(index), node))
}

/// The ConfigMaps that a kustomization makes.
pub fn generated(object: &Object) -> Vec<Generated<'_>> {
    let root = &object.node;
    let (folder, _) = split(&object.file);
    let text = |path: &[&str]| root.path(path).and_then(Node::as_str).unwrap_or_default();
    let is_set = |node: &Node, path: &[&str]| node.path(path).and_then(Node::as_bool);
    let everywhere = is_set(root, &["generatorOptions", "disableNameSuffixHash"]);
    let list = items(root, &Pointer::root().key("configMapGenerator"));
    let made = list.filter_map(|(pointer, node)| {
        let own = is_set(node, &["options", "disableNameSuffixHash"]);
        let name = node.get("name")?.as_str()?;
        let texts = |key: &str| {
            let list = node.get(key).and_then(Node::as_list).unwrap_or_default();
            list.iter().filter_map(Node::as_str)
        };
        let files = texts("files").map(|text| {
            let (key, path) = text
                .split_once('=')
                .unwrap_or_else(|| (split(text).1, text));
            (key.to_owned(), Content::File(join(folder, path)))
        });
        let literals = texts("literals").filter_map(|text| {
            let (key, value) = text.split_once('=')?;
            Some((key.to_owned(), Content::Text(value)))
        });
        Some(Generated {
            name: format!("{}{name}{}", text(&["namePrefix"]), text(&["nameSuffix"])),
            has_hash: !own.or(everywhere).unwrap_or(false),
            keys: files.chain(literals).collect(),
            has_more: node.get("envs").is_some() || node.get("env").is_some(),
            pointer: pointer.key("name"),
        })
    });
    made.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::across::support::objects;

    #[test]
    fn what_is_fetched_or_written_inline_is_no_path() {
        for text in [
            "https://example.com/x.yaml",
            "github.com/example/x?ref=main",
            "example.com/org/repo",
            "git@example.com:x",
            "kind: Secret\nmetadata: {}",
            "${CLUSTER}/x.yaml",
        ] {
            assert!(is_elsewhere(text), "{text}");
        }
        for text in ["x.yaml", "./x", "../a/x.yaml", "a/b.c/x.yaml"] {
            assert!(!is_elsewhere(text), "{text}");
        }
    }

    #[test]
    fn every_list_of_a_kustomization_counts() {
        let all = objects(
            "app/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namePrefix: x-
resources: [./a.yaml, 'https://example.com/b.yaml']
components: [../c]
patches: [{path: p.yaml}, {patch: 'inline'}]
configMapGenerator:
- {name: m, files: [resources/m.lua, lua=n.lua], literals: [k=v]}
- {name: h, envs: [e.env], options: {disableNameSuffixHash: true}}
",
        );
        let found = entries(&all[0]);
        let targets: Vec<&str> = found.iter().map(|entry| entry.target.as_str()).collect();
        assert_eq!(
            targets,
            [
                "app/a.yaml",
                "c",
                "app/p.yaml",
                "app/resources/m.lua",
                "app/n.lua",
                "app/e.env"
            ]
        );
        let made = generated(&all[0]);
        let keys: Vec<&str> = made[0].keys.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!((made[0].name.as_str(), made[0].has_hash), ("x-m", true));
        assert_eq!(keys, ["m.lua", "lua", "k"]);
        assert_eq!((made[1].has_hash, made[1].has_more), (false, true));
    }
}
