//! The fields in the text and the causes of an answer, and the paths of our findings, in one notation.

use std::collections::BTreeSet;

use manifest::diagnostic::Diagnostic;
use manifest::value::{Node, Pointer, pointer::Step};
use serde_json::Value;

/// How a cause in the text of an answer goes on after its field.
const REASONS: &[&str] = &[
    "Duplicate value",
    "Forbidden",
    "Internal error",
    "Invalid value",
    "Not found",
    "Required value",
    "Too few",
    "Too long",
    "Too many",
    "Unsupported value",
];

/// Names of fields that the server writes otherwise than in its own API.
const MISSPELT: &[(&str, &str)] = &[
    (
        "spec.LoadBalancerSourceRanges",
        "spec.loadBalancerSourceRanges",
    ),
    ("template.labels", "template.metadata.labels"),
    ("template.annotations", "template.metadata.annotations"),
    (".cephFS", ".cephfs"),
    (".downwarAPI", ".downwardAPI"),
    ("overhead.limits", "overhead.podFixed"),
];

/// A field that the server names.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    pub place: String,
    /// Other places at which the same mistake can be told: the keys that an entry of a list lacks.
    pub also: Vec<String>,
    /// The map or list in which the server looks at nothing more.
    pub stops_in: Option<String>,
}

impl Named {
    pub fn at(place: impl Into<String>) -> Self {
        Named {
            place: as_coarse(place.into()),
            ..Named::default()
        }
    }
}

/// The field and text of each cause.
pub type Causes = Vec<(String, String)>;

pub fn causes_of(case: &Value) -> Causes {
    let causes = case["causes"].as_array().map_or(&[][..], Vec::as_slice);
    let text = |cause: &Value, key: &str| cause[key].as_str().unwrap_or_default().to_owned();
    let causes = causes.iter();
    causes
        .map(|it| (text(it, "field"), text(it, "message")))
        .collect()
}

/// The causes in a text: `KIND "NAME" is invalid: [FIELD: REASON: …, FIELD: REASON: …]`, without brackets if there is one.
pub fn causes_in(message: &str) -> Causes {
    let Some((_, all)) = message.split_once(" is invalid: ") else {
        return Vec::new();
    };
    let list = all.strip_prefix('[').and_then(|all| all.strip_suffix(']'));
    let mut causes = Causes::new();
    for part in list.unwrap_or(all).split(", ") {
        let begins = part.split_once(": ").filter(|(field, rest)| {
            !field.contains('"') && REASONS.iter().any(|reason| rest.starts_with(reason))
        });
        match (begins, causes.last_mut()) {
            (Some((field, rest)), _) => causes.push((field.to_owned(), rest.to_owned())),
            (None, Some((_, text))) => {
                text.push_str(", ");
                text.push_str(part);
            }
            (None, None) => {}
        }
    }
    causes
}

pub fn of_causes(causes: &Causes) -> BTreeSet<Named> {
    let place = |(field, message): &(String, String)| match field.as_str() {
        "<nil>" => normal(in_message(message)),
        field => normal(field),
    };
    let rules_not_run = |message: &str| message.contains("rules were not checked");
    let causes: Vec<_> = causes
        .iter()
        .filter(|(_, message)| !rules_not_run(message))
        .collect();
    let places: Vec<String> = causes.iter().map(|cause| place(cause)).collect();
    // A combination of schemas is named, and then what is wrong inside of its best branch, if it has none that is right.
    let is_repeated = |cause: &(String, String), field: &str| {
        cause.1.contains("must validate")
            && !cause.1.contains("valid alternatives")
            && places
                .iter()
                .any(|other| other.starts_with(&format!("{field}.")))
    };
    causes
        .iter()
        .zip(&places)
        .filter(|(cause, field)| !is_repeated(cause, field))
        .map(|(_, field)| Named::at(field.clone()))
        .collect()
}

/// A path without differences in notation: brackets and quotes around keys.
pub fn normal(path: &str) -> String {
    let mut path = path.to_owned();
    for (written, meant) in MISSPELT {
        path = path.replace(written, meant);
    }
    path.replace("[\"", ".")
        .replace(['[', ']', '"'], ".")
        .split('.')
        .filter(|it| !it.is_empty())
        .collect::<Vec<_>>()
        .join(".")
}

pub fn path_of(finding: &Diagnostic) -> String {
    let pointer = finding.pointer.as_deref().and_then(Pointer::parse);
    let steps = pointer.unwrap_or_default();
    let words = steps.steps().iter().map(|step| match step {
        Step::Index(index) => index.to_string(),
        Step::Key(key) => normal(key),
    });
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(".")
}

