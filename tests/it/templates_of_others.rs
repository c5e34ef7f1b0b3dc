//! Files that look like manifests, but are the sources of other programs.

use crate::common::Project;

fn chart() -> Project {
    let project = Project::new();
    project.write(
        "charts/web/Chart.yaml",
        "apiVersion: v2\nname: web\nversion: 0.1.0\n",
    );
    project.write("charts/web/values.yaml", "replicas: 1\n");
    project.write(
        "charts/web/templates/service.yaml",
        "{{- if .Values.replicas }}\napiVersion: v1\nkind: Service\n{{- end }}\n",
    );
    project.write(
        "machines.yaml",
        "{% for it in machines %}\nkind: {{ it }}\n{% endfor %}\n",
    );
    project.write("secret.yaml", b"\0GITCRYPT\0\xff\xfe\x01");
    project.write(
        "service.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n",
    );
    project
}

#[test]
fn templates_and_encrypted_files_are_counted_and_not_judged() {
    let project = chart();
    project
        .run(["validate", "."])
        .success()
        .says("nothing found")
        .warns("skipped in folders: 2 (it is not a Kubernetes object), 2 (it is a template, and no manifest itself), 1 (git-crypt has encrypted it)");
    let told = project.run(["validate", ".", "--verbose"]).success();
    told.warns("skipped machines.yaml: it is a template, and no manifest itself");
}

#[test]
fn a_template_that_is_named_or_listed_is_judged() {
    let project = chart();
    project
        .run(["validate", "charts/web/templates/service.yaml"])
        .code(1);
    project.write(
        "kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [machines.yaml]\n",
    );
    project.run(["validate", "."]).code(1).says("machines.yaml");
}
