use super::super::fixture::tree;
use super::super::{Delivery, as_applied};

/// Each applied object as `Kind namespace/name`, without those of Argo CD.
fn applied(text: &str) -> Vec<String> {
    let tree = tree(text);
    let delivery = Delivery::of(&tree.objects, &tree.files);
    let applied = as_applied(&tree.objects, &delivery);
    let own = applied.iter().filter(|it| it.group() != super::ARGO_CD);
    let own = own.filter(|it| it.group() != super::super::KUSTOMIZE);
    own.map(|it| format!("{} {}/{}", it.kind(), it.namespace(), it.name()))
        .collect()
}

const ROUTES: &str = "
# apps/web/route.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
# apps/web/more/route.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: more}
# apps/wiki/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [route.yaml]
# apps/wiki/route.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: wiki}
";

#[test]
fn an_application_gives_objects_without_a_namespace_its_own() {
    let application = "
# root.yaml
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  source: {repoURL: 'https://example.com/home.git', path: apps/web}
  destination: {namespace: sites}
";
    assert_eq!(
        applied(&format!("{application}{ROUTES}")),
        ["HTTPRoute sites/web", "HTTPRoute /more", "HTTPRoute /wiki"]
    );
    let recursive = application.replace(
        "path: apps/web",
        "path: apps/web, directory: {recurse: true}",
    );
    assert_eq!(
        applied(&format!("{recursive}{ROUTES}")),
        [
            "HTTPRoute sites/web",
            "HTTPRoute sites/more",
            "HTTPRoute /wiki"
        ]
    );
    let kustomize = application.replace(
        "path: apps/web",
        "path: apps/wiki, kustomize: {namePrefix: my-}",
    );
    assert_eq!(
        applied(&format!("{kustomize}{ROUTES}"))[2],
        "HTTPRoute sites/my-wiki"
    );
}

#[test]
fn the_folders_of_an_application_set_are_found() {
    let set = |generator: &str, path: &str, namespace: &str| {
        let set = format!(
            "
# root.yaml
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {{name: all, namespace: argocd}}
spec:
  generators: [{generator}]
  template:
    spec:
      source: {{path: '{path}'}}
      destination: {{namespace: '{namespace}'}}
"
        );
        applied(&(set + ROUTES))
    };
    assert_eq!(
        set(
            "{git: {directories: [{path: apps/*}]}}",
            "{{path}}",
            "{{path.basename}}"
        ),
        [
            "HTTPRoute web/web",
            "HTTPRoute /more",
            "HTTPRoute wiki/wiki"
        ]
    );
    assert_eq!(
        set(
            "{git: {directories: [{path: apps/w*}, {path: apps/web, exclude: true}]}}",
            "{{ .path.path }}",
            "{{ .path.basename }}"
        ),
        ["HTTPRoute /web", "HTTPRoute /more", "HTTPRoute wiki/wiki"]
    );
    assert_eq!(
        set(
            "{list: {elements: [{app: web, in: {space: a}}]}}",
            "apps/{{app}}",
            "{{in.space}}"
        ),
        ["HTTPRoute a/web", "HTTPRoute /more", "HTTPRoute /wiki"]
    );
}

const OVERLAYS: &str = "
# apps/web/overlays/dev/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [route.yaml]
# apps/web/overlays/dev/route.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: dev}
# apps/web/overlays/prod/config.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: prod}
";

fn with_generator(generator: &str, path: &str, namespace: &str) -> Vec<String> {
    applied(&format!(
        "
# root.yaml
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {{name: all, namespace: argocd}}
spec:
  generators: [{generator}]
  template:
    spec:
      source: {{path: '{path}'}}
      destination: {{namespace: '{namespace}'}}
{OVERLAYS}"
    ))
}

#[test]
fn generators_are_combined() {
    let matrix = "{matrix: {generators: [
          {git: {directories: [{path: apps/*}]}},
          {list: {elements: [{stage: dev, nr: 1}, {stage: prod, nr: 2}]}}]}}";
    assert_eq!(
        with_generator(
            matrix,
            "{{.path.path}}/overlays/{{.stage}}",
            "{{index .path.segments 1}}-{{.nr}}"
        ),
        ["HTTPRoute web-1/dev", "HTTPRoute web-2/prod"]
    );
    assert_eq!(
        with_generator(
            "{git: {files: [{path: 'apps/**/config.yaml'}]}}",
            "{{path}}",
            "{{path[1]}}-{{path.basename}}"
        ),
        ["HTTPRoute /dev", "HTTPRoute web-prod/prod"]
    );
    // Which clusters there are is not known, so neither is the namespace.
    assert_eq!(
        with_generator("{clusters: {}}", "apps/web/overlays/prod", "{{name}}"),
        ["HTTPRoute /dev", "HTTPRoute ${UNKNOWN_PARAMETER}/prod"]
    );
}

#[test]
fn files_of_a_folder_are_chosen() {
    let with = |directory: &str| {
        applied(&format!(
            "
# root.yaml
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: web, namespace: argocd}}
spec:
  source: {{path: apps/web, directory: {{recurse: true, {directory}}}}}
  destination: {{namespace: sites}}
{ROUTES}"
        ))
    };
    let [web, more] = ["HTTPRoute sites/web", "HTTPRoute sites/more"];
    assert_eq!(with("include: '*.yaml'")[..2], [web, more]);
    assert_eq!(with("exclude: 'more/*'")[..2], [web, "HTTPRoute /more"]);
    assert_eq!(
        with("include: '{more/*,x.yaml}'")[..2],
        ["HTTPRoute /web", more]
    );
}

#[test]
fn another_repository_has_nothing_here() {
    let application = |name: &str, url: &str, path: &str| {
        format!(
            "
# {name}.yaml
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: {name}, namespace: argocd}}
spec:
  source: {{repoURL: '{url}', path: {path}}}
  destination: {{namespace: {name}}}
"
        )
    };
    let one = application("one", "https://github.com/example/home.git", "apps/wiki");
    let two = application("two", "git@github.com:Example/home", "apps/web/more");
    let other = application("three", "https://github.com/example/other", "apps/web");
    let objects = |text: String| applied(&(text + ROUTES));
    assert_eq!(
        objects(one.clone() + &two + &other),
        ["HTTPRoute /web", "HTTPRoute two/more", "HTTPRoute one/wiki"]
    );
    // Nobody knows which of two repositories this one is.
    assert_eq!(
        objects(one + &other),
        [
            "HTTPRoute three/web",
            "HTTPRoute /more",
            "HTTPRoute one/wiki"
        ]
    );
}
