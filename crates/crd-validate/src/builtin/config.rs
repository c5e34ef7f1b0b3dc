//! ConfigMaps, Secrets, LimitRanges and PriorityClasses.

use cel_k8s::quantity;
use k8s_syntax::base64;

use super::BuiltinWalk;
use super::forms::{self, CONFIG_KEY};
use super::place::Place;

/// The maximum size of the data of a ConfigMap or Secret, in bytes.
const MOST_DATA: usize = 1 << 20;

/// The largest value of a priority that users may give.
const MOST_PRIORITY: i64 = 1_000_000_000;

/// The resources of a container that have no domain in their names.
const CONTAINER_RESOURCES: &[&str] = &["cpu", "memory", "ephemeral-storage"];

/// The resources besides those of containers that a LimitRange or a ResourceQuota can name.
pub(super) const QUOTA_RESOURCES: &[&str] = &[
    "cpu",
    "memory",
    "ephemeral-storage",
    "storage",
    "pods",
    "services",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
];

/// Checks keys and sizes.
pub(super) fn config_map(walk: &mut BuiltinWalk<'_>, object: &Place<'_, '_>) {
    let (data, binary) = (object.get("data"), object.get("binaryData"));
    let size = keys(walk, &data, |text| text.len()) + keys(walk, &binary, decoded_length);
    for (key, value) in binary.entries() {
        if data.node().and_then(|data| data.get(key)).is_some() {
            walk.says(&value, "is in `data`, too", "remove one of the two");
        }
    }
    too_large(walk, object, size);
}

/// The keys that a Secret of a type must have: one of them, or all of them.
const TYPES: &[(&str, bool, &[&str])] = &[
    ("kubernetes.io/dockercfg", true, &[".dockercfg"]),
    (
        "kubernetes.io/dockerconfigjson",
        true,
        &[".dockerconfigjson"],
    ),
    ("kubernetes.io/basic-auth", false, &["username", "password"]),
    ("kubernetes.io/ssh-auth", true, &["ssh-privatekey"]),
    ("kubernetes.io/tls", true, &["tls.crt", "tls.key"]),
];

/// Checks keys, sizes, and what the type needs.
pub(super) fn secret(walk: &mut BuiltinWalk<'_>, object: &Place<'_, '_>) {
    let (data, texts) = (object.get("data"), object.get("stringData"));
    let size = keys(walk, &data, decoded_length) + keys(walk, &texts, |text| text.len());
    too_large(walk, object, size);
    let kind = object.get("type").text_or_empty();
    let annotations = object.get("metadata");
    let annotations = annotations.get("annotations");
    let account = annotations.get("kubernetes.io/service-account.name");
    if kind == "kubernetes.io/service-account-token" && account.is_empty() {
        walk.missing(&account);
    }
    let is_open = data
        .entries()
        .chain(texts.entries())
        .any(|(key, _)| walk.is_open(key));
    let Some((_, needs_all, keys)) = TYPES.iter().find(|(name, ..)| *name == kind) else {
        return;
    };
    let has = |key: &str| data.get(key).node().is_some() || texts.get(key).node().is_some();
    let held = keys.iter().filter(|key| has(key)).count();
    let lacks = if *needs_all {
        held < keys.len()
    } else {
        held == 0
    };
    if lacks && !is_open {
        for key in keys.iter().filter(|key| !has(key)) {
            walk.missing(&data.get(key));
        }
    }
    if kind.starts_with("kubernetes.io/docker")
        && let Some(key) = keys.first()
    {
        docker(walk, &data.get(key), &texts.get(key));
    }
}

/// The credentials of a registry must be JSON.
fn docker(walk: &mut BuiltinWalk<'_>, encoded: &Place<'_, '_>, plain: &Place<'_, '_>) {
    let is_json = |text: &[u8]| {
        serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(text).is_ok()
    };
    let known = |text: &&str| !walk.is_open(text);
    let (plain_text, encoded_text) = (plain.text().filter(known), encoded.text().filter(known));
    if let Some(text) = plain_text {
        if !is_json(text.as_bytes()) {
            walk.says(plain, "is not JSON", "write a JSON object");
        }
    } else if let Some(bytes) = encoded_text.and_then(base64::decode)
        && !is_json(&bytes)
    {
        walk.says(
            encoded,
            "is not JSON in base64",
            "write a JSON object in base64",
        );
    }
}

fn decoded_length(text: &str) -> usize {
    text.len() / 4 * 3
        - text
            .bytes()
            .rev()
            .take_while(|byte| *byte == b'=')
            .count()
            .min(2)
}

/// Checks keys, and returns the size of the values.
fn keys(walk: &mut BuiltinWalk<'_>, data: &Place<'_, '_>, length: fn(&str) -> usize) -> usize {
    let mut size = 0;
    for (key, value) in data.entries() {
        if !walk.is_open(key) && !forms::is_config_key(key) {
            walk.says(
                &value,
                "can't have this key",
                &format!("write {}", CONFIG_KEY.want),
            );
        }
        size += value
            .text()
            .filter(|text| text.len() >= 4)
            .map_or(0, length);
    }
    size
}

fn too_large(walk: &mut BuiltinWalk<'_>, object: &Place<'_, '_>, size: usize) {
    if size > MOST_DATA {
        walk.says(
            object,
            &format!("has {size} bytes of data"),
            &format!("keep it below {MOST_DATA} bytes"),
        );
    }
}

