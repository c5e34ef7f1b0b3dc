//! What Flux applies of a rendered tree: each Kustomization's folder as kustomize builds it, and what Flux adds.
//!
//! This is the part of kustomize that rendered folders use: `resources`, `namespace`, `configMapGenerator`,
//! `labels` and `commonAnnotations`. What else a kustomization says is told in [`Bundle::unread`], not guessed at.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Sources;
use crate::manifest::{self, Object};
use crate::value::{Kind, Map, Node};

/// The group of Flux's Kustomizations.
pub const FLUX: &str = "kustomize.toolkit.fluxcd.io";
/// The group of kustomize's own files.
const KUSTOMIZE: &str = "kustomize.config.k8s.io";
/// How deep folders list folders.
const DEEPEST: usize = 16;

/// A Flux Kustomization, as its name labels what it applied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl Owner {
    /// The labels that it puts on all that it applies (kustomize-controller 1.9).
    pub fn labels(&self) -> [(String, &str); 2] {
        [
            (format!("{FLUX}/name"), self.name.as_str()),
            (format!("{FLUX}/namespace"), self.namespace.as_str()),
        ]
    }
}

/// What one Kustomization applies.
#[derive(Clone, Debug, Default)]
pub struct Bundle {
    /// The Kustomization; `None` for what a Kustomization outside the tree applies: the Namespace and `ks.yaml`.
    pub owner: Option<Owner>,
    /// The folder that it reads.
    pub folder: String,
    /// Whether it deletes what is no longer there.
    pub prunes: bool,
    /// The namespace that everything in it gets.
    pub target: Option<String>,
    /// `spec.postBuild`.
    pub post_build: Option<Node>,
    /// Its objects.
    pub objects: Vec<Object>,
    /// What could not be followed, each with its reason. With any, nothing is known of what would be pruned.
    pub unread: Vec<String>,
}

/// The rendered tree, and a way to what lies beside it.
pub struct Tree<'a> {
    /// The rendered objects.
    pub objects: &'a [Object],
    /// The rendered files' texts, by path.
    pub texts: BTreeMap<&'a str, &'a str>,
    /// The text of another file below the root.
    pub read: &'a dyn Fn(&str) -> Option<String>,
    /// The namespace of what says none itself.
    pub namespace: &'a str,
}

impl Tree<'_> {
    /// What is applied, by Kustomization: first what Kustomizations outside the tree apply.
    pub fn bundles(&self) -> Vec<Bundle> {
        let kustomizations = self.objects.iter().filter(|it| is_flux_kustomization(it));
        let own: Vec<Bundle> = kustomizations.map(|it| self.bundle(it)).collect();
        let folders: Vec<&str> = own.iter().map(|bundle| bundle.folder.as_str()).collect();
        let outside = |object: &&Object| {
            !is_kustomize(object) && folders.iter().all(|folder| !is_below(&object.file, folder))
        };
        let objects = self.objects.iter().filter(outside).map(|object| {
            let mut object = object.clone();
            if object.namespace().is_empty() {
                set(&mut object.node, &["metadata", "namespace"], self.namespace);
            }
            object
        });
        let mut all = vec![Bundle {
            objects: objects.collect(),
            ..Bundle::default()
        }];
        all.extend(own);
        all
    }

    fn bundle(&self, kustomization: &Object) -> Bundle {
        let text = |path: &[&str]| kustomization.node.path(path).and_then(Node::as_str);
        let namespace = match kustomization.namespace() {
            "" => self.namespace,
            namespace => namespace,
        };
        let folder = normal(text(&["spec", "path"]).unwrap_or_default()).unwrap_or_default();
        let prunes = kustomization
            .node
            .path(&["spec", "prune"])
            .and_then(Node::as_bool);
        let mut build = Build {
            tree: self,
            unread: Vec::new(),
            seen: BTreeSet::new(),
        };
        let mut objects = build.folder(&folder, 0);
        let target = text(&["spec", "targetNamespace"]).map(str::to_owned);
        let metadata = kustomization.node.path(&["spec", "commonMetadata"]);
        for key in ["patches", "images", "components"] {
            if kustomization.node.path(&["spec", key]).is_some() {
                build.unread.push(format!(
                    "`spec.{key}` of Kustomization {} is not followed",
                    kustomization.name()
                ));
            }
        }
        let owner = Owner {
            namespace: namespace.to_owned(),
            name: kustomization.name().to_owned(),
        };
        for object in &mut objects {
            for kind in ["labels", "annotations"] {
                add_all(&mut object.node, kind, metadata.and_then(|it| it.get(kind)));
            }
            for (key, value) in owner.labels() {
                set(&mut object.node, &["metadata", "labels", &key], value);
            }
            if let Some(target) = &target {
                set(&mut object.node, &["metadata", "namespace"], target);
            }
        }
        Bundle {
            owner: Some(owner),
            folder,
            prunes: prunes == Some(true),
            target,
            post_build: kustomization.node.path(&["spec", "postBuild"]).cloned(),
            objects,
            unread: build.unread,
        }
    }
}

