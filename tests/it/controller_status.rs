//! Compares with the status that Envoy Gateway 1.9.0 and 1.8.3 themselves write. The cases are in the folder that
//! `GATEWAYCTL_SHARED` names, else in `../shared`; without it the test is skipped, and says so.
//!
//! A case is resolved in complete mode: objects that it doesn't have don't exist. The controller's own tests add some
//! objects to every case (see [`fixtures`]) and enable or disable features by name (see [`SETTINGS`]). They run the
//! controller's translator alone, so the cases don't have what its other parts write (see [`is_late`] and
//! [`without_provider`]).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use envoy_gateway::condition::kind;
use envoy_gateway::{
    ConditionSubject, Features, Knowledge, ObjectCondition, Order, Settings, resolve,
};
use envoy_simulate::lua::{InProcess, refused_scripts};
use manifest::Object;
use manifest::value::Node;
use serde_json::{Value, json};

use crate::common::agreement::in_readme;

/// The maximum number of disagreements that are listed.
const MOST_LISTED: usize = 400;

/// The class that the controller's tests use.
const CLASS: &str = "envoy-gateway-class";

/// A change of the settings for a case.
type Change = fn(&mut Settings);

/// Features that the controller's tests set differently from [`settings`] for a case.
const SETTINGS: &[(&str, Change)] = &[
    ("envoypatchpolicy-invalid-feature-disabled", |it| {
        it.features.patch_policy = false;
        it.features.backend = false;
    }),
    ("backend-invalid-feature-disabled", |it| {
        it.features.patch_policy = false;
        it.features.backend = false;
    }),
    ("backend-with-localhost-host-infra", |it| {
        it.features.host = true
    }),
    (
        "httproute-attaching-to-listener-with-backend-backendref-host-infra",
        |it| {
            it.features.host = true;
        },
    ),
    ("envoyextensionpolicy-lua-feature-disabled", |it| {
        it.features.lua = false
    }),
    ("sds", |it| it.features.sds = true),
    ("sds-invalid", |it| it.features.sds = true),
    ("sds-listener", |it| it.features.sds = true),
    ("sds-listener-invalid", |it| it.features.sds = true),
];

/// A named group of conditions, by reason or type.
type Category = (&'static str, fn(&Key) -> bool);

/// The groups that must agree completely.
const CATEGORIES: &[Category] = &[
    ("listener conflicts", |it| {
        it.kind == "Conflicted" && it.status == "True"
    }),
    ("routes not allowed by listeners", |it| {
        it.reason == "NotAllowedByListeners"
    }),
    ("hostnames without intersection", |it| {
        it.reason == "NoMatchingListenerHostname"
    }),
    ("references without a ReferenceGrant", |it| {
        it.reason == "RefNotPermitted"
    }),
    ("missing targets", |it| {
        matches!(
            it.reason.as_str(),
            "TargetNotFound" | "NoMatchingParent" | "BackendNotFound" | "PortNotFound"
        )
    }),
    ("policy conflicts", |it| it.reason == "Conflicted"),
    ("policy overrides", |it| {
        it.kind == "Overridden" || it.kind == "Merged"
    }),
];

/// A version with cases: its name, its number, and the maximum of conditions that are missed and of those that are more.
type Version = (&'static str, (u64, u64), (usize, usize));

/// The versions with cases, and for each the maximum number of the controller's conditions that are not found, and of
/// those that are found but that it doesn't write. They depend on what manifests don't show: what a server sends
/// (three Wasm modules with another checksum) and the date (one expired certificate revocation list).
const VERSIONS: [Version; 2] = [("1.9.0", (1, 9), (4, 4)), ("1.8.3", (1, 8), (4, 4))];

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    object: String,
    on: String,
    which: String,
    kind: String,
    status: String,
    reason: String,
}

fn shared() -> Option<PathBuf> {
    let given = std::env::var_os("GATEWAYCTL_SHARED").map(PathBuf::from);
    let folder = given
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"))
        .join("controller-status");
    if !folder.is_dir() {
        eprintln!("skipped: no {}", folder.display());
        return None;
    }
    Some(folder)
}

/// The settings of a case, with those that the controller's tests set differently for it.
pub(super) fn settings(case: &str, minor: (u64, u64)) -> Settings {
    let mut settings = Settings {
        knowledge: Knowledge::Complete,
        order: Order::Given,
        features: Features {
            minor,
            sds: false,
            ..Features::default()
        },
        ..Settings::default()
    };
    if let Some((_, set)) = SETTINGS.iter().find(|(name, _)| *name == case) {
        set(&mut settings);
    }
    settings
}

/// An object of a case. The controller's tests read keys case-insensitively, and need no names.
fn object(mut value: Value) -> Object {
    small_keys(&mut value);
    let name = &mut value["metadata"]["name"];
    if name.is_null() {
        *name = json!("unnamed");
    }
    Object::new(Node::from_json(value), "case")
}

fn small_keys(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for key in ["Group", "Kind", "Name", "Namespace", "Port", "Path"] {
                if let Some(value) = map.remove(key) {
                    map.insert(key.to_lowercase(), value);
                }
            }
            map.values_mut().for_each(small_keys);
        }
        Value::Array(values) => values.iter_mut().for_each(small_keys),
        _ => {}
    }
}

