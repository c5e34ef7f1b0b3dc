//! What is never shown: a difference ends up in terminals, logs and pull requests.

use super::model::Value;
use manifest::diagnostic::Sources;
use manifest::read;
use manifest::value::{Kind, Map, Node};

/// What stands in place of a secret.
pub const HIDDEN: &str = "(hidden)";

/// How much of a part of an object may be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// All of it.
    Open,
    /// A kustomization's `secretGenerator`: its `literals` are secrets.
    Generator,
    /// The `data` of a Secret: keys, but no values.
    Secret,
    /// Nothing.
    Hidden,
}

/// kubectl's copy of the whole object, secrets included.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

impl Sight {
    /// The sight of what `key` leads to in a map; `of_secret` where that map is a Secret.
    #[must_use]
    pub fn below(self, key: &str, of_secret: bool) -> Self {
        match (self, key) {
            (Sight::Hidden | Sight::Secret, _) | (Sight::Open, LAST_APPLIED) => Sight::Hidden,
            (Sight::Generator, "literals") => Sight::Hidden,
            (Sight::Generator, _) => Sight::Generator,
            (Sight::Open, "data" | "stringData") if of_secret => Sight::Secret,
            (Sight::Open, "secretGenerator") => Sight::Generator,
            (Sight::Open, _) => Sight::Open,
        }
    }

    /// The sight of a list's entries.
    #[must_use]
    pub fn entries(self) -> Self {
        if self == Sight::Secret {
            Sight::Hidden
        } else {
            self
        }
    }

    /// A value as this sight shows it.
    pub fn show(self, node: &Node) -> Value {
        match (self, &node.kind) {
            (Sight::Hidden, _) => Value::Hidden,
            (Sight::Secret, kind) if !matches!(kind, Kind::Map(_)) => Value::Hidden,
            _ => Value::Shown(redacted(node, self)),
        }
    }
}

/// Whether a map is a Secret; also where it stands inside another object, as in a `List`.
pub fn is_secret(map: &Map) -> bool {
    map.get("kind").and_then(Node::as_str) == Some("Secret")
}

/// The way from one text to another, as `diff` tells it. The documents that may hold a Secret are not shown, the others
/// are; `None` where both are the same, or nothing can be told.
pub fn unified(
    before: &str,
    after: &str,
    diff: impl Fn(&str, &str) -> Option<String>,
) -> Option<String> {
    let (old, new) = (shown(before), shown(after));
    if before != after && old == new {
        return Some(format!("{HIDDEN}\n"));
    }
    diff(&old, &new)
}

/// A text without the documents that may hold a Secret.
fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let documents = read::split(text).into_iter();
    let documents = documents.filter_map(|range| text.get(range));
    for document in documents.filter(|document| !document.is_empty()) {
        if !may_hold(document) {
            shown.push_str(document);
            continue;
        }
        if read::is_mark(document) {
            shown.push_str("---\n");
        }
        shown.push_str(HIDDEN);
        shown.push('\n');
    }
    shown
}

/// Whether a text may hold a Secret: one of its objects is one (a reference to one is not), or, where it can't be
/// read, a line of it looks like one.
pub fn may_hold(text: &str) -> bool {
    // Without the word, or a way to spell it otherwise, there is nothing to read.
    if !text.contains("ecret") && !text.contains(['\\', '!']) {
        return false;
    }
    let mut sources = Sources::default();
    let id = sources.add("", text);
    let (documents, problems) = read::read(&sources, id);
    if problems.is_empty() {
        return documents.iter().any(|document| holds(&document.node));
    }
    let lines: Vec<&str> = text.lines().collect();
    (0..lines.len()).any(|at| looks_like_one(&lines, at))
}

/// Whether a line of a broken text gives the kind of a Secret, and is no part of a reference to one.
fn looks_like_one(lines: &[&str], at: usize) -> bool {
    match key_and_value(lines.get(at).copied().unwrap_or_default()) {
        Some((_, "secretGenerator", _)) => true,
        Some((indent, "kind", value)) if value.starts_with("Secret") => {
            indent == 0 || !is_reference(lines, at, indent)
        }
        _ => false,
    }
}

/// The keys of a reference to an object.
const REFERENCE: [&str; 6] = [
    "group",
    "kind",
    "name",
    "namespace",
    "apiVersion",
    "optional",
];

/// Whether the keys beside a line name an object and say nothing else of it.
fn is_reference(lines: &[&str], at: usize, indent: usize) -> bool {
    let (above, below) = lines.split_at(at);
    let key = |line: &&&str| match key_and_value(line) {
        Some((other, key, _)) if other == indent => Some(key.to_owned()),
        _ => None,
    };
    let starts = |line: &&str| line.trim_start().starts_with('-');
    let mut keys = Vec::new();
    // An entry of a list starts with a dash: what is above that belongs to another one. A line more than a reference
    // has keys tells that it is none.
    let most = REFERENCE.len() + 1;
    if !below.first().is_some_and(starts) {
        for line in above.iter().rev().take(most) {
            let Some(key) = key(&line) else { break };
            keys.push(key);
            if starts(line) {
                break;
            }
        }
    }
    for (count, line) in below.iter().take(most).enumerate() {
        match key(&line) {
            Some(key) if count == 0 || !starts(line) => keys.push(key),
            _ => break,
        }
    }
    keys.len() <= REFERENCE.len()
        && keys.iter().any(|key| key == "name")
        && keys.iter().all(|key| REFERENCE.contains(&key.as_str()))
}

