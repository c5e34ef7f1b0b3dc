//! Which of two findings about one mistake is reported: a rule says more than the validation rule of a CRD.

use std::collections::BTreeSet;

use manifest::diagnostic::{Diagnostic, ObjectRef};

/// Removes findings of validation rules if the same object has the finding that says more about the mistake
/// ([`Diagnostic::covered_by`]).
pub(crate) fn said_once(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let wanted: BTreeSet<String> = found
        .iter()
        .filter_map(|it| it.covered_by.clone())
        .collect();
    let better = found.iter().filter(|it| wanted.contains(it.code.as_str()));
    let better: BTreeSet<(String, ObjectRef)> = better
        .filter_map(|it| Some((it.code.as_str().to_owned(), it.object.clone()?)))
        .collect();
    found.retain(|it| {
        let by = it.covered_by.clone().zip(it.object.clone());
        by.is_none_or(|by| !better.contains(&by))
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::keda::minimum_above_maximum;
    use crd_validate::codes::RULE_FAILED;
    use manifest::diagnostic::Code;

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
        let rule = Diagnostic {
            covered_by: Some(minimum_above_maximum::CODE.as_str().to_owned()),
            ..finding(RULE_FAILED, "`minReplicaCount` is above `maxReplicaCount`")
        };
        let other = finding(RULE_FAILED, "`triggers` is empty");
        let better = finding(minimum_above_maximum::CODE, "a has 5 and 2");
        let found = said_once(vec![rule.clone(), other.clone(), better.clone()]);
        assert_eq!(found, [other, better]);
        assert_eq!(said_once(vec![rule.clone()]), [rule]);
    }
}