fn service(namespace: &str, name: &str, ports: &[(&str, i64, &str)]) -> [Value; 2] {
    let of = |ports: &[(&str, i64, &str)]| -> Value {
        ports
            .iter()
            .map(|(name, port, protocol)| json!({"name": name, "port": port, "protocol": protocol}))
            .collect()
    };
    [
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": namespace, "name": name},
            "spec": {"clusterIP": "192.0.2.1", "ports": of(ports)}}),
        json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"namespace": namespace, "name": name, "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4", "ports": of(ports), "endpoints": [{"addresses": ["192.0.2.2"]}]}),
    ]
}

/// The objects that the controller's tests add to every case: a few Services with endpoints, and two namespaces.
fn fixtures() -> Vec<Value> {
    let four = [
        ("http", 8080, "TCP"),
        ("https", 8443, "TCP"),
        ("tcp", 8163, "TCP"),
        ("udp", 8162, "UDP"),
    ];
    let mut all = Vec::new();
    for number in 1..=4 {
        all.extend(service("default", &format!("service-{number}"), &four));
    }
    all.extend(service(
        "default",
        "mirror-service",
        &[("http", 8080, "TCP")],
    ));
    let collector = [("grpc", 4317, "TCP"), ("zipkin", 9411, "TCP")];
    all.extend(service("monitoring", "otel-collector", &collector));
    for name in ["envoy-gateway", "default"] {
        all.push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
    }
    all
}

/// The objects of a case. The EnvoyProxy of the class is found through the class, which most cases leave out.
pub(super) fn objects(case: &Value, settings: &mut Settings) -> Vec<Object> {
    let mut all: Vec<Value> = Vec::new();
    let input = case["input"].as_object().expect("an input");
    for (key, value) in input {
        match (key.as_str(), value) {
            ("envoyProxyDefaultSpec", spec) => settings.proxy = Some(Node::from_json(spec.clone())),
            ("extensionServerPolicies", Value::Array(policies)) => {
                for policy in policies {
                    let version = policy["apiVersion"].as_str().unwrap_or_default();
                    let group = version.split('/').next().unwrap_or_default().to_owned();
                    let kind = policy["kind"].as_str().unwrap_or_default().to_owned();
                    settings.extension_policies.push((group, kind));
                }
                all.extend(policies.iter().cloned());
            }
            (_, Value::Array(values)) => all.extend(values.iter().cloned()),
            (_, value) => all.push(value.clone()),
        }
    }
    settings.extension_policies.dedup();
    without_provider(&mut all);
    all.retain(|it| it["kind"] != "GatewayClass");
    let mut class = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": CLASS},
        "spec": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"}
    });
    if let Some(proxy) = input.get("envoyProxyForGatewayClass") {
        let metadata = &proxy["metadata"];
        class["spec"]["parametersRef"] = json!({
            "group": "gateway.envoyproxy.io", "kind": "EnvoyProxy",
            "namespace": metadata["namespace"], "name": metadata["name"]
        });
    }
    all.push(class);
    let has = |name: &str| {
        let mut all = all.iter();
        all.any(|it| {
            it["apiVersion"]
                .as_str()
                .is_some_and(|it| it.starts_with(name))
        })
    };
    // The controller's tests of extensions register four kinds.
    for (group, kind) in [
        ("foo.example.io", "Foo"),
        ("bar.example.io", "Bar"),
        ("storage.example.io", "S3Backend"),
        ("compute.example.io", "LambdaBackend"),
    ] {
        if has(group)
            || input.contains_key("extensionRefFilters")
            || input.contains_key("extensionServerPolicies")
            || is_extension(case)
        {
            settings
                .extensions
                .push((group.to_owned(), kind.to_owned()));
        }
    }
    all.extend(fixtures());
    all.into_iter().map(object).collect()
}

