//! `configMapGenerator` and `secretGenerator`: makes the objects and adds them to those that exist.

use data_encoding::BASE64;

use super::fields::{items, text};
use super::resource::{Behavior, Resource, set_value, size};
use super::state::{Accumulator, Layer, State, set_meta};
use super::{BuildPlace, Feature, FileContent};
use crate::generator::{Generator, KeyContent};
use crate::kustomization::Kustomization;
use manifest::Object;
use manifest::diagnostic::Span;
use manifest::value::{Kind, Map, Node, Pointer};

/// The length of the lines of Base64 in kustomize's output.
const LINE: usize = 70;

/// Generates the objects of a kustomization.
pub(super) fn generate<'a>(state: &mut State<'_, 'a>, layer: &Layer<'a>, all: &mut Accumulator) {
    for generator in Kustomization::of(&layer.object).generators() {
        let at = layer.spot(generator.pointer.clone());
        if !state.visit(all.resources.len(), &at) {
            return;
        }
        match object(state, layer, &generator) {
            Ok(resource) => {
                if state.spend(size(&resource.object.node), || at.clone()) {
                    absorb(state, &at, all, resource);
                }
            }
            Err(message) => state.refuse(at, message),
        }
    }
}

/// The object of a generator.
fn object<'a>(
    state: &mut State<'_, 'a>,
    layer: &Layer<'a>,
    generator: &Generator,
) -> Result<Resource, String> {
    let missing = Node::map();
    let item = layer.node().at(&generator.pointer).unwrap_or(&missing);
    if generator.name.is_empty() {
        return Err("a generator needs a name".to_owned());
    }
    let behavior = match text(item, "behavior") {
        "merge" => Behavior::Merge,
        "replace" => Behavior::Replace,
        _ => Behavior::Create,
    };
    let span = item.span;
    let placed = |text: &str| Node {
        span,
        ..Node::string(text)
    };
    let mut metadata = Map::default();
    let name = item.get("name").cloned();
    metadata.insert("name", name.unwrap_or_else(|| placed(&generator.name)));
    if let Some(namespace) = generator
        .namespace
        .as_deref()
        .filter(|text| !text.is_empty())
    {
        metadata.insert("namespace", placed(namespace));
    }
    let mut object = Map::default();
    object.insert("apiVersion", placed("v1"));
    object.insert("kind", placed(generator.kind));
    object.insert("metadata", Node::new(Kind::Map(metadata), span));
    let is_secret = generator.kind == "Secret";
    if is_secret {
        object.insert(
            "type",
            match text(item, "type") {
                "" => placed("Opaque"),
                kind => placed(kind),
            },
        );
        object.insert("data", Node::map());
    }
    for (key, value) in data(state, layer, generator, item)? {
        let (field, text) = match value.content {
            Value::Bytes(bytes) if is_secret => ("data", base64(&bytes)),
            Value::Text(text) if is_secret => ("data", base64(text.as_bytes())),
            Value::Bytes(bytes) => ("binaryData", base64(&bytes)),
            Value::Text(text) => ("data", text),
        };
        if let Some(map) = super::resource::child_map(&mut object, field) {
            set_value(map, &key, Node::new(Kind::String(text), value.span));
        }
    }
    let is_immutable = [layer.node().get("generatorOptions"), item.get("options")];
    let mut is_immutable = is_immutable.into_iter().flatten();
    if is_immutable.any(|options| options.get("immutable").and_then(Node::as_bool) == Some(true)) {
        object.insert("immutable", Node::new(Kind::Bool(true), span));
    }
    let mut resource = Resource::of(Object::new(
        Node::new(Kind::Map(object), span),
        &*layer.file,
    ));
    for (field, pairs) in [
        ("labels", &generator.labels),
        ("annotations", &generator.annotations),
    ] {
        for (key, value) in pairs {
            set_meta(&mut resource, field, key, placed(value));
        }
    }
    resource.needs_hash = generator.has_hash;
    resource.behavior = behavior;
    Ok(resource)
}

/// A generated value with its place.
struct Datum {
    content: Value,
    span: Option<Span>,
}

enum Value {
    Text(String),
    Bytes(Vec<u8>),
}

/// The generated data: of the lines of files, of literals and of files, in this order.
fn data<'a>(
    state: &mut State<'_, 'a>,
    layer: &Layer<'a>,
    generator: &Generator,
    item: &Node,
) -> Result<Vec<(String, Datum)>, String> {
    let mut data: Vec<(String, Datum)> = Vec::new();
    for (nth, file) in generator.env_files.iter().enumerate() {
        let pointer = generator.pointer.key("envs").index(nth);
        let Some(content) = content(state, layer, &pointer, file) else {
            continue;
        };
        let Ok(text) = std::str::from_utf8(&content.bytes) else {
            return Err(format!("{file} is no text"));
        };
        for (key, value) in crate::generator::env_lines(text) {
            let content = Value::Text(value.to_owned());
            data.push((
                key.to_owned(),
                Datum {
                    content,
                    span: item.span,
                },
            ));
        }
    }
    if let Some(literal) = items(item, "literals")
        .iter()
        .filter_map(Node::as_str)
        .find(|text| text.find('=').is_none_or(|at| at == 0))
    {
        return Err(format!("the literal {literal:?} must be KEY=VALUE"));
    }
    // The keys of files come first, then those of literals.
    let files = items(item, "files")
        .iter()
        .filter(|node| node.as_str().is_some());
    let literals = items(item, "literals")
        .iter()
        .filter(|node| node.as_str().is_some());
    let places = files.chain(literals).map(|node| node.span);
    for (nth, ((key, from), span)) in generator.keys.iter().zip(places).enumerate() {
        let pointer = generator.pointer.key("files").index(nth);
        let content = match from {
            KeyContent::Text(text) => Value::Text(text.clone()),
            KeyContent::File(file) => match content(state, layer, &pointer, file) {
                Some(content) => match String::from_utf8(content.bytes) {
                    Ok(text) => Value::Text(text),
                    Err(error) => Value::Bytes(error.into_bytes()),
                },
                None => continue,
            },
        };
        data.push((key.clone(), Datum { content, span }));
    }
    let mut keys: Vec<&str> = data.iter().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    if let Some(twice) = keys
        .windows(2)
        .find(|pair| matches!(pair, [a, b] if a == b))
    {
        return Err(format!(
            "the key {:?} is generated twice",
            twice.first().unwrap_or(&"")
        ));
    }
    if let Some(key) = keys.iter().find(|key| !is_key(key)) {
        return Err(format!("{key:?} can't be a key"));
    }
    Ok(data)
}

