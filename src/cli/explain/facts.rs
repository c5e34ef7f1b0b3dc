//! What `explain` says about a field besides its type: what is checked, since which release it exists, and where its project
//! documents it.

use std::io::Write;

use crd_validate::rules;
use crd_validate::schema::node::Schema;
use crd_validate::schema::{Catalogue, KindSchema, pages};
use manifest::diagnostic::printable::printable;
use manifest::value::Pointer;

/// What the API server checks on a value, as pairs of a word and its value.
pub(super) fn facts(node: &Schema) -> Vec<(&'static str, String)> {
    let number = |number: &Option<serde_json::Number>| number.as_ref().map(ToString::to_string);
    let count = |count: &Option<u64>| count.map(|count| count.to_string());
    let listed = |texts: &[String]| (!texts.is_empty()).then(|| texts.join(", "));
    let words: Vec<String> = node.enumeration.iter().map(ToString::to_string).collect();
    [
        ("one of", listed(&words)),
        ("default", node.default.as_ref().map(ToString::to_string)),
        ("pattern", node.pattern.clone()),
        ("format", node.format.clone()),
        ("least", number(&node.minimum)),
        ("most", number(&node.maximum)),
        ("minimum length", count(&node.min_length)),
        ("maximum length", count(&node.max_length)),
        ("minimum items", count(&node.min_items)),
        ("maximum items", count(&node.max_items)),
        ("minimum keys", count(&node.min_properties)),
        ("maximum keys", count(&node.max_properties)),
        ("items are identified by", listed(&node.list_map_keys)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

/// Prints the rules on a field, in words where there are some.
///
/// # Errors
/// If nothing can be written.
pub(super) fn print_rules(
    schema: &KindSchema<'_>,
    node: &Schema,
    pointer: &Pointer,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    for rule in &node.rules {
        match rules::refusal(&schema.entry.kind, pointer, rule) {
            Some(words) => writeln!(out, "  refused if {}", printable(&words))?,
            None => {
                let rule = rule.rule.split_whitespace().collect::<Vec<_>>().join(" ");
                writeln!(out, "  rule: {}", printable(&rule))?;
            }
        }
    }
    Ok(())
}

/// Prints since which release the field exists, as far as the catalogue goes back, and where the kind is documented.
///
/// # Errors
/// If nothing can be written.
pub(super) fn print_origin(
    catalogue: &Catalogue,
    schema: &KindSchema<'_>,
    pointer: &Pointer,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    if let Some(since) = since(catalogue, schema, pointer) {
        writeln!(out, "  since: {}", printable(&since))?;
    }
    if let Some(page) = pages::page(schema.entry, &schema.version.name) {
        writeln!(out, "  see: {}", printable(&page))?;
    }
    Ok(())
}

/// The first release in the catalogue from which on every one up to this has the field; `None` if there is no earlier release.
fn since(catalogue: &Catalogue, schema: &KindSchema<'_>, pointer: &Pointer) -> Option<String> {
    let set = &schema.chosen.set;
    let mut earlier = catalogue.versions(&set.project);
    earlier.retain(|version| **version < set.version);
    let has = |version: &&&crd_validate::schema::Version| {
        let mut entries = catalogue.entries().iter();
        let entry = entries.find(|entry| {
            entry.is(&schema.entry.group, &schema.entry.kind)
                && entry.set.version == ***version
                && entry.set.channel == set.channel
        });
        entry.is_some_and(|entry| entry.has_field(&schema.version.name, pointer))
    };
    let oldest = earlier.first().copied()?;
    let with_field = earlier.iter().rev().take_while(has).count();
    let first = earlier.iter().rev().take(with_field).next_back();
    Some(match first {
        Some(first) if *first == oldest => format!("{first} or earlier"),
        Some(first) => first.to_string(),
        None => set.version.to_string(),
    })
}
