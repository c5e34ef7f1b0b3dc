//! Which fields an answer of the API server names, and whether our findings name the same.
//!
//! The server sometimes tells one mistake in two places, or stops where we go on. [`Answer::compare`] counts such an
//! answer as [`Sameness::Alike`], and the test prints how many there are.

use std::collections::BTreeSet;

use crd_validate::codes;
use k8s_syntax::names;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::value::{Kind, Node, Pointer};

use super::named::{Named, as_coarse, causes_in, causes_of, normal, of_causes, of_patch, path_of};
use serde_json::Value;

/// Fields at which the server tells a mistake that it has told at another one: the kind, the other one, and this one. `#` is
/// any index. The server adds the name of a Namespace to its labels, the text of a Secret to its data, the address of a
/// Service to its addresses, a port's number to its target, the labels of pods to their Job and claims to the volumes of
/// pods; and a missing selector selects no pods.
const TOLD_TWICE: &[(&str, &str, &str)] = &[
    ("DaemonSet", "spec.selector", TEMPLATE_LABELS),
    ("Deployment", "spec.selector", TEMPLATE_LABELS),
    ("Job", TEMPLATE_LABELS, "metadata.labels"),
    ("Job", "metadata.name", TEMPLATE_LABELS),
    ("Namespace", "metadata.name", "metadata.labels"),
    ("ReplicaSet", "spec.selector", TEMPLATE_LABELS),
    ("Service", "spec.clusterIP", "spec.clusterIPs"),
    ("Service", "spec.clusterIP", "spec.clusterIPs.#"),
    ("Service", "spec.ports.#.port", "spec.ports.#.targetPort"),
    ("DaemonSet", TEMPLATE_CONTAINERS, TEMPLATE_LABELS),
    ("Deployment", TEMPLATE_CONTAINERS, TEMPLATE_LABELS),
    ("ReplicaSet", TEMPLATE_CONTAINERS, TEMPLATE_LABELS),
    ("StatefulSet", TEMPLATE_CONTAINERS, TEMPLATE_LABELS),
    (
        "PersistentVolumeClaim",
        "spec.dataSource.kind",
        "spec.dataSourceRef.kind",
    ),
    (
        "PersistentVolumeClaim",
        "spec.dataSource.name",
        "spec.dataSourceRef.name",
    ),
    (
        "PersistentVolumeClaim",
        "spec.dataSource.apiGroup",
        "spec.dataSourceRef.apiGroup",
    ),
    ("StatefulSet", "spec.selector", TEMPLATE_LABELS),
    (
        "StatefulSet",
        "spec.volumeClaimTemplates.#.metadata.name",
        "spec.template.spec.volumes.#.name",
    ),
    (
        "StatefulSet",
        "spec.volumeClaimTemplates.#.metadata.name",
        "spec.template.spec.volumes.#.persistentVolumeClaim.claimName",
    ),
];

const TEMPLATE_CONTAINERS: &str = "spec.template.spec.containers";
const TEMPLATE_LABELS: &str = "spec.template.metadata.labels";

/// The length at which the texts of answers were cut when they were recorded.
const RECORDED: usize = 1500;

/// Which findings an answer is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    /// Only unknown fields, because nothing else is looked at if there are any.
    UnknownFields,
    /// Only what the patch of server-side apply can't hold: unknown fields, wrong types and keys of lists.
    Patch,
    /// All.
    Everything,
}

/// Whether our findings name the fields that the server names.
pub enum Sameness {
    /// Exactly those.
    Same,
    /// Those, but for a mistake that the server tells in two places or we tell in another, and what is beside a mistake at
    /// which the server stops.
    Alike,
    /// Others: those that only the server names, and those that only we name.
    Other(Vec<String>, Vec<String>),
}

/// The fields that the API server names.
pub struct Answer {
    named: BTreeSet<Named>,
    about: About,
    /// Whether only the beginning of its text is known.
    is_cut: bool,
}

