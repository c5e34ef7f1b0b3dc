//! Which of two findings about one mistake is reported: a rule says more than the validation rule of a CRD.

use std::collections::BTreeSet;

use super::keda::minimum_above_maximum;
use crd_validate::codes::{RULE_FAILED, SCHEMA_LIST_KEY};
use manifest::diagnostic::{Code, Diagnostic, ObjectRef};

/// A code, and a word in the messages of the validation rules that report the same mistake of the same object.
const BETTER: &[(Code, &str)] = &[
    (minimum_above_maximum::CODE, "`minReplicaCount`"),
    (SCHEMA_LIST_KEY, "have the same `name`"),
];

/// Removes findings of validation rules if a rule of this program reports the same mistake.
pub(crate) fn said_once(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut said: BTreeSet<(&str, ObjectRef)> = BTreeSet::new();
    for one in &found {
        let row = BETTER.iter().find(|(code, _)| *code == one.code);
        let object = one.object.clone();
        said.extend(row.and_then(|(_, word)| Some((*word, object?))));
    }
    found.retain(|one| {
        let is_said = |(word, object): &(&str, ObjectRef)| {
            one.object.as_ref() == Some(object) && one.message.contains(word)
        };
        one.code != RULE_FAILED || !said.iter().any(is_said)
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mistake_is_one_finding() {
        let object = ObjectRef {
            kind: "ScaledObject".to_owned(),
            ..ObjectRef::default()
        };
        let finding = |code: Code, message: &str| Diagnostic {
            object: Some(object.clone()),
            ..Diagnostic::new(code, message)
        };
        let rule = finding(RULE_FAILED, "`minReplicaCount` is above `maxReplicaCount`");
        let other = finding(RULE_FAILED, "`triggers` is empty");
        let better = finding(minimum_above_maximum::CODE, "a has 5 and 2");
        let found = said_once(vec![rule.clone(), other.clone(), better.clone()]);
        assert_eq!(found, [other, better]);
        assert_eq!(said_once(vec![rule.clone()]), [rule]);
    }
}
