//! Compares `schemas/words/rules.toml` with the embedded schemas: every rule has an entry, and every entry has a
//! rule.

use std::collections::{BTreeMap, BTreeSet};

use crd_validate::schema::Catalogue;
use crd_validate::schema::compiled::Compiled;
use crd_validate::schema::node::{Additional, NodeId};
use serde::Deserialize;

/// The projects of whose rules each has words. A finding on a rule of another project quotes the rule.
const WORDED: &[&str] = &[
    "cert-manager",
    "cilium",
    "core",
    "envoy-gateway",
    "external-dns",
    "gateway-api",
    "helm-controller",
    "keda",
    "kustomize-controller",
    "source-controller",
];

const TEXT: &str = include_str!("../../schemas/words/rules.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rule: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    rule: String,
    at: Option<String>,
    message: String,
    why: String,
    help: String,
    covered_by: Option<String>,
}

impl Entry {
    fn name(&self) -> String {
        match &self.at {
            Some(at) => format!("{} (at {at})", self.rule),
            None => self.rule.clone(),
        }
    }

    fn words(&self) -> [(&'static str, &str, usize); 3] {
        [
            ("message", &self.message, 120),
            ("why", &self.why, 200),
            ("help", &self.help, 200),
        ]
    }
}

fn entries() -> Vec<Entry> {
    let file: File = toml::from_str(TEXT).unwrap_or_else(|error| panic!("rules.toml: {error}"));
    file.rule
}

/// The place of a rule, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    project: String,
    kind: String,
    path: String,
}

impl Place {
    fn name(&self) -> String {
        format!("{}{}", self.kind, self.path)
    }

    /// Whether `at` consists of consecutive whole steps of the place.
    fn is_at(&self, at: &str) -> bool {
        format!(".{}.", self.name()).contains(&format!(".{at}."))
    }
}

type Places = BTreeMap<String, BTreeSet<Place>>;

/// Every rule of every version of every kind of the projects that have words, with all its places.
fn rules() -> Places {
    let mut rules = Places::new();
    let catalogue = Catalogue::embedded();
    let is_worded = |project: &str| WORDED.contains(&project) || project == "grafana-operator";
    let entries = catalogue.entries().iter();
    for entry in entries.filter(|entry| is_worded(&entry.set.project)) {
        let compiled = entry
            .compiled()
            .unwrap_or_else(|| panic!("{} of {} can't be read", entry.kind, entry.set));
        let place = Place {
            project: entry.set.project.clone(),
            kind: entry.kind.to_string(),
            path: String::new(),
        };
        for version in &compiled.header().versions {
            collect(compiled, version.root, &place, &mut rules);
        }
    }
    rules
}

fn collect(compiled: &Compiled, id: NodeId, place: &Place, rules: &mut Places) {
    let node = compiled.node(id);
    for rule in &node.rules {
        let places = rules.entry(rule.rule.clone()).or_default();
        places.insert(place.clone());
    }
    let below = |key: &str| Place {
        path: format!("{}.{key}", place.path),
        ..place.clone()
    };
    for (key, child) in &node.properties {
        collect(compiled, *child, &below(key), rules);
    }
    if let Some(Additional::Schema(child)) = node.additional_properties {
        collect(compiled, child, &below("*"), rules);
    }
    let same_place = [node.items, node.not].into_iter().flatten();
    let branches = [&node.all_of, &node.any_of, &node.one_of];
    for child in same_place.chain(branches.into_iter().flatten().copied()) {
        collect(compiled, child, place, rules);
    }
}

/// The entry for a rule at a place. If several match, the most specific one.
fn find<'a>(entries: &'a [Entry], rule: &str, place: &Place) -> Option<&'a Entry> {
    let fits =
        |entry: &&Entry| entry.rule == rule && entry.at.as_deref().is_none_or(|at| place.is_at(at));
    let says = |entry: &&Entry| entry.at.as_ref().map(String::len);
    entries.iter().filter(fits).max_by_key(says)
}

/// The first place that an entry is for.
fn first_place<'a>(entries: &[Entry], rules: &'a Places, entry: &Entry) -> Option<&'a Place> {
    let mut places = rules.get(&entry.rule)?.iter();
    places.find(|place| {
        find(entries, &entry.rule, place).is_some_and(|found| std::ptr::eq(found, entry))
    })
}