impl Answer {
    /// Reads the answer of a case. That to server-side apply only has a text.
    pub fn read(case: &Value, object: &Node) -> Self {
        let applied = case["ssa_message"].as_str();
        let message = match applied {
            Some(message) => message,
            None => case["message"].as_str().unwrap_or_default(),
        };
        let is_cut = applied.is_some() && message.chars().count() >= RECORDED;
        if let Some((_, errors)) = message
            .split_once("failed to create typed patch object")
            .and_then(|(_, rest)| rest.split_once("): "))
        {
            let lines = errors.strip_prefix("errors:\n").unwrap_or(errors).lines();
            let named = lines.filter_map(|line| of_patch(line.trim(), object));
            return Answer {
                named: named.collect(),
                about: About::Patch,
                is_cut,
            };
        }
        let unknown: BTreeSet<Named> = message
            .split("unknown field \"")
            .skip(1)
            .filter_map(|rest| rest.split_once('"'))
            .map(|(field, _)| Named::at(normal(field)))
            .collect();
        if !unknown.is_empty() {
            return Answer {
                named: unknown,
                about: About::UnknownFields,
                is_cut,
            };
        }
        let causes = match applied {
            Some(message) => causes_in(message),
            None => causes_of(case),
        };
        Answer {
            named: of_causes(&causes),
            about: About::Everything,
            is_cut,
        }
    }

    /// Whether it names no field: the object could not be decoded, or its namespace doesn't exist.
    pub fn names_no_field(&self) -> bool {
        self.named.is_empty()
    }

    /// Compares the fields with those of our findings.
    pub fn compare(&self, object: &Object, found: &[Diagnostic]) -> Sameness {
        let ours = found.iter().filter(|it| self.includes(it, object));
        let ours: BTreeSet<String> = ours.map(path_of).map(as_coarse).collect();
        let theirs: BTreeSet<String> = self.named.iter().map(|it| it.place.clone()).collect();
        if ours == theirs {
            return Sameness::Same;
        }
        let told =
            |field: &Named| ours.contains(&field.place) || self.is_told(field, object, found);
        let only_theirs: Vec<String> = self
            .named
            .iter()
            .filter(|field| !told(field))
            .map(|field| field.place.clone())
            .collect();
        let only_ours: Vec<String> = ours
            .into_iter()
            .filter(|place| !theirs.contains(place) && !self.is_explained(place, object))
            .collect();
        match only_theirs.is_empty() && only_ours.is_empty() {
            true => Sameness::Alike,
            false => Sameness::Other(only_theirs, only_ours),
        }
    }

    fn includes(&self, finding: &Diagnostic, object: &Object) -> bool {
        let code = finding.code;
        match self.about {
            About::UnknownFields => code == codes::SCHEMA_UNKNOWN_FIELD,
            About::Patch => {
                [codes::SCHEMA_UNKNOWN_FIELD, codes::SCHEMA_LIST_KEY].contains(&code)
                    || (code == codes::SCHEMA_TYPE && !fits_patch(finding, object))
            }
            About::Everything => true,
        }
    }

    /// Whether one of our findings tells the mistake of a field in another place.
    fn is_told(&self, field: &Named, object: &Object, found: &[Diagnostic]) -> bool {
        let is_told_at = |place: &str| found.iter().any(|it| path_of(it) == place);
        // The key of an entry may be cut.
        let is_begun = self.is_cut && found.iter().any(|it| path_of(it).starts_with(&field.place));
        let is_twice = TOLD_TWICE.iter().any(|(kind, first, second)| {
            object.kind() == *kind
                && without_indices(&field.place) == *second
                && found
                    .iter()
                    .any(|it| without_indices(&path_of(it)) == *first)
        });
        let is_of_secret = object.kind() == "Secret"
            && field.place.starts_with("data")
            && is_told_at(&field.place.replacen("data", "stringData", 1));
        // The defaults of a LimitRange are filled in from its bounds.
        let is_filled_in = object.kind() == "LimitRange"
            && ["max", "min", "default"].iter().any(|bound| {
                let filled = [".default.", ".defaultRequest."];
                let mut filled = filled.iter();
                filled.any(|part| is_told_at(&field.place.replacen(part, &format!(".{bound}."), 1)))
            });
        // Of its own kinds, the server sometimes names the map or list around a value, or forgets the index.
        let is_own = names::is_builtin_group(object.group());
        // A volume that is wrong can't be mounted.
        let is_of_broken_volume = ["volumeMounts", "volumeDevices"]
            .iter()
            .any(|part| field.place.contains(part))
            && found.iter().any(|it| path_of(it).contains("spec.volumes."));
        let is_near = is_own
            && found.iter().any(|it| {
                let place = path_of(it);
                let rest = place.strip_prefix(&format!("{}.", field.place));
                let is_inside = rest.is_some_and(|rest| rest.split('.').count() <= MOST_INSIDE);
                is_inside || forgets(&place, &field.place)
            });
        let is_inside = |finding: &Diagnostic| {
            finding.code == codes::SCHEMA_TYPE
                && field.place.starts_with(&format!("{}.", path_of(finding)))
        };
        // A map where a string is expected has only unknown fields.
        let is_of_wrong_type = self.about == About::UnknownFields && found.iter().any(is_inside);
        let places = std::iter::once(&field.place).chain(&field.also);
        is_twice
            || is_of_secret
            || is_near
            || is_filled_in
            || is_of_broken_volume
            || is_of_wrong_type
            || is_begun
            || places.into_iter().any(|place| is_told_at(place))
    }

