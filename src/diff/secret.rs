//! Hides secrets, because a diff is shown in terminals, logs and pull requests.

use super::model::Value;
use manifest::diagnostic::Sources;
use manifest::read;
use manifest::value::{Kind, Map, Node};

/// The text that replaces a secret.
pub const HIDDEN: &str = "(hidden)";

/// How much of a part of an object is visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Everything is visible.
    Open,
    /// A kustomization's `secretGenerator`, whose `literals` are secrets.
    Generator,
    /// The `data` of a Secret: keys are visible, values are not.
    Secret,
    /// Nothing is visible.
    Hidden,
}

/// The annotation with kubectl's copy of the whole object, which includes secrets.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

impl Visibility {
    /// The visibility of the value of `key` in a map. `of_secret` says whether that map is a Secret.
    #[must_use]
    pub fn below(self, key: &str, of_secret: bool) -> Self {
        match (self, key) {
            (Visibility::Hidden | Visibility::Secret, _) | (Visibility::Open, LAST_APPLIED) => {
                Visibility::Hidden
            }
            (Visibility::Generator, "literals") => Visibility::Hidden,
            (Visibility::Generator, _) => Visibility::Generator,
            (Visibility::Open, "data" | "stringData") if of_secret => Visibility::Secret,
            (Visibility::Open, "secretGenerator") => Visibility::Generator,
            (Visibility::Open, _) => Visibility::Open,
        }
    }

    /// The visibility of the entries of a list.
    #[must_use]
    pub fn entries(self) -> Self {
        if self == Visibility::Secret {
            Visibility::Hidden
        } else {
            self
        }
    }

    /// The value with everything hidden that is not visible.
    pub fn show(self, node: &Node) -> Value {
        match (self, &node.kind) {
            (Visibility::Hidden, _) => Value::Hidden,
            (Visibility::Secret, kind) if !matches!(kind, Kind::Map(_)) => Value::Hidden,
            _ => Value::Shown(redacted(node, self)),
        }
    }
}

/// Whether a map is a Secret, including one inside another object such as a `List`.
pub fn is_secret(map: &Map) -> bool {
    map.get("kind").and_then(Node::as_str) == Some("Secret")
}

/// Compares two texts with `diff`, after replacing the documents that may contain a Secret. Returns `None` if
/// both are equal, or if `diff` returns nothing.
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

/// A text in which documents that may contain a Secret are replaced.
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

/// Whether a text may contain a Secret: one of its objects is a Secret (a reference doesn't count) or, if the
/// text can't be parsed, a line looks like the kind of one.
pub fn may_hold(text: &str) -> bool {
    // Without the word, or a way to write it with escapes, there is no need to parse the text.
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

/// Whether a line of an invalid text is the kind of a Secret, and not a part of a reference to one.
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

/// Whether the keys around a line are only those of a reference.
fn is_reference(lines: &[&str], at: usize, indent: usize) -> bool {
    let (above, below) = lines.split_at(at);
    let key = |line: &&&str| match key_and_value(line) {
        Some((other, key, _)) if other == indent => Some(key.to_owned()),
        _ => None,
    };
    let starts = |line: &&str| line.trim_start().starts_with('-');
    let mut keys = Vec::new();
    // An entry of a list starts with a dash, so the lines above it belong to another entry. One line more
    // than a reference has keys is enough to see that it is not a reference.
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

/// The indentation of a line's key, the key, and the text after it.
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

/// Whether a tree contains a Secret with data, or a generator for one.
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

/// An object with its secrets hidden and without source positions.
pub fn redact(node: &Node) -> Node {
    redacted(node, Visibility::Open)
}

fn redacted(node: &Node, visibility: Visibility) -> Node {
    let kind = match &node.kind {
        _ if visibility == Visibility::Hidden => return Node::string(HIDDEN),
        Kind::Map(map) => {
            let secret = is_secret(map);
            let below = |(key, value): (&str, &Node)| {
                (
                    key.to_owned(),
                    redacted(value, visibility.below(key, secret)),
                )
            };
            Kind::Map(map.iter().map(below).collect())
        }
        _ if visibility == Visibility::Secret => return Node::string(HIDDEN),
        Kind::List(items) => Kind::List(
            items
                .iter()
                .map(|item| redacted(item, visibility.entries()))
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
    fn a_text_that_may_contain_a_secret_is_detected_by_its_kind() {
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
    fn a_reference_in_an_invalid_text_is_not_a_secret() {
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
