//! The containers of pods.

use std::collections::HashSet;

use super::forms::{CONFIG_KEY, ENV_NAME, IMAGE, LABEL, NO_PARENT, PORT_NAME, SUBDOMAIN};
use super::place::Place;
use super::services::port_number_or_name;
use super::{BuiltinWalk, downward, pods, resources};

/// Checks all containers of a pod.
pub(super) fn check(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>) {
    let (inits, mains) = (spec.get("initContainers"), spec.get("containers"));
    walk.required(&mains);
    let mut names = HashSet::new();
    for container in mains.items().chain(inits.items()) {
        let name = container.get("name");
        walk.required(&name);
        walk.form(&name, LABEL);
        walk.unique(&name, &mut names);
        self::container(walk, spec, &container);
    }
    host_ports(walk, spec, &mains);
}

fn container(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>, container: &Place<'_, '_>) {
    let image = container.get("image");
    walk.required(&image);
    // In templates, blanks have always been allowed.
    if walk.object.kind() == "Pod" {
        walk.form(&image, IMAGE);
    }
    ports(walk, spec, &container.get("ports"));
    environment(walk, container);
    mounts(walk, spec, container);
    resources::check(walk, &container.get("resources"));
    resources::claims(walk, spec, &container.get("resources"));
    resources::resize(walk, &container.get("resizePolicy"));
    for key in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let probe = container.get(key);
        if probe.is_null() {
            continue;
        }
        handler(walk, &probe);
        let success = probe.get("successThreshold");
        if key != "readinessProbe" && success.number().is_some_and(|number| number > 1) {
            walk.wrong(&success, "`1`");
        }
    }
    let lifecycle = container.get("lifecycle");
    for key in ["postStart", "preStop"] {
        let hook = lifecycle.get(key);
        if !hook.is_null() {
            handler(walk, &hook);
        }
        let grace = spec.get("terminationGracePeriodSeconds");
        let most = grace.number().unwrap_or(DEFAULT_GRACE);
        let sleep = hook.get("sleep");
        if sleep
            .get("seconds")
            .number()
            .is_some_and(|seconds| !(0..=most).contains(&seconds))
        {
            let help = "write at most `terminationGracePeriodSeconds`";
            walk.says(&sleep, "takes longer than the pod has to end", help);
        }
    }
    let context = container.get("securityContext");
    pods::identity(walk, &context);
    let proc = context.get("procMount");
    let text = proc.text_or_empty();
    if !matches!(text, "" | "Default" | "Unmasked") && !walk.is_open(text) {
        walk.wrong(&proc, "`Default` or `Unmasked`");
    }
    let escalation = context.get("allowPrivilegeEscalation");
    let is_refused = escalation.node().and_then(manifest::value::Node::as_bool) == Some(false);
    if is_refused && context.get("privileged").is_true() {
        walk.says(
            &context,
            "refuses escalation, but is privileged",
            "remove one of the two",
        );
    }
}

fn ports(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>, ports: &Place<'_, '_>) {
    let mut names = HashSet::new();
    for port in ports.items() {
        let (name, number, host) = (
            port.get("name"),
            port.get("containerPort"),
            port.get("hostPort"),
        );
        walk.form(&name, PORT_NAME);
        walk.unique(&name, &mut names);
        if number.is_empty() {
            walk.missing(&number);
        }
        for number in [&number, &host] {
            if number
                .number()
                .is_some_and(|number| number != 0 && !(1..=65535).contains(&number))
            {
                walk.wrong(number, "a number from 1 to 65535");
            }
        }
        let is_other =
            !host.is_empty() && host.number().is_some() && host.number() != number.number();
        if spec.get("hostNetwork").is_true() && is_other {
            walk.wrong(
                &host,
                "the same as `containerPort`, because `hostNetwork` is true",
            );
        }
    }
}

/// Reports ports of the host that two containers use.
fn host_ports(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>, containers: &Place<'_, '_>) {
    let mut used = HashSet::new();
    for container in containers.items() {
        let ports = container.get("ports");
        for port in ports.items() {
            let is_host = spec.get("hostNetwork").is_true();
            let host = port.get("hostPort");
            let number = match (host.number(), is_host) {
                (Some(number), _) if number != 0 => number,
                (_, true) => port.get("containerPort").number().unwrap_or_default(),
                _ => continue,
            };
            let protocol = port.get("protocol").text().unwrap_or("TCP").to_owned();
            let key = (
                number,
                protocol,
                port.get("hostIP").text_or_empty().to_owned(),
            );
            if number != 0 && !used.insert(key) {
                walk.twice(&host);
            }
        }
    }
}

/// How many seconds a pod has to end, if it doesn't say so.
const DEFAULT_GRACE: i64 = 30;

/// The sources of a variable's value, with the fields that each needs.
const VALUE_SOURCES: &[(&str, &[&str])] = &[
    ("configMapKeyRef", &["name", "key"]),
    ("fieldRef", &["fieldPath"]),
    ("fileKeyRef", &["volumeName", "path", "key"]),
    ("resourceFieldRef", &["resource"]),
    ("secretKeyRef", &["name", "key"]),
];

