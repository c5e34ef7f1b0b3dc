//! Where a name is defined and used, and another name for a gateway.

use serde_json::{Value, json};

use super::super::documents::range;
use super::Knowledge;
use crate::editor::fields::ObjectAt;
use crate::editor::index::Place;
use crate::editor::lines::Lines;
use crate::editor::links::{Part, Reference};
use crate::editor::outline::unquoted;
use crate::editor::{rename as gateways, toml, yaml};
use k8s_syntax::names::is_dns_label;
use manifest::value::Pointer;
use manifest::value::pointer::Step;

/// What is at a position, and the bytes of its name.
fn target(known: &Knowledge<'_>, at: usize) -> Option<(Reference, std::ops::Range<usize>)> {
    let text = known.text();
    if known.is_config {
        let outline = toml::outline(text);
        let entry = outline.entry_at(at)?;
        let part = entry.part_at(at)?.clone();
        let written = text.get(part.clone())?;
        let is_key = !entry.has_value_at(at);
        let index = &known.root.index;
        if let Some(gateway) = gateways::gateway_at(&entry.pointer, is_key, written) {
            return Some((index.gateway(&gateway), part));
        }
        return Some((
            in_configuration(&entry.pointer, is_key, unquoted(written), index)?,
            part,
        ));
    }
    let outline = yaml::outline_at(text, at);
    let entry = outline.entry_at(at)?;
    let object = ObjectAt::new(&outline, text, &entry.pointer)?;
    let range = entry.value.clone().filter(|_| entry.has_value_at(at))?;
    Some((object.reference(&entry.pointer)?, range))
}

/// What a value of `cluster.toml` names besides gateways: a listener of one, or a Service.
fn in_configuration(
    pointer: &Pointer,
    is_key: bool,
    text: &str,
    index: &crate::editor::Index,
) -> Option<Reference> {
    let keys = pointer.steps().iter().map(|step| match step {
        Step::Key(key) => key.as_str(),
        Step::Index(_) => "",
    });
    match (keys.collect::<Vec<_>>().as_slice(), is_key) {
        (["gateways", gateway, "listeners", listener], true) => Some(Reference {
            part: Part::Section((*listener).to_owned()),
            ..index.gateway(gateway)
        }),
        ([.., "backend", "name"], false) => Some(Reference {
            kind: "Service".to_owned(),
            namespace: None,
            name: text.to_owned(),
            part: Part::Name,
            is_definition: false,
        }),
        _ => None,
    }
}

pub(super) fn definition(known: &Knowledge<'_>, at: usize) -> Option<Value> {
    if let Some(origin) = origin(known, at) {
        return Some(json!(known.locations(&[origin])));
    }
    let (reference, _) = target(known, at)?;
    let mut places = known.root.index.definitions(&reference);
    if places.is_empty() && matches!(reference.part, Part::Section(_) | Part::Namespace) {
        // The part may be there by default, or made by a template.
        let whole = Reference {
            part: Part::Name,
            ..reference
        };
        places = known.root.index.definitions(&whole);
    }
    Some(json!(known.locations(&places)))
}

/// The place in `cluster.toml` of the value at a position of a rendered file, as `why` tells it.
fn origin(known: &Knowledge<'_>, at: usize) -> Option<Place> {
    let index = &known.root.index;
    let file = index.file(&known.name).filter(|file| file.is_rendered)?;
    let (config, _) = index.configuration()?;
    let text = known.text();
    let outline = yaml::outline_at(text, at);
    let entry = outline.entry_at(at)?;
    let object = ObjectAt::new(&outline, text, &entry.pointer)?;
    let root = Pointer::root();
    let kind = object.value(&root.key("kind"))?;
    let name = object.value(&root.key("metadata").key("name"))?;
    let mut objects = file.objects.iter();
    let rendered = objects.find(|it| it.kind() == kind && it.name() == name)?;
    let span = rendered.nearest_origin(&object.pointer(&entry.pointer))?;
    Some(Place {
        file: config.to_owned(),
        range: span.range(),
    })
}

pub(super) fn references(known: &Knowledge<'_>, at: usize, params: &Value) -> Option<Value> {
    let (reference, _) = target(known, at)?;
    let mut places = known.root.index.references(&reference);
    let with_own = params
        .pointer("/context/includeDeclaration")
        .and_then(Value::as_bool);
    if with_own == Some(false) {
        let own = known.root.index.definitions(&reference);
        places.retain(|place| !own.contains(place));
    }
    Some(json!(known.locations(&places)))
}

/// The gateway at a position, and the bytes of its name without quotes. Only gateways are renamed.
fn gateway(known: &Knowledge<'_>, at: usize) -> Option<(Reference, std::ops::Range<usize>)> {
    let (reference, range) = target(known, at)?;
    if reference.kind != "Gateway" || reference.part != Part::Name {
        return None;
    }
    let written = known.text().get(range.clone())?;
    let quote = usize::from(unquoted(written).len() < written.len());
    Some((reference, range.start + quote..range.end - quote))
}

pub(super) fn prepare_rename(known: &Knowledge<'_>, at: usize) -> Option<Value> {
    let (reference, bytes) = gateway(known, at)?;
    let shown = range(&Lines::new(known.text()), &bytes);
    Some(json!({"range": shown, "placeholder": reference.name}))
}

pub(super) fn rename(known: &Knowledge<'_>, at: usize, new: &str) -> Option<Value> {
    let (old, _) = gateway(known, at)?;
    // A key of TOML with dots would need quotes, and no Service is called so.
    if !is_dns_label(new) {
        return None;
    }
    let places = gateways::places(&known.root.index, &old);
    Some(known.replacing(&places, new))
}
