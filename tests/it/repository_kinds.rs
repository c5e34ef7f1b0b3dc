//! `validate` on the kinds of repositories that people keep: what is right in them is silent, and what is wrong is found.

use crate::common::Project;

/// Files by path.
fn project(files: &[(&str, &str)]) -> Project {
    let project = Project::new();
    for (path, text) in files {
        project.write(path, text);
    }
    project
}

const CLASS: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
";

const GATEWAY: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: main, namespace: network}
spec:
  gatewayClassName: envoy
  listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]
";

fn route(name: &str, parent: &str) -> String {
    format!(
        "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: {name}, namespace: network}}
spec: {{hostnames: ['{name}.example.com'], parentRefs: [{{name: main, {parent}}}]}}
"
    )
}

fn flux(name: &str, path: &str) -> String {
    format!(
        "---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {name}, namespace: flux-system}}
spec: {{interval: 1h, prune: true, path: {path}, sourceRef: {{kind: GitRepository, name: flux-system}}}}
"
    )
}

#[test]
fn files_of_other_tools_are_no_manifests() {
    let marked = "apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: '{{ name }}', namespace: network}
spec: {gatewayClassName: '{{ class }}', listeners: []}
";
    project(&[
        ("gateway.yaml", &format!("{CLASS}---\n{GATEWAY}---\n\n---\n")),
        ("route.json", "{\"apiVersion\": \"gateway.networking.k8s.io/v1\", \"kind\": \"HTTPRoute\",\r\n\"metadata\": {\"name\": \"a\", \"namespace\": \"network\"},\r\n\"spec\": {\"parentRefs\": [{\"name\": \"main\"}]}}\r\n"),
        ("docker-compose.yml", "services:\n  web:\n    <<: *base\n"),
        ("home/configuration.yaml", "http: !include http.yaml\n"),
        ("tsconfig.json", "{\n  // comment\n  \"compilerOptions\": {},\n}\n"),
        ("dashboard.json", "{\"kind\": \"dashboard\", \"panels\": []}\n"),
        ("kubeconfig.yaml", "apiVersion: v1\nkind: Config\nclusters: []\n"),
        ("talos/link.yaml", "apiVersion: v1alpha1\nkind: LinkConfig\nname: eth0\n"),
        ("ansible/files/gateway.yaml", marked),
        ("ansible/templates/a.yaml", "apiVersion: v1\n{% for x in y %}\nkind: [\n{% endfor %}\n"),
        ("terraform/values.yaml", "%{ for x in y ~}\n- ${x}\n%{ endfor ~}\n"),
        ("charts/a/Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n"),
        ("charts/a/templates/gateway.yaml", "kind: Gateway\nmetadata: {{ .x }}\n"),
    ])
    .run(["validate", "."])
    .success()
    .says("nothing found");
}

#[test]
fn what_is_not_in_use_is_not_judged_with_the_cluster() {
    let gone = route("gone", "sectionName: gone");
    let project = project(&[
        (
            "clusters/home/flux.yaml",
            &flux("flux-system", "./clusters/home"),
        ),
        ("clusters/home/apps.yaml", &flux("apps", "./apps")),
        (
            "apps/gateway.yaml",
            &format!(
                "{CLASS}---\n{GATEWAY}---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: network}}\n"
            ),
        ),
        ("archive/route.yaml", &gone),
        ("elsewhere/route.yaml", &gone),
        (
            "bootstrap/namespace.yaml",
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: network}\n",
        ),
        (
            "docs/old.yaml",
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: example}\nspec: {hostnames: 1}\n",
        ),
    ]);
    project
        .run(["validate", "."])
        .success()
        .says("nothing found");
    project.write("apps/route.yaml", &gone);
    project
        .run(["validate", "."])
        .code(1)
        .says("Gateway network/main has no listener `gone`");
}

#[test]
fn overlays_of_two_clusters_are_judged_apart() {
    let overlay = |stage: &str| {
        format!(
            "resources: [../../base, route.yaml]
patches:
  - target: {{kind: Gateway}}
    patch: '[{{op: add, path: /spec/listeners/-, value: {{name: {stage}, port: 8080, protocol: HTTP}}}}]'
"
        )
    };
    let project = project(&[
        ("web/base/kustomization.yaml", "resources: [gateway.yaml]\n"),
        ("web/base/gateway.yaml", &format!("{CLASS}---\n{GATEWAY}")),
        ("web/overlays/dev/kustomization.yaml", &overlay("dev")),
        (
            "web/overlays/dev/route.yaml",
            &route("dev", "sectionName: dev"),
        ),
        ("web/overlays/prod/kustomization.yaml", &overlay("prod")),
        (
            "web/overlays/prod/route.yaml",
            &route("prod", "sectionName: prod"),
        ),
    ]);
    project
        .run(["validate", "."])
        .success()
        .says("nothing found");
    project.write(
        "web/overlays/prod/route.yaml",
        route("prod", "sectionName: dev"),
    );
    project
        .run(["validate", "."])
        .code(1)
        .says("Gateway network/main has no listener `dev`")
        .says("cluster: prod");
}

