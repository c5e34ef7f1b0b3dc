//! The life of a cluster: it starts empty, then gets definitions and the reference tree, then drift and pruning.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use gatewayctl::cluster::applied::set;
use manifest::Object;
use serde_json::{Value as Json, json};

use super::apiserver::Cluster;
use super::made;
use super::talk::{apply, apply_text, live, objects, read, run, wanted};
use crate::common::{Project, REFERENCE, Run};

const FLUX: &str = "kustomize-controller";

/// The definitions that the reference configuration needs, one version of each project: as the projects release them,
/// or made from the catalogue's facts if those are not available.
pub fn definitions() -> Vec<PathBuf> {
    let shared = std::env::var_os("GATEWAYCTL_SHARED").map(PathBuf::from);
    let shared = shared
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"))
        .join("crds");
    if !shared.is_dir() {
        println!(
            "no {}: with definitions of the catalogue's facts",
            shared.display()
        );
        return vec![made::of_the_reference()];
    }
    [
        "cert-manager/v1.21.1",
        "cilium/v1.18.2",
        "envoy-gateway/v1.9.0",
        "external-dns/v0.22.0",
        "flux/helm-controller-v1.6.3",
        "flux/kustomize-controller-v1.10.1",
        "flux/source-controller-v1.10.1",
        "gateway-api/v1.6.1/experimental",
        "grafana-operator/v5.25.0",
        "keda/v2.20.2",
        "prometheus-operator/v0.93.0",
    ]
    .map(|path| shared.join(path))
    .to_vec()
}

pub fn bootstrap(project: &Project, cluster: &Cluster) -> Run {
    let files: Vec<String> = definitions()
        .iter()
        .map(|it| it.to_string_lossy().into_owned())
        .collect();
    let mut args = vec!["crds", "apply", "--wait", "900"];
    files
        .iter()
        .for_each(|file| args.extend(["-f", file.as_str()]));
    run(project, cluster, &args)
}

/// A project with the reference configuration, rendered, with its objects in the cluster.
pub fn applied(cluster: &Cluster) -> (Project, Vec<Object>) {
    let project = Project::new().config(REFERENCE).rendered();
    bootstrap(&project, cluster).success();
    apply_text(
        cluster,
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: dev}\n",
        "kubectl",
    );
    let objects = wanted(&project, "network");
    apply(cluster, &objects, FLUX);
    (project, objects)
}

fn diff(project: &Project, cluster: &Cluster, more: &[&str]) -> Run {
    run(
        project,
        cluster,
        &[&["diff", "--against", "cluster"], more].concat(),
    )
}

fn json(run: &Run) -> Json {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"))
}

/// `KIND NAME CHANGE` for each object in a difference.
fn changes(run: &Run) -> BTreeSet<String> {
    let json = json(run);
    let objects = json["objects"].as_array().expect("objects").iter();
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    objects
        .map(|it| {
            format!(
                "{} {} {}",
                text(&it["object"]["kind"]),
                text(&it["object"]["name"]),
                text(&it["change"])
            )
        })
        .collect()
}

#[test]
fn an_empty_cluster_is_bootstrapped_and_then_shows_no_drift() {
    let Some(cluster) = Cluster::any() else {
        return;
    };
    let project = Project::new().config(REFERENCE).rendered();

    let empty = diff(&project, &cluster, &[]).code(1);
    let empty = empty
        .says("note: namespace `network` doesn't exist yet;")
        .says("note: namespace `dev` doesn't exist yet, and nothing in this tree creates it;")
        .says("note: the CustomResourceDefinitions of these kinds are not installed yet: ");
    let count = json(&diff(&project, &cluster, &["--format", "json"]))["summary"]["added"].clone();
    empty.says(&format!("{count} objects added"));
    let unready = run(&project, &cluster, &["validate", "--against", "cluster"]).success();
    unready.says("warning[version/crd-skew]: the cluster has no CustomResourceDefinition for");

    let start = Instant::now();
    let first = bootstrap(&project, &cluster).success();
    println!(
        "definitions: {}; {:.1} s",
        first.stdout.lines().last().unwrap_or_default(),
        start.elapsed().as_secs_f64()
    );
    first
        .says(" 0 changed, 0 unchanged")
        .says("created    gateways.gateway.networking.k8s.io");
    bootstrap(&project, &cluster)
        .success()
        .says("0 created, 0 changed, ");

    run(&project, &cluster, &["validate", "--against", "cluster"])
        .success()
        .says("nothing found")
        .warns("the API server judged");
    let spaces = diff(&project, &cluster, &[]).code(1);
    spaces
        .says("objects are compared with nothing")
        .never_says("CustomResourceDefinition");

    apply_text(
        &cluster,
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: dev}\n",
        "kubectl",
    );
    let objects = wanted(&project, "network");
    apply(&cluster, &objects, FLUX);
    let before = live(&cluster, &objects);
    let start = Instant::now();
    let after = diff(&project, &cluster, &[]).success();
    println!(
        "diff of the reference tree, {} objects: {} ms",
        objects.len(),
        start.elapsed().as_millis()
    );
    assert_eq!(after.stdout, "no difference\n");
    assert_eq!(live(&cluster, &objects), before, "a dry run writes nothing");
    assert_eq!(
        json(&diff(&project, &cluster, &["--format", "json"]))["cluster"]["complete"],
        true
    );
    assert_eq!(diff(&project, &cluster, &["--quiet"]).success().stdout, "");
}

