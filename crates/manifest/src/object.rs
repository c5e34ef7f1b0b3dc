//! Kubernetes objects and their identity.

use std::fmt;

use super::root::{HeadingPart, Root};
use crate::diagnostic::{ObjectRef, Span};
use crate::value::{Node, Pointer};

/// Identifies an object in comparisons, by group, kind, namespace and name. The version is not included,
/// because the same object can be served in several versions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind, such as `Gateway`.
    pub kind: String,
    /// The namespace in the manifest; empty if it has none.
    pub namespace: String,
    /// The name; empty if there is none.
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

/// The objects of a document: the items of a list as `kubectl get -o yaml` prints it, or else the document
/// itself.
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

/// A Kubernetes object from a manifest.
#[derive(Clone, Debug)]
pub struct Object {
    /// The object, with its positions in the manifest.
    pub node: Root,
    /// The same object with its positions in `cluster.toml`, if it was rendered from there.
    pub origins: Option<Node>,
    /// The path of the file to show.
    pub file: String,
    /// Whether it is made from a template in the file, for example by a ResourceSet, so that kustomize doesn't see it.
    pub is_made: bool,
}

impl Object {
    /// An object from a file that was not rendered.
    pub fn new(node: impl Into<Root>, file: impl Into<String>) -> Self {
        Object {
            node: node.into(),
            origins: None,
            file: file.into(),
            is_made: false,
        }
    }

    /// The `apiVersion` in the manifest; empty if there is none.
    pub fn api_version(&self) -> &str {
        self.node.heading_part(HeadingPart::ApiVersion)
    }

    /// The `kind` in the manifest; empty if there is none.
    pub fn kind(&self) -> &str {
        self.node.heading_part(HeadingPart::Kind)
    }

    /// The `metadata.name` in the manifest; empty if there is none.
    pub fn name(&self) -> &str {
        self.node.heading_part(HeadingPart::Name)
    }

    /// The `metadata.namespace` in the manifest; empty if there is none.
    pub fn namespace(&self) -> &str {
        self.node.heading_part(HeadingPart::Namespace)
    }

    /// The API group, which is the part of `apiVersion` before the slash; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version()
            .split_once('/')
            .map_or("", |(group, _)| group)
    }

    /// The version, which is the part of `apiVersion` after the slash.
    pub fn version(&self) -> &str {
        let text = self.api_version();
        text.split_once('/').map_or(text, |(_, version)| version)
    }

    /// The identity of the object.
    pub fn identity(&self) -> Identity {
        Identity {
            group: self.group().to_owned(),
            kind: self.kind().to_owned(),
            namespace: self.namespace().to_owned(),
            name: self.name().to_owned(),
        }
    }

    /// The reference that findings use for the object.
    pub fn reference(&self) -> ObjectRef {
        ObjectRef {
            api_version: self.api_version().to_owned(),
            kind: self.kind().to_owned(),
            namespace: self.namespace().to_owned(),
            name: self.name().to_owned(),
        }
    }

    /// The position in the file of the value at `pointer`, or of its nearest parent.
    pub fn span(&self, pointer: &Pointer) -> Option<Span> {
        self.node.nearest_span(pointer)
    }

    /// The position in `cluster.toml` of the value at `pointer`, or of its nearest parent.
    pub fn origin(&self, pointer: &Pointer) -> Option<Span> {
        self.origins.as_ref()?.nearest_span(pointer)
    }

    /// The position in `cluster.toml` that comes nearest to a value that nobody has written there, because a template
    /// writes it: that of the first value below `pointer` (of a part with a name, only the name and the hostname, because
    /// its other values may be shared with other parts), or else that of the object's name.
    pub fn nearest_origin(&self, pointer: &Pointer) -> Option<Span> {
        let origins = self.origins.as_ref()?;
        let below = origins.at(pointer).and_then(|part| match part.get("name") {
            Some(name) => name.span.or_else(|| part.get("hostname")?.span),
            None => part.first_span(),
        });
        let name = Pointer::root().key("metadata").key("name");
        below.or_else(|| origins.at(&name)?.span)
    }

    /// The place to change for the value at `pointer`: in `cluster.toml` if it comes from there, otherwise in the file.
    pub fn place_to_change(&self, pointer: &Pointer) -> Option<Span> {
        self.origin(pointer).or_else(|| self.span(pointer))
    }
}
