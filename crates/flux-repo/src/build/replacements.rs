//! `replacements` (kustomize's `api/filters/replacement`).

use super::fields::{is_blank, items, text};
use super::paths::{self, Shape, Stop};
use super::resource::{Gvk, Resource, size, text_of};
use super::schema::spelled;
use super::selector::Selector;
use super::state::{Accumulator, Layer, State, maps};
use super::{BuildPlace, Feature};
use manifest::read;
use manifest::value::path::join;
use manifest::value::{Kind, Node};

/// The field that is read or written if none is named.
const DEFAULT_PATH: &str = "metadata.name";

/// Copies values from fields to other fields.
pub(super) fn replace<'a>(state: &mut State<'_, 'a>, layer: &Layer<'a>, all: &mut Accumulator) {
    for (pointer, entry) in maps(layer, "replacements") {
        let at = layer.spot(pointer);
        let done = read_entry(state, layer, entry).and_then(|replacements| {
            let mut all_of_it = replacements.iter();
            all_of_it.try_for_each(|replacement| apply(state, &at, replacement, all))
        });
        if let Err(message) = done {
            state.refuse(at, message);
        }
    }
}

/// The replacements of an entry: itself, or those in a file.
fn read_entry(
    state: &mut State<'_, '_>,
    layer: &Layer<'_>,
    entry: &Node,
) -> Result<Vec<Node>, String> {
    let path = text(entry, "path");
    if path.is_empty() {
        return Ok(vec![entry.clone()]);
    }
    if is_set(entry, "source") || !items(entry, "targets").is_empty() {
        return Err("the entry has both a path and a replacement".to_owned());
    }
    let documents = state.documents(&join(&layer.folder, path))?;
    let Some(document) = documents.first() else {
        return Err(format!("{path} is empty"));
    };
    Ok(match document.as_list() {
        Some(list) => list.iter().map(spelled).collect(),
        None => vec![spelled(document)],
    })
}

fn is_set(node: &Node, key: &str) -> bool {
    node.get(key).is_some_and(|value| !is_blank(value))
}

fn apply(
    state: &mut State<'_, '_>,
    at: &BuildPlace,
    replacement: &Node,
    all: &mut Accumulator,
) -> Result<(), String> {
    let has_source = is_set(replacement, "source") || is_set(replacement, "sourceValue");
    if !has_source || !is_set(replacement, "targets") {
        return Err("a replacement needs a source and targets".to_owned());
    }
    if !state.visit(all.resources.len(), at) {
        return Ok(());
    }
    let value = source_value(replacement, all)?;
    if !state.spend(size(&value), || at.clone()) {
        return Ok(());
    }
    for target in items(replacement, "targets") {
        if !state.visit(all.resources.len(), at) {
            return Ok(());
        }
        let Some(select) = target
            .get("select")
            .filter(|select| select.as_map().is_some())
        else {
            return Err("a target of a replacement must select objects".to_owned());
        };
        let target = Target {
            select: Selector::of(select)?,
            reject: items(target, "reject")
                .iter()
                .map(Selector::of)
                .collect::<Result<_, _>>()?,
            node: target,
        };
        for resource in all.resources.iter_mut().filter(|one| target.is_for(one)) {
            target.write(state, at, resource, &value)?;
        }
    }
    Ok(())
}

/// The value that is copied.
fn source_value(replacement: &Node, all: &Accumulator) -> Result<Node, String> {
    let source = replacement
        .get("source")
        .filter(|source| source.as_map().is_some());
    let (source, value) = match (
        source,
        replacement
            .get("sourceValue")
            .filter(|value| !is_blank(value)),
    ) {
        (Some(_), Some(_)) => return Err("a replacement has both a source and a value".to_owned()),
        (None, Some(value)) => return Ok(value.clone()),
        (None, None) => return Err("the source of a replacement is no map".to_owned()),
        (Some(source), None) => {
            let mut found = all.resources.iter().filter(|one| is_source(source, one));
            match (found.next(), found.next()) {
                (Some(found), None) => (source, found),
                (None, _) => return Err("there is no object that the source selects".to_owned()),
                _ => return Err("the source selects several objects".to_owned()),
            }
        }
    };
    let path = match text(source, "fieldPath") {
        "" => DEFAULT_PATH,
        path => path,
    };
    let found = paths::get(&value.object.node, &paths::split(path))?;
    let Some(found) = found.filter(|found| !is_empty(found)) else {
        return Err(format!(
            "there is no field {path} in {}",
            value.object.identity()
        ));
    };
    part_of(source, found)
}

fn is_empty(node: &Node) -> bool {
    match &node.kind {
        Kind::Null => true,
        Kind::Map(map) => map.is_empty(),
        Kind::List(items) => items.is_empty(),
        _ => false,
    }
}

/// Whether a source names a resource, by its current or by a previous identity.
fn is_source(source: &Node, resource: &Resource) -> bool {
    let wanted = Gvk {
        group: text(source, "group"),
        version: text(source, "version"),
        kind: text(source, "kind"),
    };
    let (name, namespace) = (text(source, "name"), text(source, "namespace"));
    let effective = |text: &str| {
        if text.is_empty() {
            "default".to_owned()
        } else {
            text.to_owned()
        }
    };
    let current = (resource.id(), resource.object.namespace().to_owned());
    let previous = resource
        .previous_ids()
        .map(|id| (id, id.namespace.to_owned()));
    previous.chain([current]).any(|(id, own)| {
        id.gvk.is_selected(&wanted)
            && (name.is_empty() || name == id.name)
            && (namespace.is_empty() || effective(namespace) == effective(&own))
    })
}