/// A path as precise as the API server's, which doesn't name single labels, annotations and finalizers.
pub fn as_coarse(path: String) -> String {
    let coarse = [
        "metadata.labels",
        "metadata.annotations",
        "metadata.finalizers",
    ];
    let found = coarse
        .iter()
        .find_map(|part| Some(path.find(part)? + part.len()));
    found
        .and_then(|end| path.get(..end))
        .map_or(path.clone(), str::to_owned)
}

/// The path in an error of server-side apply: `.spec.ports[port=80,protocol="TCP"].name: expected string, got …`. An
/// item of a list is named by its keys; the path has its index instead.
pub fn of_patch(error: &str, object: &Node) -> Option<Named> {
    let mut path: Vec<String> = Vec::new();
    let mut node = Some(object);
    let mut rest = error;
    let mut others: Vec<(usize, usize)> = Vec::new();
    let joined = |path: &[String]| {
        let words = path.iter().map(|it| normal(it)).filter(|it| !it.is_empty());
        words.collect::<Vec<_>>().join(".")
    };
    loop {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[', ':']).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            path.push(name.to_owned());
            node = node.and_then(|node| node.get(name));
            rest = after;
        } else if let Some(after) = rest.strip_prefix('[') {
            let end = after.find("]")?;
            let (key, after) = (after.get(..end)?, after.get(end + 1..)?);
            let items = node.and_then(Node::as_list).unwrap_or_default();
            let same: Vec<usize> = match key.parse::<usize>() {
                Ok(index) => vec![index],
                Err(_) => (0..items.len())
                    .filter(|at| items.get(*at).is_some_and(|item| has_keys(item, key)))
                    .collect(),
            };
            let Some(index) = same.first().copied() else {
                // The key is written in a form that can't be read.
                let list = joined(&path);
                return Some(Named {
                    stops_in: Some(list.clone()),
                    ..Named::at(list)
                });
            };
            others = same
                .into_iter()
                .skip(1)
                .map(|at| (path.len(), at))
                .collect();
            path.push(index.to_string());
            node = items.get(index);
            rest = after;
        } else {
            break;
        }
    }
    let mut named = Named::default();
    if rest.contains("field not declared in schema") {
        named.stops_in = path.split_last().map(|(_, above)| joined(above));
    }
    if let Some(item) = rest.strip_prefix(": element ") {
        named.stops_in = Some(joined(&path));
        path.push(item.split(':').next().unwrap_or_default().to_owned());
        let keys = rest
            .split_once("all key fields [")
            .and_then(|(_, keys)| keys.split_once(']'));
        let keys = keys.map_or("", |(keys, _)| keys).split(' ');
        let keys = keys
            .map(|key| key.trim_matches('"'))
            .filter(|key| !key.is_empty());
        named.also = keys.map(|key| format!("{}.{key}", joined(&path))).collect();
    }
    if let Some((_, key)) = rest.split_once("duplicate entries for key [") {
        let key = key.strip_suffix(']').unwrap_or(key);
        let items = node.and_then(Node::as_list).unwrap_or_default();
        let mut same = items
            .iter()
            .enumerate()
            .filter(|(_, item)| has_keys(item, key));
        if let Some((second, _)) = same.nth(1) {
            path.push(second.to_string());
        }
    }
    // Several entries have these keys.
    for (at, index) in others {
        let mut other = path.clone();
        if let Some(word) = other.get_mut(at) {
            *word = index.to_string();
        }
        named.also.push(joined(&other));
    }
    named.place = as_coarse(joined(&path));
    Some(named)
}

/// Whether an item has the keys `a="b",c=1`, or is the value `="a"`.
fn has_keys(item: &Node, keys: &str) -> bool {
    keys.split(',').all(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or_default();
        let value: Value = serde_json::from_str(value).unwrap_or_default();
        let own = if key.is_empty() {
            Some(item)
        } else {
            item.get(key)
        };
        own.is_none_or(|own| own.to_json() == value)
    })
}

/// The path in the message of a cause without a field: `"PATH" must validate …`, `Checked value … in PATH`. Empty for
/// a rule on the object itself.
fn in_message(message: &str) -> &str {
    let is_combination = ["\" must validate", "\" must not validate"];
    let mut starts = is_combination
        .iter()
        .filter_map(|part| message.split_once(part));
    if let Some((before, _)) = starts.next() {
        return before.rsplit_once('"').map_or("", |(_, path)| path);
    }
    if message.contains("Checked value must be of type") {
        return message.rsplit_once(" in ").map_or("", |(_, path)| path);
    }
    ""
}