/// Whether an object is a Flux Kustomization.
pub fn is_flux_kustomization(object: &Object) -> bool {
    object.kind() == "Kustomization" && object.group() == FLUX
}

fn is_kustomize(object: &Object) -> bool {
    matches!(object.kind(), "Kustomization" | "Component") && object.group() == KUSTOMIZE
}

fn is_below(file: &str, folder: &str) -> bool {
    file.strip_prefix(folder)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// A path without `.` and `..`; `None` where it leads out of the root.
fn normal(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Puts a text where a path leads, making the maps on the way.
pub fn set(node: &mut Node, path: &[&str], value: &str) {
    let Some((first, rest)) = path.split_first() else {
        *node = Node::string(value);
        return;
    };
    let Some(map) = node.as_map_mut() else { return };
    if map
        .get(first)
        .is_none_or(|below| matches!(below.kind, Kind::Null))
    {
        map.insert(*first, Node::map());
    }
    if let Some(below) = map.get_mut(first) {
        set(below, rest, value);
    }
}

/// Adds the entries of a map to the object's labels or annotations.
fn add_all(object: &mut Node, kind: &str, entries: Option<&Node>) {
    let entries = entries.and_then(Node::as_map);
    for (key, value) in entries.iter().flat_map(|map| map.iter()) {
        if let Some(value) = value.as_str() {
            set(object, &["metadata", kind, key], value);
        }
    }
}

struct Build<'a> {
    tree: &'a Tree<'a>,
    unread: Vec<String>,
    seen: BTreeSet<String>,
}

impl Build<'_> {
    /// A folder's objects as kustomize builds them.
    fn folder(&mut self, folder: &str, depth: usize) -> Vec<Object> {
        if depth > DEEPEST || !self.seen.insert(folder.to_owned()) {
            self.unread.push(format!("{folder} is listed in a circle"));
            return Vec::new();
        }
        let Some(own) = self.kustomization(folder) else {
            // Flux makes a kustomization of all files then; the rendered ones are known.
            let all = self.tree.objects.iter();
            return all
                .filter(|it| is_below(&it.file, folder))
                .cloned()
                .collect();
        };
        let map = own.as_map().cloned().unwrap_or_default();
        let mut objects = Vec::new();
        for (key, value) in map.iter() {
            match key {
                "apiVersion" | "kind" | "metadata" | "namespace" | "generatorOptions"
                | "labels" | "commonAnnotations" => {}
                "resources" => {
                    for entry in value.as_list().unwrap_or_default() {
                        objects.extend(self.resource(
                            folder,
                            entry.as_str().unwrap_or_default(),
                            depth,
                        ));
                    }
                }
                "configMapGenerator" => {}
                key => self.unread.push(format!(
                    "`{key}` of {folder}/kustomization.yaml is not followed"
                )),
            }
        }
        let generators = map.get("configMapGenerator").and_then(Node::as_list);
        for generator in generators.unwrap_or_default() {
            objects.extend(self.config_map(folder, generator, map.get("generatorOptions")));
        }
        for object in &mut objects {
            add_all(
                &mut object.node,
                "annotations",
                map.get("commonAnnotations"),
            );
            for labels in map
                .get("labels")
                .and_then(Node::as_list)
                .unwrap_or_default()
            {
                add_all(&mut object.node, "labels", labels.get("pairs"));
            }
            if let Some(namespace) = map.get("namespace").and_then(Node::as_str) {
                set(&mut object.node, &["metadata", "namespace"], namespace);
            }
        }
        objects
    }

    fn kustomization(&self, folder: &str) -> Option<Node> {
        let path = format!("{folder}/kustomization.yaml");
        let rendered = self.tree.objects.iter().find(|it| it.file == path);
        if let Some(object) = rendered {
            return Some(object.node.clone());
        }
        let names = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
        let text = names
            .iter()
            .find_map(|name| (self.tree.read)(&format!("{folder}/{name}")))?;
        objects_of(&path, &text)
            .into_iter()
            .next()
            .map(|object| object.node)
    }

    /// What one entry of `resources` leads to.
    fn resource(&mut self, folder: &str, entry: &str, depth: usize) -> Vec<Object> {
        let is_remote = entry.contains("://") || entry.starts_with("github.com/");
        let path = normal(&format!("{folder}/{entry}")).filter(|_| !is_remote);
        let Some(path) = path else {
            self.unread.push(format!(
                "{entry}, which {folder}/kustomization.yaml lists, is not in the tree"
            ));
            return Vec::new();
        };
        let rendered: Vec<Object> = self
            .tree
            .objects
            .iter()
            .filter(|it| it.file == path)
            .cloned()
            .collect();
        if !rendered.is_empty() {
            return rendered;
        }
        if let Some(text) = (self.tree.read)(&path) {
            return objects_of(&path, &text);
        }
        if self.kustomization(&path).is_some() {
            return self.folder(&path, depth + 1);
        }
        self.unread.push(format!(
            "{path}, which {folder}/kustomization.yaml lists, can't be read"
        ));
        Vec::new()
    }

    /// The ConfigMap that a generator makes of files and literals.
    fn config_map(
        &mut self,
        folder: &str,
        generator: &Node,
        options: Option<&Node>,
    ) -> Option<Object> {
        let name = generator.get("name").and_then(Node::as_str)?;
        let file = format!("{folder}/kustomization.yaml");
        let own = generator.get("options");
        let option = |key: &str| {
            own.and_then(|it| it.get(key))
                .or(options.and_then(|it| it.get(key)))
        };
        if option("disableNameSuffixHash").and_then(Node::as_bool) != Some(true) {
            self.unread.push(format!(
                "the name of ConfigMap {name}, which {file} makes, ends with a hash"
            ));
            return None;
        }
        let mut data = Map::default();
        for entry in texts(generator.get("files")) {
            let (key, path) = match entry.split_once('=') {
                Some((key, path)) => (key, path),
                None => (entry.rsplit('/').next().unwrap_or(entry), entry),
            };
            let Some(text) = self.text(folder, path) else {
                self.unread.push(format!(
                    "{path}, of which {file} makes ConfigMap {name}, can't be read"
                ));
                return None;
            };
            data.insert(key, Node::string(text));
        }
        for entry in texts(generator.get("literals")) {
            if let Some((key, value)) = entry.split_once('=') {
                data.insert(key, Node::string(value.trim_matches(['"', '\''])));
            }
        }
        let mut node = Node::map();
        set(&mut node, &["apiVersion"], "v1");
        set(&mut node, &["kind"], "ConfigMap");
        set(&mut node, &["metadata", "name"], name);
        if let Some(namespace) = generator.get("namespace").and_then(Node::as_str) {
            set(&mut node, &["metadata", "namespace"], namespace);
        }
        for kind in ["labels", "annotations"] {
            add_all(&mut node, kind, options.and_then(|it| it.get(kind)));
            add_all(&mut node, kind, own.and_then(|it| it.get(kind)));
        }
        node.as_map_mut()?
            .insert("data", Node::new(Kind::Map(data), None));
        Some(Object {
            node,
            origins: None,
            file,
        })
    }

    fn text(&self, folder: &str, path: &str) -> Option<String> {
        let path = normal(&format!("{folder}/{path}"))?;
        match self.tree.texts.get(path.as_str()) {
            Some(text) => Some((*text).to_owned()),
            None => (self.tree.read)(&path),
        }
    }
}

