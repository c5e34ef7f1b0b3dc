//! `validate` on a whole repository: only what Flux applies is judged, and as kustomize and Flux make it.

use crate::common::Project;

/// A repository of one cluster. Flux starts with `kubernetes/flux`, whose Kustomization applies `kubernetes/apps` and
/// adds to every Kustomization there what all of them have in common.
fn repository() -> Project {
    let project = Project::new();
    project.write(
        "kubernetes/flux/apps.yaml",
        "apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  interval: 1h
  path: ./kubernetes/apps
  prune: true
  sourceRef: {kind: GitRepository, name: flux-system}
  patches:
    - patch: |
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata: {name: _}
        spec: {prune: true, sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}}
      target: {group: kustomize.toolkit.fluxcd.io, kind: Kustomization}
",
    );
    for (namespace, app) in [("network", "gateways"), ("media", "player")] {
        let folder = format!("kubernetes/apps/{namespace}");
        project.write(
            &format!("{folder}/kustomization.yaml"),
            format!(
                "apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: {namespace}
components: [../../components/namespace]
resources: [./{app}/ks.yaml]
"
            ),
        );
        project.write(
            &format!("{folder}/{app}/ks.yaml"),
            format!(
                "apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {app}}}
spec:
  interval: 1h
  path: ./kubernetes/apps/{namespace}/{app}/app
  targetNamespace: {namespace}
"
            ),
        );
    }
    project.write(
        "kubernetes/components/namespace/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources: [./namespace.yaml]
",
    );
    project.write(
        "kubernetes/components/namespace/namespace.yaml",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: _}\n",
    );
    project.write(
        "kubernetes/apps/network/gateways/app/gateway.yaml",
        "apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: envoy-internal}
spec:
  gatewayClassName: envoy
  listeners:
    - {name: http, protocol: HTTP, port: 80, allowedRoutes: {namespaces: {from: All}}}
",
    );
    project.write(
        "kubernetes/apps/media/player/app/route.yaml",
        "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: player}
spec:
  hostnames: [player.example.com]
  parentRefs: [{name: envoy-internal, namespace: network}]
",
    );
    project
}

#[test]
fn a_repository_that_is_right_is_silent() {
    repository()
        .run(["validate", "."])
        .success()
        .says("nothing found");
}

#[test]
fn namespaces_that_kustomize_renames_are_of_one_cluster() {
    let project = repository();
    let route = "kubernetes/apps/media/player/app/route.yaml";
    let text = std::fs::read_to_string(project.path(route)).expect("the route");
    project.write(
        route,
        text.replace(
            "namespace: network}",
            "namespace: network, sectionName: web}",
        ),
    );
    snapshot!("listener", project.run(["validate", "."]));
}

#[test]
fn what_flux_does_not_apply_is_counted_and_not_judged() {
    let project = repository();
    project.write(
        "talos/machine.yaml",
        "apiVersion: v1alpha1\nkind: LinkConfig\nname: eth0\n",
    );
    project.write(
        "charts/web/templates/route.yaml",
        "{{ if .Values.route }}\nkind: HTTPRoute\n{{ end }}\n",
    );
    project.write("ansible/vars.yaml", "user: admin\n");
    // Not listed any more, so its Kustomization is never applied, nor are the files that it leads to.
    project.write(
        "kubernetes/apps/media/old/ks.yaml",
        "apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: old}
spec: {path: ./kubernetes/apps/media/old/app}
",
    );
    project.write(
        "kubernetes/apps/media/old/app/service.yaml",
        "apiVersion: v1\nkind: Service\n",
    );
    project
        .run(["validate", "."])
        .success()
        .warns("skipped in folders: 2 (it is not a Kubernetes object), 3 (no Flux Kustomization applies it as an object); --verbose lists them");
    let told = project.run(["validate", ".", "--verbose"]).success();
    told.warns(
        "skipped kubernetes/apps/media/old/ks.yaml: no Flux Kustomization applies it as an object",
    );
    // What is named outright is judged.
    project
        .run(["validate", "charts/web/templates/route.yaml"])
        .code(1);
    project
        .run(["validate", "kubernetes/apps/media/old/app"])
        .code(1);
}

#[test]
fn objects_that_something_else_may_apply_are_judged() {
    let project = repository();
    project.write(
        "argocd/service.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: http}]}\n",
    );
    project
        .run(["validate", "."])
        .code(1)
        .says("argocd/service.yaml");
}

#[test]
fn what_flux_applies_is_judged_wherever_it_is() {
    let project = repository();
    project.write(
        "kubernetes/apps/media/player/app/broken.yaml",
        "apiVersion: v1\nkind: [\n",
    );
    project
        .run(["validate", "."])
        .code(1)
        .says("error[yaml/syntax]")
        .says("kubernetes/apps/media/player/app/broken.yaml");
}

#[test]
fn patches_and_generated_texts_are_no_objects() {
    let project = repository();
    let folder = "kubernetes/apps/media/player/app";
    project.write(
        &format!("{folder}/kustomization.yaml"),
        "kind: Kustomization
resources: [./route.yaml, ./release.yaml]
patches:
  - path: ./release.patch.yaml
configMapgenerator:
  - name: player
    files: [./settings.yaml]
",
    );
    let release =
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: player}\n";
    project.write(
        &format!("{folder}/release.yaml"),
        format!(
            "{release}spec: {{interval: 1h, chartRef: {{kind: OCIRepository, name: player}}}}\n"
        ),
    );
    project.write(
        &format!("{folder}/release.patch.yaml"),
        format!("{release}spec: {{values: {{replicas: 2}}}}\n"),
    );
    project.write(&format!("{folder}/settings.yaml"), "key: {{TOKEN}}\n");
    project.run(["validate", "."]).success();
}

#[test]
fn unknown_kinds_are_one_note_and_misspelt_ones_errors() {
    let project = repository();
    let folder = "kubernetes/apps/media/player/app";
    for (file, api_version, kind) in [
        ("a", "example.com/v1", "Widget"),
        ("b", "example.com/v1", "Widget"),
        ("c", "example.org/v1", "Gadget"),
    ] {
        project.write(
            &format!("{folder}/{file}.yaml"),
            format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: {file}}}\n"),
        );
    }
    snapshot!("unknown_kinds", project.run(["validate", "."]).success());
    project
        .run(["validate", ".", "--strict"])
        .code(1)
        .says("error[schema/unchecked-kind]: no schema for example.com/v1 Widget");
    project.write(
        &format!("{folder}/d.yaml"),
        "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTLSPolicy
metadata: {name: a}
---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitr
metadata: {name: b}
---
apiVersion: gateway.networking.k8s.oi/v1
kind: HTTPRoute
metadata: {name: c}
",
    );
    snapshot!("misspelt_kinds", project.run(["validate", "."]).code(1));
}
