//! Budgets, autoscalers, roles and their bindings, and policies of admission.

use super::config::{is_container_resource, quantity_of};
use super::forms::{LABEL, PERCENT_OR_COUNT, SEGMENT, SUBDOMAIN};
use super::place::Place;
use super::{BuiltinWalk, pods, selectors, workloads};

/// Checks a PodDisruptionBudget.
pub(super) fn budget(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>) {
    let (least, most) = (spec.get("minAvailable"), spec.get("maxUnavailable"));
    if !least.is_null() && !most.is_null() {
        walk.says(
            spec,
            "has both `minAvailable` and `maxUnavailable`",
            "keep one of the two",
        );
    }
    for bound in [&least, &most] {
        workloads::count_or_percent(walk, bound);
        let percent = bound.text().and_then(|text| text.strip_suffix('%'));
        if percent
            .and_then(|percent| percent.parse::<u32>().ok())
            .is_some_and(|it| it > 100)
        {
            walk.wrong(bound, PERCENT_OR_COUNT.want);
        }
    }
}

/// Checks a HorizontalPodAutoscaler.
pub(super) fn autoscaler(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>) {
    let (least, most) = (spec.get("minReplicas"), spec.get("maxReplicas"));
    // 0 is allowed from Kubernetes 1.37 on, where the feature gate HPAScaleToZero is on by default.
    if least.number().is_some_and(|number| number < 0) {
        walk.wrong(&least, "a number of at least 0");
    }
    if most.number().is_some_and(|number| number < 1) {
        walk.wrong(&most, "a number of at least 1");
    } else if let (Some(least), Some(number)) = (least.number(), most.number())
        && number < least
    {
        walk.wrong(&most, "a number that is not below `minReplicas`");
    }
    let metrics = spec.get("metrics");
    for metric in metrics.items() {
        self::metric(walk, &metric);
    }
    let is_external =
        |metric: Place<'_, '_>| matches!(metric.get("type").text_or_empty(), "Object" | "External");
    if least.number() == Some(0) && !metrics.items().any(is_external) {
        walk.says(
            &metrics,
            "has nothing that is measured while there are no replicas, and `minReplicas` is 0",
            "add a metric of the type `Object` or `External`, or set `minReplicas: 1`",
        );
    }
    let behavior = spec.get("behavior");
    for direction in ["scaleUp", "scaleDown"] {
        let rules = behavior.get(direction);
        scaling(walk, &rules);
    }
}

/// The kinds of metrics in the order in which the server looks for them: the name of the type, the field, and the fields
/// of the target of which one is needed.
const METRICS: &[(&str, &str, &[&str])] = &[
    ("Object", "object", &["averageValue", "value"]),
    ("External", "external", &["averageValue", "value"]),
    ("Pods", "pods", &["averageValue"]),
    (
        "Resource",
        "resource",
        &["averageUtilization", "averageValue"],
    ),
    (
        "ContainerResource",
        "containerResource",
        &["averageUtilization", "averageValue"],
    ),
];

/// Checks what an autoscaler measures.
fn metric(walk: &mut BuiltinWalk<'_>, metric: &Place<'_, '_>) {
    let kind = metric.get("type");
    walk.required(&kind);
    let wanted = METRICS.iter().find(|(name, ..)| Some(*name) == kind.text());
    let mut given = METRICS
        .iter()
        .filter(|(_, field, _)| !metric.get(field).is_null());
    // The server only looks into the first one.
    if let Some((_, field, values)) = given.next() {
        source(walk, &metric.get(field), field);
        target(walk, &metric.get(field).get("target"), values);
    }
    let Some((_, field, _)) = wanted else { return };
    if metric.get(field).is_null() {
        walk.missing(&metric.get(field));
    }
    let is_given = |field: &str| !metric.get(field).is_null();
    let has_several = METRICS
        .iter()
        .filter(|(_, field, _)| is_given(field))
        .count()
        > 1;
    for (_, other, _) in METRICS.iter().filter(|(_, other, _)| other != field) {
        if has_several && is_given(other) {
            let what = format!("can't be given beside `{field}`");
            walk.says(&metric.get(other), &what, "remove it");
        }
    }
}

