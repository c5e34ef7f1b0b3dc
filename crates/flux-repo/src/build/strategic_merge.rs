//! Strategic merge patches, as kustomize applies them (kyaml's `merge2` and `walk`).
//!
//! A walk goes over the target and the patch at the same time. Nulls of the patch remove values, and maps are merged.
//! Lists are replaced, unless the kind's schema says by which keys their items are merged ([`super::merge_keys`]); the
//! items of the patch then come first.

mod list;

use super::fields::is_blank;
use super::merge_keys::Type;
use manifest::value::{Kind, Map, Node};

/// What `$patch` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

/// The key of a directive.
const DIRECTIVE: &str = "$patch";

/// Where a merged value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    /// It is the target's value, with changes.
    Target,
    /// It is the patch's value.
    Patch,
}

/// The merged value. `None` means that it is removed.
type Merged = Result<Option<(Node, From)>, String>;

/// Applies a patch to an object. The result is `None` if the patch deletes it.
///
/// # Errors
/// If target and patch have values of different types at the same place.
pub(super) fn apply(target: Node, patch: Node, kind: Option<Type>) -> Result<Option<Node>, String> {
    Ok(merge(Some(target), Some(patch), kind, None)?.map(|(node, _)| node))
}

/// Whether a value is missing or null.
fn is_nothing(node: Option<&Node>) -> bool {
    node.is_none_or(is_blank)
}

fn merge(
    target: Option<Node>,
    patch: Option<Node>,
    kind: Option<Type>,
    keys: Option<&'static [&'static str]>,
) -> Merged {
    let first = [&target, &patch]
        .into_iter()
        .flatten()
        .find(|node| !is_blank(node));
    let expected = first.map(shape);
    let nodes = [&target, &patch];
    let differs = nodes
        .into_iter()
        .flatten()
        .any(|node| !is_blank(node) && Some(shape(node)) != expected);
    if differs {
        let found = nodes.map(|node| node.as_ref().map_or("nothing", Node::type_name));
        return Err(format!(
            "the patch has a value of another type: {} instead of {}",
            found[1], found[0]
        ));
    }
    match expected {
        None | Some("map") => merge_maps(target, patch, kind),
        Some("list") => match keys {
            Some(keys) => list::merge(target, patch, kind, keys),
            None => Ok(either(target, patch)),
        },
        Some(_) => Ok(scalar(target, patch)),
    }
}

/// The patch's scalar. It is written in the style of the target, so in place of a text in quotes it is a text.
fn scalar(target: Option<Node>, patch: Option<Node>) -> Option<(Node, From)> {
    let is_quoted = target.as_ref().is_some_and(|target| {
        let length = target.span.map(|span| span.range().len());
        let text = target.as_str();
        text.is_some_and(|text| length.is_some_and(|length| length != text.len()))
    });
    let (mut node, from) = either(target, patch)?;
    if let (From::Patch, true, Some(text)) = (from, is_quoted, super::resource::text_of(&node)) {
        node.kind = Kind::String(text);
    }
    Some((node, from))
}

fn shape(node: &Node) -> &'static str {
    match node.kind {
        Kind::Map(_) => "map",
        Kind::List(_) => "list",
        _ => "scalar",
    }
}

/// The patch's value if there is one. A null removes the value.
fn either(target: Option<Node>, patch: Option<Node>) -> Option<(Node, From)> {
    match patch {
        Some(patch) => Some(patch)
            .filter(|patch| !is_blank(patch))
            .map(|patch| (patch, From::Patch)),
        None => target.map(|target| (target, From::Target)),
    }
}

fn merge_maps(target: Option<Node>, patch: Option<Node>, kind: Option<Type>) -> Merged {
    if is_nothing(target.as_ref()) {
        let Some(mut patch) = patch else {
            // kustomize keeps a null that is written as one, and drops an empty value.
            let kept = target.filter(|node| node.span.is_none_or(|span| span.start < span.end));
            return Ok(kept.map(|node| (node, From::Target)));
        };
        if is_blank(&patch)
            || directive_of(&mut patch).unwrap_or(Directive::Merge) == Directive::Delete
        {
            return Ok(None);
        }
        return walk_alone(patch, kind);
    }
    let Some(mut patch) = patch else {
        return walk_fields(target, None, kind);
    };
    if is_blank(&patch) {
        return Ok(None);
    }
    match directive_of(&mut patch)? {
        Directive::Delete => Ok(None),
        Directive::Replace => walk_alone(patch, kind),
        Directive::Merge => walk_fields(target, Some(patch), kind),
    }
}

/// The map of a patch that stands for itself: directives and nulls in it are processed.
fn walk_alone(patch: Node, kind: Option<Type>) -> Merged {
    let merged = walk_fields(Some(patch.clone()), Some(patch), kind)?;
    Ok(merged.map(|(node, _)| (node, From::Patch)))
}

fn walk_fields(target: Option<Node>, patch: Option<Node>, kind: Option<Type>) -> Merged {
    let Some(target) = target else {
        return Ok(None);
    };
    let span = target.span;
    let Kind::Map(target) = target.kind else {
        return Ok(Some((target, From::Target)));
    };
    let mut patch = match patch.map(|patch| patch.kind) {
        Some(Kind::Map(patch)) => patch,
        _ => Map::default(),
    };
    let mut merged = Map::default();
    let typed = |key: &str| kind.map_or((None, None), |kind| kind.field(key));
    for (key, mut entry) in target.into_entries() {
        let (below, keys) = typed(&key);
        let own = patch.remove(&key);
        let key_span = entry.key_span;
        if let Some((value, from)) = merge(
            Some(entry.value),
            own.as_ref().map(|own| own.value.clone()),
            below,
            keys,
        )? {
            entry = manifest::value::Entry {
                key_span: match from {
                    From::Patch => own.and_then(|own| own.key_span).or(key_span),
                    From::Target => key_span,
                },
                value,
            };
            merged.insert_entry(key, entry);
        }
    }
    for (key, entry) in patch.into_entries() {
        let (below, keys) = typed(&key);
        let key_span = entry.key_span;
        if let Some((value, _)) = merge(None, Some(entry.value), below, keys)? {
            merged.insert_entry(key, manifest::value::Entry { key_span, value });
        }
    }
    Ok(Some((Node::new(Kind::Map(merged), span), From::Target)))
}

/// Removes the directive of a map and returns it.
fn directive_of(patch: &mut Node) -> Result<Directive, String> {
    let Some(map) = patch.as_map_mut() else {
        return Ok(Directive::Merge);
    };
    let directive = map.get(DIRECTIVE).and_then(super::resource::text_of);
    match directive {
        None => Ok(Directive::Merge),
        Some(text) => {
            let directive = named(&text)?;
            map.remove(DIRECTIVE);
            Ok(directive)
        }
    }
}

fn named(text: &str) -> Result<Directive, String> {
    match text {
        "merge" => Ok(Directive::Merge),
        "replace" => Ok(Directive::Replace),
        "delete" => Ok(Directive::Delete),
        other => Err(format!("{DIRECTIVE} can't be {other:?}")),
    }
}
