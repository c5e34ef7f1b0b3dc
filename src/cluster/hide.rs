//! Hides strings that come from Secrets through variables.

use std::collections::BTreeSet;

use crate::diff::secret::HIDDEN;
use crate::diff::{Diff, FieldChange, Value};
use manifest::value::{Kind, Node};

/// Strings this short are only hidden if they are a whole value, because they occur in many words.
const SHORT: usize = 3;

/// Hides strings in a difference: in names, paths and values, and the old value if the new one contains one of them.
pub fn hide(diff: &mut Diff, secrets: &BTreeSet<String>) {
    if secrets.is_empty() {
        return;
    }
    for object in &mut diff.objects {
        text(&mut object.identity.name, secrets);
        text(&mut object.identity.namespace, secrets);
        if let Some(content) = &mut object.content {
            node(content, secrets);
        }
        for field in &mut object.fields {
            text(&mut field.path, secrets);
            change(&mut field.change, secrets);
        }
    }
}

fn change(change: &mut FieldChange, secrets: &BTreeSet<String>) {
    match change {
        FieldChange::Added(value) | FieldChange::Removed(value) => {
            if let Value::Shown(shown) = value {
                node(shown, secrets);
            }
        }
        FieldChange::Changed { old, new, lines } => {
            let holds = |value: &mut Value| match value {
                Value::Shown(shown) => node(shown, secrets),
                Value::Hidden => false,
            };
            if holds(old) | holds(new) {
                // The other side is the same secret before or after the change.
                (*old, *new, *lines) = (Value::Hidden, Value::Hidden, None);
            }
        }
        FieldChange::Reordered { old, new } => {
            for name in old.iter_mut().chain(new) {
                text(name, secrets);
            }
        }
    }
}

/// Hides strings in a value. Returns whether there were any.
fn node(value: &mut Node, secrets: &BTreeSet<String>) -> bool {
    match &mut value.kind {
        Kind::String(shown) => text(shown, secrets),
        Kind::Number(number) => {
            let is_secret = secrets.contains(&number.to_string());
            if is_secret {
                value.kind = Kind::String(HIDDEN.to_owned());
            }
            is_secret
        }
        Kind::List(items) => items
            .iter_mut()
            .fold(false, |any, item| node(item, secrets) | any),
        Kind::Map(map) => map
            .iter_mut()
            .fold(false, |any, (_, item)| node(item, secrets) | any),
        Kind::Null | Kind::Bool(_) => false,
    }
}

/// Hides secret parts of a text. Returns whether there were any.
pub fn text(shown: &mut String, secrets: &BTreeSet<String>) -> bool {
    let mut any = false;
    // The longest come first, because one secret may be a part of another.
    let mut by_length: Vec<&String> = secrets.iter().collect();
    by_length.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    for secret in by_length {
        let stands_there = match secret.len() {
            0 => false,
            length if length < SHORT => shown == secret,
            _ => shown.contains(secret.as_str()),
        };
        if stands_there {
            *shown = shown.replace(secret.as_str(), HIDDEN);
            any = true;
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::{self, File};
    use serde_json::json;

    fn side(name: &str, domain: &str, port: u32) -> File {
        let object = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"host": format!("a.{domain}"), "port": port, "list": [{"name": format!("x.{domain}"), "port": port}]}});
        File::read("a.yaml", object.to_string().into_bytes())
    }

    #[test]
    fn a_secret_domain_is_seen_nowhere() {
        let secrets = ["new.example.org", "new-example-org", "8443"]
            .map(str::to_owned)
            .into();
        for (old, new) in [
            (
                vec![],
                vec![side("new-example-org-tls", "new.example.org", 8443)],
            ),
            (
                vec![side("a", "old.example.org", 443)],
                vec![side("a", "new.example.org", 8443)],
            ),
        ] {
            let mut diff = diff::diff(&old, &new, None);
            hide(&mut diff, &secrets);
            let shown = diff::terminal::text(&diff, false) + &diff::json::json(&diff).to_string();
            for secret in [
                "new.example.org",
                "new-example-org",
                "8443",
                "a.old.example.org",
            ] {
                assert!(!shown.contains(secret), "{secret} in {shown}");
            }
            assert!(shown.contains(HIDDEN), "{shown}");
        }
    }

    #[test]
    fn a_short_secret_is_hidden_only_as_a_whole() {
        let secrets = BTreeSet::from(["7".to_owned()]);
        let hidden = |value: &str| {
            let mut value = value.to_owned();
            text(&mut value, &secrets);
            value
        };
        assert_eq!(
            (hidden("7").as_str(), hidden("1.7").as_str()),
            (HIDDEN, "1.7")
        );
    }
}
