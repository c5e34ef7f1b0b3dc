//! What findings on rules say.
//!
//! The words of the embedded schemas' rules stand in a table, `schemas/words/rules.toml`, by the rule's exact
//! text; it is read when a rule fails. A rule without an entry speaks for itself: with the message that its CRD
//! gives, where that was kept on import, else with its own text.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::codes;
use crate::schema::node::Rule;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Pointer, pointer::Step};

/// The table, as committed.
pub static TABLE: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../schemas/words/rules.toml"
));

/// How many characters of a rule a finding shows.
const LONGEST_SHOWN: usize = 160;

/// What follows from a rule that fails, where the table doesn't say more.
const REFUSED: &str =
    "the API server refuses the object, and Flux reports the whole Kustomization as failed";

/// The table's form.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Its entries.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Entry>,
}

/// One entry: what to say where a rule fails.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The rule's exact text.
    pub rule: String,
    /// Where it stands, for a text that stands in several places with different meanings: the kind and its
    /// fields (`Gateway.spec.listeners`), or the end of that.
    pub at: Option<String>,
    /// What is wrong; `{path}` is the dotted path of the value at fault, `{kind}` the object's kind.
    pub message: String,
    /// What follows from it.
    pub why: Option<String>,
    /// What to do.
    pub help: Option<String>,
}

impl Words {
    /// Reads a table.
    ///
    /// # Errors
    /// Where it is not of the form.
    pub fn read(text: &str) -> Result<Words, toml::de::Error> {
        toml::from_str(text)
    }
}

impl Entry {
    fn message_for(&self, kind: &str, pointer: &Pointer) -> String {
        // One pass: a key of the path may itself look like a placeholder.
        let mut text = String::new();
        let mut rest = self.message.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            if let Some(after) = after.strip_prefix("path}") {
                text.push_str(&pointer.dotted());
                rest = after;
            } else if let Some(after) = after.strip_prefix("kind}") {
                text.push_str(kind);
                rest = after;
            } else {
                text.push('{');
                rest = after;
            }
        }
        text.push_str(rest);
        text
    }
}

/// What a finding says.
pub(super) struct Said {
    pub message: String,
    pub why: String,
    pub help: Option<String>,
}

/// What to say of a rule that fails at `pointer`; `own` is what its CRD says.
pub(super) fn failed(object: &Object, pointer: &Pointer, rule: &Rule, own: Option<&str>) -> Said {
    if let Some(entry) = find(&rule.rule, &place(object.kind(), pointer)) {
        return Said {
            message: entry.message_for(object.kind(), pointer),
            why: entry.why.clone().unwrap_or_else(|| REFUSED.to_owned()),
            help: entry.help.clone(),
        };
    }
    let name = name(pointer);
    match own {
        Some(own) => Said {
            message: format!("{name}: {own}"),
            why: REFUSED.to_owned(),
            help: Some(format!("the rule is `{}`", shown(&rule.rule))),
        },
        None => Said {
            message: format!(
                "{name} breaks a rule of {}: `{}`",
                object.kind(),
                shown(&rule.rule)
            ),
            why: REFUSED.to_owned(),
            help: Some(
                "`self` in the rule is that field; change it until the rule holds".to_owned(),
            ),
        },
    }
}

/// Whether the table speaks of a rule.
pub(super) fn are_known(object: &Object, pointer: &Pointer, rule: &Rule) -> bool {
    find(&rule.rule, &place(object.kind(), pointer)).is_some()
}

/// A rule that can't be read.
pub(super) fn unreadable(
    object: &Object,
    pointer: &Pointer,
    rule: &Rule,
    problem: &str,
) -> Diagnostic {
    let message = format!(
        "a rule on {} can't be read: {}",
        name(pointer),
        shown(problem)
    );
    finding(codes::RULE_UNREADABLE, object, pointer, message)
        .why("whether the API server would refuse the object is not known")
        .help(format!("the rule is `{}`", shown(&rule.rule)))
}

