//! Labels, and selectors of them.

use std::collections::HashSet;

use super::BuiltinWalk;
use super::forms::{LABEL_VALUE, QUALIFIED};
use super::place::Place;

/// Checks the keys and values of labels.
pub(super) fn labels(walk: &mut BuiltinWalk<'_>, labels: &Place<'_, '_>) {
    for (key, value) in labels.entries() {
        if !walk.is_open(key) && !(QUALIFIED.holds)(key) {
            walk.says(
                labels,
                &format!("can't have the key {key:?}"),
                &format!("write {}", QUALIFIED.want),
            );
        }
        if let Some(text) = value.text().filter(|text| !walk.is_open(text))
            && !(LABEL_VALUE.holds)(text)
        {
            walk.says(
                labels,
                &format!("can't have the value {text:?}"),
                &format!("write {}", LABEL_VALUE.want),
            );
        }
    }
}

/// Checks the keys of annotations.
pub(super) fn annotations(walk: &mut BuiltinWalk<'_>, annotations: &Place<'_, '_>) {
    for (key, _) in annotations.entries() {
        if !walk.is_open(key) && !(QUALIFIED.holds)(&key.to_lowercase()) {
            walk.says(
                annotations,
                &format!("can't have the key {key:?}"),
                &format!("write {}", QUALIFIED.want),
            );
        }
    }
}

/// Checks a label selector.
pub(super) fn selector(walk: &mut BuiltinWalk<'_>, selector: &Place<'_, '_>) {
    labels(walk, &selector.get("matchLabels"));
    let expressions = selector.get("matchExpressions");
    for expression in expressions.items() {
        let key = expression.get("key");
        walk.required(&key);
        walk.form(&key, QUALIFIED);
        values(walk, &expression);
        let values = expression.get("values");
        for value in values.items() {
            walk.form(&value, LABEL_VALUE);
        }
    }
}

/// Checks that the operator of an expression has the number of values that it needs.
pub(super) fn values(walk: &mut BuiltinWalk<'_>, expression: &Place<'_, '_>) {
    let values = expression.get("values");
    match expression.get("operator").text_or_empty() {
        "In" | "NotIn" if values.is_empty() => walk.missing(&values),
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            walk.says(&values, "can't be given with this operator", "remove it");
        }
        "Gt" | "Lt" if values.len() != 1 => {
            walk.says(
                &values,
                "must have a single value with this operator",
                "write one value",
            );
        }
        _ => {}
    }
}

/// Checks the terms that select nodes.
pub(super) fn node_terms(walk: &mut BuiltinWalk<'_>, terms: &Place<'_, '_>) {
    for term in terms.items() {
        node_term(walk, &term);
    }
}

/// Checks a term that selects nodes.
pub(super) fn node_term(walk: &mut BuiltinWalk<'_>, term: &Place<'_, '_>) {
    let expressions = term.get("matchExpressions");
    for expression in expressions.items() {
        let key = expression.get("key");
        walk.required(&key);
        walk.form(&key, QUALIFIED);
        values(walk, &expression);
    }
    let fields = term.get("matchFields");
    for field in fields.items() {
        let key = field.get("key");
        walk.required(&key);
        if let Some(text) = walk.known_text(&key)
            && text != "metadata.name"
        {
            walk.wrong(&key, "`metadata.name`");
        }
        values(walk, &field);
    }
}

/// Whether a selector selects labels; `None` if it isn't known.
pub(super) fn selects(
    walk: &BuiltinWalk<'_>,
    selector: &Place<'_, '_>,
    labels: &Place<'_, '_>,
) -> Option<bool> {
    let is_open = |place: &Place<'_, '_>| place.text().is_some_and(|text| walk.is_open(text));
    if labels
        .entries()
        .any(|(key, value)| walk.is_open(key) || is_open(&value))
    {
        return None;
    }
    let wanted = selector.get("matchLabels");
    for (key, value) in wanted.entries() {
        if walk.is_open(key) || is_open(&value) {
            return None;
        }
        if labels.get(key).text() != value.text() {
            return Some(false);
        }
    }
    let expressions = selector.get("matchExpressions");
    for expression in expressions.items() {
        let key = expression.get("key").text()?;
        let label = labels.get(key);
        let values = expression.get("values");
        let has = label
            .text()
            .is_some_and(|label| values.items().any(|value| value.text() == Some(label)));
        let holds = match expression.get("operator").text()? {
            "In" => has,
            "NotIn" => !has,
            "Exists" => label.text().is_some(),
            "DoesNotExist" => label.text().is_none(),
            _ => return None,
        };
        if !holds {
            return Some(false);
        }
    }
    Some(true)
}

/// Checks the finalizers of a Namespace, which are those of Kubernetes or have a domain.
pub(super) fn finalizers(walk: &mut BuiltinWalk<'_>, finalizers: &Place<'_, '_>) {
    let is_wrong = finalizers.items().any(|item| {
        let text = item.text_or_empty();
        let is_known = text == "kubernetes" || text.contains('/');
        !(walk.is_open(text) || is_known && (QUALIFIED.holds)(text))
    });
    if is_wrong {
        walk.says(
            finalizers,
            "has a name that is not allowed",
            "write `kubernetes`, or `prefix.example.com/name`",
        );
    }
}

/// Checks where a class makes volumes: each place once.
pub(super) fn topologies(walk: &mut BuiltinWalk<'_>, topologies: &Place<'_, '_>) {
    let mut terms: Vec<Vec<(String, Vec<String>)>> = Vec::new();
    for term in topologies.items() {
        let expressions = term.get("matchLabelExpressions");
        let mut keys = HashSet::new();
        let mut all = Vec::new();
        for expression in expressions.items() {
            let (key, values) = (expression.get("key"), expression.get("values"));
            walk.item(&key, QUALIFIED);
            walk.required(&values);
            if !keys.insert(key.text_or_empty().to_owned()) {
                walk.twice(&key);
            }
            let mut texts: Vec<String> = Vec::new();
            for value in values.items() {
                let text = value.text_or_empty().to_owned();
                match texts.contains(&text) {
                    true => walk.twice(&value),
                    false => texts.push(text),
                }
            }
            texts.sort_unstable();
            all.push((key.text_or_empty().to_owned(), texts));
        }
        all.sort_unstable();
        match all.is_empty() || terms.contains(&all) {
            true => walk.twice(&expressions),
            false => terms.push(all),
        }
    }
}
