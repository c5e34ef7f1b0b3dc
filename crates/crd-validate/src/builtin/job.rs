//! What a Job does if its pods fail, and when it has succeeded.

use std::collections::HashSet;

use super::BuiltinWalk;
use super::forms::{CONTROLLER, QUALIFIED};
use super::place::Place;

/// The fields that only an indexed Job has.
const OF_INDEXED: &[&str] = &["backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"];

/// The most indexes that a Job may have or may fail.
const MOST_INDEXES: i64 = 100_000;

/// Checks what depends on whether the pods of a Job have an index.
pub(super) fn completion(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>) {
    let (mode, completions) = (spec.get("completionMode"), spec.get("completions"));
    let failed = spec.get("maxFailedIndexes");
    let limit = spec.get("backoffLimitPerIndex");
    if !failed.is_null() && limit.is_null() {
        walk.missing(&limit);
    }
    match mode.text_or_empty() {
        "" | "NonIndexed" => {
            for key in OF_INDEXED {
                let field = spec.get(key);
                if !field.is_null() {
                    let help = "write `completionMode: Indexed`, or remove it";
                    walk.says(&field, "can only be given for an indexed Job", help);
                }
            }
        }
        "Indexed" => {
            if completions.is_null() {
                walk.missing(&completions);
            }
            let parallelism = spec.get("parallelism");
            if parallelism.number().is_some_and(|it| it > MOST_INDEXES) {
                walk.wrong(&parallelism, "at most 100000");
            }
            let most = completions.number().unwrap_or(MOST_INDEXES);
            if failed
                .number()
                .is_some_and(|it| it > most.min(MOST_INDEXES))
            {
                walk.wrong(&failed, "at most the number of `completions`");
            }
            success(walk, &spec.get("successPolicy"), &completions);
        }
        _ => {}
    }
    walk.given(&spec.get("managedBy"), CONTROLLER);
    failure(walk, spec);
}

/// Checks when a Job has succeeded before all of its pods have.
fn success(walk: &mut BuiltinWalk<'_>, policy: &Place<'_, '_>, completions: &Place<'_, '_>) {
    if policy.is_null() {
        return;
    }
    let rules = policy.get("rules");
    walk.required(&rules);
    for rule in rules.items() {
        let (count, indexes) = (rule.get("succeededCount"), rule.get("succeededIndexes"));
        if count.is_null() && indexes.is_null() {
            walk.missing(&rule);
        }
        let most = completions.number().unwrap_or(i64::MAX);
        if count
            .number()
            .is_some_and(|count| !(0..=most).contains(&count))
        {
            walk.wrong(&count, "a number from 0 to that of `completions`");
        }
    }
}

/// Checks what happens if pods of a Job fail.
fn failure(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>) {
    let policy = spec.get("podFailurePolicy");
    if policy.is_null() {
        return;
    }
    let (template, replacement) = (spec.get("template"), spec.get("podReplacementPolicy"));
    let pod = template.get("spec");
    let restart = pod.get("restartPolicy");
    if restart.text() == Some("OnFailure") {
        walk.wrong(&restart, "`Never`, because there is a `podFailurePolicy`");
    }
    if replacement.text() == Some("TerminatingOrFailed") {
        walk.wrong(
            &replacement,
            "`Failed`, because there is a `podFailurePolicy`",
        );
    }
    let rules = policy.get("rules");
    for rule in rules.items() {
        let (codes, conditions) = (rule.get("onExitCodes"), rule.get("onPodConditions"));
        let action = rule.get("action");
        if action.text() == Some("FailIndex") && spec.get("backoffLimitPerIndex").is_null() {
            walk.wrong(&action, "another action, or `backoffLimitPerIndex`");
        }
        match (codes.is_null(), conditions.is_empty()) {
            (true, true) => walk.says(
                &rule,
                "has no condition",
                "write `onExitCodes` or `onPodConditions`",
            ),
            (false, false) => walk.says(&rule, "has two conditions", "write two rules"),
            _ => {}
        }
        exit_codes(walk, &codes, &pod);
        for condition in conditions.items() {
            let (kind, status) = (condition.get("type"), condition.get("status"));
            walk.required(&kind);
            walk.form(&kind, QUALIFIED);
            let text = status.text_or_empty();
            if !matches!(text, "" | "True" | "False" | "Unknown") && !walk.is_open(text) {
                walk.wrong(&status, "`\"True\"`, `\"False\"` or `\"Unknown\"`");
            }
        }
    }
}

fn exit_codes(walk: &mut BuiltinWalk<'_>, codes: &Place<'_, '_>, pod: &Place<'_, '_>) {
    if codes.is_null() {
        return;
    }
    let name = codes.get("containerName");
    let is_container = |text: &str| {
        ["containers", "initContainers"].iter().any(|key| {
            let containers = pod.get(key);
            containers.items().any(|container| {
                let name = container.get("name").text_or_empty();
                name == text || walk.is_open(name)
            })
        })
    };
    let is_lost = name
        .text()
        .is_some_and(|text| !walk.is_open(text) && !is_container(text));
    if is_lost {
        walk.wrong(&name, "the name of a container of the pod");
    }
    let (values, is_in) = (
        codes.get("values"),
        codes.get("operator").text() == Some("In"),
    );
    if values.is_empty() {
        walk.says(&values, "needs at least one exit code", "write one");
    }
    let mut seen = HashSet::new();
    let mut last = None;
    let mut is_ordered = true;
    for value in values.items() {
        let number = value.number().unwrap_or_default();
        if is_in && number == 0 {
            walk.wrong(&value, "another exit code: 0 is no failure");
        }
        if !seen.insert(number) {
            walk.twice(&value);
        }
        is_ordered &= last.is_none_or(|last| last <= number);
        last = Some(number);
    }
    if !is_ordered {
        walk.says(&values, "are not in order", "write the smallest one first");
    }
}
