//! Pods, and the templates of pods.

use super::forms::{IP, LABEL, LABEL_VALUE, QUALIFIED, SUBDOMAIN, SYSCTL};
use super::place::Place;
use super::{BuiltinWalk, containers, policies, selectors, volumes};

/// The kinds whose pods end, so that they can't always be restarted.
const ENDING: &[&str] = &["Job", "CronJob"];

/// Checks the pods at a path of an object.
pub(super) fn check(walk: &mut BuiltinWalk<'_>, object: &Place<'_, '_>, path: &str) {
    match path.split_once('.') {
        Some((step, rest)) => check(walk, &object.get(step), rest),
        None => {
            let metadata = object.get("metadata");
            if walk.object.kind() != "Pod" {
                selectors::labels(walk, &metadata.get("labels"));
                selectors::annotations(walk, &metadata.get("annotations"));
            }
            let spec = object.get(path);
            if !spec.is_null() || walk.object.kind() != "PodTemplate" {
                pod(walk, &spec);
            }
        }
    }
}

fn pod(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>) {
    volumes::check(walk, &spec.get("volumes"));
    containers::check(walk, spec);
    restart_policy(walk, &spec.get("restartPolicy"));
    walk.form(&spec.get("serviceAccountName"), SUBDOMAIN);
    walk.form(&spec.get("nodeName"), SUBDOMAIN);
    walk.form(&spec.get("priorityClassName"), SUBDOMAIN);
    walk.form(&spec.get("runtimeClassName"), SUBDOMAIN);
    walk.form(&spec.get("hostname"), LABEL);
    walk.given(&spec.get("hostnameOverride"), SUBDOMAIN);
    policies::overhead(walk, &spec.get("overhead"));
    walk.form(&spec.get("subdomain"), LABEL);
    selectors::labels(walk, &spec.get("nodeSelector"));
    let deadline = spec.get("activeDeadlineSeconds");
    let is_kept = matches!(
        walk.object.kind(),
        "DaemonSet" | "Deployment" | "ReplicaSet" | "StatefulSet"
    );
    if is_kept && !deadline.is_null() {
        walk.says(
            &deadline,
            "can only be given for pods that end",
            "remove it",
        );
    }
    if deadline
        .number()
        .is_some_and(|number| !(1..=i64::from(i32::MAX)).contains(&number))
    {
        walk.wrong(&deadline, "a number of at least 1");
    }
    tolerations(walk, &spec.get("tolerations"));
    affinity(walk, &spec.get("affinity"));
    spread(walk, &spec.get("topologySpreadConstraints"));
    dns(walk, spec);
    let aliases = spec.get("hostAliases");
    for alias in aliases.items() {
        walk.form(&alias.get("ip"), IP);
        let names = alias.get("hostnames");
        for name in names.items() {
            walk.form(&name, SUBDOMAIN);
        }
    }
    let context = spec.get("securityContext");
    identity(walk, &context);
    let sysctls = context.get("sysctls");
    let mut names = std::collections::HashSet::new();
    for sysctl in sysctls.items() {
        let name = sysctl.get("name");
        walk.required(&name);
        walk.form(&name, SYSCTL);
        walk.unique(&name, &mut names);
    }
    resource_claims(walk, &spec.get("resourceClaims"));
}

/// Checks the claims of a pod to devices.
fn resource_claims(walk: &mut BuiltinWalk<'_>, claims: &Place<'_, '_>) {
    let mut names = std::collections::HashSet::new();
    for claim in claims.items() {
        let name = claim.get("name");
        walk.required(&name);
        walk.form(&name, LABEL);
        walk.unique(&name, &mut names);
        let (one, template) = (
            claim.get("resourceClaimName"),
            claim.get("resourceClaimTemplateName"),
        );
        if one.is_null() == template.is_null() {
            walk.says(
                &claim,
                "must name either a claim or a template",
                "write `resourceClaimName` or `resourceClaimTemplateName`",
            );
        }
        walk.given(&one, SUBDOMAIN);
        walk.given(&template, SUBDOMAIN);
    }
}

/// Checks the numbers of users and groups.
pub(super) fn identity(walk: &mut BuiltinWalk<'_>, context: &Place<'_, '_>) {
    for key in ["runAsUser", "runAsGroup", "fsGroup"] {
        let number = context.get(key);
        if number
            .number()
            .is_some_and(|number| !(0..=i64::from(i32::MAX)).contains(&number))
        {
            walk.wrong(&number, "a number from 0 to 2147483647");
        }
    }
}

fn restart_policy(walk: &mut BuiltinWalk<'_>, policy: &Place<'_, '_>) {
    let text = policy.text_or_empty();
    if walk.is_open(text) {
        return;
    }
    match walk.object.kind() {
        kind if ENDING.contains(&kind) => {
            if policy.is_empty() {
                walk.missing(policy);
            } else if !matches!(text, "OnFailure" | "Never") {
                walk.wrong(policy, "`OnFailure` or `Never`");
            }
        }
        "Pod" | "PodTemplate" => {}
        _ if !policy.is_empty() && text != "Always" => walk.wrong(policy, "`Always`, or remove it"),
        _ => {}
    }
}

