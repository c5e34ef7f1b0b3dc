//! The resources of containers.

use std::collections::HashSet;

use super::BuiltinWalk;
use super::config::{is_container_resource, not_negative, quantity_of};
use super::forms::LABEL;
use super::place::Place;

/// Checks what a container needs and gets at most.
pub(super) fn check(walk: &mut BuiltinWalk<'_>, resources: &Place<'_, '_>) {
    let (limits, requests) = (resources.get("limits"), resources.get("requests"));
    for values in [&limits, &requests] {
        for (name, value) in values.entries() {
            if !walk.is_open(name) && !is_container_resource(name) {
                walk.says(
                    &value,
                    "is not a resource of containers",
                    "write `cpu`, `memory`, or a name with a domain",
                );
            }
            not_negative(walk, &value);
        }
    }
    for (name, request) in requests.entries() {
        let limit = limits.get(name);
        let (Some(request_size), Some(limit_size)) =
            (quantity_of(walk, &request), quantity_of(walk, &limit))
        else {
            continue;
        };
        let is_extended = name.contains('/') && !name.contains("kubernetes.io/");
        if request_size > limit_size {
            let help = format!("write at most the limit of `{name}`");
            walk.says(
                &requests,
                &format!("has more `{name}` than the limit"),
                &help,
            );
        } else if is_extended && request_size != limit_size {
            walk.says(
                &requests,
                &format!("has less `{name}` than the limit"),
                "write the same value",
            );
        }
    }
}

/// Checks that a container only uses claims of its pod.
pub(super) fn claims(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>, resources: &Place<'_, '_>) {
    let (claims, of_pod) = (resources.get("claims"), spec.get("resourceClaims"));
    let mut seen = HashSet::new();
    for claim in claims.items() {
        let (name, request) = (claim.get("name"), claim.get("request"));
        walk.form(&request, LABEL);
        let key = (
            name.text_or_empty().to_owned(),
            request.text_or_empty().to_owned(),
        );
        if !seen.insert(key) {
            walk.twice(&claim);
        }
        let Some(text) = walk.known_text(&name) else {
            if name.is_empty() {
                walk.missing(&claim);
            }
            continue;
        };
        let is_known = |other: Place<'_, '_>| {
            let other = other.get("name").text_or_empty();
            other == text || walk.is_open(other)
        };
        if !of_pod.items().any(is_known) {
            walk.says(
                &claim,
                "is not a claim of the pod",
                "add it to `resourceClaims`, or write the name of one",
            );
        }
    }
}

/// Checks what happens to a container whose resources change: a policy for each of them.
pub(super) fn resize(walk: &mut BuiltinWalk<'_>, policies: &Place<'_, '_>) {
    let mut seen = HashSet::new();
    for policy in policies.items() {
        let (name, restart) = (policy.get("resourceName"), policy.get("restartPolicy"));
        let text = name.text_or_empty();
        if !seen.insert(text.to_owned()) {
            walk.twice(&policy);
        }
        if name.is_empty() || restart.is_empty() {
            walk.missing(policies);
        }
        if !matches!(text, "" | "cpu" | "memory") && !walk.is_open(text) {
            walk.wrong(&name, "`cpu` or `memory`");
        }
    }
}
