//! The texts of findings on rules.
//!
//! The texts for the rules of the embedded schemas are in a table, `schemas/words/rules.toml`, by the rule's exact
//! text. The table is read when a rule fails. For a rule without an entry, the finding has the message of its CRD if
//! that was kept on import, else the rule itself.

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
pub(crate) static TABLE: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../schemas/words/rules.toml"
));

/// How many characters of a rule a finding shows.
const LONGEST_SHOWN: usize = 160;

/// The consequence of a failing rule, if the table doesn't have a more specific one.
const REFUSED: &str =
    "the API server refuses the object, and Flux reports the whole Kustomization as failed";

/// The format of the table.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Words {
    /// Its entries.
    #[serde(default, rename = "rule")]
    pub rules: Vec<RuleText>,
}

/// The text for a failing rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleText {
    /// The rule's exact text.
    pub rule: String,
    /// Where the rule is, if the same text has different meanings at different places: the kind and its fields
    /// (`Gateway.spec.listeners`), or the end of that.
    pub at: Option<String>,
    /// What is wrong; `{path}` is the dotted path of the value, `{kind}` the object's kind.
    pub message: String,
    /// The consequence.
    pub why: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// The code of another finding that says more about the same mistake.
    pub covered_by: Option<String>,
}

impl Words {
    /// Parses a table.
    ///
    /// # Errors
    /// If it doesn't have the right format.
    pub(crate) fn read(text: &str) -> Result<Words, toml::de::Error> {
        toml::from_str(text)
    }
}

impl RuleText {
    fn message_for(&self, kind: &str, pointer: &Pointer) -> String {
        // All placeholders are replaced in one pass, because a key of the path may look like a placeholder.
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

/// The text of a finding.
pub(super) struct FindingText {
    pub message: String,
    pub why: String,
    pub help: Option<String>,
    pub covered_by: Option<String>,
}

/// The text for a rule that fails at `pointer`; `own` is the message of its CRD.
pub(super) fn failed(
    object: &Object,
    pointer: &Pointer,
    rule: &Rule,
    own: Option<&str>,
) -> FindingText {
    if let Some(entry) = find(&rule.rule, &place(object.kind(), pointer)) {
        return FindingText {
            message: entry.message_for(object.kind(), pointer),
            why: entry.why.clone().unwrap_or_else(|| REFUSED.to_owned()),
            help: entry.help.clone(),
            covered_by: entry.covered_by.clone(),
        };
    }
    let name = name(pointer);
    match own {
        Some(own) => FindingText {
            message: format!("{name}: {own}"),
            why: REFUSED.to_owned(),
            help: Some(format!("the rule is `{}`", shown(&rule.rule))),
            covered_by: None,
        },
        None => FindingText {
            message: format!(
                "{name} breaks a rule of {}: `{}`",
                object.kind(),
                shown(&rule.rule)
            ),
            why: REFUSED.to_owned(),
            help: Some(
                "`self` in the rule is this field; change it so that the rule is true".to_owned(),
            ),
            covered_by: None,
        },
    }
}

/// What is wrong if a rule fails, by the table or by the message that was kept on import.
pub(super) fn refusal(kind: &str, pointer: &Pointer, rule: &Rule) -> Option<String> {
    let entry = find(&rule.rule, &place(kind, pointer));
    let text = entry.map(|entry| entry.message_for(kind, pointer));
    text.or_else(|| rule.message.clone())
}

/// Whether the table has an entry for a rule.
pub(super) fn are_known(object: &Object, pointer: &Pointer, rule: &Rule) -> bool {
    find(&rule.rule, &place(object.kind(), pointer)).is_some()
}

/// The finding for a rule that can't be parsed.
pub(super) fn unreadable(
    object: &Object,
    pointer: &Pointer,
    rule: &Rule,
    problem: &str,
) -> Diagnostic {
    let message = format!(
        "a rule on {} can't be parsed: {}",
        name(pointer),
        shown(problem)
    );
    finding(codes::RULE_UNREADABLE, object, pointer, message)
        .why("it is not known whether the API server would refuse the object")
        .help(format!("the rule is `{}`", shown(&rule.rule)))
}

/// The finding for a rule that fails during evaluation.
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

/// The finding for a rule that exceeds its cost limit.
pub(super) fn spent(object: &Object, pointer: &Pointer, rule: &Rule) -> Diagnostic {
    let message = format!("a rule on {} takes too much work", name(pointer));
    finding(codes::RULE_UNREADABLE, object, pointer, message)
        .why("the API server gives up on such a rule, and refuses the object")
        .help(format!(
            "shorten the lists that it iterates over; the rule is `{}`",
            shown(&rule.rule)
        ))
}

fn name(pointer: &Pointer) -> String {
    if pointer.steps().is_empty() {
        return "the object".to_owned();
    }
    format!("`{}`", pointer.dotted())
}

/// A text on one line, shortened.
fn shown(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

/// The path of a node from its kind: `Gateway.spec.listeners`, without list indices.
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

/// The entry for a rule. If there are several, the one whose `at` is the most specific.
fn find(rule: &str, place: &str) -> Option<&'static RuleText> {
    static WORDS: OnceLock<HashMap<String, Vec<RuleText>>> = OnceLock::new();
    let words = WORDS.get_or_init(|| index(own_words()));
    best(words.get(rule)?, place)
}

/// The table in this program, for tests.
fn own_words() -> Words {
    Words::read(TABLE).expect("schemas/words/rules.toml is of its form")
}

fn index(words: Words) -> HashMap<String, Vec<RuleText>> {
    let mut index: HashMap<String, Vec<RuleText>> = HashMap::new();
    for entry in words.rules {
        index.entry(entry.rule.clone()).or_default().push(entry);
    }
    index
}

fn best<'a>(entries: &'a [RuleText], place: &str) -> Option<&'a RuleText> {
    let fits = |entry: &&RuleText| entry.at.as_deref().is_none_or(|at| is_at(place, at));
    let says = |entry: &&RuleText| entry.at.as_ref().map_or(0, |at| at.len() + 1);
    entries.iter().filter(fits).max_by_key(says)
}

/// Whether `at` consists of consecutive whole steps of `place`.
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
