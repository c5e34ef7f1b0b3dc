//! The texts of findings.

use serde_json::{Number, Value};

use super::walk::StructureWalk;
use crate::codes;
use crate::schema::Set;
use crate::schema::node::{NodeId, Schema, Type};
use k8s_syntax::pattern::Unusable;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::nearest;
use manifest::value::{Kind, Node, Pointer};

/// How many characters of a value a finding shows.
const LONGEST_SHOWN: usize = 60;

/// The booleans of YAML 1.1, which kubectl and the API server use, but not kustomize.
const BOOLEANS: &str = "unquoted, `yes`, `no`, `on`, `off`, `y` and `n` are booleans to kubectl, and strings to \
                        kustomize and Flux";

/// How many values a finding lists.
const MOST_LISTED: usize = 20;

/// The name of a field in a finding.
pub(super) fn name(pointer: &Pointer) -> String {
    if pointer.steps().is_empty() {
        return "the object".to_owned();
    }
    format!("`{}`", pointer.dotted())
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(words: &[String], last: &str) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// Values as a list; `None` if there are none.
pub(super) fn values(values: &[Value]) -> Option<String> {
    let shown: Vec<String> = values.iter().take(MOST_LISTED).map(value).collect();
    (!shown.is_empty()).then(|| list(&shown, "or"))
}

fn value(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "`\"\"`".to_owned(),
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    }
}

/// A value as a finding quotes it, shortened.
fn shown(node: &Node) -> String {
    let text = match &node.kind {
        Kind::List(_) => return "a list".to_owned(),
        Kind::Map(_) => return "a map".to_owned(),
        Kind::String(text) => format!("{text:?}"),
        _ => node.to_json().to_string(),
    };
    cut(&text)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// A type with its article.
pub(super) fn article(type_: Type) -> &'static str {
    match type_ {
        Type::Array => "a list",
        Type::Boolean => "`true` or `false`",
        Type::Integer => "an integer",
        Type::Number => "a number",
        Type::Object => "a map",
        Type::String => "a string",
    }
}

fn what_it_is(node: &Node) -> &'static str {
    match &node.kind {
        Kind::Null => "null",
        Kind::Bool(_) => "a boolean",
        Kind::Number(number) if number.is_f64() => "a number with a fraction",
        Kind::Number(_) => "a number",
        Kind::String(_) => "a string",
        Kind::List(_) => "a list",
        Kind::Map(_) => "a map",
    }
}

fn is_kustomize(object: &Object) -> bool {
    object.group() == "kustomize.config.k8s.io"
}

/// The consequence of a refused value.
pub(super) fn refused(object: &Object) -> &'static str {
    if is_kustomize(object) {
        return "kustomize refuses the file, so nothing of its folder is built or applied";
    }
    "the API server refuses the object, so nothing of its Flux Kustomization is applied"
}

/// The consequence of an unknown field.
pub(super) fn unknown_refused(object: &Object) -> &'static str {
    if is_kustomize(object) {
        return refused(object);
    }
    "Flux uses server-side apply, which refuses fields that the schema doesn't have, so nothing of the \
     object's Flux Kustomization is applied"
}

pub(super) fn wrong_type(walk: &StructureWalk<'_>, node: &Node, schema: &Schema) -> Diagnostic {
    let Some(type_) = schema.type_ else {
        let message = format!(
            "{} must be an integer or a string, not {}",
            name(&walk.pointer),
            what_it_is(node)
        );
        return walk
            .finding(codes::SCHEMA_TYPE, message)
            .help("write a number, or a string in quotes");
    };
    let finding = wrong_type_for(walk, node, type_);
    match (&node.kind, values(&schema.enumeration)) {
        (Kind::Bool(_), Some(values)) => {
            finding.help(format!("write {values} in quotes; {BOOLEANS}"))
        }
        _ => finding,
    }
}

pub(super) fn wrong_type_for(walk: &StructureWalk<'_>, node: &Node, type_: Type) -> Diagnostic {
    let message = format!(
        "{} must be {}, not {}",
        name(&walk.pointer),
        article(type_),
        what_it_is(node)
    );
    walk.finding(codes::SCHEMA_TYPE, message)
        .help(instead(node, type_))
}

/// Whether a text is a word that some programs read as a boolean, but not kustomize.
fn is_word(text: &str) -> bool {
    ["y", "n", "yes", "no", "on", "off"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word))
}

