//! What is never shown: a difference ends up in terminals, logs and pull requests.

use super::model::Value;
use crate::diagnostic::Sources;
use crate::manifest::read;
use crate::value::{Kind, Map, Node};

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

/// Whether a text that was not read as objects may hold a Secret all the same: broken YAML, a template.
pub fn may_hold(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim_start_matches([' ', '\t', '-', '+', '{', ',', '"', '\'']);
        let value = line
            .strip_prefix("kind")
            .and_then(|rest| rest.trim_start_matches(['"', '\'', ' ']).strip_prefix(':'));
        value.is_some_and(|value| {
            value
                .trim_start_matches([' ', '\t', '"', '\''])
                .starts_with("Secret")
        })
    })
}

/// Whether a text holds a Secret: by its objects where it is YAML, else by its lines. A reference to one
/// (`kind`, `name` and where it is) shows nothing.
pub fn holds(text: &str) -> bool {
    if !may_hold(text) {
        return false;
    }
    let mut sources = Sources::default();
    let source = sources.add("", text);
    let (documents, problems) = read::read(&sources, source);
    !problems.is_empty()
        || documents
            .iter()
            .any(|document| holds_secret(&document.node))
}

/// The keys of a reference to an object.
const REFERENCE: [&str; 5] = ["apiVersion", "group", "kind", "name", "namespace"];

fn holds_secret(node: &Node) -> bool {
    match &node.kind {
        Kind::Map(map) => {
            let whole = is_secret(map) && map.iter().any(|(key, _)| !REFERENCE.contains(&key));
            whole || map.iter().any(|(_, below)| holds_secret(below))
        }
        Kind::List(items) => items.iter().any(holds_secret),
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
    fn a_reference_to_a_secret_is_none() {
        assert!(!holds(
            "tls:\n  certificateRefs:\n    - kind: Secret\n      name: a\n"
        ));
        assert!(holds("kind: Secret\nstringData: {a: b}\n"));
        assert!(holds("items:\n  - kind: Secret\n    data: {a: b}\n"));
        assert!(holds("kind: Secret\nname: [\n"), "broken: it can't be told");
    }

    #[test]
    fn a_text_that_may_hold_a_secret_is_known_by_its_kind() {
        for text in [
            "kind: Secret",
            "a: b\n  kind:   'Secret'\n",
            "{\"kind\": \"Secret\",",
            "- kind: Secret # x",
        ] {
            assert!(may_hold(text), "{text}");
        }
        for text in [
            "",
            "kind: ConfigMap",
            "# a Secret",
            "kindness: Secret",
            "name: Secret",
        ] {
            assert!(!may_hold(text), "{text}");
        }
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