/// A rule that fails while it is evaluated.
pub(super) fn fails(object: &Object, pointer: &Pointer, rule: &Rule, problem: &str) -> Diagnostic {
    let message = format!(
        "a rule on {} can't be evaluated: {}",
        name(pointer),
        shown(problem)
    );
    finding(codes::RULE_UNREADABLE, object, pointer, message)
        .why("the API server refuses an object on which a rule can't be evaluated")
        .help(format!("the rule is `{}`", shown(&rule.rule)))
}

/// A rule that takes more work than it may.
pub(super) fn spent(object: &Object, pointer: &Pointer, rule: &Rule) -> Diagnostic {
    let message = format!("a rule on {} takes too much work", name(pointer));
    finding(codes::RULE_UNREADABLE, object, pointer, message)
        .why("the API server gives up on such a rule, and refuses the object")
        .help(format!(
            "shorten the lists that it goes over; the rule is `{}`",
            shown(&rule.rule)
        ))
}

fn name(pointer: &Pointer) -> String {
    if pointer.steps().is_empty() {
        return "the object".to_owned();
    }
    format!("`{}`", pointer.dotted())
}

/// A text on one line, cut where it is long.
fn shown(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

/// Where a node is in its kind: `Gateway.spec.listeners`, without positions.
fn place(kind: &str, pointer: &Pointer) -> String {
    let mut text = kind.to_owned();
    for step in pointer.steps() {
        if let Step::Key(key) = step {
            text.push('.');
            text.push_str(key);
        }
    }
    text
}

/// The entry for a rule: of several the one whose `at` says most about the place.
fn find(rule: &str, place: &str) -> Option<&'static Entry> {
    static WORDS: OnceLock<HashMap<String, Vec<Entry>>> = OnceLock::new();
    let words = WORDS.get_or_init(|| index(own_words()));
    best(words.get(rule)?, place)
}

/// The table in this program, which the tests read.
fn own_words() -> Words {
    Words::read(TABLE).expect("schemas/words/rules.toml is of its form")
}

fn index(words: Words) -> HashMap<String, Vec<Entry>> {
    let mut index: HashMap<String, Vec<Entry>> = HashMap::new();
    for entry in words.rules {
        index.entry(entry.rule.clone()).or_default().push(entry);
    }
    index
}

fn best<'a>(entries: &'a [Entry], place: &str) -> Option<&'a Entry> {
    let fits = |entry: &&Entry| entry.at.as_deref().is_none_or(|at| is_at(place, at));
    let says = |entry: &&Entry| entry.at.as_ref().map_or(0, |at| at.len() + 1);
    entries.iter().filter(fits).max_by_key(says)
}

/// Whether `at` is a run of whole steps of `place`.
fn is_at(place: &str, at: &str) -> bool {
    let wanted: Vec<&str> = at.split('.').collect();
    let steps: Vec<&str> = place.split('.').collect();
    steps.windows(wanted.len()).any(|run| run == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_table_can_be_read() {
        let words = Words::read(TABLE).expect("schemas/words/rules.toml");
        for entry in &words.rules {
            assert!(!entry.message.is_empty(), "{}", entry.rule);
        }
    }

    #[test]
    fn of_entries_with_one_rule_the_one_that_says_most_of_the_place_is_taken() {
        let table = r#"
            [[rule]]
            rule = "self.a"
            message = "anywhere"
            [[rule]]
            rule = "self.a"
            at = "spec.listeners"
            message = "`{path}` of {kind} {x}"
            [[rule]]
            rule = "self.a"
            at = "Gateway.spec.listeners"
            message = "listeners of a Gateway"
        "#;
        let words = Words::read(table).expect("a table");
        let at = |place| best(&words.rules, place).map(|entry| entry.message.as_str());
        assert_eq!(at("Gateway.spec.listeners"), Some("listeners of a Gateway"));
        let general = "`{path}` of {kind} {x}";
        assert_eq!(at("ListenerSet.spec.listeners"), Some(general));
        assert_eq!(at("Gateway.spec.listener"), Some("anywhere"));
        let pointer = Pointer::root().key("spec").key("{kind}");
        let said = words
            .rules
            .get(1)
            .map(|it| it.message_for("Gateway", &pointer));
        assert_eq!(said.as_deref(), Some("`spec.{kind}` of Gateway {x}"));
    }
}