/// What to write instead of a value of the wrong type.
fn instead(node: &Node, want: Type) -> String {
    match (&node.kind, want) {
        (Kind::Null, _) => format!("write {}, or remove the entry", article(want)),
        (Kind::Number(_), Type::String) => "put it in quotes, as it is written".to_owned(),
        (Kind::Bool(_), Type::String) => {
            format!("put it in quotes, as it is written; {BOOLEANS}")
        }
        (Kind::String(text), Type::Integer) if text.parse::<i64>().is_ok() => {
            format!("write it without quotes: `{text}`")
        }
        (Kind::String(text), Type::Number) if text.parse::<f64>().is_ok() => {
            format!("write it without quotes: `{text}`")
        }
        (Kind::String(text), Type::Boolean) if matches!(text.as_str(), "true" | "false") => {
            format!("write it without quotes: `{text}`")
        }
        (Kind::String(text), Type::Boolean) if is_word(text) => {
            "write `true` or `false`: kustomize and Flux read other words as strings, although kubectl reads this one as a \
             boolean"
                .to_owned()
        }
        (Kind::List(_), Type::Object) => "write keys, without the `-` before them".to_owned(),
        (_, Type::Array) => "write a list: `- ` before each entry".to_owned(),
        _ => format!("write {}", article(want)),
    }
}

pub(super) fn not_in_enum(walk: &StructureWalk<'_>, node: &Node, schema: &Schema) -> Diagnostic {
    let message = format!("{} can't be {}", name(&walk.pointer), shown(node));
    let catalogue = walk.run.catalogue;
    let elsewhere = catalogue.value_elsewhere(&walk.schema, &walk.pointer, &node.to_json());
    if let Some(set) = elsewhere.filter(|set| set.version != walk.schema.chosen.set.version) {
        return of_another_version(walk, node, set);
    }
    let known = schema.enumeration.iter().filter_map(Value::as_str);
    let meant = node.as_str().and_then(|text| nearest(text, known));
    let all = values(&schema.enumeration).unwrap_or_default();
    let help = match meant {
        Some(meant) if schema.enumeration.len() > 1 => {
            format!(
                "write `{meant}`; the allowed values are {}",
                all.replace(" or ", " and ")
            )
        }
        _ => format!("write {all}"),
    };
    walk.finding(codes::SCHEMA_VALUE, message).help(help)
}

/// The finding on a value that another version allows.
fn of_another_version(walk: &StructureWalk<'_>, node: &Node, set: &Set) -> Diagnostic {
    let chosen = walk.schema.chosen;
    let (name, value) = (name(&walk.pointer), shown(node));
    let (message, help) = if set.version > chosen.set.version {
        (
            format!(
                "{value} in {name} needs {} or later; {}",
                set.title(),
                chosen.clause()
            ),
            format!("move to {}, or write another value", set.title()),
        )
    } else {
        (
            format!(
                "{value} in {name} was removed in {}; {} had it",
                chosen.set.title(),
                set.version
            ),
            "write another value; see the project's release notes for its replacement".to_owned(),
        )
    };
    walk.finding(codes::SCHEMA_VALUE, message).help(help)
}

pub(super) fn out_of_bounds(
    walk: &StructureWalk<'_>,
    number: &Number,
    schema: &Schema,
) -> Diagnostic {
    let message = format!("{} can't be {number}", name(&walk.pointer));
    let least = schema.minimum.as_ref();
    let most = schema.maximum.as_ref();
    let than =
        |exclusive: bool, at: &str, beyond: &str| if exclusive { beyond } else { at }.to_owned();
    let least =
        least.map(|n| than(schema.exclusive_minimum, "at least", "more than") + &format!(" {n}"));
    let most =
        most.map(|n| than(schema.exclusive_maximum, "at most", "less than") + &format!(" {n}"));
    let bounds: Vec<String> = least.into_iter().chain(most).collect();
    walk.finding(codes::SCHEMA_VALUE, message)
        .help(format!("write {}", list(&bounds, "and")))
}

/// The finding on an integer that is out of the range of its format.
pub(super) fn beyond(
    walk: &StructureWalk<'_>,
    number: &Number,
    least: f64,
    most: f64,
) -> Diagnostic {
    let message = format!("{} can't be {number}", name(&walk.pointer));
    walk.finding(codes::SCHEMA_VALUE, message)
        .help(format!("write at least {least:.0} and at most {most:.0}"))
}

pub(super) fn not_a_multiple(
    walk: &StructureWalk<'_>,
    number: &Number,
    step: &Number,
) -> Diagnostic {
    let message = format!("{} can't be {number}", name(&walk.pointer));
    walk.finding(codes::SCHEMA_VALUE, message)
        .help(format!("write a multiple of {step}"))
}

/// The finding on a length that is too small or too large.
pub(super) fn size(
    walk: &StructureWalk<'_>,
    thing: &str,
    length: u64,
    least: Option<u64>,
    most: Option<u64>,
) -> Diagnostic {
    let count = |number: u64| match (number, thing) {
        (1, _) => format!("1 {thing}"),
        (_, "entry") => format!("{number} entries"),
        _ => format!("{number} {thing}s"),
    };
    let message = match length {
        0 => format!("{} is empty", name(&walk.pointer)),
        _ => format!("{} has {}", name(&walk.pointer), count(length)),
    };
    let help = match (least, most) {
        (Some(least), _) if length < least => format!("give at least {}", count(least)),
        (_, Some(most)) => format!("give at most {}", count(most)),
        _ => String::new(),
    };
    walk.finding(codes::SCHEMA_VALUE, message).help(help)
}