/// Removes references to EnvoyProxies that a case doesn't have. The controller's provider refuses a Gateway with such a
/// reference, but the translator, which these tests run alone, does as if there were none.
fn without_provider(objects: &mut [Value]) {
    let proxies: Vec<Value> = objects
        .iter()
        .filter(|it| it["kind"] == "EnvoyProxy")
        .map(|it| it["metadata"]["name"].clone())
        .collect();
    for gateway in objects.iter_mut().filter(|it| it["kind"] == "Gateway") {
        let Some(infrastructure) = gateway["spec"]["infrastructure"].as_object_mut() else {
            continue;
        };
        let named = infrastructure.get("parametersRef").map(|it| &it["name"]);
        if named.is_some_and(|name| !proxies.contains(name)) {
            infrastructure.remove("parametersRef");
        }
    }
}

/// Whether the controller writes a condition only after its translator, so that the cases don't have it: whether a
/// Gateway is accepted as a whole, unless its settings are refused.
fn is_late(verdict: &ObjectCondition<'_, '_>) -> bool {
    let condition = verdict.condition;
    verdict.object.kind() == "Gateway"
        && verdict.on == ConditionSubject::Object
        && condition.kind == kind::ACCEPTED
        && matches!(condition.reason.as_ref(), "Accepted" | "ListenersNotValid")
}

fn is_extension(case: &Value) -> bool {
    case["case"]
        .as_str()
        .is_some_and(|it| it.contains("custom-backend") || it.contains("extension-filter"))
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn theirs(case: &Value) -> Vec<Key> {
    let all = case["conditions"].as_array().expect("conditions");
    all.iter()
        .map(|it| Key {
            object: format!(
                "{} {}/{}",
                text(it, "kind"),
                text(it, "namespace"),
                text(it, "name")
            ),
            on: text(it, "on"),
            which: text(it, "which"),
            kind: text(it, "type"),
            status: text(it, "status"),
            reason: text(it, "reason"),
        })
        .collect()
}

fn ours(objects: &[Object], settings: &Settings) -> Vec<Key> {
    let mut settings = settings.clone();
    settings.refused_scripts =
        refused_scripts(objects, &InProcess::default()).expect("scripts can be run");
    let resolved = resolve(objects, &settings);
    let verdicts = resolved.verdicts();
    let told = verdicts.iter().filter(|it| {
        // A case has the statuses of its lists of objects, but not those of the class and of its proxy.
        let is_of_class = it.object.kind() == "EnvoyProxy"
            && resolved.classes().iter().any(|class| {
                class
                    .object
                    .is_some_and(|class| it.on.which() == format!("/{}/", class.name()))
            });
        it.object.kind() != "GatewayClass" && !is_of_class && !is_late(it)
    });
    told.map(|it| Key {
        object: format!(
            "{} {}/{}",
            it.object.kind(),
            it.object.namespace(),
            it.object.name()
        ),
        on: it.on.as_str().to_owned(),
        which: it.on.which(),
        kind: it.condition.kind.to_owned(),
        status: it.condition.status.to_string(),
        reason: it.condition.reason.to_string(),
    })
    .collect()
}

#[derive(Clone, Copy, Default)]
struct Tally {
    theirs: usize,
    ours: usize,
    both: usize,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let share = |of: usize| 100.0 * self.both as f64 / of.max(1) as f64;
        write!(
            f,
            "recall {:>5.1}% ({}/{}), precision {:>5.1}% ({}/{})",
            share(self.theirs),
            self.both,
            self.theirs,
            share(self.ours),
            self.both,
            self.ours
        )
    }
}

#[test]
fn conditions_agree_with_those_of_the_controller() {
    let Some(folder) = shared() else { return };
    for (version, minor, most) in VERSIONS {
        agree(&folder, version, minor, most);
    }
}

