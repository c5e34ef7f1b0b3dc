//! `crds apply` and `schemas import --from cluster`.

use serde_json::json;

use super::apiserver::Cluster;
use super::talk::{apply_text, read, run};
use crate::common::{Project, Run};

const PATH: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com";

fn widgets(versions: &[&str], channel: &str) -> String {
    let last = versions.last().copied().unwrap_or_default();
    let versions: Vec<_> = versions
        .iter()
        .map(|name| {
            json!({"name": name, "served": true, "storage": *name == last, "schema": {"openAPIV3Schema":
                {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}}})
        })
        .collect();
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com", "annotations": {"gateway.networking.k8s.io/channel": channel}},
        "spec": {"group": "example.com", "names": {"kind": "Widget", "plural": "widgets"}, "scope": "Namespaced",
            "versions": versions}})
    .to_string()
}

fn apply(project: &Project, cluster: &Cluster, text: &str, more: &[&str]) -> Run {
    project.write("crd.yaml", text);
    run(
        project,
        cluster,
        &[&["crds", "apply", "-f", "crd.yaml"], more].concat(),
    )
}

#[test]
fn definitions_are_applied_and_what_would_lose_something_is_refused() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let project = Project::new();
    let apply = |text: &str, more: &[&str]| apply(&project, &cluster, text, more);

    // A stream as Helm prints it. Everything but definitions is skipped.
    let stream = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: passed-over, namespace: default}}\n---\n{}\n",
        widgets(&["v1"], "experimental")
    );
    let kubeconfig = cluster.kubeconfig.to_string_lossy().into_owned();
    let args = [
        "crds",
        "apply",
        "-f",
        "-",
        "--kubeconfig",
        kubeconfig.as_str(),
    ];
    project
        .run_with(args, stream.as_bytes())
        .success()
        .says("created    widgets.example.com\n1 created, 0 changed, 0 unchanged\n");
    let managers = read(&cluster, PATH)["metadata"]["managedFields"].to_string();
    assert!(managers.contains("\"bootstrap\""), "{managers}");
    let maps = read(&cluster, "/api/v1/namespaces/default/configmaps");
    assert!(!maps.to_string().contains("passed-over"));

    apply(&widgets(&["v1"], "experimental"), &[])
        .success()
        .says("unchanged  widgets.example.com");
    apply(&widgets(&["v1", "v2"], "experimental"), &[])
        .success()
        .says("changed    widgets.example.com");

    // Objects are now stored in v2, so a definition with only v1 would lose them.
    let before = read(&cluster, PATH);
    apply(&widgets(&["v1"], "experimental"), &[])
        .code(2)
        .warns("nothing was applied:\nwidgets.example.com: v2, in which objects are stored, is not in the new definition\n  why: ")
        .warns("--allow-downgrade");
    assert_eq!(read(&cluster, PATH), before);
    apply(&widgets(&["v1"], "experimental"), &["--allow-downgrade"])
        .code(2)
        .warns("the API server did not write CustomResourceDefinition widgets.example.com: 422");

    // The standard channel may replace the experimental one only if nobody uses it.
    apply_text(
        &cluster,
        "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a, namespace: default}\nspec: {size: 3}\n",
        "kubectl",
    );
    apply(&widgets(&["v1", "v2"], "standard"), &[])
        .code(2)
        .warns("from the experimental channel and in use")
        .warns("--allow-standard");
    apply(&widgets(&["v1", "v2"], "standard"), &["--allow-standard"])
        .success()
        .says("changed ");

    // Fields of another manager.
    let other = widgets(&["v1", "v2"], "standard").replace("\"standard\"", "\"other\"");
    apply(&other, &["--field-manager", "helm"])
        .code(2)
        .warns("CustomResourceDefinition widgets.example.com has fields that others set")
        .warns("--force-conflicts");
    apply(&other, &["--field-manager", "helm", "--force-conflicts"]).success();

    // A definition with a name that is taken never becomes established.
    let taken = widgets(&["v1"], "x").replace("widgets", "widgetz").replace(
        "\"plural\":\"widgetz\"",
        "\"plural\":\"widgetz\",\"singular\":\"widget\"",
    );
    let late = apply(&taken, &["--wait", "1"]).code(2);
    late.warns("widgetz.example.com was applied, but is not established after 1 s");

    apply("kind: [", &[])
        .code(2)
        .warns("nothing was applied, because some manifests can't be read");
    apply("apiVersion: v1\nkind: ConfigMap\n", &[])
        .code(2)
        .warns("there are no CustomResourceDefinitions in these manifests");
}

#[test]
fn the_definitions_of_a_cluster_become_the_projects_own_schemas() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let project = Project::new().minimal("");
    let import = |project: &Project| {
        run(
            project,
            &cluster,
            &["schemas", "import", "--from", "cluster"],
        )
    };
    let none = project.files();
    import(&project)
        .code(2)
        .warns("the cluster has no CustomResourceDefinition");
    assert_eq!(project.files(), none);
    apply(&project, &cluster, &widgets(&["v1"], "x"), &[]).success();
    import(&project).success().says("1 schema in ./schemas");
    project.write(
        "widget.yaml",
        "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\nspec: {size: x}\n",
    );
    project
        .run(["validate", "widget.yaml"])
        .code(1)
        .says("error[schema/type]");
    run(
        &project,
        &cluster,
        &["validate", "widget.yaml", "--against", "cluster"],
    )
    .code(1)
    .never_says("disagrees")
    .never_says("crd-skew");

    // The cluster's definition changes, but the imported schema doesn't.
    let wider = widgets(&["v1"], "x").replace("integer", "string");
    apply(&project, &cluster, &wider, &[]).success();
    run(
        &project,
        &cluster,
        &["validate", "widget.yaml", "--against", "cluster"],
    )
    .code(1)
    .says("warning[schema/disagrees-with-server]: the API server accepts what is refused here")
    .says("warning[version/crd-skew]");
    project.write(
        "widget.yaml",
        "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\nspec: {size: 3}\n",
    );
    run(
        &project,
        &cluster,
        &["validate", "widget.yaml", "--against", "cluster"],
    )
    .code(1)
    .says("error[schema/disagrees-with-server]: the API server refuses what is valid here");
    import(&project).success();
    run(
        &project,
        &cluster,
        &["validate", "widget.yaml", "--against", "cluster"],
    )
    .code(1)
    .never_says("disagrees")
    .never_says("crd-skew");
}
