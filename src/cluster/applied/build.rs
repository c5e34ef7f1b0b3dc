//! A folder as kustomize builds it.

use std::collections::BTreeSet;

use super::{Tree, add_all, set};
use crate::diagnostic::Sources;
use crate::manifest::{self, Object};
use crate::value::path::{below, join_within};
use crate::value::{Kind, Map, Node};

/// How deep folders list folders.
const DEEPEST: usize = 16;

/// One walk through the folders that a Kustomization reads.
pub(super) struct Build<'a> {
    pub(super) tree: &'a Tree<'a>,
    pub(super) unread: Vec<String>,
    pub(super) seen: BTreeSet<String>,
}

impl Build<'_> {
    /// A folder's objects as kustomize builds them.
    pub(super) fn folder(&mut self, folder: &str, depth: usize) -> Vec<Object> {
        if depth > DEEPEST || !self.seen.insert(folder.to_owned()) {
            self.unread.push(format!("{folder} is listed in a circle"));
            return Vec::new();
        }
        let Some(own) = self.kustomization(folder) else {
            // Flux makes a kustomization of all files then; the rendered ones are known.
            let all = self.tree.objects.iter();
            return all
                .filter(|it| below(folder, &it.file).is_some())
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
            return Some(object.node.clone().into_node());
        }
        let names = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
        let text = names
            .iter()
            .find_map(|name| (self.tree.read)(&format!("{folder}/{name}")))?;
        objects_of(&path, &text)
            .into_iter()
            .next()
            .map(|object| object.node.into_node())
    }

    /// What one entry of `resources` leads to.
    fn resource(&mut self, folder: &str, entry: &str, depth: usize) -> Vec<Object> {
        let is_remote = entry.contains("://") || entry.starts_with("github.com/");
        let path = join_within(folder, entry).filter(|_| !is_remote);
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
        Some(Object::new(node, file))
    }

    fn text(&self, folder: &str, path: &str) -> Option<String> {
        let path = join_within(folder, path)?;
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

pub(super) fn objects_of(path: &str, text: &str) -> Vec<Object> {
    let mut sources = Sources::default();
    let id = sources.add(path, text);
    let (documents, _) = manifest::read(&sources, id);
    let nodes = documents
        .iter()
        .flat_map(|document| manifest::items(&document.node));
    nodes.map(|node| Object::new(node.clone(), path)).collect()
}
