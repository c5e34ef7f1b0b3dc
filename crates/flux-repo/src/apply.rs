//! Objects as Flux sends them to the API server.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::build::keeps_its_name;
use super::scope::is_cluster_scoped;
use super::{Delivery, DeliveryPath};
use manifest::Object;
use manifest::value::{Map, Node};

/// The objects with the namespace, name, labels and annotations that kustomize and Flux give them, in the order of
/// [`Delivery::copies`]. Values keep their places in the files; added values have none.
///
/// The result has no patches, and no objects that kustomizations leave out ([`Delivery::is_left_out`]). An object that
/// is applied several times, with different namespaces or names (for example by a component), is in the result once
/// for each.
pub fn as_applied(objects: &[Object], delivery: &Delivery) -> Vec<Object> {
    applied(objects, delivery)
        .into_iter()
        .map(Cow::into_owned)
        .collect()
}

/// Like [`as_applied`], but borrows the objects that do not change.
pub fn applied<'a>(objects: &'a [Object], delivery: &Delivery) -> Vec<Cow<'a, Object>> {
    delivery
        .copies()
        .filter_map(|(at, way)| Some(applied_copy(objects.get(at)?, way)))
        .collect()
}

/// An object as one of its ways applies it, borrowed if it does not change.
pub fn applied_copy<'a>(object: &'a Object, way: Option<&DeliveryPath>) -> Cow<'a, Object> {
    match way.filter(|way| changes(way, object)) {
        Some(way) => Cow::Owned(applied_by(object, way)),
        None => Cow::Borrowed(object),
    }
}

/// Whether a way changes an object.
fn changes(way: &DeliveryPath, object: &Object) -> bool {
    let is_moved = namespace_by(object, way).is_some_and(|to| to != object.namespace());
    is_moved
        || name_by(object, way) != object.name()
        || !(way.labels.is_empty() && way.annotations.is_empty())
}

/// The namespace that a way gives an object, if it gives one.
fn namespace_by<'a>(object: &Object, way: &'a DeliveryPath) -> Option<&'a str> {
    let default = way.default_namespace.as_deref();
    let default = default.filter(|_| object.namespace().is_empty());
    way.namespace.as_deref().or(default)
}

/// The name that a way gives an object. A `namespace:` of a kustomization also renames Namespaces.
pub(crate) fn name_by<'a>(object: &'a Object, way: &'a DeliveryPath) -> Cow<'a, str> {
    let is_namespace = object.kind() == "Namespace" && object.group().is_empty();
    match &way.namespace {
        Some(namespace) if is_namespace => Cow::Borrowed(namespace),
        _ if way.prefix.is_empty() && way.suffix.is_empty() => Cow::Borrowed(object.name()),
        _ if keeps_its_name(object.group(), object.kind()) => Cow::Borrowed(object.name()),
        _ => Cow::Owned(format!("{}{}{}", way.prefix, object.name(), way.suffix)),
    }
}

/// An object with the namespace, name, labels and annotations that a way gives it.
pub fn applied_by(object: &Object, way: &DeliveryPath) -> Object {
    let mut copy = object.clone();
    let is_scoped = is_cluster_scoped(object.group(), object.kind());
    let name = name_by(object, way).into_owned();
    let Some(metadata) = copy
        .node
        .as_map_mut()
        .and_then(|map| map.get_mut("metadata"))
        .and_then(Node::as_map_mut)
    else {
        return copy;
    };
    if let (Some(namespace), false) = (namespace_by(object, way), is_scoped) {
        set(metadata, "namespace", namespace);
    }
    set(metadata, "name", &name);
    add(metadata, "labels", &way.labels);
    add(metadata, "annotations", &way.annotations);
    copy
}

/// Sets a string. It keeps the place of the value that it replaces.
fn set(map: &mut Map, key: &str, text: &str) {
    if map.get(key).and_then(Node::as_str) == Some(text) {
        return;
    }
    let mut node = Node::string(text);
    node.span = map.get(key).and_then(|old| old.span);
    match map.get_mut(key) {
        Some(old) => *old = node,
        None => {
            map.insert(key, node);
        }
    }
}

fn add(metadata: &mut Map, key: &str, pairs: &BTreeMap<String, String>) {
    if pairs.is_empty() {
        return;
    }
    if metadata.get(key).and_then(Node::as_map).is_none() {
        metadata.insert(key, Node::map());
    }
    if let Some(map) = metadata.get_mut(key).and_then(Node::as_map_mut) {
        for (name, value) in pairs {
            set(map, name, value);
        }
    }
}