/// A part of a text, if the options of the source name a delimiter.
fn part_of(source: &Node, value: &Node) -> Result<Node, String> {
    let missing = Node::map();
    let options = source.get("options").unwrap_or(&missing);
    let delimiter = text(options, "delimiter");
    if delimiter.is_empty() {
        return Ok(value.clone());
    }
    let Some(whole) = text_of(value) else {
        return Err("only a text can be split at a delimiter".to_owned());
    };
    let index = options.get("index").and_then(Node::as_i64).unwrap_or(0);
    let part = usize::try_from(index)
        .ok()
        .and_then(|index| whole.split(delimiter).nth(index));
    let part = part.ok_or_else(|| format!("{whole:?} has no part {index}"))?;
    Ok(Node::new(Kind::String(part.to_owned()), value.span))
}

/// A target of a replacement.
struct Target<'n> {
    select: Selector,
    reject: Vec<Selector>,
    node: &'n Node,
}

impl Target<'_> {
    /// Whether a resource is selected and not rejected.
    fn is_for(&self, resource: &Resource) -> bool {
        let mut current = resource.id();
        // A namespace that is not written is empty here.
        current.namespace = resource.object.namespace();
        let ids = || resource.previous_ids().chain([current]);
        let is_rejected = self.reject.iter().any(|one| {
            !one.is_without_metadata() && one.fits_metadata(resource)
                || !one.is_without_id() && ids().any(|id| one.fits_id(&id))
        });
        self.select.fits_metadata(resource)
            && !is_rejected
            && ids().any(|id| self.select.fits_id(&id))
    }

    /// Writes the value to the fields of a resource.
    fn write(
        &self,
        state: &mut State<'_, '_>,
        at: &BuildPlace,
        resource: &mut Resource,
        value: &Node,
    ) -> Result<(), String> {
        let missing = Node::map();
        let options = self.node.get("options").unwrap_or(&missing);
        let creates = options.get("create").and_then(Node::as_bool) == Some(true);
        let create = creates.then_some(match value.kind {
            Kind::Map(_) => Shape::Map,
            Kind::List(_) => Shape::List,
            _ => Shape::Text,
        });
        let mut fields: Vec<&str> = items(self.node, "fieldPaths")
            .iter()
            .filter_map(Node::as_str)
            .collect();
        if fields.is_empty() {
            fields.push(DEFAULT_PATH);
        }
        for field in fields {
            let cost = size(value);
            let path = paths::split(field);
            // Conditions are compiled for each object.
            if !state.spend(path.len() * 16, || at.clone()) {
                return Ok(());
            }
            let node = &mut resource.object.node;
            let done = paths::each(node, &path, create, false, &mut |node, is_new| match state
                .spend(cost, || at.clone())
            {
                true => write(options, node, value, is_new),
                false => Ok(()),
            });
            match done {
                Ok(0) => {
                    let identity = resource.object.identity();
                    return Err(format!("there is no field {field} in {identity}"));
                }
                Ok(_) => {}
                Err(Stop::IntoText) => state.skip(Feature::StructuredData, at.clone(), field),
                Err(Stop::Wrong(message)) => return Err(format!("{field}: {message}")),
            }
        }
        Ok(())
    }
}

/// Writes a value, or a part of it if the options name a delimiter.
fn write(options: &Node, target: &mut Node, value: &Node, is_new: bool) -> Result<(), String> {
    let delimiter = text(options, "delimiter");
    let mut value = value.clone();
    if !delimiter.is_empty() {
        let Some(whole) = text_of(target) else {
            return Err("only a text can be split at a delimiter".to_owned());
        };
        let index = options.get("index").and_then(Node::as_i64).unwrap_or(0);
        let own = text_of(&value).unwrap_or_default();
        value.kind = Kind::String(with_part(&whole, delimiter, index, own));
    }
    // Of a text, only the letters are copied; the target keeps its type.
    match (&target.kind, text_of(&value)) {
        (Kind::Map(_) | Kind::List(_), _) => *target = value,
        (Kind::String(_), Some(text)) if !is_new => {
            *target = Node::new(Kind::String(text), value.span)
        }
        (there, Some(text)) => {
            let own = typed(&text);
            if !is_new && std::mem::discriminant(there) != std::mem::discriminant(&own) {
                return Err(format!("{text:?} can't replace a {}", target.type_name()));
            }
            *target = Node::new(own, value.span);
        }
        (_, None) => *target = Node::new(Kind::String(String::new()), value.span),
    }
    Ok(())
}

/// A text in which one part is replaced; a part before the first or after the last one is added.
fn with_part(whole: &str, delimiter: &str, index: i64, own: String) -> String {
    let mut parts: Vec<String> = whole.split(delimiter).map(str::to_owned).collect();
    match usize::try_from(index) {
        Err(_) => parts.insert(0, own),
        Ok(index) => match parts.get_mut(index) {
            Some(part) => *part = own,
            None => parts.push(own),
        },
    }
    parts.join(delimiter)
}

/// The value of a text that is written without quotes.
fn typed(text: &str) -> Kind {
    let source = manifest::diagnostic::Sources::default().add("", "");
    let is_word = !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'));
    let parsed = is_word.then(|| read::parse(text, source, 0).ok()).flatten();
    match parsed.map(|node| node.kind) {
        Some(kind @ (Kind::Number(_) | Kind::Bool(_))) => kind,
        _ => Kind::String(text.to_owned()),
    }
}