#[test]
fn drift_is_shown_in_each_kind_and_what_others_own_is_none() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let (project, objects) = applied(&cluster);

    // Fields that another manager sets in addition are not a difference.
    for object in &objects {
        let mut other = json!({"apiVersion": object.api_version(), "kind": object.kind(), "metadata": {
            "name": object.name(), "namespace": object.namespace(), "annotations": {"example.com/other": "x"}}});
        if object.namespace().is_empty() {
            other["metadata"]
                .as_object_mut()
                .expect("metadata")
                .remove("namespace");
        }
        let text = other.to_string();
        apply_text(&cluster, &text, "somebody");
    }
    diff(&project, &cluster, &[])
        .success()
        .says("no difference");

    // Fields that another manager changes are: a label of each object, and fields of some.
    let kinds: BTreeSet<&str> = objects.iter().map(Object::kind).collect();
    for object in &objects {
        let label = match object.node.path(&["metadata", "labels"]) {
            Some(_) => "app.kubernetes.io/name",
            None => continue,
        };
        let mut edit = json!({"apiVersion": object.api_version(), "kind": object.kind(), "metadata": {
            "name": object.name(), "namespace": object.namespace(), "labels": {label: "edited"}}});
        if object.namespace().is_empty() {
            edit["metadata"]
                .as_object_mut()
                .expect("metadata")
                .remove("namespace");
        }
        apply_text(&cluster, &edit.to_string(), "kubectl-edit");
    }
    let edits = [
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: envoy-gateway, namespace: network}\nspec: {interval: 7m, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: envoy-external-extensions, namespace: network}\ndata: {block-user-agents.lua: 'return 1'}\n",
    ];
    edits
        .iter()
        .for_each(|text| apply_text(&cluster, text, "kubectl-edit"));
    let found = diff(&project, &cluster, &["--format", "json"]).code(1);
    let changed = changes(&found);
    let changed_kinds: BTreeSet<&str> = changed
        .iter()
        .filter_map(|it| it.split(' ').next())
        .collect();
    // Nothing that could be edited is rendered into a Namespace.
    let expected: BTreeSet<&str> = kinds
        .into_iter()
        .filter(|kind| *kind != "Namespace")
        .collect();
    println!(
        "drift was found in {} kinds: {}",
        changed_kinds.len(),
        changed_kinds.iter().copied().collect::<Vec<_>>().join(", ")
    );
    assert_eq!(changed_kinds, expected);
    diff(&project, &cluster, &[])
        .code(1)
        .says("metadata.labels[app.kubernetes.io/name]  edited → envoy-gateway")
        .says("spec.interval  7m → 1h");

    // Flux would revert it.
    apply(&cluster, &objects, FLUX);
    diff(&project, &cluster, &[]).success();
}