fn source(walk: &mut BuiltinWalk<'_>, source: &Place<'_, '_>, field: &str) {
    if matches!(field, "object" | "external" | "pods") {
        let metric = source.get("metric");
        walk.required(&metric.get("name"));
        walk.form(&metric.get("name"), SEGMENT);
    }
    match field {
        "object" => {
            let object = source.get("describedObject");
            for key in ["kind", "name"] {
                walk.required(&object.get(key));
                walk.form(&object.get(key), SEGMENT);
            }
        }
        "resource" => walk.required(&source.get("name")),
        "containerResource" => {
            let (name, container) = (source.get("name"), source.get("container"));
            walk.required(&name);
            if let Some(text) = walk.known_text(&name)
                && !is_container_resource(text)
            {
                walk.wrong(&name, "`cpu`, `memory`, or a name with a domain");
            }
            walk.required(&container);
            walk.form(&container, LABEL);
        }
        _ => {}
    }
}

fn target(walk: &mut BuiltinWalk<'_>, target: &Place<'_, '_>, values: &[&str]) {
    walk.required(&target.get("type"));
    let given = values.iter().filter(|value| !target.get(value).is_null());
    if let Some(first) = values.first()
        && given.count() == 0
    {
        walk.missing(&target.get(first));
    }
    let utilization = target.get("averageUtilization");
    if utilization.number().is_some_and(|number| number < 1) {
        walk.wrong(&utilization, "a number of at least 1");
    }
    for key in ["averageValue", "value"] {
        let value = target.get(key);
        let zero = cel_k8s::quantity::Quantity::parse("0");
        if quantity_of(walk, &value)
            .zip(zero)
            .is_some_and(|(value, zero)| value <= zero)
        {
            walk.wrong(&value, "a quantity of more than 0");
        }
    }
}

fn scaling(walk: &mut BuiltinWalk<'_>, rules: &Place<'_, '_>) {
    let window = rules.get("stabilizationWindowSeconds");
    if window
        .number()
        .is_some_and(|number| !(0..=3600).contains(&number))
    {
        walk.wrong(&window, "a number from 0 to 3600");
    }
    let policies = rules.get("policies");
    if !policies.is_null() {
        walk.required(&policies);
    }
    for policy in policies.items() {
        let (value, period) = (policy.get("value"), policy.get("periodSeconds"));
        if value.number().is_some_and(|number| number < 1) {
            walk.wrong(&value, "a number of at least 1");
        }
        if period
            .number()
            .is_some_and(|number| !(1..=1800).contains(&number))
        {
            walk.wrong(&period, "a number from 1 to 1800");
        }
    }
}

/// Checks a rule of a Role.
pub(super) fn role_rule(walk: &mut BuiltinWalk<'_>, rule: &Place<'_, '_>) {
    let urls = rule.get("nonResourceURLs");
    if !urls.is_empty() {
        walk.says(
            &urls,
            "can't be given in a namespace",
            "write them in a ClusterRole",
        );
    }
    permission(walk, rule);
}

/// Checks a rule of a ClusterRole.
pub(super) fn cluster_role_rule(walk: &mut BuiltinWalk<'_>, rule: &Place<'_, '_>) {
    permission(walk, rule);
}

/// Checks which ClusterRoles are a part of one.
pub(super) fn aggregation(walk: &mut BuiltinWalk<'_>, rule: &Place<'_, '_>) {
    if rule.is_null() {
        return;
    }
    let selectors = rule.get("clusterRoleSelectors");
    walk.required(&selectors);
    for selector in selectors.items() {
        selectors::selector(walk, &selector);
    }
}

fn permission(walk: &mut BuiltinWalk<'_>, rule: &Place<'_, '_>) {
    walk.required(&rule.get("verbs"));
    let (groups, resources) = (rule.get("apiGroups"), rule.get("resources"));
    let urls = rule.get("nonResourceURLs");
    if !urls.is_empty() {
        if groups.len() + resources.len() + rule.get("resourceNames").len() > 0 {
            walk.says(
                &urls,
                "can't be given together with resources",
                "write two rules",
            );
        }
        return;
    }
    walk.required(&groups);
    walk.required(&resources);
}

/// Checks whom a binding gives a role.
pub(super) fn subject(walk: &mut BuiltinWalk<'_>, subject: &Place<'_, '_>) {
    let (name, group) = (subject.get("name"), subject.get("apiGroup"));
    walk.required(&name);
    match subject.get("kind").text_or_empty() {
        "ServiceAccount" => {
            walk.form(&name, SUBDOMAIN);
            if !group.is_empty() && !walk.is_open(group.text_or_empty()) {
                walk.wrong(&group, "`\"\"`, or remove it");
            }
        }
        "User" | "Group" => {
            let text = group.text_or_empty();
            let is_rbac =
                text == "rbac.authorization.k8s.io" || group.is_empty() || walk.is_open(text);
            if !is_rbac {
                walk.wrong(&group, "`rbac.authorization.k8s.io`");
            }
        }
        _ => {}
    }
}

