//! The files of a repository, and their documents.

use std::collections::{BTreeMap, HashMap};

use crate::compile::World;
use crate::render::files::{Inputs, Output};
use manifest::diagnostic::{Diagnostic, SourceId, Sources};
use manifest::read;
use manifest::value::Node;

/// A repository: its manifests and scripts, by their paths from the root, with `/`.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// The files that could be read.
    pub texts: BTreeMap<String, String>,
    /// The files that could not be read, each with the reason as the end of a sentence.
    pub unreadable: BTreeMap<String, String>,
    /// The path from the root of the Git repository to the folder that paths are relative to; empty if they are the
    /// same.
    pub prefix: String,
}

impl Inputs for Files {
    fn read(&self, path: &str) -> Option<String> {
        self.texts.get(path).cloned()
    }

    fn read_output(&self, path: &str) -> Output {
        match self.read(path) {
            Some(text) => Output::Text(text),
            None if self.unreadable.contains_key(path) => Output::Unreadable,
            None => Output::Nothing,
        }
    }
}

impl World for Files {
    fn list(&self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn prefix(&self) -> String {
        self.prefix.clone()
    }
}

/// The documents of a file.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The file, for places in findings.
    pub source: SourceId,
    /// Its documents, in order.
    pub nodes: Vec<Node>,
    /// Its errors.
    pub problems: Vec<Diagnostic>,
}

/// Parses each file once.
pub struct Reader<'a> {
    /// The files.
    pub files: &'a Files,
    /// The texts that findings refer to.
    pub sources: Sources,
    parsed: HashMap<String, Parsed>,
}

impl<'a> Reader<'a> {
    /// Creates a reader of these files.
    pub fn new(files: &'a Files) -> Self {
        Reader {
            files,
            sources: Sources::default(),
            parsed: HashMap::new(),
        }
    }

    /// The documents of a file; none if it doesn't exist.
    pub fn read(&mut self, path: &str) -> Parsed {
        if let Some(parsed) = self.parsed.get(path) {
            return parsed.clone();
        }
        let text = self.files.texts.get(path).map_or("", String::as_str);
        let source = self.sources.add(path, text);
        let (documents, problems) = read::read(&self.sources, source);
        let parsed = Parsed {
            source,
            nodes: documents
                .into_iter()
                .map(|document| document.node)
                .collect(),
            problems,
        };
        self.parsed.insert(path.to_owned(), parsed.clone());
        parsed
    }
}

/// The folder of a path; empty for the root.
pub fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The last component of a path.
pub fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The path of a file in a folder.
pub fn join(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}

/// The path relative to a folder; `None` if it is not below the folder.
pub fn below<'a>(folder: &str, path: &'a str) -> Option<&'a str> {
    if folder.is_empty() {
        return Some(path);
    }
    path.strip_prefix(folder)?.strip_prefix('/')
}

/// The path from the root of a path relative to a folder; `None` if it leads out of the root, or is a URL.
pub fn resolve(folder: &str, path: &str) -> Option<String> {
    if path.contains("://") || path.starts_with('/') || path.contains('?') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
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

/// Whether a file name is that of a manifest.
pub fn is_manifest(path: &str) -> bool {
    path.ends_with(".yaml") || path.ends_with(".yml")
}

/// The string at a path; empty if there is none.
pub fn text<'a>(node: &'a Node, path: &[&str]) -> &'a str {
    node.path(path).and_then(Node::as_str).unwrap_or_default()
}

/// The API group of an object.
pub fn group_of(node: &Node) -> &str {
    text(node, &["apiVersion"])
        .split_once('/')
        .map_or("", |(group, _)| group)
}

/// Whether an object has this group and kind.
pub fn is(node: &Node, group: &str, kind: &str) -> bool {
    text(node, &["kind"]) == kind && group_of(node) == group
}

/// The group of the Gateway API.
pub const GATEWAY_API: &str = "gateway.networking.k8s.io";
/// The group of Envoy Gateway.
pub const ENVOY: &str = "gateway.envoyproxy.io";
/// The group of Flux's Kustomizations.
pub const FLUX: &str = "kustomize.toolkit.fluxcd.io";

/// The strings in a list under a key. Other elements are left out.
pub fn texts<'a>(node: &'a Node, key: &str) -> Vec<&'a str> {
    let items = node.get(key).and_then(Node::as_list).unwrap_or_default();
    items.iter().filter_map(Node::as_str).collect()
}