#[test]
fn what_flux_would_delete_is_shown() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let (project, _) = applied(&cluster);
    let labelled = |name: &str, more: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: network\n  labels: {{kustomize.toolkit.fluxcd.io/name: envoy-gateway, kustomize.toolkit.fluxcd.io/namespace: network}}\n{more}"
        )
    };
    apply_text(&cluster, &labelled("left-over", "data: {a: b}\n"), FLUX);
    apply_text(
        &cluster,
        &labelled(
            "guarded",
            "  annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}\n",
        ),
        FLUX,
    );
    apply_text(
        &cluster,
        &labelled("s", "data: {}\n")
            .replace("ConfigMap", "Secret")
            .replace("data: {}", "stringData: {key: s3cret}"),
        FLUX,
    );
    let found = diff(&project, &cluster, &["--format", "json"])
        .code(1)
        .never_says("s3cret");
    assert_eq!(
        changes(&found),
        ["ConfigMap left-over removed", "Secret s removed"]
            .map(str::to_owned)
            .into()
    );

    // A Kustomization that is no longer rendered is removed, together with what it applied.
    let parent = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: envoy-gateway-routes-dev\n  namespace: network\n  labels: {kustomize.toolkit.fluxcd.io/name: cluster-apps, kustomize.toolkit.fluxcd.io/namespace: flux-system}\n";
    apply_text(&cluster, parent, "flux-parent");
    let (before, after) = REFERENCE
        .split_once("[ssh]\n")
        .expect("the reference has a stream route");
    let (_, after) = after.split_once("[redirect]").expect("a table after it");
    project.write("cluster.toml", format!("{before}[redirect]{after}"));
    let found = diff(&project, &cluster, &["--format", "json"]).code(1);
    let gone: Vec<String> = changes(&found)
        .into_iter()
        .filter(|it| it.ends_with(" removed"))
        .collect();
    assert_eq!(
        gone,
        [
            "ConfigMap left-over removed",
            "Kustomization envoy-gateway-routes-dev removed",
            "Secret s removed",
            "TCPRoute ssh removed",
        ]
    );
    let marked = read(&cluster, "/api/v1/namespaces/network/configmaps/left-over");
    assert_eq!(marked["data"]["a"], "b", "nothing was deleted");
}

#[test]
fn variables_get_the_clusters_values_and_secrets_are_never_printed() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let project = Project::new().config(REFERENCE.replace("domain = \"example.com\"", "domain = \"${SECRET_DOMAIN}\"").replace(
        "[flux]\n",
        "[flux]\npost_build = { substituteFrom = [{ kind = \"Secret\", name = \"cluster-secrets\" }, { kind = \"ConfigMap\", name = \"none\", optional = true }] }\n",
    )).rendered();
    bootstrap(&project, &cluster).success();
    apply_text(
        &cluster,
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: network}\n",
        FLUX,
    );
    apply_text(
        &cluster,
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: dev}\n",
        FLUX,
    );
    let without = diff(&project, &cluster, &[]).code(2);
    without
        .says("incomplete: only ")
        .warns("`${SECRET_DOMAIN}` has no value")
        .says("Secret network/cluster-secrets, from which variables are taken, doesn't exist");
    apply_text(
        &cluster,
        "apiVersion: v1\nkind: Secret\nmetadata: {name: cluster-secrets, namespace: network}\nstringData: {SECRET_DOMAIN: hidden.example.org}\n",
        "kubectl",
    );
    for format in ["text", "json", "markdown"] {
        let shown = diff(&project, &cluster, &["--format", format]).code(1);
        shown
            .says("(hidden)")
            .never_says("hidden.example.org")
            .never_says("${SECRET_DOMAIN");
    }
}

#[test]
fn a_folder_is_built_as_kustomize_builds_it() {
    let project = Project::new().config(REFERENCE).rendered();
    let app = "kubernetes/apps/network/envoy-gateway/app";
    let built = std::process::Command::new("kustomize")
        .arg("build")
        .arg(project.path(app))
        .output();
    let Ok(built) = built else {
        println!("skipped: there is no kustomize");
        return;
    };
    assert!(built.status.success());
    let mut theirs = objects("kustomize", &String::from_utf8_lossy(&built.stdout));
    // What Flux adds. An API server drops the namespace of an object whose kind has none.
    let without_namespace = [
        "GatewayClass",
        "CiliumL2AnnouncementPolicy",
        "CiliumLoadBalancerIPPool",
    ];
    for object in &mut theirs {
        if !without_namespace.contains(&object.kind()) {
            set(&mut object.node, &["metadata", "namespace"], "network");
        }
        for (path, value) in [
            (
                &["metadata", "labels", "app.kubernetes.io/name"][..],
                "envoy-gateway",
            ),
            (
                &["metadata", "labels", "kustomize.toolkit.fluxcd.io/name"],
                "envoy-gateway",
            ),
            (
                &[
                    "metadata",
                    "labels",
                    "kustomize.toolkit.fluxcd.io/namespace",
                ],
                "network",
            ),
        ] {
            set(&mut object.node, path, value);
        }
    }
    let ours: Vec<Object> = wanted(&project, "network")
        .into_iter()
        .filter(|it| it.file.starts_with(app))
        .collect();
    let by_name = |all: &[Object]| -> BTreeMap<String, Json> {
        all.iter()
            .map(|it| (it.identity().to_string(), it.node.to_json()))
            .collect()
    };
    let (ours, theirs) = (by_name(&ours), by_name(&theirs));
    assert!(ours.len() > 20);
    assert_eq!(
        ours.keys().collect::<Vec<_>>(),
        theirs.keys().collect::<Vec<_>>()
    );
    for (name, object) in &ours {
        assert_eq!(object, &theirs[name], "{name}");
    }
}
