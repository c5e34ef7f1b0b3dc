//! ResourceQuotas.

use super::BuiltinWalk;
use super::config::{QUOTA_RESOURCES, not_negative, quantity_of};
use super::place::Place;

/// The scopes of a ResourceQuota.
const SCOPES: &[&str] = &[
    "BestEffort",
    "CrossNamespacePodAffinity",
    "NotBestEffort",
    "NotTerminating",
    "PriorityClass",
    "Terminating",
    "VolumeAttributesClass",
];

/// What is said of resources that a scope doesn't have.
const NOT_OF_SCOPE: &str = "don't fit to a resource in `spec.hard`";

/// The scopes that a pod is in or not, without a value.
const ONLY_THERE: &[&str] = &[
    "BestEffort",
    "CrossNamespacePodAffinity",
    "NotBestEffort",
    "NotTerminating",
    "Terminating",
];

/// Scopes that exclude each other.
const PAIRS: &[(&str, &str)] = &[
    ("BestEffort", "NotBestEffort"),
    ("Terminating", "NotTerminating"),
];

/// The resources of pods, and those of claims.
const OF_PODS: &[&str] = &[
    "cpu",
    "limits.cpu",
    "limits.memory",
    "memory",
    "pods",
    "requests.cpu",
    "requests.memory",
];
const OF_CLAIMS: &[&str] = &["persistentvolumeclaims", "requests.storage"];

/// The resources that are counted, so that they are whole numbers.
const COUNTED: &[&str] = &[
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];

/// Whether all limits of a quota are of resources that a scope has.
fn fits(scope: &Place<'_, '_>, hard: &Place<'_, '_>) -> bool {
    let allowed: &[&str] = match scope.text_or_empty() {
        "BestEffort" => &["pods"],
        "VolumeAttributesClass" => OF_CLAIMS,
        text if SCOPES.contains(&text) => OF_PODS,
        _ => return true,
    };
    let mut names = hard.entries().map(|(name, _)| name);
    names.all(|name| !QUOTA_RESOURCES.contains(&name) || allowed.contains(&name))
}

fn excludes_itself(scopes: &[&str]) -> bool {
    PAIRS
        .iter()
        .any(|(first, second)| scopes.contains(first) && scopes.contains(second))
}

/// Checks whose resources a ResourceQuota limits.
pub(super) fn scopes(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>) {
    let is_unknown = |walk: &BuiltinWalk<'_>, at: &Place<'_, '_>| {
        at.text()
            .is_some_and(|text| !SCOPES.contains(&text) && !walk.is_open(text))
    };
    let hard = spec.get("hard");
    let scopes = spec.get("scopes");
    let is_null = |scope: Place<'_, '_>| scope.is_null();
    if scopes.items().any(|scope| is_unknown(walk, &scope)) || scopes.items().any(is_null) {
        walk.wrong(&scopes, "scopes like `NotTerminating`");
    } else if scopes.items().any(|scope| !fits(&scope, &hard)) {
        walk.says(&scopes, NOT_OF_SCOPE, "remove the scope or the resource");
    } else if excludes_itself(
        &scopes
            .items()
            .map(|it| it.text_or_empty())
            .collect::<Vec<_>>(),
    ) {
        walk.says(&scopes, "exclude each other", "keep one of the two");
    }
    let selector = spec.get("scopeSelector");
    let expressions = selector.get("matchExpressions");
    for expression in expressions.items() {
        let (name, operator, values) = (
            expression.get("scopeName"),
            expression.get("operator"),
            expression.get("values"),
        );
        walk.required(&name);
        if is_unknown(walk, &name) {
            walk.wrong(&name, "a scope like `PriorityClass`");
        }
        if !fits(&name, &hard) {
            walk.says(
                &expressions,
                NOT_OF_SCOPE,
                "remove the scope or the resource",
            );
        }
        let is_only_there = ONLY_THERE.contains(&name.text_or_empty());
        match operator.text_or_empty() {
            text if is_only_there && text != "Exists" && !walk.is_open(text) => {
                walk.wrong(&operator, "`Exists`, which is all that this scope has");
            }
            "In" | "NotIn" => walk.required(&values),
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                walk.says(&values, "can't be given with this operator", "remove it");
            }
            "Exists" | "DoesNotExist" => {}
            text if walk.is_open(text) => {}
            _ => walk.wrong(&operator, "`In`, `NotIn`, `Exists` or `DoesNotExist`"),
        }
    }
}

/// Checks the limits of a ResourceQuota.
pub(super) fn quota(walk: &mut BuiltinWalk<'_>, hard: &Place<'_, '_>) {
    for (name, value) in hard.entries() {
        let is_known = QUOTA_RESOURCES.contains(&name)
            || name.contains('/')
            || name.starts_with("hugepages-")
            || name.starts_with("requests.hugepages-");
        if !walk.is_open(name) && !is_known {
            walk.says(
                &value,
                "is not a resource that can be limited",
                "write a resource, like `requests.cpu`, or a name with a domain",
            );
        }
        not_negative(walk, &value);
        let has_fraction = quantity_of(walk, &value).is_some_and(|quantity| !quantity.is_whole());
        if COUNTED.contains(&name) && has_fraction {
            walk.wrong(&value, "a whole number");
        }
    }
}
