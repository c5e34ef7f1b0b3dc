//! The metadata of what charts create.

use super::template::TemplateValues;
use super::{RELEASE, spanned};
use crate::index::GATEWAY_API;
use crate::view::RouteKind;
use manifest::Object;
use manifest::value::{Kind, Map, Node, variable};

/// The metadata of an object: its labels and annotations are those of `block`, and the annotation that Helm adds.
pub(super) fn metadata(
    fill: &TemplateValues<'_>,
    block: &Node,
    name: &str,
    namespace: &str,
) -> Node {
    let mut metadata: Map = [("name", Node::string(name))].into_iter().collect();
    // The value of a Flux variable in the namespace is not known.
    if !(namespace.is_empty() || variable::in_text(namespace)) {
        metadata.insert("namespace", Node::string(namespace));
    }
    metadata.insert("annotations", annotations(fill, block));
    if let Some(labels) = block.get("labels") {
        metadata.insert("labels", fill.node(labels));
    }
    spanned(Kind::Map(metadata), block)
}

fn annotations(fill: &TemplateValues<'_>, block: &Node) -> Node {
    let given = block.get("annotations").map(|given| fill.node(given));
    let mut node = match given {
        Some(node) if node.as_map().is_some() => node,
        _ => Node::map(),
    };
    if let Some(map) = node.as_map_mut() {
        map.insert(RELEASE, Node::string(fill.name.clone()));
    }
    node
}

/// A route whose places are those of `block`.
pub(super) fn route(
    kind: RouteKind,
    metadata: Node,
    spec: Map,
    block: &Node,
    file: &str,
) -> Object {
    let version = match kind {
        RouteKind::Http | RouteKind::Grpc => "v1",
        _ => "v1alpha2",
    };
    let api_version = format!("{GATEWAY_API}/{version}");
    object(&api_version, kind.as_str(), metadata, spec, block, file)
}

/// An object whose places are those of `block`.
pub(super) fn object(
    api_version: &str,
    kind: &str,
    metadata: Node,
    spec: Map,
    block: &Node,
    file: &str,
) -> Object {
    let top: Map = [
        ("apiVersion", Node::string(api_version)),
        ("kind", Node::string(kind)),
        ("metadata", metadata),
        ("spec", spanned(Kind::Map(spec), block)),
    ]
    .into_iter()
    .collect();
    Object::new(spanned(Kind::Map(top), block), file)
}