fn assert_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn every_rule_of_the_embedded_schemas_has_words() {
    let (entries, rules) = (entries(), rules());
    for project in ["gateway-api", "envoy-gateway"] {
        let is_of = |places: &&BTreeSet<Place>| places.iter().any(|it| it.project == project);
        let count = rules.values().filter(is_of).count();
        println!("{project}: {count} distinct rules");
        assert!(count > 50, "the walk does not find the rules of {project}");
    }
    let mut missing = Vec::new();
    for (rule, places) in &rules {
        let of_worded = places
            .iter()
            .filter(|place| WORDED.contains(&place.project.as_str()));
        for place in of_worded {
            if find(&entries, rule, place).is_none() {
                missing.push(format!("{} at {}: {rule}", place.project, place.name()));
            }
        }
    }
    assert_none("rules without an entry in rules.toml", &missing);
}

#[test]
fn every_entry_is_for_a_rule_that_exists() {
    let (entries, rules) = (entries(), rules());
    let stale = entries
        .iter()
        .filter(|entry| first_place(&entries, &rules, entry).is_none());
    let stale: Vec<String> = stale.map(Entry::name).collect();
    assert_none("entries that no rule of any schema uses", &stale);
}

#[test]
fn what_covers_a_rule_is_a_code() {
    let covering = entries().into_iter().filter_map(|entry| entry.covered_by);
    let known = gatewayctl::codes::all();
    let unknown: Vec<String> = covering
        .filter(|code| !known.iter().any(|one| one.as_str() == code))
        .collect();
    assert_none("codes that no finding has", &unknown);
}

#[test]
fn words_are_short_plain_and_of_their_own() {
    let mut wrong = Vec::new();
    for entry in entries() {
        for (key, words, limit) in entry.words() {
            if let Some(fault) = fault(words, limit) {
                wrong.push(format!("{}: {key} {fault}", entry.name()));
            }
        }
        if !starts_in_lower_case(&entry.message) {
            wrong.push(format!("{}: message starts in upper case", entry.name()));
        }
        if !has_only_known_places(&entry.message, &["{path}", "{kind}"]) {
            wrong.push(format!("{}: message has an unknown `{{…}}`", entry.name()));
        }
        let [message, why, help] = entry.words().map(|(_, words, _)| words);
        if message == why || message == help || why == help {
            wrong.push(format!("{}: says the same thing twice", entry.name()));
        }
        for (key, words, _) in entry.words() {
            let cel = ["self.", "has(", "&&", "||", "oldSelf"];
            if words.contains(entry.rule.trim()) || cel.iter().any(|it| words.contains(it)) {
                wrong.push(format!("{}: {key} repeats the rule's text", entry.name()));
            }
        }
    }
    assert_none("words to correct", &wrong);
}

fn fault(words: &str, limit: usize) -> Option<String> {
    let length = words.chars().count();
    let problems = [
        (words.trim().is_empty(), "is empty".to_owned()),
        (words.trim() != words, "has space around it".to_owned()),
        (words.contains('\n'), "has more than one line".to_owned()),
        (
            length >= limit,
            format!("has {length} characters, {limit} or more"),
        ),
        (words.ends_with('.'), "ends with a dot".to_owned()),
        (
            !words.matches('`').count().is_multiple_of(2),
            "has an open backtick".to_owned(),
        ),
    ];
    let mut problems = problems.into_iter();
    problems.find(|(is, _)| *is).map(|(_, problem)| problem)
}

fn starts_in_lower_case(message: &str) -> bool {
    message.starts_with(|c: char| c == '`' || c.is_lowercase())
}

fn has_only_known_places(message: &str, known: &[&str]) -> bool {
    let rest = known
        .iter()
        .fold(message.to_owned(), |rest, place| rest.replace(place, ""));
    !rest.contains(['{', '}'])
}

#[test]
fn no_place_of_a_rule_has_two_entries() {
    let mut seen = BTreeSet::new();
    let entries = entries();
    let twice = entries
        .iter()
        .filter(|entry| !seen.insert((&entry.rule, &entry.at)));
    let twice: Vec<String> = twice.map(Entry::name).collect();
    assert_none("entries that come twice", &twice);
}

#[test]
fn entries_are_in_order_of_project_kind_and_path() {
    let (entries, rules) = (entries(), rules());
    let mut last = None;
    let mut late = Vec::new();
    for entry in &entries {
        let place = first_place(&entries, &rules, entry);
        if place < last {
            late.push(entry.name());
        }
        last = place.max(last);
    }
    assert_none("entries that should stand further up", &late);
}