fn environment(walk: &mut BuiltinWalk<'_>, container: &Place<'_, '_>) {
    let variables = container.get("env");
    for variable in variables.items() {
        let (name, from) = (variable.get("name"), variable.get("valueFrom"));
        walk.required(&name);
        walk.form(&name, ENV_NAME);
        if from.is_null() {
            continue;
        }
        let given: Vec<_> = VALUE_SOURCES
            .iter()
            .filter(|(source, _)| !from.get(source).is_null())
            .collect();
        if given.is_empty() {
            walk.says(
                &from,
                "has no source",
                "write `secretKeyRef` or another source",
            );
        }
        if given.len() > 1 {
            walk.says(&from, "has several sources", "keep one of them");
        }
        for (kind, fields) in given {
            let source = from.get(kind);
            for field in *fields {
                walk.required(&source.get(field));
            }
            walk.form(&source.get("key"), CONFIG_KEY);
            match *kind {
                "fieldRef" => downward::field(walk, &source, downward::OF_VARIABLES),
                "resourceFieldRef" => downward::resource(walk, &source),
                "configMapKeyRef" | "secretKeyRef" => walk.form(&source.get("name"), SUBDOMAIN),
                _ => {}
            }
        }
        if !variable.get("value").is_empty() {
            walk.says(
                &from,
                "can't be given together with `value`",
                "remove one of the two",
            );
        }
    }
    let all = container.get("envFrom");
    for from in all.items() {
        let (map, secret) = (from.get("configMapRef"), from.get("secretRef"));
        match (map.is_null(), secret.is_null()) {
            (true, true) => walk.says(
                &all,
                "has an entry without a source",
                "write `configMapRef` or `secretRef`",
            ),
            (false, false) => walk.says(&from, "has two sources", "write them as two entries"),
            (false, true) => reference(walk, &map.get("name")),
            (true, false) => reference(walk, &secret.get("name")),
        }
        walk.form(&from.get("prefix"), ENV_NAME);
    }
}

/// Checks the name of a ConfigMap or Secret.
fn reference(walk: &mut BuiltinWalk<'_>, name: &Place<'_, '_>) {
    walk.required(name);
    walk.form(name, SUBDOMAIN);
}

fn mounts(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>, container: &Place<'_, '_>) {
    let volumes = spec.get("volumes");
    let is_open = volumes
        .items()
        .any(|volume| walk.is_open(volume.get("name").text_or_empty()));
    let is_template = |name: &str| {
        let claims = walk.object.node.path(&["spec", "volumeClaimTemplates"]);
        let claims = claims
            .and_then(manifest::value::Node::as_list)
            .unwrap_or_default();
        let name_of = |claim: &manifest::value::Node| {
            claim
                .path(&["metadata", "name"])
                .and_then(manifest::value::Node::as_str)
                .map(str::to_owned)
        };
        walk.object.kind() == "StatefulSet"
            && claims
                .iter()
                .any(|claim| name_of(claim).as_deref() == Some(name))
    };
    let is_volume = |name: &str| {
        is_template(name)
            || volumes
                .items()
                .any(|volume| volume.get("name").text() == Some(name))
    };
    let unknown =
        |name: &str| !name.is_empty() && !walk.is_open(name) && !is_open && !is_volume(name);
    let (mounts, devices) = (
        container.get("volumeMounts"),
        container.get("volumeDevices"),
    );
    let lost: Vec<bool> = mounts
        .items()
        .chain(devices.items())
        .map(|mount| unknown(mount.get("name").text_or_empty()))
        .collect();
    for (mount, is_lost) in mounts.items().chain(devices.items()).zip(lost) {
        let name = mount.get("name");
        walk.required(&name);
        if is_lost {
            walk.says(
                &name,
                "is not the name of a volume",
                "add the volume to `volumes`, or write the name of one",
            );
        }
    }
    let (mut names, mut places) = (HashSet::new(), HashSet::new());
    for device in devices.items() {
        let path = device.get("devicePath");
        walk.required(&path);
        let name = device.get("name");
        walk.unique(&name, &mut names);
        let is_both = |mount: Place<'_, '_>| mount.get("name").text() == name.text();
        if !name.is_empty() && mounts.items().any(is_both) {
            walk.says(
                &name,
                "is mounted as a folder, too",
                "write it in `volumeMounts` or in `volumeDevices`",
            );
        }
        walk.unique(&path, &mut places);
    }
    let mut paths = HashSet::new();
    for mount in mounts.items() {
        let path = mount.get("mountPath");
        walk.required(&path);
        if let Some(text) = walk.known_text(&path)
            && !paths.insert(text.to_owned())
        {
            walk.says(
                &path,
                "is the path of another mount, too",
                "write another path",
            );
        }
        let (sub, expression) = (mount.get("subPath"), mount.get("subPathExpr"));
        if !sub.is_empty() && !expression.is_empty() {
            walk.says(
                &expression,
                "can't be given together with `subPath`",
                "remove one of the two",
            );
        }
        for path in [&sub, &expression] {
            walk.form(path, NO_PARENT);
            if path.text_or_empty().starts_with('/') {
                walk.wrong(path, "a relative path");
            }
        }
    }
}

/// The ways to ask a container, with the fields that each needs.
const HANDLERS: &[(&str, &[&str])] = &[
    ("exec", &["command"]),
    ("grpc", &["port"]),
    ("httpGet", &["port"]),
    ("sleep", &[]),
    ("tcpSocket", &["port"]),
];

fn handler(walk: &mut BuiltinWalk<'_>, probe: &Place<'_, '_>) {
    let given: Vec<_> = HANDLERS
        .iter()
        .filter(|(kind, _)| !probe.get(kind).is_null())
        .collect();
    if given.is_empty() {
        walk.missing(&Place::clone(probe));
    }
    if let [_, (second, _), ..] = given.as_slice() {
        walk.says(
            &probe.get(second),
            "can't be given beside another handler",
            "keep one of them",
        );
    }
    for (kind, fields) in given {
        let handler = probe.get(kind);
        for field in *fields {
            if handler.get(field).is_null() {
                walk.missing(&handler.get(field));
            }
        }
        port_number_or_name(walk, &handler.get("port"), false);
    }
}