/// Whether a text can be a key of a ConfigMap.
fn is_key(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.is_empty()
        && text.len() <= 253
        && text.chars().all(is_part)
        && text != "."
        && !text.starts_with("..")
}

/// The content of a file that a generator names at `pointer`. It is reported if the file doesn't exist or if its content
/// is not given; the rest is generated nevertheless.
fn content<'a>(
    state: &mut State<'_, 'a>,
    layer: &Layer<'a>,
    pointer: &Pointer,
    file: &str,
) -> Option<FileContent> {
    let content = state.content(file);
    if content.is_none() {
        let at = layer.spot(pointer.clone());
        match state.is_file(file) {
            true => state.skip(Feature::Unread, at, file),
            false => state.refuse(at, format!("the file {file} doesn't exist")),
        }
    }
    content
}

/// Base64 in lines, if it is longer than one.
fn base64(bytes: &[u8]) -> String {
    let text = BASE64.encode(bytes);
    if text.len() < LINE {
        return text;
    }
    let mut lines = String::with_capacity(text.len() + text.len() / LINE + 1);
    let mut rest = text.as_str();
    while let Some((line, more)) = rest
        .split_at_checked(LINE.min(rest.len()))
        .filter(|(line, _)| !line.is_empty())
    {
        lines.push_str(line);
        lines.push('\n');
        rest = more;
    }
    lines
}

/// Adds a generated object, or merges it into the one that exists (kustomize's `appendReplaceOrMerge`).
fn absorb(state: &mut State<'_, '_>, at: &BuildPlace, all: &mut Accumulator, mut new: Resource) {
    let id = new.id();
    let is_same = |one: &Resource| one.ids().any(|there| there == id);
    let found: Vec<usize> = (0..)
        .zip(&all.resources)
        .filter(|(_, one)| is_same(one))
        .map(|(at, _)| at)
        .collect();
    let identity = new.object.identity();
    match (found.as_slice(), new.behavior) {
        ([], Behavior::Create) => all.resources.push(new),
        ([], _) => state.refuse(
            at.clone(),
            format!("{identity} doesn't exist, so nothing can be merged with it or replaced"),
        ),
        ([_], Behavior::Create) => state.refuse(
            at.clone(),
            format!(
                "{identity} exists already; the generator needs `behavior: merge` or `replace`"
            ),
        ),
        ([found], behavior) => {
            if let Some(old) = all.resources.get_mut(*found) {
                take_over(&mut new, old, behavior == Behavior::Merge);
                *old = new;
            }
        }
        _ => state.refuse(at.clone(), format!("{identity} exists several times")),
    }
}

/// What a generated object takes over from the one that it replaces.
fn take_over(new: &mut Resource, old: &Resource, is_merge: bool) {
    for field in ["labels", "annotations"] {
        let pairs = old
            .object
            .node
            .path(&["metadata", field])
            .and_then(Node::as_map);
        for (key, value) in pairs.into_iter().flat_map(Map::iter) {
            if new.meta_text(field, key).is_none() {
                set_meta(new, field, key, value.clone());
            }
        }
    }
    if is_merge && let Some(map) = new.map_mut() {
        for field in ["data", "binaryData"] {
            let pairs = old.object.node.get(field).and_then(Node::as_map);
            let missing: Vec<(String, Node)> = pairs
                .into_iter()
                .flat_map(Map::iter)
                .filter(|(key, _)| map.get(field).and_then(|there| there.get(key)).is_none())
                .map(|(key, value)| (key.to_owned(), value.clone()))
                .collect();
            if missing.is_empty() {
                continue;
            }
            if let Some(there) = super::resource::child_map(map, field) {
                missing.into_iter().for_each(|(key, value)| {
                    there.insert(key, value);
                });
            }
        }
    }
    let place = |key: &str| old.object.node.path(&["metadata", key]).cloned();
    let (name, namespace) = (place("name"), place("namespace"));
    if let Some(metadata) = new.metadata_mut() {
        for (key, value) in [("name", name), ("namespace", namespace)] {
            match value {
                Some(value) => set_value(metadata, key, value),
                None => {
                    metadata.remove(key);
                }
            }
        }
    }
    new.needs_hash &= old.needs_hash;
    new.behavior = old.behavior;
    new.previous.clone_from(&old.previous);
    new.prefixes.clone_from(&old.prefixes);
    new.suffixes.clone_from(&old.suffixes);
}
