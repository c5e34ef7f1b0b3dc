//! What changes from version to version, by project: data that `upgrade` compares with the objects.
//!
//! Each project has a file with a table, made from its release notes. An entry says which release brings the change and
//! what in an object shows that it matters here, so that only what touches something is told. What a schema or another
//! rule of this program reports is left out, and so is what no object can show.

mod cert_manager;
mod cilium;
mod envoy_gateway;
mod external_dns;
mod flux;
mod gateway_api;
mod grafana_operator;
mod keda;
mod prometheus_operator;

use super::{behaviour, deprecated_field, removed};
use crate::lint::field;
use crate::lint::words::each_text_or_key;
use crd_validate::schema::Version;
use manifest::Object;
use manifest::diagnostic::{Code, Diagnostic, Severity};
use manifest::finding;
use manifest::value::pointer::Step;
use manifest::value::{Node, Pointer};

/// The changes of a project.
#[derive(Debug)]
pub(crate) struct Project {
    /// Its name in the catalogue, or one that only this table has.
    pub name: &'static str,
    /// Its name as the project writes it.
    pub title: &'static str,
    /// The versions whose release notes were read: the first one that an upgrade may begin with, and the last one.
    pub covers: (&'static str, &'static str),
    /// The changes.
    pub changes: &'static [Change],
}

/// A change that a release brings.
#[derive(Debug)]
pub(crate) struct Change {
    /// The first release with the change. Further ones are earlier minor versions that also got it.
    pub at: &'static [&'static str],
    /// What it means.
    pub effect: Effect,
    /// What shows that it matters.
    pub touches: Touches,
    /// What changes, as the end of a sentence.
    pub message: &'static str,
    /// The consequences.
    pub why: &'static str,
    /// What to do.
    pub help: &'static str,
    /// What to write instead, if that is always right.
    pub instead: Instead,
}

/// What to write instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instead {
    /// A person has to decide.
    Nothing,
    /// Another key with the same value.
    Key(&'static str),
    /// Another text instead of the value.
    Value(&'static str),
    /// Another start of each text that was found.
    Start(&'static str),
}

/// What a change means for an object that it touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The object is refused, or doesn't work any more.
    Breaks,
    /// It works otherwise.
    Behaves,
    /// It works for now.
    Deprecated,
}

/// What shows that a change matters.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Touches {
    /// Fields of kinds, each reported by itself.
    Field(&'static [&'static str], &'static str, fn(&Seen<'_>) -> bool),
    /// The same, but reported once, with their number, because it is one decision for all of them.
    Fields(&'static [&'static str], &'static str, fn(&Seen<'_>) -> bool),
    /// Keys and texts that contain a word, in objects of kinds (of all kinds, if there is none). They are reported once,
    /// unless the objects show that the change has no effect.
    Words(
        &'static [&'static str],
        &'static [&'static str],
        fn(&[Object]) -> bool,
    ),
}

/// A field that a change may touch.
pub(crate) struct Seen<'a> {
    /// All objects.
    pub objects: &'a [Object],
    /// The object with the field.
    pub object: &'a Object,
    /// The path of the field.
    pub pointer: &'a Pointer,
    /// The value of the field.
    pub node: &'a Node,
}

impl Seen<'_> {
    /// The text of the field; empty if it is none.
    fn text(&self) -> &str {
        self.node.as_str().unwrap_or_default()
    }

    /// Whether the value lacks a key.
    fn lacks(&self, key: &str) -> bool {
        self.node.get(key).is_none()
    }

    /// A text in the object; empty if there is none.
    fn of_object(&self, path: &[&str]) -> &str {
        let node = self.object.node.path(path);
        node.and_then(Node::as_str).unwrap_or_default()
    }

    /// Whether a key or a text in the value contains one of the words.
    fn says(&self, words: &[&str]) -> bool {
        let mut found = false;
        each_text_or_key(self.node, &mut Pointer::root(), &mut |_, text| {
            found |= words.iter().any(|word| text.contains(word));
        });
        found
    }
}

fn always(_: &Seen<'_>) -> bool {
    true
}

fn in_any(_: &[Object]) -> bool {
    true
}

impl Change {
    /// Whether a version has the change.
    fn is_in(&self, version: &Version) -> bool {
        let mut at = self.at.iter().map(|at| Version::new(at));
        at.clone().max().is_some_and(|last| last <= *version)
            || at.any(|at| at.minor() == version.minor() && at <= *version)
    }
}

/// A place that a change touches.
pub(crate) struct Touched<'a> {
    /// The change.
    pub change: &'static Change,
    /// The object.
    pub object: &'a Object,
    /// The path of the field, or of the text.
    pub pointer: Pointer,
}

