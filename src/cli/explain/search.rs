//! What mentions a word: codes, keys of cluster.toml, and fields of the kinds in force.

use std::collections::HashSet;
use std::io::Write;

use crd_validate::schema::node::NodeId;
use crd_validate::schema::{Catalogue, KindSchema, Lookup, Selection};
use manifest::diagnostic::printable::printable;

use crate::codes;
use crate::config::reference;

/// How many names of a kind are shown.
const SHOWN: usize = 20;

/// The projects whose fields are searched: those of which people write most by hand.
const PROJECTS: [&str; 2] = ["gateway-api", "envoy-gateway"];

/// Something that mentions a word.
struct Match {
    name: String,
    about: String,
    /// Whether the name has the word, and not only the description.
    is_named: bool,
}

/// Prints what mentions a word, names before descriptions, and short names before long ones. False if nothing does.
pub(super) fn print_matches(
    word: &str,
    catalogue: &Catalogue,
    selection: &Selection,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    let word = word.to_lowercase();
    let groups = [
        ("codes", matching_codes(&word)),
        ("keys of cluster.toml", matching_keys(&word)),
        ("fields", matching_fields(&word, catalogue, selection)),
    ];
    if word.is_empty() || groups.iter().all(|(_, matches)| matches.is_empty()) {
        return Ok(false);
    }
    let mut is_first = true;
    for (title, mut matches) in groups {
        if matches.is_empty() {
            continue;
        }
        if !is_first {
            writeln!(out)?;
        }
        is_first = false;
        writeln!(out, "{title}:")?;
        matches.sort_by_key(|found| (!found.is_named, found.name.matches('.').count()));
        for found in matches.iter().take(SHOWN) {
            writeln!(
                out,
                "  {}: {}",
                printable(&found.name),
                printable(&found.about)
            )?;
        }
        if let Some(more) = matches.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            writeln!(out, "  and {more} more")?;
        }
    }
    Ok(true)
}

/// Prints what there is to explain, by group.
pub(super) fn print_index(out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "codes of findings, by group:")?;
    for group in codes::groups() {
        let codes = codes::all().iter().filter(|code| code.group() == *group);
        let names: Vec<&str> = codes
            .filter_map(|code| code.as_str().split_once('/'))
            .map(|(_, name)| name)
            .collect();
        writeln!(out, "  {group}/: {}", names.join(", "))?;
    }
    writeln!(out, "\nkeys of cluster.toml:")?;
    let keys = reference::keys();
    for key in keys.iter().filter(|key| !key.path.contains('.')) {
        writeln!(out, "  {}: {}", key.path, first_sentence(&key.text))?;
    }
    writeln!(
        out,
        "\nfields of a kind: `gatewayctl explain Gateway.spec.listeners`; every kind of `gatewayctl schemas list`\nwords: `gatewayctl explain retry`"
    )?;
    Ok(())
}

fn matching_codes(word: &str) -> Vec<Match> {
    let matches = codes::all().iter().filter_map(|code| {
        let is_named = has_word(code.as_str(), word);
        (is_named || has_word(code.summary(), word)).then(|| Match {
            name: code.as_str().to_owned(),
            about: code.summary().to_owned(),
            is_named,
        })
    });
    matches.collect()
}

fn matching_keys(word: &str) -> Vec<Match> {
    let matches = reference::keys().into_iter().filter_map(|key| {
        let last = key.path.rsplit('.').next().unwrap_or_default();
        let is_named = has_word(last, word);
        (is_named || has_word(&key.text, word)).then(|| Match {
            about: first_sentence(&key.text).to_owned(),
            name: key.path,
            is_named,
        })
    });
    matches.collect()
}

fn matching_fields(word: &str, catalogue: &Catalogue, selection: &Selection) -> Vec<Match> {
    let mut matches = Vec::new();
    let mut seen = HashSet::new();
    for entry in catalogue.entries() {
        let is_searched = PROJECTS.contains(&entry.set.project.as_str());
        let (true, true, Some(version)) =
            (is_searched, selection.has(&entry.set), entry.served.last())
        else {
            continue;
        };
        if !seen.insert((entry.group.clone(), entry.kind.clone())) {
            continue;
        }
        let found = catalogue.look_up(selection, &entry.group, version, &entry.kind);
        if let Lookup::Known(schema) = found {
            let root = schema.version.root;
            add_fields(&schema, root, &entry.kind, word, &mut matches);
        }
    }
    matches
}

/// Adds the fields below a node whose name has the word. What is below such a field is not listed, too.
fn add_fields(
    schema: &KindSchema<'_>,
    id: NodeId,
    path: &str,
    word: &str,
    matches: &mut Vec<Match>,
) {
    let inner = schema.node(super::items_of(schema, id));
    for (name, below) in &inner.properties {
        let path = format!("{path}.{name}");
        if matches!(name.as_str(), "apiVersion" | "kind" | "metadata" | "status") {
            continue;
        }
        if has_word(name, word) {
            matches.push(Match {
                about: schema.type_in_words(*below),
                name: path,
                is_named: true,
            });
        } else {
            add_fields(schema, *below, &path, word, matches);
        }
    }
}

/// Whether a word of the text begins with the word. Words end where a capital letter, a dash or the like begins another one.
fn has_word(text: &str, word: &str) -> bool {
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        let begins =
            !before.is_alphanumeric() || (character.is_uppercase() && !before.is_uppercase());
        before = character;
        let Some(rest) = text.get(at..) else {
            continue;
        };
        let mut letters = rest.chars().flat_map(char::to_lowercase);
        if begins && word.chars().all(|wanted| letters.next() == Some(wanted)) {
            return true;
        }
    }
    false
}

fn first_sentence(text: &str) -> &str {
    text.split_inclusive(". ").next().unwrap_or(text).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_begins_at_a_capital_letter_or_after_a_dash() {
        assert!(has_word("perRetryPolicy", "retry"));
        assert!(has_word("scaled-objects", "obj"));
        assert!(has_word("The KEDA trigger", "keda"));
        assert!(!has_word("targetry", "retry"));
        assert!(!has_word("HTTPRoute", "ttp"));
    }
}