/// A ClusterRoleBinding has no namespace that its subjects could be in.
pub(super) fn cluster_subject(walk: &mut BuiltinWalk<'_>, subject: &Place<'_, '_>) {
    self::subject(walk, subject);
    if subject.get("kind").text() == Some("ServiceAccount") {
        walk.required(&subject.get("namespace"));
    }
}

/// Checks what an autoscaler scales.
pub(super) fn scale_target(walk: &mut BuiltinWalk<'_>, target: &Place<'_, '_>) {
    let version = target.get("apiVersion");
    let text = version.text_or_empty();
    let is_core = target.get("kind").text() == Some("ReplicationController");
    let has_group = text
        .split_once('/')
        .is_some_and(|(group, _)| !group.is_empty());
    if !has_group && !walk.is_open(text) && !is_core {
        walk.wrong(&version, "`group/version`");
    }
}

/// A ClusterRoleBinding can't refer to a Role.
pub(super) fn cluster_role(walk: &mut BuiltinWalk<'_>, kind: &Place<'_, '_>) {
    let text = kind.text_or_empty();
    if text != "ClusterRole" && !walk.is_open(text) {
        walk.wrong(kind, "`ClusterRole`");
    }
}

/// Checks a policy of admission.
pub(super) fn admission(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>) {
    let (validations, annotations) = (spec.get("validations"), spec.get("auditAnnotations"));
    if validations.len() + annotations.len() == 0 {
        walk.missing(&validations);
    }
    let constraints = spec.get("matchConstraints");
    if constraints.is_null() {
        walk.missing(&constraints);
    } else {
        walk.required(&constraints.get("resourceRules"));
    }
    let conditions = spec.get("matchConditions");
    for condition in conditions.items() {
        walk.required(&condition.get("name"));
        walk.required(&condition.get("expression"));
    }
    walk.form(&spec.get("paramKind").get("kind"), SEGMENT);
}

/// Checks which requests a policy or webhook is asked about.
pub(super) fn resource_rule(walk: &mut BuiltinWalk<'_>, rule: &Place<'_, '_>) {
    for key in ["operations", "apiGroups", "apiVersions", "resources"] {
        let list = rule.get(key);
        walk.required(&list);
        for item in list.items() {
            if key == "apiVersions" || key == "operations" {
                walk.required(&item);
            }
            if item.text() == Some("*") && list.len() > 1 && key != "resources" {
                walk.says(
                    &list,
                    "has `*` and other entries",
                    "keep only `*`, or remove it",
                );
            }
        }
    }
}

/// Checks what a sandbox of pods needs by itself.
pub(super) fn overhead(walk: &mut BuiltinWalk<'_>, overhead: &Place<'_, '_>) {
    for (name, value) in overhead.entries() {
        if !walk.is_open(name) && !is_container_resource(name) {
            walk.says(
                &value,
                "is not a resource of containers",
                "write `cpu`, `memory`, or a name with a domain",
            );
        }
        super::config::not_negative(walk, &value);
    }
}

/// Checks which taints the pods of a class tolerate, each once.
pub(super) fn runtime_tolerations(walk: &mut BuiltinWalk<'_>, tolerations: &Place<'_, '_>) {
    pods::tolerations(walk, tolerations);
    let mut seen: Vec<&manifest::value::Node> = Vec::new();
    for toleration in tolerations.items() {
        let Some(node) = toleration.node() else {
            continue;
        };
        match seen.contains(&node) {
            true => walk.twice(&toleration),
            false => seen.push(node),
        }
    }
}

/// The labels of a Namespace that say how its pods are secured.
const POD_SECURITY: &str = "pod-security.kubernetes.io/";

/// Checks the labels of a Namespace that say how its pods are secured (the admission plugin `PodSecurity`).
pub(super) fn pod_security(walk: &mut BuiltinWalk<'_>, labels: &Place<'_, '_>) {
    for (key, value) in labels.entries() {
        let Some(name) = key.strip_prefix(POD_SECURITY) else {
            continue;
        };
        let text = value.text_or_empty();
        let is_release = |text: &str| {
            let minor = text.strip_prefix("v1.");
            minor.is_some_and(|minor| minor.parse::<u32>().is_ok())
        };
        match name {
            _ if walk.is_open(text) => {}
            "enforce" | "audit" | "warn"
                if !matches!(text, "privileged" | "baseline" | "restricted") =>
            {
                walk.wrong(&value, "`privileged`, `baseline` or `restricted`");
            }
            "enforce-version" | "audit-version" | "warn-version"
                if text != "latest" && !is_release(text) =>
            {
                walk.wrong(&value, "`latest`, or a release like `v1.36`");
            }
            _ => {}
        }
    }
}