/// The value of a quantity; `None` if it isn't known.
pub(super) fn quantity_of(
    walk: &BuiltinWalk<'_>,
    at: &Place<'_, '_>,
) -> Option<quantity::Quantity> {
    match at.text() {
        Some(text) if walk.is_open(text) => None,
        Some(text) => quantity::Quantity::parse(text.trim()),
        None => match &at.node()?.kind {
            manifest::value::Kind::Number(number) => quantity::Quantity::parse(&number.to_string()),
            // Go reads a null as the quantity that is there before: 0.
            manifest::value::Kind::Null => quantity::Quantity::parse("0"),
            _ => None,
        },
    }
}

/// Checks that a quantity isn't negative.
pub(super) fn not_negative(walk: &mut BuiltinWalk<'_>, at: &Place<'_, '_>) {
    let zero = quantity::Quantity::parse("0");
    if quantity_of(walk, at)
        .zip(zero)
        .is_some_and(|(value, zero)| value < zero)
    {
        walk.wrong(at, "a quantity of at least 0");
    }
}

/// Whether a container can have a resource: one of Kubernetes', or one with a domain.
pub(super) fn is_container_resource(name: &str) -> bool {
    CONTAINER_RESOURCES.contains(&name)
        || name.starts_with("hugepages-")
        || (name.contains('/') && k8s_syntax::names::is_qualified_name(name))
}

/// Checks the entries of a LimitRange: each type once.
pub(super) fn limits(walk: &mut BuiltinWalk<'_>, limits: &Place<'_, '_>) {
    let mut types = std::collections::HashSet::new();
    for limit in limits.items() {
        let kind = limit.get("type");
        walk.required(&kind);
        let text = kind.text_or_empty();
        let is_known = ["Container", "Pod", "PersistentVolumeClaim"].contains(&text);
        let is_name = text.contains('/') && k8s_syntax::names::is_qualified_name(text);
        if !text.is_empty() && !walk.is_open(text) && !is_known && !is_name {
            walk.wrong(&kind, "`Container`, `Pod` or `PersistentVolumeClaim`");
        }
        if !types.insert(text.to_owned()) {
            walk.twice(&kind);
        }
        self::limit(walk, &limit);
    }
}

/// Checks an entry of a LimitRange.
fn limit(walk: &mut BuiltinWalk<'_>, limit: &Place<'_, '_>) {
    let kind = limit.get("type").text_or_empty();
    let is_known = |name: &str| match kind {
        "Container" => is_container_resource(name),
        "Pod" => is_container_resource(name) || QUOTA_RESOURCES.contains(&name),
        _ => {
            QUOTA_RESOURCES.contains(&name) || name.contains('/') || name.starts_with("hugepages-")
        }
    };
    for key in [
        "max",
        "min",
        "default",
        "defaultRequest",
        "maxLimitRequestRatio",
    ] {
        let values = limit.get(key);
        for (name, value) in values.entries() {
            if !walk.is_open(name) && !is_known(name) {
                walk.says(
                    &value,
                    "is not a resource of this type",
                    "write `cpu`, `memory`, or a name with a domain",
                );
            }
        }
        if kind == "Pod" && key.starts_with("default") && !values.is_empty() {
            walk.says(&values, "can't be given for pods", "remove it");
        }
    }
    if kind == "PersistentVolumeClaim" {
        let has_storage = ["min", "max"]
            .iter()
            .any(|key| !limit.get(key).get("storage").is_null());
        if !has_storage {
            walk.says(
                limit,
                "has no bound for `storage`",
                "write `min` or `max` with `storage`",
            );
        }
    }
    let ratios = limit.get("maxLimitRequestRatio");
    let (least, most) = (limit.get("min"), limit.get("max"));
    for (name, ratio) in ratios.entries() {
        let bounds = quantity_of(walk, &least.get(name)).zip(quantity_of(walk, &most.get(name)));
        let one = quantity::Quantity::parse("1");
        let is_more = |(ratio, one): (quantity::Quantity, quantity::Quantity)| {
            ratio < one || bounds.is_some_and(|(least, most)| ratio.over(&one) > most.over(&least))
        };
        if quantity_of(walk, &ratio).zip(one).is_some_and(is_more) {
            walk.wrong(&ratio, "a number from 1 to `max` divided by `min`");
        }
    }
    for (low, high) in [
        ("min", "max"),
        ("min", "defaultRequest"),
        ("min", "default"),
        ("defaultRequest", "default"),
        ("defaultRequest", "max"),
        ("default", "max"),
    ] {
        let (lower, higher) = (limit.get(low), limit.get(high));
        for (name, value) in lower.entries() {
            let other = higher.get(name);
            if let (Some(least), Some(most)) =
                (quantity_of(walk, &value), quantity_of(walk, &other))
                && least > most
            {
                let place = if low == "min" && high != "max" {
                    &other
                } else {
                    &value
                };
                walk.says(
                    place,
                    &format!("has `{low}` above `{high}`"),
                    "exchange the two values",
                );
            }
        }
    }
}

/// Checks a PriorityClass.
pub(super) fn priority(walk: &mut BuiltinWalk<'_>, object: &Place<'_, '_>) {
    let metadata = object.get("metadata");
    let (name, value) = (metadata.get("name"), object.get("value"));
    if name.text_or_empty().starts_with("system-") {
        let own = ["system-cluster-critical", "system-node-critical"];
        if !own.contains(&name.text_or_empty()) {
            walk.says(
                &name,
                "begins with `system-`, which is reserved",
                "write another name",
            );
        }
    } else if value.number().is_some_and(|number| number > MOST_PRIORITY) {
        walk.wrong(&value, "at most 1000000000");
    }
}

/// Whether pods of a class displace others can't be empty.
pub(super) fn preemption(walk: &mut BuiltinWalk<'_>, policy: &Place<'_, '_>) {
    if policy.text() == Some("") {
        walk.missing(policy);
    }
}
