//! Kubernetes' own kinds: the objects of an ordinary repository are valid, and typos are found.

use crd_validate::schema::{Catalogue, Selection};
use gatewayctl::compile::check_all;
use manifest::diagnostic::Sources;
use manifest::{self, Object};

const OBJECTS: &str = include_str!("kubernetes_kinds.yaml");

/// All findings on manifests: `severity code pointer: message; help`.
fn said(text: &str) -> Vec<String> {
    let catalogue = Catalogue::embedded();
    let selection = Selection::newest(&catalogue);
    let mut sources = Sources::default();
    let id = sources.add("objects.yaml", text);
    let (documents, problems) = manifest::read(&sources, id);
    assert_eq!(problems, []);
    let objects: Vec<Object> = documents
        .into_iter()
        .map(|document| Object::new(document.node, "objects.yaml"))
        .collect();
    let found = check_all(&objects, &catalogue, &selection);
    found
        .into_iter()
        .map(|it| {
            let (severity, code) = (it.severity.as_str(), it.code);
            let pointer = it.pointer.unwrap_or_default();
            let help = it.help.unwrap_or_default();
            format!("{severity} {code} {pointer}: {}; {help}", it.message)
        })
        .collect()
}

/// The findings after a text, which must appear once, is replaced.
fn said_with(from: &str, to: &str) -> Vec<String> {
    assert_eq!(OBJECTS.matches(from).count(), 1, "{from}");
    said(&OBJECTS.replace(from, to))
}

#[test]
fn what_an_api_server_takes_passes() {
    assert_eq!(said(OBJECTS), Vec::<String>::new());
}

#[test]
fn a_slip_is_found_where_it_is() {
    let container = "/spec/template/spec/containers/0";
    let name = "spec.template.spec.containers[0]";
    #[rustfmt::skip]
    let cases = [
        ("replicas: 2", "replica: 2",
            "error schema/unknown-field /spec/replica: `spec.replica` is not a field of Deployment; write `replicas`".to_owned()),
        ("tcpSocket: {port: 8080}", "tcpSocket: {ports: 8080}", format!(
            "error schema/required {container}/readinessProbe/tcpSocket/port: \
             `{name}.readinessProbe.tcpSocket.port` is missing; add `port:`")),
        ("{name: MODE, value: \"on\"}", "{name: MODE, value: true}", format!(
            "error schema/type {container}/env/0/value: `{name}.env[0].value` must be a string, not a boolean; \
             put it in quotes, as it is written")),
        ("{name: NODE, valueFrom", "{name: MODE, valueFrom", format!(
            "error schema/list-key {container}/env/2: `{name}.env[2]` has name: \"MODE\", the same as [0]; ")),
        ("memory: 128Mi", "memory: 128 Mi", format!(
            "error schema/value {container}/resources/requests/memory: `{name}.resources.requests.memory` can't be \
             \"128 Mi\"; write a quantity, like `100m`, `1.5` or `256Mi`")),
        ("containerPort: 8080}", "containerPort: 80800}", format!(
            "error schema/value {container}/ports/0/containerPort: `{name}.ports[0].containerPort` can't be 80800; ")),
        ("imagePullPolicy: \"\"", "imagePullPolicy: IfNotThere", format!(
            "error schema/value {container}/imagePullPolicy: `{name}.imagePullPolicy` can't be \"IfNotThere\"; write ")),
        ("  selector: {matchLabels: {app: web}}\n  template", "  template",
            "error schema/required /spec/selector: `spec.selector` is missing; add `selector:`".to_owned()),
        ("pathType: Prefix, ", "", "error schema/required /spec/rules/0/http/paths/0/pathType: ".to_owned()),
        ("roleRef: {kind: ClusterRole", "roleRef: {kind: ClusterRoles", "error schema/value /roleRef/kind: ".to_owned()),
        ("schedule: \"0 3 * * *\"", "schedul: \"0 3 * * *\"", "error schema/unknown-field /spec/schedul: ".to_owned()),
        ("maxReplicas: 5", "maxReplicas: 0", "error schema/value /spec/maxReplicas: ".to_owned()),
        ("[ReadWriteMany]", "[ReadWriteAll]", "error schema/value /spec/accessModes: ".to_owned()),
        ("d3JhcHBlZA==", "d3JhcHBlZA", "error schema/value /data/key: ".to_owned()),
        ("port: 53, protocol: UDP", "port: 53", "error schema/list-key /spec/ports/1: ".to_owned()),
        ("value: -10", "value: -10\nglobal: true", "error schema/unknown-field /global: ".to_owned()),
        ("served: true", "serves: true", "error schema/unknown-field /spec/versions/0/serves: ".to_owned()),
        ("name: \"example:reader\"}\naggregation", "name: \"example/reader\"}\naggregation", "error schema/metadata /metadata/name: ".to_owned()),
        ("metadata: {name: low}", "metadata: {name: low, namespace: apps}", "warning schema/metadata /metadata/namespace: ".to_owned()),
        ("apiVersion: policy/v1\n", "apiVersion: policy/v1beta1\n",
            "error schema/unknown-kind /apiVersion: ".to_owned()),
    ];
    let missed: Vec<String> = cases
        .iter()
        .filter_map(|(from, to, want)| {
            let said = said_with(from, to);
            let is_said = said.iter().any(|it| it.starts_with(want));
            (!is_said).then(|| format!("{to}\nwant {want}\nsaid {said:#?}"))
        })
        .collect();
    assert!(missed.is_empty(), "{}", missed.join("\n\n"));
}
