//! Label selectors (apimachinery's `LabelSelector`, Kubernetes 1.34).

use std::collections::BTreeMap;

use super::read::{list, text};
use manifest::value::{Node, variable};

/// Labels that may be only partly known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// The known labels. A value with a Flux variable is unknown.
    pub known: BTreeMap<String, String>,
    /// Whether there may be others.
    pub is_open: bool,
}

impl Labels {
    /// Adds the labels of a map in a manifest.
    pub fn add(&mut self, map: Option<&Node>) {
        let entries = map.and_then(Node::as_map).into_iter();
        for (key, value) in entries.flat_map(|map| map.iter()) {
            if let Some(value) = value.as_str() {
                self.set(key, value);
            }
        }
    }

    /// Adds a label.
    pub fn set(&mut self, key: &str, value: &str) {
        self.known.insert(key.to_owned(), value.to_owned());
    }

    /// Whether they satisfy a requirement; `None` if that is unknown, or if the requirement is invalid.
    fn satisfy(&self, requirement: &Requirement<'_>) -> Option<bool> {
        if requirement.values.iter().any(|it| variable::in_text(it)) {
            return None;
        }
        match self.known.get(requirement.key) {
            Some(value) if variable::in_text(value) => None,
            None if self.is_open => None,
            value => requirement.is_met_by(value.map(String::as_str)).ok(),
        }
    }
}

/// Whether a selector selects labels; `None` if that is unknown. Without a selector, everything is selected.
pub fn selects(selector: Option<&Node>, labels: &Labels) -> Option<bool> {
    let mut is_known = true;
    for requirement in selector.into_iter().flat_map(requirements) {
        match labels.satisfy(&requirement) {
            Some(false) => return Some(false),
            Some(true) => {}
            None => is_known = false,
        }
    }
    is_known.then_some(true)
}

/// Whether labels match a selector.
///
/// # Errors
/// If the selector itself is invalid; the text says why.
pub fn matches<'a>(
    selector: &'a Node,
    label: impl Fn(&'a str) -> Option<&'a str>,
) -> Result<bool, String> {
    let mut all = true;
    for requirement in requirements(selector) {
        all &= requirement.is_met_by(label(requirement.key))?;
    }
    Ok(all)
}

/// The keys of the labels that a selector uses.
pub fn keys(selector: &Node) -> impl Iterator<Item = &str> {
    requirements(selector).map(|it| it.key)
}

/// A single requirement of a selector.
struct Requirement<'a> {
    key: &'a str,
    operator: &'a str,
    values: Vec<&'a str>,
}

fn requirements(selector: &Node) -> impl Iterator<Item = Requirement<'_>> {
    let labels = selector.get("matchLabels").and_then(Node::as_map);
    let labels = labels.into_iter().flat_map(|it| it.iter());
    let labels = labels.map(|(key, value)| Requirement {
        key,
        operator: "In",
        values: vec![value.as_str().unwrap_or_default()],
    });
    let expressions = list(selector, &["matchExpressions"]).iter();
    labels.chain(expressions.map(|it| {
        let values = list(it, &["values"]).iter();
        Requirement {
            key: text(it, &["key"]).unwrap_or_default(),
            operator: text(it, &["operator"]).unwrap_or_default(),
            values: values.filter_map(Node::as_str).collect(),
        }
    }))
}

impl Requirement<'_> {
    /// Whether the value of the label with its key satisfies it; `None` stands for a label that doesn't exist.
    fn is_met_by(&self, found: Option<&str>) -> Result<bool, String> {
        let is_among = found.is_some_and(|found| self.values.contains(&found));
        let Requirement { key, operator, .. } = self;
        match (*operator, self.values.is_empty()) {
            ("In", false) => Ok(is_among),
            ("NotIn", false) => Ok(!is_among),
            ("Exists", true) => Ok(found.is_some()),
            ("DoesNotExist", true) => Ok(found.is_none()),
            ("In" | "NotIn", true) => Err(format!("`{operator}` on `{key}` needs values")),
            ("Exists" | "DoesNotExist", false) => {
                Err(format!("`{operator}` on `{key}` takes no values"))
            }
            _ => Err(format!("`{operator}` on `{key}` is not an operator")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn ask(selector: Value) -> Result<bool, String> {
        let selector = Node::from_json(selector);
        matches(&selector, |key| (key == "team").then_some("blue"))
    }

    #[test]
    fn labels_are_matched_as_kubernetes_does() {
        let expression = |operator: &str, values: Value| json!({"matchExpressions": [{"key": "team", "operator": operator, "values": values}]});
        let rows = [
            (json!({}), true),
            (json!({"matchLabels": {"team": "blue"}}), true),
            (json!({"matchLabels": {"team": "red"}}), false),
            (expression("In", json!(["red", "blue"])), true),
            (expression("NotIn", json!(["red", "blue"])), false),
            (expression("Exists", json!([])), true),
            (expression("DoesNotExist", json!([])), false),
        ];
        for (selector, want) in rows {
            assert_eq!(ask(selector.clone()), Ok(want), "{selector}");
        }
        assert!(ask(expression("Exists", json!(["x"]))).is_err());
        assert!(ask(expression("In", json!([]))).is_err());
        assert!(ask(expression("Like", json!(["x"]))).is_err());
    }

    #[test]
    fn selectors_select_what_kubernetes_would_and_admit_what_is_unknown() {
        let mut labels = Labels::default();
        labels.set("a", "1");
        labels.set("v", "${X}");
        let mut open = labels.clone();
        open.is_open = true;
        let rule = |key: &str, operator: &str, values: &[&str]| json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]});
        for (selector, closed, opened) in [
            (json!({}), Some(true), Some(true)),
            (json!({"matchLabels": {"a": "1"}}), Some(true), Some(true)),
            (json!({"matchLabels": {"a": "2"}}), Some(false), Some(false)),
            (json!({"matchLabels": {"b": "1"}}), Some(false), None),
            (
                json!({"matchLabels": {"a": "2", "b": "1"}}),
                Some(false),
                Some(false),
            ),
            (json!({"matchLabels": {"v": "1"}}), None, None),
            (rule("a", "In", &["1", "2"]), Some(true), Some(true)),
            (rule("b", "NotIn", &["1"]), Some(true), None),
            (rule("a", "NotIn", &["1"]), Some(false), Some(false)),
            (rule("b", "Exists", &[]), Some(false), None),
            (rule("b", "DoesNotExist", &[]), Some(true), None),
        ] {
            let node = Node::from_json(selector.clone());
            assert_eq!(selects(Some(&node), &labels), closed, "{selector}");
            assert_eq!(selects(Some(&node), &open), opened, "{selector}");
        }
        assert_eq!(selects(None, &labels), Some(true));
    }
}