/// How far a line's key is indented, the key, and what follows it.
fn key_and_value(line: &str) -> Option<(usize, &str, &str)> {
    let start = line.trim_start_matches([' ', '\t', '-', '+', '{', ',', '"', '\'']);
    let end = start.find(|c: char| !c.is_ascii_alphanumeric())?;
    let (key, rest) = start.split_at(end);
    let value = rest
        .trim_start_matches(['"', '\'', ' '])
        .strip_prefix(':')?;
    let value = value.trim_start_matches([' ', '\t', '"', '\'']);
    Some((line.len() - start.len(), key, value))
}

/// Whether a Secret with data, or a generator of one, stands anywhere in a tree.
fn holds(node: &Node) -> bool {
    match &node.kind {
        Kind::Map(map) => {
            let has = |key: &str| map.contains_key(key);
            (is_secret(map) && (has("data") || has("stringData") || has("metadata")))
                || has("secretGenerator")
                || map.iter().any(|(_, below)| holds(below))
        }
        Kind::List(items) => items.iter().any(holds),
        _ => false,
    }
}

/// An object without its secrets and without places.
pub fn redact(node: &Node) -> Node {
    redacted(node, Sight::Open)
}

fn redacted(node: &Node, sight: Sight) -> Node {
    let kind = match &node.kind {
        _ if sight == Sight::Hidden => return Node::string(HIDDEN),
        Kind::Map(map) => {
            let secret = is_secret(map);
            let below = |(key, value): (&str, &Node)| {
                (key.to_owned(), redacted(value, sight.below(key, secret)))
            };
            Kind::Map(map.iter().map(below).collect())
        }
        _ if sight == Sight::Secret => return Node::string(HIDDEN),
        Kind::List(items) => Kind::List(
            items
                .iter()
                .map(|item| redacted(item, sight.entries()))
                .collect(),
        ),
        kind => kind.clone(),
    };
    Node::new(kind, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_text_that_may_hold_a_secret_is_known_by_its_kind() {
        for text in [
            "kind: Secret\ndata: {a: b}",
            "a: b\n  kind:   'Secret'\n",
            "{\"kind\": \"Secret\",",
            "- kind: Secret # x\n b: [",
            "kind: List\nitems:\n  - kind: Secret\n    data: {}\n",
            "secretGenerator: [{name: a}]",
        ] {
            assert!(may_hold(text), "{text}");
        }
        for text in [
            "",
            "kind: ConfigMap",
            "# a Secret",
            "kindness: Secret",
            "name: Secret",
            "certificateRefs:\n  - kind: Secret\n    name: example-com-tls\n",
        ] {
            assert!(!may_hold(text), "{text}");
        }
    }

    #[test]
    fn a_reference_in_a_broken_text_is_no_secret() {
        for text in [
            "tls:\n  certificateRefs:\n    - group: ''\n      kind: Secret\n      name: example-com-tls\nx: [",
            "tls:\n  certificateRefs:\n    - kind: Secret\n      name: a\n    - kind: Secret\n      name: b\nx: [",
        ] {
            assert!(!may_hold(text), "{text}");
        }
        for text in [
            "kind: Secret\nname: x\nx: [",
            "items:\n  - kind: Secret\n    metadata:\n      name: x\nx: [",
            "items:\n  - metadata:\n      name: x\n    kind: Secret\n    stringData: {a: b}\nx: [",
            "secretGenerator:\n  - literals: [a=b]\nx: [",
        ] {
            assert!(may_hold(text), "{text}");
        }
    }

    #[test]
    fn only_the_documents_that_are_secrets_are_hidden() {
        let secret = |value: &str| format!("---\nkind: Secret\nstringData: {{a: {value}}}\n");
        let other = |value: &str| format!("---\nkind: ConfigMap\ndata: {{a: {value}}}\n");
        let diff = |old: &str, new: &str| (old != new).then(|| format!("{old}=>\n{new}"));
        let both = |one: &str, two: &str| secret(one) + &other(two);
        assert_eq!(
            unified(&both("s1", "c1"), &both("s2", "c2"), diff),
            Some(format!(
                "---\n{HIDDEN}\n{}=>\n---\n{HIDDEN}\n{}",
                other("c1"),
                other("c2")
            ))
        );
        assert_eq!(
            unified(&both("s1", "c"), &both("s2", "c"), diff),
            Some(format!("{HIDDEN}\n"))
        );
        assert_eq!(unified(&both("s", "c"), &both("s", "c"), diff), None);
    }

    #[test]
    fn keys_of_secrets_are_seen_and_values_are_not() {
        let object = json!({
            "kind": "List",
            "items": [
                {"kind": "Secret", "metadata": {"name": "a", "annotations": {LAST_APPLIED: "s3cret"}},
                 "data": {"password": "s3cret"}, "stringData": "s3cret"},
                {"kind": "ConfigMap", "data": {"plain": "shown"}},
                {"kind": "Kustomization", "secretGenerator": [{"name": "b", "literals": ["k=s3cret"]}]},
            ],
        });
        let text = redact(&Node::from_json(object)).to_json().to_string();
        assert!(!text.contains("s3cret"), "{text}");
        for seen in ["password", "shown", "\"b\""] {
            assert!(text.contains(seen), "{text}");
        }
    }
}
