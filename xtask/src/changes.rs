//! What differs between the CRDs of two releases, as Markdown: fields, what is allowed in them, defaults and rules.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crd_validate::schema::compiled::Compiled;
use crd_validate::schema::node::{Additional, NodeId, Schema};
use serde_json::{Map, Value};

/// The maximum number of lines for a kind.
const MOST: usize = 60;

/// Compares the files of two releases, by name.
///
/// # Errors
/// If a file is not a compiled schema.
pub fn between(
    old: &BTreeMap<String, Vec<u8>>,
    new: &BTreeMap<String, Vec<u8>>,
) -> anyhow::Result<String> {
    let mut text = String::new();
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        match (old.get(name), new.get(name)) {
            (Some(one), Some(other)) if one == other => {}
            (Some(one), Some(other)) => {
                let lines = differences(&facts(one)?, &facts(other)?);
                writeln!(text, "- {name}")?;
                for line in lines.iter().take(MOST) {
                    writeln!(text, "  - {line}")?;
                }
                if lines.len() > MOST {
                    writeln!(text, "  - and {} more", lines.len() - MOST)?;
                }
            }
            (None, _) => writeln!(text, "- {name}: new")?,
            (_, None) => writeln!(text, "- {name}: removed")?,
        }
    }
    if text.is_empty() {
        text.push_str("The CRDs are the same.\n");
    }
    Ok(text)
}

/// The facts about each field of a kind, by path.
type Facts = BTreeMap<String, Map<String, Value>>;

fn facts(file: &[u8]) -> anyhow::Result<Facts> {
    let compiled = Compiled::read(String::from_utf8(file.to_vec())?)?;
    let mut facts = Facts::new();
    for version in compiled.header().versions.iter().filter(|it| it.served) {
        walk(&compiled, version.root, version.name.clone(), &mut facts)?;
    }
    Ok(facts)
}

/// Collects the facts about a node and the nodes below it. Nodes only refer to earlier nodes, so this ends.
fn walk(compiled: &Compiled, id: NodeId, path: String, facts: &mut Facts) -> anyhow::Result<()> {
    let node = compiled.node(id);
    for (name, child) in &node.properties {
        walk(compiled, *child, format!("{path}.{name}"), facts)?;
    }
    if let Some(items) = node.items {
        walk(compiled, items, format!("{path}[]"), facts)?;
    }
    if let Some(Additional::Schema(values)) = node.additional_properties {
        walk(compiled, values, format!("{path}.*"), facts)?;
    }
    facts.insert(path, own_facts(node)?);
    Ok(())
}

/// The facts about a node without those below it, which have numbers that mean nothing in another file.
fn own_facts(node: &Schema) -> anyhow::Result<Map<String, Value>> {
    let mut value = serde_json::to_value(node)?;
    let mut facts = Map::new();
    if let Some(map) = value.as_object_mut() {
        let is_below = |key: &str| {
            [
                "properties",
                "items",
                "additionalProperties",
                "allOf",
                "anyOf",
                "oneOf",
                "not",
            ]
            .contains(&key)
        };
        facts.extend(
            std::mem::take(map)
                .into_iter()
                .filter(|(key, _)| !is_below(key)),
        );
    }
    Ok(facts)
}

fn differences(old: &Facts, new: &Facts) -> Vec<String> {
    let paths: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut lines = Vec::new();
    let mut covered: Option<&str> = None;
    for path in paths {
        // What is below a field that came or went is not listed by itself.
        if covered.is_some_and(|above| is_below(above, path)) {
            continue;
        }
        match (old.get(path), new.get(path)) {
            (Some(one), Some(other)) => lines.extend(changed(path, one, other)),
            (None, _) => {
                covered = Some(path);
                lines.push(format!("`{path}`: new"));
            }
            (_, None) => {
                covered = Some(path);
                lines.push(format!("`{path}`: removed"));
            }
        }
    }
    if lines.is_empty() {
        lines.push("combinations of fields changed".to_owned());
    }
    lines
}

fn is_below(above: &str, path: &str) -> bool {
    let rest = path.strip_prefix(above);
    rest.is_some_and(|rest| rest.starts_with(['.', '[']))
}

fn changed(path: &str, old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<String> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut lines = Vec::new();
    for key in keys {
        let (one, other) = (old.get(key), new.get(key));
        if one == other {
            continue;
        }
        if let "x-kubernetes-validations" = key.as_str() {
            let (one, other) = (rules(one), rules(other));
            let gone = one.difference(&other).map(|rule| ("removed", rule));
            let came = other.difference(&one).map(|rule| ("new", rule));
            lines.extend(gone.chain(came).map(|(what, rule)| {
                let rule = rule.split_whitespace().collect::<Vec<_>>().join(" ");
                format!("`{path}`: rule {what}: `{rule}`")
            }));
            continue;
        }
        let shown = |value: Option<&Value>| value.map_or("none".to_owned(), Value::to_string);
        lines.push(format!(
            "`{path}`: {key}: {} becomes {}",
            shown(one),
            shown(other)
        ));
    }
    lines
}

fn rules(value: Option<&Value>) -> BTreeSet<String> {
    let rules = value.and_then(Value::as_array).into_iter().flatten();
    let texts = rules.filter_map(|rule| rule.get("rule").and_then(Value::as_str));
    texts.map(str::to_owned).collect()
}
