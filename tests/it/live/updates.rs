//! Changes of objects: the API server and `validate --against git:REV` agree on which are refused.

use crd_validate::schema::{Catalogue, Lookup, Selection};
use crd_validate::{Passes, kind};
use gatewayctl::cluster::verdict::{Verdict, verdicts};
use manifest::Object;
use manifest::diagnostic::Sources;

use super::apiserver::Cluster;
use super::talk::{apply_text, with};

const POD: &str = "{metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: b}]}}";

/// The head of an object, and what follows it before and after the change.
fn pairs() -> Vec<(&'static str, String, String)> {
    let apps = |selector: &str, more: &str| {
        format!("spec: {{selector: {{matchLabels: {{{selector}}}}}, template: {POD}{more}}}")
    };
    let text = |before: &str, after: &str| (before.to_owned(), after.to_owned());
    let rows = [
        (
            "apps/v1 Deployment",
            apps("app: a", ""),
            apps("app: a", ", replicas: 2"),
        ),
        (
            "apps/v1 Deployment",
            apps("app: a", ""),
            apps("app: b", "").replace("labels: {app: a}", "labels: {app: b}"),
        ),
        (
            "apps/v1 StatefulSet",
            apps("app: a", ", serviceName: a"),
            apps("app: a", ", serviceName: b"),
        ),
        (
            "apps/v1 StatefulSet",
            apps("app: a", ", serviceName: a"),
            apps("app: a", ", serviceName: a, replicas: 2"),
        ),
    ];
    let simple = [
        ("v1 ConfigMap", text("data: {a: b}", "data: {a: c}")),
        (
            "v1 ConfigMap",
            text(
                "immutable: true\ndata: {a: b}",
                "immutable: true\ndata: {a: c}",
            ),
        ),
        ("v1 Secret", text("type: a/b", "type: a/c")),
        (
            "v1 Service",
            text(
                "spec: {clusterIP: 10.96.0.50, ports: [{port: 80}]}",
                "spec: {clusterIP: 10.96.0.51, ports: [{port: 80}]}",
            ),
        ),
        (
            "v1 Service",
            text("spec: {ports: [{port: 80}]}", "spec: {ports: [{port: 81}]}"),
        ),
        (
            "storage.k8s.io/v1 StorageClass",
            text("provisioner: a.b/c", "provisioner: a.b/d"),
        ),
        (
            "storage.k8s.io/v1 StorageClass",
            text(
                "provisioner: a.b/c",
                "provisioner: a.b/c\nallowVolumeExpansion: true",
            ),
        ),
        (
            "scheduling.k8s.io/v1 PriorityClass",
            text("value: 1", "value: 2"),
        ),
        (
            "node.k8s.io/v1 RuntimeClass",
            text("handler: a", "handler: b"),
        ),
        (
            "networking.k8s.io/v1 IngressClass",
            text("spec: {controller: a.b/c}", "spec: {controller: a.b/d}"),
        ),
        (
            "rbac.authorization.k8s.io/v1 RoleBinding",
            text(
                "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: a}",
                "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: b}",
            ),
        ),
        (
            "v1 PersistentVolumeClaim",
            text(
                "spec: {accessModes: [ReadWriteOnce], storageClassName: a, resources: {requests: {storage: 1Gi}}}",
                "spec: {accessModes: [ReadWriteMany], storageClassName: a, resources: {requests: {storage: 1Gi}}}",
            ),
        ),
    ];
    let simple = simple
        .into_iter()
        .map(|(head, (before, after))| (head, before, after));
    rows.into_iter().chain(simple).collect()
}

fn object(head: &str, name: &str, rest: &str) -> (String, Object) {
    let (version, kind) = head.split_once(' ').expect("a version and a kind");
    let is_namespaced = ![
        "StorageClass",
        "PriorityClass",
        "RuntimeClass",
        "IngressClass",
    ]
    .contains(&kind);
    let namespace = if is_namespaced {
        ", namespace: default"
    } else {
        ""
    };
    let text = format!(
        "apiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}{namespace}}}\n{rest}\n"
    );
    let mut sources = Sources::default();
    let id = sources.add("a.yaml", text.as_str());
    let (mut documents, problems) = manifest::read(&sources, id);
    assert!(problems.is_empty(), "{problems:?}");
    (text, Object::new(documents.remove(0).node, "a.yaml"))
}

#[test]
fn the_server_refuses_the_changes_that_are_found() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let catalogue = Catalogue::embedded();
    let selection = Selection::newest(&catalogue);
    let passes = Passes::new(&catalogue);
    for (at, (head, before, after)) in pairs().into_iter().enumerate() {
        let name = format!("pair-{at}");
        let (text, old) = object(head, &name, &before);
        let (_, new) = object(head, &name, &after);
        apply_text(&cluster, &text, "kubectl");
        let asked = with(&cluster, async |server| {
            verdicts(
                server,
                std::slice::from_ref(&new),
                "default",
                "kubectl",
                &|_, _| {},
            )
            .await
        });
        let asked = asked.expect("a verdict");
        let is_refused = matches!(asked.all.first(), Some(Verdict::Refused(_)));
        let lookup = catalogue.look_up(&selection, new.group(), new.version(), new.kind());
        let mut found: Vec<_> = kind::check(&new, &lookup).into_iter().collect();
        let Lookup::Known(schema) = lookup else {
            panic!("{head} is known");
        };
        found.extend(passes.check(&new, &schema));
        found.extend(passes.check_change(&old, &new, &schema));
        found.retain(manifest::diagnostic::Diagnostic::is_error);
        assert_eq!(
            is_refused,
            !found.is_empty(),
            "{head}: {before} to {after}: {asked:?}, {found:?}"
        );
    }
}
