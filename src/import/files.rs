//! The files of a repository, and their documents.

use std::collections::{BTreeMap, HashMap};

use crate::compile::World;
use crate::render::files::{Inputs, Output};
use manifest::diagnostic::{Diagnostic, SourceId, Sources};
use manifest::read;

pub use flux_repo::FLUX;
use flux_repo::{EntryRole, Kustomization, kustomization_files};
use manifest::value::Node;
use manifest::value::path::is_outside;
pub use manifest::value::path::{below, folder as folder_of, join, name as name_of};

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

    /// The kustomization of a folder: its file, and its tree if that can be read.
    pub fn kustomization(&mut self, folder: &str) -> Option<(String, Option<Node>)> {
        let path = kustomization_files(folder).find(|path| self.files.texts.contains_key(path))?;
        let node = self.read(&path).nodes.into_iter().next();
        Some((path, node))
    }
}

/// What a kustomization applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The entry as it is written.
    pub text: String,
    /// What kustomize does with what is there.
    pub role: EntryRole,
    /// The path that it leads to; `None` where that is elsewhere than in these files.
    pub path: Option<String>,
}

/// All that a kustomization applies.
pub fn listed(files: &Files, file: &str, node: &Node) -> Vec<Listed> {
    let entries = Kustomization { file, node }.entries().into_iter();
    let entries = entries.filter(|entry| entry.role.is_applied());
    entries
        .map(|entry| {
            let is_elsewhere = entry.may_be_elsewhere && !files.texts.contains_key(&entry.path);
            let is_outside = is_outside(&entry.path);
            Listed {
                text: entry.text.to_owned(),
                role: entry.role,
                path: (!is_elsewhere && !is_outside).then_some(entry.path),
            }
        })
        .collect()
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

/// The only item of the list at a path; `None` if there are more or fewer.
pub fn only_item<'a>(node: &'a Node, path: &[&str]) -> Option<&'a Node> {
    match node.path(path)?.as_list()? {
        [one] => Some(one),
        _ => None,
    }
}

/// The strings in a list under a key. Other elements are left out.
pub fn texts<'a>(node: &'a Node, key: &str) -> Vec<&'a str> {
    let items = node.get(key).and_then(Node::as_list).unwrap_or_default();
    items.iter().filter_map(Node::as_str).collect()
}