#[test]
fn what_a_resource_set_makes_is_judged_as_far_as_it_is_known() {
    let set = |section: &str| {
        format!(
            "apiVersion: fluxcd.controlplane.io/v1
kind: ResourceSet
metadata: {{name: apps, namespace: flux-system}}
spec:
  inputs: [{{name: web}}, {{name: wiki}}]
  resources:
    - apiVersion: gateway.networking.k8s.io/v1
      kind: HTTPRoute
      metadata: {{name: << inputs.name >>, namespace: network}}
      spec:
        hostnames: [<< inputs.name >>.example.com]
        parentRefs: [{{name: main, sectionName: {section}}}]
"
        )
    };
    let previews = "apiVersion: fluxcd.controlplane.io/v1
kind: ResourceSet
metadata: {name: previews, namespace: flux-system}
spec:
  inputsFrom: [{kind: ResourceSetInputProvider, name: pulls}]
  resourcesTemplate: |
    apiVersion: gateway.networking.k8s.io/v1
    kind: Gateway
    metadata: {name: preview-<< inputs.id >>, namespace: network}
";
    let preview = route("preview", "").replace("name: main, ", "name: preview-1");
    let project = project(&[
        ("gateway.yaml", &format!("{CLASS}---\n{GATEWAY}")),
        ("set.yaml", &set("http")),
        ("previews.yaml", previews),
        ("preview.yaml", &preview),
    ]);
    project
        .run(["validate", "."])
        .success()
        .says("nothing found");
    project.write("set.yaml", set("htp"));
    project
        .run(["validate", "."])
        .code(1)
        .says("Gateway network/main has no listener `htp`")
        .says("HTTPRoute network/web, /spec/parentRefs/0/sectionName");
}

#[test]
fn folders_that_an_application_set_excludes_are_not_judged() {
    let set = "apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: apps, namespace: argocd}
spec:
  generators:
    - git: {repoURL: 'https://example.com/home.git', revision: main, directories: [{path: apps/*}, {path: apps/off, exclude: true}]}
  template:
    metadata: {name: '{{path.basename}}'}
    spec:
      project: default
      source: {repoURL: 'https://example.com/home.git', targetRevision: main, path: '{{path}}'}
      destination: {namespace: network}
";
    let wrong = route("web", "sectionName: htp");
    let project = project(&[
        ("argocd/apps.yaml", set),
        (
            "apps/gateway/gateway.yaml",
            &format!("{CLASS}---\n{GATEWAY}"),
        ),
        ("apps/off/route.yaml", &wrong),
    ]);
    project
        .run(["validate", "."])
        .success()
        .says("nothing found");
    project.write("apps/web/route.yaml", &wrong);
    project
        .run(["validate", "."])
        .code(1)
        .says("apps/web/route.yaml");
}

#[cfg(unix)]
#[test]
fn folders_behind_links_are_unknown() {
    let project = project(&[
        (
            "clusters/home/flux.yaml",
            &flux("flux-system", "./clusters/home"),
        ),
        ("clusters/home/apps.yaml", &flux("apps", "./linked")),
        ("clusters/home/web.yaml", &flux("web", "./web")),
        (
            "web/kustomization.yaml",
            "resources: [../linked, ../linked/gateway.yaml]\n",
        ),
        ("apps/kustomization.yaml", "resources: [gateway.yaml]\n"),
        ("apps/gateway.yaml", GATEWAY),
    ]);
    std::os::unix::fs::symlink("apps", project.path("linked")).expect("a link");
    project
        .run(["validate", "."])
        .success()
        .says("nothing found");
}

#[test]
fn slips_are_found_where_sources_are_unknown() {
    let apps = flux("apps", "./apps").replace(
        "interval: 1h,",
        "interval: 1h, postBuild: {substituteFrom: [{kind: Secret, name: not-in-git}]},",
    );
    let hosts = |nth: usize, variable: &str| {
        route(&format!("web{nth}"), "").replace("example.com", &format!("${{{variable}}}"))
    };
    let project = project(&[
        (
            "clusters/home/flux.yaml",
            &flux("flux-system", "./clusters/home"),
        ),
        ("clusters/home/apps.yaml", &apps),
        ("apps/a.yaml", &hosts(1, "SECRET_DOMAIN")),
        ("apps/b.yaml", &hosts(2, "SECRET_DOMAIN")),
        ("apps/c.yaml", &hosts(3, "SECRET_DOMAIN")),
        ("apps/d.yaml", &hosts(4, "SECRET_DOMAIN_2")),
    ]);
    project
        .run(["validate", "."])
        .success()
        .says("nothing found");
    project.write("apps/e.yaml", hosts(5, "SECRET_DOMANI"));
    project
        .run(["validate", "."])
        .success()
        .says("warning[flux/unset-variable]: nothing sets the variable `SECRET_DOMANI`")
        .says("did you mean `${SECRET_DOMAIN}`?");
}