/// Compares all cases of a version.
fn agree(folder: &Path, version: &str, minor: (u64, u64), (missed, more): (usize, usize)) {
    let file = folder.join(format!("envoy-gateway-v{version}.jsonl"));
    let text = std::fs::read_to_string(file).expect("the cases");
    let mut total = Tally::default();
    let mut by_type: BTreeMap<String, Tally> = BTreeMap::new();
    let mut by_category: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut listed = Vec::new();
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).expect("a case");
        let name = case["case"].as_str().unwrap_or_default();
        let mut settings = settings(name, minor);
        let objects = objects(&case, &mut settings);
        let theirs = theirs(&case);
        let mut rest = ours(&objects, &settings);
        let mut note = |key: &Key, add: fn(&mut Tally)| {
            add(&mut total);
            add(by_type.entry(key.kind.clone()).or_default());
            for (category, _) in CATEGORIES.iter().filter(|(_, is)| is(key)) {
                add(by_category.entry(category).or_default());
            }
        };
        for key in &rest {
            note(key, |it| it.ours += 1);
        }
        for key in &theirs {
            note(key, |it| it.theirs += 1);
            match rest.iter().position(|it| it == key) {
                Some(at) => {
                    rest.swap_remove(at);
                    note(key, |it| it.both += 1);
                }
                None => listed.push(format!("{name}: only theirs {}", shown(key))),
            }
        }
        listed.extend(
            rest.iter()
                .map(|key| format!("{name}: only ours {}", shown(key))),
        );
    }
    println!("Envoy Gateway {version}");
    for line in listed.iter().take(MOST_LISTED) {
        println!("  {line}");
    }
    for (kind, tally) in &by_type {
        println!("{kind:32} {tally}");
    }
    for (category, tally) in &by_category {
        println!("{category:36} {tally}");
    }
    println!("{:32} {total}", "all");
    let others = "a Wasm module that is downloaded, and a revocation list that has expired";
    let title = format!("conditions in the tests of Envoy Gateway {version}");
    in_readme(&title, total.theirs, total.both, others);
    assert!(
        total.theirs - total.both <= missed,
        "fewer of the controller's conditions are found than were"
    );
    assert!(
        total.ours - total.both <= more,
        "more is said that the controller does not say"
    );
    for (category, tally) in &by_category {
        let counts = [tally.theirs, tally.ours];
        assert_eq!(counts, [tally.both; 2], "{category}");
    }
}

fn shown(key: &Key) -> String {
    format!(
        "{} {} {} {}={} {}",
        key.object, key.on, key.which, key.kind, key.status, key.reason
    )
}

/// Kinds that a tree may lack although the cluster has them.
const OUTSIDE: &[&str] = &[
    "Backend",
    "BackendTLSPolicy",
    "ClusterTrustBundle",
    "ConfigMap",
    "EndpointSlice",
    "EnvoyProxy",
    "HTTPRouteFilter",
    "Namespace",
    "Secret",
    "Service",
    "ServiceImport",
];

#[test]
fn what_is_not_given_is_never_held_against_anyone() {
    let Some(folder) = shared() else { return };
    let text =
        std::fs::read_to_string(folder.join("envoy-gateway-v1.9.0.jsonl")).expect("the cases");
    let mut wrong = Vec::new();
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).expect("a case");
        let name = case["case"].as_str().unwrap_or_default();
        let mut settings = settings(name, (1, 9));
        let objects = objects(&case, &mut settings);
        let is_bad = |key: &Key| key.status == "False" && key.reason != "NoConflicts";
        let complete = ours(&objects, &settings);
        settings.knowledge = Knowledge::Partial;
        for kind in OUTSIDE.iter().copied().map(Some).chain([None]) {
            let is_left = |it: &Object| match kind {
                Some(kind) => it.kind() != kind,
                None => !OUTSIDE.contains(&it.kind()),
            };
            let mut left = objects.clone();
            left.retain(is_left);
            for key in ours(&left, &settings).iter().filter(|key| is_bad(key)) {
                let same = |it: &&Key| {
                    (&it.object, &it.on, &it.which, &it.kind)
                        == (&key.object, &key.on, &key.which, &key.kind)
                };
                let is_bad_anyway = complete.iter().filter(same).any(&is_bad);
                let is_told = complete.iter().any(|it| it.object == key.object);
                if !is_bad_anyway && is_told {
                    wrong.push(format!("{name} without {kind:?}: {}", shown(key)));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} in all\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
