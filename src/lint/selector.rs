//! Label selectors on labels that are only partly known.

use std::collections::BTreeMap;

use manifest::value::{Node, variable};

/// Labels, and whether there may be others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// The known labels.
    pub known: BTreeMap<String, String>,
    /// Whether there may be others.
    pub is_open: bool,
}

impl Labels {
    /// Adds the labels of a map in a manifest. A value with a Flux variable is unknown.
    pub fn add(&mut self, map: Option<&Node>) {
        let entries = map.and_then(Node::as_map).into_iter();
        for (key, value) in entries.flat_map(|map| map.iter()) {
            let Some(value) = value.as_str() else {
                continue;
            };
            self.set(key, value);
        }
    }

    /// Adds a label.
    pub fn set(&mut self, key: &str, value: &str) {
        self.known.insert(key.to_owned(), value.to_owned());
    }

    /// Whether a value satisfies a condition; `None` if that is unknown.
    fn value(&self, key: &str, fits: impl Fn(Option<&str>) -> bool) -> Option<bool> {
        match self.known.get(key) {
            Some(value) if variable::in_text(value) => None,
            Some(value) => Some(fits(Some(value))),
            None if self.is_open => None,
            None => Some(fits(None)),
        }
    }
}

/// Whether a LabelSelector selects labels; `None` if that is unknown. Without a selector, everything is selected.
pub fn selects(selector: Option<&Node>, labels: &Labels) -> Option<bool> {
    let Some(selector) = selector else {
        return Some(true);
    };
    let pairs = selector.get("matchLabels").and_then(Node::as_map);
    let equal = pairs
        .into_iter()
        .flat_map(|map| map.iter())
        .map(|(key, wanted)| {
            let wanted = wanted
                .as_str()
                .filter(|wanted| !variable::in_text(wanted))?;
            labels.value(key, |value| value == Some(wanted))
        });
    let rules = selector.get("matchExpressions").and_then(Node::as_list);
    let rules = rules
        .unwrap_or_default()
        .iter()
        .map(|rule| expression(rule, labels));
    all(equal.chain(rules))
}

/// Whether all parts are true: false if any is false, else unknown if any is unknown.
fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut is_known = true;
    for part in parts {
        match part {
            Some(false) => return Some(false),
            Some(true) => {}
            None => is_known = false,
        }
    }
    is_known.then_some(true)
}

fn expression(rule: &Node, labels: &Labels) -> Option<bool> {
    let key = rule.get("key")?.as_str()?;
    let values = rule.get("values").and_then(Node::as_list);
    let values: Vec<&str> = values
        .unwrap_or_default()
        .iter()
        .filter_map(Node::as_str)
        .collect();
    if values.iter().any(|value| variable::in_text(value)) {
        return None;
    }
    let is_in = |value: Option<&str>| value.is_some_and(|value| values.contains(&value));
    match rule.get("operator")?.as_str()? {
        "In" => labels.value(key, is_in),
        "NotIn" => labels.value(key, |value| !is_in(value)),
        "Exists" => labels.value(key, |value| value.is_some()),
        "DoesNotExist" => labels.value(key, |value| value.is_none()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