/// Checks which taints of nodes are tolerated.
pub(super) fn tolerations(walk: &mut BuiltinWalk<'_>, tolerations: &Place<'_, '_>) {
    for toleration in tolerations.items() {
        let (key, operator, value) = (
            toleration.get("key"),
            toleration.get("operator"),
            toleration.get("value"),
        );
        walk.form(&key, QUALIFIED);
        let kind = operator.text_or_empty();
        if key.is_empty() && kind != "Exists" && !walk.is_open(kind) {
            walk.wrong(&operator, "`Exists` if there is no `key`");
        }
        if kind == "Exists" && !value.is_empty() {
            walk.says(
                &value,
                "can't be given with `operator: Exists`",
                "remove it",
            );
        }
        if matches!(kind, "" | "Equal") && !value.is_empty() {
            let text = value.text_or_empty();
            if !walk.is_open(text) && !(LABEL_VALUE.holds)(text) {
                walk.wrong(&value, LABEL_VALUE.want);
            }
        }
        let effect = toleration.get("effect");
        if !toleration.get("tolerationSeconds").is_null() && effect.text() != Some("NoExecute") {
            walk.wrong(&effect, "`NoExecute`, or remove `tolerationSeconds`");
        }
    }
}

fn affinity(walk: &mut BuiltinWalk<'_>, affinity: &Place<'_, '_>) {
    let nodes = affinity.get("nodeAffinity");
    let required = nodes.get("requiredDuringSchedulingIgnoredDuringExecution");
    if !required.is_null() {
        let terms = required.get("nodeSelectorTerms");
        walk.required(&terms);
        selectors::node_terms(walk, &terms);
    }
    let preferred = nodes.get("preferredDuringSchedulingIgnoredDuringExecution");
    for term in preferred.items() {
        selectors::node_term(walk, &term.get("preference"));
        weight(walk, &term);
    }
    for key in ["podAffinity", "podAntiAffinity"] {
        let pods = affinity.get(key);
        let required = pods.get("requiredDuringSchedulingIgnoredDuringExecution");
        for term in required.items() {
            pod_term(walk, &term);
        }
        let preferred = pods.get("preferredDuringSchedulingIgnoredDuringExecution");
        for term in preferred.items() {
            weight(walk, &term);
            pod_term(walk, &term.get("podAffinityTerm"));
        }
    }
}

fn weight(walk: &mut BuiltinWalk<'_>, term: &Place<'_, '_>) {
    let weight = term.get("weight");
    if weight
        .number()
        .is_some_and(|number| !(1..=100).contains(&number))
    {
        walk.wrong(&weight, "a number from 1 to 100");
    }
}

fn pod_term(walk: &mut BuiltinWalk<'_>, term: &Place<'_, '_>) {
    selectors::selector(walk, &term.get("labelSelector"));
    selectors::selector(walk, &term.get("namespaceSelector"));
    let namespaces = term.get("namespaces");
    for namespace in namespaces.items() {
        walk.item(&namespace, LABEL);
    }
    let key = term.get("topologyKey");
    walk.required(&key);
    walk.form(&key, QUALIFIED);
}

fn spread(walk: &mut BuiltinWalk<'_>, constraints: &Place<'_, '_>) {
    let mut seen = std::collections::HashSet::new();
    for constraint in constraints.items() {
        let (key, action) = (
            constraint.get("topologyKey"),
            constraint.get("whenUnsatisfiable"),
        );
        walk.required(&key);
        walk.required(&action);
        walk.form(&key, QUALIFIED);
        selectors::selector(walk, &constraint.get("labelSelector"));
        let keys = constraint.get("matchLabelKeys");
        if !keys.is_empty() && constraint.get("labelSelector").is_null() {
            walk.says(
                &keys,
                "can only be given with a `labelSelector`",
                "add `labelSelector`, or remove it",
            );
        }
        let skew = constraint.get("maxSkew");
        if skew.number().is_some_and(|number| number < 1) {
            walk.wrong(&skew, "a number of at least 1");
        }
        let pair = (
            key.text_or_empty().to_owned(),
            action.text_or_empty().to_owned(),
        );
        if !seen.insert(pair) {
            walk.twice(&constraint);
        }
    }
}

fn dns(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>) {
    let config = spec.get("dnsConfig");
    let servers = config.get("nameservers");
    if spec.get("dnsPolicy").text() == Some("None") && servers.is_empty() {
        walk.missing(&servers);
    }
    for server in servers.items() {
        walk.form(&server, IP);
    }
    if servers.len() > 3 {
        walk.says(
            &servers,
            "has more than three servers",
            "keep three of them",
        );
    }
}
