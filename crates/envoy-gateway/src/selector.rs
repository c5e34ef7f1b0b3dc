//! Label selectors (apimachinery's `LabelSelector`, Kubernetes 1.34).

use super::read::{list, text};
use manifest::value::Node;

/// Whether labels match a selector.
///
/// # Errors
/// If the selector itself is invalid; the text says why.
pub fn matches<'a>(
    selector: &'a Node,
    label: impl Fn(&'a str) -> Option<&'a str>,
) -> Result<bool, String> {
    let mut all = true;
    if let Some(wanted) = selector.get("matchLabels").and_then(Node::as_map) {
        for (key, value) in wanted.iter() {
            all &= label(key) == Some(value.as_str().unwrap_or_default());
        }
    }
    for expression in list(selector, &["matchExpressions"]) {
        let key = text(expression, &["key"]).unwrap_or_default();
        let values = list(expression, &["values"]);
        let operator = text(expression, &["operator"]).unwrap_or_default();
        let found = label(key);
        let is_among = values
            .iter()
            .any(|value| value.as_str().is_some_and(|value| Some(value) == found));
        all &= match (operator, values.is_empty()) {
            ("In", false) => is_among,
            ("NotIn", false) => !is_among,
            ("Exists", true) => found.is_some(),
            ("DoesNotExist", true) => found.is_none(),
            ("In" | "NotIn", true) => {
                return Err(format!("`{operator}` on `{key}` needs values"));
            }
            ("Exists" | "DoesNotExist", false) => {
                return Err(format!("`{operator}` on `{key}` takes no values"));
            }
            _ => return Err(format!("`{operator}` on `{key}` is not an operator")),
        };
    }
    Ok(all)
}

/// The keys of the labels that a selector uses.
pub fn keys(selector: &Node) -> impl Iterator<Item = &str> {
    let labels = selector.get("matchLabels").and_then(Node::as_map);
    let labels = labels
        .into_iter()
        .flat_map(|it| it.iter().map(|(key, _)| key));
    let expressions = list(selector, &["matchExpressions"]).iter();
    labels.chain(expressions.map(|it| text(it, &["key"]).unwrap_or_default()))
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
}