fn texts(list: Option<&Node>) -> impl Iterator<Item = &str> {
    let list = list.and_then(Node::as_list).unwrap_or_default();
    list.iter().filter_map(Node::as_str)
}

fn objects_of(path: &str, text: &str) -> Vec<Object> {
    let mut sources = Sources::default();
    let id = sources.add(path, text);
    let (documents, _) = manifest::read(&sources, id);
    let nodes = documents
        .iter()
        .flat_map(|document| manifest::items(&document.node));
    nodes
        .map(|node| Object {
            node: node.clone(),
            origins: None,
            file: path.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KS: &str = "apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: app}
spec:
  path: ./apps/app
  prune: true
  targetNamespace: network
  commonMetadata: {labels: {team: edge}}
";
    const INDEX: &str = "apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [./a.yaml, ../own, https://example.com/x.yaml]
configMapGenerator:
  - {name: script, files: [resources/a.lua]}
generatorOptions: {disableNameSuffixHash: true, annotations: {x: z}}
patches: []
";

    fn bundles(files: &[(&str, &str)], disk: &[(&str, &str)]) -> Vec<Bundle> {
        let objects: Vec<Object> = files
            .iter()
            .filter(|(path, _)| path.ends_with(".yaml"))
            .flat_map(|(path, text)| objects_of(path, text))
            .collect();
        let disk: BTreeMap<String, String> = disk
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect();
        Tree {
            objects: &objects,
            texts: files.iter().copied().collect(),
            read: &|path| disk.get(path).cloned(),
            namespace: "flux",
        }
        .bundles()
    }

    #[test]
    fn a_folder_becomes_what_flux_applies() {
        let all = bundles(
            &[
                ("apps/ks.yaml", KS),
                ("apps/app/kustomization.yaml", INDEX),
                (
                    "apps/app/a.yaml",
                    "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n",
                ),
                ("apps/app/resources/a.lua", "return 1"),
            ],
            &[
                ("apps/own/kustomization.yaml", "resources: [b.yaml]\n"),
                (
                    "apps/own/b.yaml",
                    "apiVersion: v1\nkind: Secret\nmetadata: {name: b}\n",
                ),
            ],
        );
        let names = |bundle: &Bundle| -> Vec<String> {
            bundle
                .objects
                .iter()
                .map(|it| it.identity().to_string())
                .collect()
        };
        assert_eq!(names(&all[0]), ["Kustomization flux/app"]);
        assert_eq!(
            names(&all[1]),
            [
                "Service network/a",
                "Secret network/b",
                "ConfigMap network/script"
            ]
        );
        assert!(all[1].prunes);
        let script = all[1].objects[2].node.to_json();
        assert_eq!(script["data"]["a.lua"], "return 1");
        assert_eq!(script["metadata"]["annotations"]["x"], "z");
        assert_eq!(script["metadata"]["labels"]["team"], "edge");
        assert_eq!(
            script["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/namespace"],
            "flux"
        );
        assert_eq!(
            all[1].unread,
            [
                "https://example.com/x.yaml, which apps/app/kustomization.yaml lists, is not in the tree",
                "`patches` of apps/app/kustomization.yaml is not followed",
            ]
        );
    }

    #[test]
    fn circles_and_paths_out_of_the_root_are_not_followed() {
        let circle = "resources: [../app, ../../../etc/passwd]\n";
        let all = bundles(
            &[
                ("apps/ks.yaml", KS),
                ("apps/app/kustomization.yaml", circle),
            ],
            &[],
        );
        assert_eq!(all[1].unread.len(), 2, "{:?}", all[1].unread);
        assert!(all[1].objects.is_empty());
    }
}