pub(super) fn no_match(walk: &StructureWalk<'_>, text: &str, pattern: &str) -> Diagnostic {
    let message = format!(
        "{} can't be {}",
        name(&walk.pointer),
        cut(&format!("{text:?}"))
    );
    let known = PATTERNS.iter().find(|(known, _)| *known == pattern);
    let help = match known {
        Some((_, want)) => format!("write {want}"),
        None => format!("write a string that matches `{pattern}`"),
    };
    walk.finding(codes::SCHEMA_VALUE, message).help(help)
}

/// The finding on a pattern in the schema that can't be used.
pub(super) fn no_pattern(walk: &StructureWalk<'_>, pattern: &str, problem: Unusable) -> Diagnostic {
    let message = format!(
        "{} can't be checked: its pattern {problem}",
        name(&walk.pointer)
    );
    walk.finding(codes::SCHEMA_UNREADABLE, message)
        .why("it is not known whether the API server accepts the value")
        .help(format!(
            "the pattern in the CustomResourceDefinition is `{}`",
            cut(pattern)
        ))
}

/// Whether a pattern is that of a quantity in Kubernetes' own kinds.
pub(super) fn is_quantity(pattern: &str) -> bool {
    pattern.contains("[KMGTPE]i") || pattern.contains("eEinumkKMGTP")
}

/// Descriptions of patterns that many CRDs use.
const PATTERNS: &[(&str, &str)] = &[
    (
        "^([0-9]{1,5}(h|m|s|ms)){1,4}$",
        "a duration of whole `h`, `m`, `s` and `ms`, like `30s` or `1h30m`",
    ),
    (
        "^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$",
        "a duration, like `30s`, `1.5h` or `1h30m`",
    ),
    (
        "^([0-9]+(\\.[0-9]+)?(ms|s|m))+$",
        "a duration, like `30s` or `5m`",
    ),
    (
        "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        "lower-case letters, digits and `-`, a letter or digit at both ends",
    ),
    (
        "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        "a DNS name in lower case, like `app.example.com`",
    ),
    (
        "^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        "a DNS name in lower case, like `app.example.com` or `*.example.com`",
    ),
    (
        "^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        "an API group, like `gateway.networking.k8s.io`, or `\"\"`",
    ),
    (
        "^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$",
        "a kind, like `Service`",
    ),
    (
        "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$",
        "a quantity, like `100m`, `1.5` or `256Mi`",
    ),
];

pub(super) fn wrong_format(walk: &StructureWalk<'_>, text: &str, want: &str) -> Diagnostic {
    let message = format!(
        "{} can't be {}",
        name(&walk.pointer),
        cut(&format!("{text:?}"))
    );
    walk.finding(codes::SCHEMA_VALUE, message)
        .help(format!("write {want}"))
}

pub(super) fn twice(walk: &StructureWalk<'_>, item: &Node, first: usize) -> Diagnostic {
    let message = format!(
        "{} is {}, which is at [{first}] already",
        name(&walk.pointer),
        shown(item)
    );
    let earlier = walk.sibling(first);
    walk.finding(codes::SCHEMA_LIST_KEY, message)
        .related(walk.object.span(&earlier), "the same value")
        .help("remove one of the two")
}

pub(super) fn key_twice(walk: &StructureWalk<'_>, key: &str, first: usize) -> Diagnostic {
    let message = format!(
        "{} has {}, the same as [{first}]",
        name(&walk.pointer),
        cut(key)
    );
    let earlier = walk.sibling(first);
    walk.finding(codes::SCHEMA_LIST_KEY, message)
        .related(walk.object.span(&earlier), "the entry with the same key")
        .help("give each entry a key of its own, or remove one of the two")
}

/// The finding on an entry of a list that has none of the fields that identify an entry.
pub(super) fn without_key(walk: &StructureWalk<'_>, keys: &[String]) -> Diagnostic {
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    let message = format!("{} has no {}", name(&walk.pointer), list(&keys, "and"));
    walk.finding(codes::SCHEMA_LIST_KEY, message)
        .help("add what identifies the entry")
}

pub(super) fn missing(walk: &StructureWalk<'_>, key: &str, child: Option<NodeId>) -> Diagnostic {
    let message = format!("{} is missing", name(&walk.pointer));
    let schema = child.map(|child| walk.schema.node(child));
    let values = schema.and_then(|schema| values(&schema.enumeration));
    let type_ = schema.and_then(|schema| schema.type_);
    let what = values.or_else(|| type_.map(|type_| article(type_).to_owned()));
    let help = match what {
        Some(what) => format!("add `{key}:`, {what}"),
        None => format!("add `{key}:`"),
    };
    walk.finding(codes::SCHEMA_REQUIRED, message).help(help)
}
