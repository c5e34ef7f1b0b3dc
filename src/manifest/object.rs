//! A document with an identity.

use std::fmt;

use super::root::{Part, Root};
use crate::diagnostic::{ObjectRef, Span};
use crate::value::{Node, Pointer};

/// What makes an object the same object on both sides of a comparison: its group and kind, namespace and
/// name. The version is not part of it, one object is served in several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The namespace as written; empty where none is.
    pub namespace: String,
    /// The name; empty where none is.
    pub name: String,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.kind)?;
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.name)
    }
}

/// The objects of a document: those of a list, as `kubectl get -o yaml` prints one, else the document itself.
pub fn items(document: &Node) -> impl Iterator<Item = &Node> {
    let is_list = document
        .get("kind")
        .and_then(Node::as_str)
        .is_some_and(|kind| kind.ends_with("List"));
    let items = document.get("items").filter(|_| is_list);
    match items.and_then(Node::as_list) {
        Some(items) => items.iter(),
        None => std::slice::from_ref(document).iter(),
    }
}

/// A Kubernetes object as a manifest has it.
#[derive(Clone, Debug)]
pub struct Object {
    /// The object, with places in the manifest's file.
    pub node: Root,
    /// The same object with places in `cluster.toml`, where it was rendered from there.
    pub origins: Option<Node>,
    /// The file, as shown.
    pub file: String,
}

impl Object {
    /// An object of a file that nobody rendered.
    pub fn new(node: impl Into<Root>, file: impl Into<String>) -> Self {
        Object {
            node: node.into(),
            origins: None,
            file: file.into(),
        }
    }

    /// `apiVersion` as written.
    pub fn api_version(&self) -> &str {
        self.node.text(Part::ApiVersion)
    }

    /// `kind` as written.
    pub fn kind(&self) -> &str {
        self.node.text(Part::Kind)
    }

    /// `metadata.name` as written.
    pub fn name(&self) -> &str {
        self.node.text(Part::Name)
    }

    /// `metadata.namespace` as written.
    pub fn namespace(&self) -> &str {
        self.node.text(Part::Namespace)
    }

    /// The API group: the part of `apiVersion` before the slash.
    pub fn group(&self) -> &str {
        self.api_version()
            .split_once('/')
            .map_or("", |(group, _)| group)
    }

    /// The version: the part of `apiVersion` after the slash.
    pub fn version(&self) -> &str {
        let text = self.api_version();
        text.split_once('/').map_or(text, |(_, version)| version)
    }

    /// What it is the same as.
    pub fn identity(&self) -> Identity {
        Identity {
            group: self.group().to_owned(),
            kind: self.kind().to_owned(),
            namespace: self.namespace().to_owned(),
            name: self.name().to_owned(),
        }
    }

    /// The object as a finding names it.
    pub fn reference(&self) -> ObjectRef {
        ObjectRef {
            api_version: self.api_version().to_owned(),
            kind: self.kind().to_owned(),
            namespace: self.namespace().to_owned(),
            name: self.name().to_owned(),
        }
    }

    /// The place in the file of what `pointer` leads to, or of the nearest thing above it.
    pub fn span(&self, pointer: &Pointer) -> Option<Span> {
        self.node.nearest_span(pointer)
    }

    /// The place to change for what `pointer` leads to: in `cluster.toml` where it comes from there, else in the file.
    pub fn place_to_change(&self, pointer: &Pointer) -> Option<Span> {
        self.origin(pointer).or_else(|| self.span(pointer))
    }

    /// The place in `cluster.toml` of what `pointer` leads to, or of the nearest thing above it.
    pub fn origin(&self, pointer: &Pointer) -> Option<Span> {
        self.origins.as_ref()?.nearest_span(pointer)
    }
}