    /// Whether we name a field because we don't stop where the server does, or are more exact.
    fn is_explained(&self, place: &str, object: &Object) -> bool {
        let mut stops = self.named.iter().filter_map(|it| it.stops_in.as_deref());
        let is_behind = self.about == About::Patch
            && stops.any(|stop| stop.is_empty() || place.starts_with(&format!("{stop}.")));
        // The addresses of a Service are looked at before everything else.
        let is_of_addresses = |field: &Named| {
            let parts = ["spec.clusterIP", "spec.ipFamil"];
            parts.iter().any(|part| field.place.starts_with(part))
        };
        let is_early = object.kind() == "Service" && self.named.iter().all(is_of_addresses);
        let is_same = |field: &Named| {
            let rest = place.strip_prefix(&format!("{}.", field.place));
            rest.is_some_and(|rest| rest.split('.').count() <= MOST_INSIDE)
                || forgets(place, &field.place)
                || TOLD_TWICE.iter().any(|(kind, first, second)| {
                    object.kind() == *kind
                        && without_indices(place) == *first
                        && without_indices(&field.place) == *second
                })
                || (object.kind() == "Secret"
                    && place.replacen("stringData", "data", 1) == field.place)
        };
        let is_own = names::is_builtin_group(object.group());
        self.is_cut || is_behind || is_early || (is_own && self.named.iter().any(is_same))
    }
}

/// How many levels below the field that the server names one of our findings may be.
const MOST_INSIDE: usize = 3;

/// A path with `#` instead of each index.
fn without_indices(path: &str) -> String {
    let words = path.split('.').map(|word| match word.parse::<usize>() {
        Ok(_) => "#",
        Err(_) => word,
    });
    words.collect::<Vec<_>>().join(".")
}

/// Whether a path is another one without an index, or without `items` and the index.
fn forgets(whole: &str, other: &str) -> bool {
    let words: Vec<&str> = whole.split('.').collect();
    let is_index = |at: &usize| words.get(*at).is_some_and(|it| it.parse::<usize>().is_ok());
    (0..words.len()).filter(is_index).any(|at| {
        let without = |from: usize| {
            let kept = words.iter().enumerate();
            let kept = kept.filter(|(index, _)| !(from..=at).contains(index));
            kept.map(|(_, word)| *word).collect::<Vec<_>>().join(".")
        };
        without(at) == other
            || (at > 0 && words.get(at - 1) == Some(&"items") && without(at - 1) == other)
    })
}

/// Whether the patch of server-side apply can hold the value of which a finding says that it has the wrong type: it
/// doesn't know integers, and takes null everywhere.
fn fits_patch(finding: &Diagnostic, object: &Object) -> bool {
    let pointer = finding.pointer.as_deref().and_then(Pointer::parse);
    let value = pointer.and_then(|pointer| object.node.at(&pointer));
    match value.map(|value| &value.kind) {
        Some(Kind::Null) => true,
        Some(Kind::Number(_)) => finding.message.contains("must be an integer"),
        Some(Kind::String(_)) => finding.message.contains("a date and time"),
        Some(Kind::Bool(_)) => finding.message.contains("an integer or a string"),
        _ => false,
    }
}