/// All projects.
pub(crate) const PROJECTS: &[Project] = &[
    envoy_gateway::PROJECT,
    gateway_api::PROJECT,
    flux::PROJECT,
    cilium::PROJECT,
    cert_manager::PROJECT,
    external_dns::PROJECT,
    keda::PROJECT,
    prometheus_operator::PROJECT,
    grafana_operator::PROJECT,
];

/// The changes of a project; `None` if its release notes were not read.
pub(crate) fn of(project: &str) -> Option<&'static Project> {
    PROJECTS.iter().find(|it| it.name == project)
}

/// The places that the changes between two versions touch. Each change comes with all of its places.
pub(crate) fn between<'a>(
    project: &str,
    objects: &'a [Object],
    from: &Version,
    to: &Version,
) -> Vec<Vec<Touched<'a>>> {
    let changes = of(project).map_or(&[][..], |it| it.changes);
    let crossed = changes.iter().filter(|it| !it.is_in(from) && it.is_in(to));
    let touched = crossed.map(|change| touched(change, objects));
    touched.filter(|places| !places.is_empty()).collect()
}

fn touched<'a>(change: &'static Change, objects: &'a [Object]) -> Vec<Touched<'a>> {
    let kinds = match change.touches {
        Touches::Words(_, _, when) if !when(objects) => return Vec::new(),
        Touches::Field(kinds, ..) | Touches::Fields(kinds, ..) | Touches::Words(kinds, ..) => kinds,
    };
    let mut found = Vec::new();
    for object in objects {
        if !kinds.is_empty() && !kinds.contains(&object.kind()) {
            continue;
        }
        let mut add = |pointer: Pointer| {
            if !is_there_already(change, object, &pointer) {
                found.push(Touched {
                    change,
                    object,
                    pointer,
                });
            }
        };
        match change.touches {
            Touches::Words(_, words, _) => {
                each_text_or_key(&object.node, &mut Pointer::root(), &mut |pointer, text| {
                    if words.iter().any(|word| text.contains(word)) {
                        add(pointer.clone());
                    }
                });
            }
            Touches::Field(_, path, when) | Touches::Fields(_, path, when) => {
                for pointer in field::find(&object.node, path) {
                    let node = object.node.at(&pointer);
                    let is_touched = node.is_some_and(|node| {
                        when(&Seen {
                            objects,
                            object,
                            pointer: &pointer,
                            node,
                        })
                    });
                    if is_touched {
                        add(pointer);
                    }
                }
            }
        }
    }
    found
}

/// Whether the new key stands beside the old one, which prepares for the change.
fn is_there_already(change: &Change, object: &Object, pointer: &Pointer) -> bool {
    let (Touches::Words(_, words, _), Instead::Start(new)) = (change.touches, change.instead)
    else {
        return false;
    };
    let (Some(Step::Key(key)), Some(above)) = (pointer.steps().last(), pointer.parent()) else {
        return false;
    };
    let beside = object.node.at(&above);
    words.iter().any(|word| {
        key.contains(word) && beside.is_some_and(|it| it.get(&key.replace(word, new)).is_some())
    })
}

/// The findings on the places of one change.
pub(crate) fn findings(project: &str, places: &[Touched<'_>]) -> Vec<Diagnostic> {
    let Some(first) = places.first() else {
        return Vec::new();
    };
    let change = first.change;
    let is_one = !matches!(change.touches, Touches::Field(..));
    let title = of(project).map_or(project, |it| it.title);
    let at = change.at.iter().map(|at| Version::new(at)).max();
    let at = at.map(|at| at.to_string()).unwrap_or_default();
    let others = match places.len() {
        more if is_one && more > 2 => format!(" (here and at {} more places)", more - 1),
        2 if is_one => " (here and at one more place)".to_owned(),
        _ => String::new(),
    };
    let message = format!("from {title} {at} on, {}{others}", change.message);
    let (code, severity): (Code, Severity) = match change.effect {
        Effect::Breaks => (removed::CODE, Severity::Error),
        Effect::Behaves => (behaviour::CODE, Severity::Note),
        Effect::Deprecated => (deprecated_field::CODE, Severity::Warning),
    };
    let reported = if is_one { 1 } else { places.len() };
    let report = |place: &Touched<'_>| {
        finding(code, place.object, &place.pointer, message.clone())
            .severity(severity)
            .why(change.why)
            .help(change.help)
    };
    places.iter().take(reported).map(report).collect()
}

/// A change without a mechanical mend.
const fn change(
    at: &'static [&'static str],
    effect: Effect,
    touches: Touches,
    message: &'static str,
    why: &'static str,
    help: &'static str,
) -> Change {
    Change {
        at,
        effect,
        touches,
        message,
        why,
        help,
        instead: Instead::Nothing,
    }
}

/// A change whose mend is always the same.
const fn mended(change: Change, instead: Instead) -> Change {
    Change { instead, ..change }
}

#[cfg(test)]
mod tests;
