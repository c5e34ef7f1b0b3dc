use super::super::fixture::{Tree, tree};
use super::super::{Substitutes, build::FileContent};
use super::*;

const REPOSITORY: &str = "
# flux/apps.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  path: ./apps
  patches:
    - target: {kind: Kustomization}
      patch: |
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata: {name: _}
        spec:
          targetNamespace: web
          postBuild:
            substitute: {DOMAIN: example.com}
          patches:
            - target: {kind: HelmRelease}
              patch: |
                - op: add
                  path: /spec/interval
                  value: 1h
            - patch: |
                $patch: delete
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: old}
# apps/app.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: app, namespace: flux-system}
spec: {path: ./app}
# app/release.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: app}
spec: {chart: {}}
# app/old.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: old}
# app/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namePrefix: my-
resources: [release.yaml, old.yaml]
";

fn patched(tree: &Tree) -> PatchedObjects {
    let content = |file: &str| {
        let source = tree.texts.get(file)?;
        Some(FileContent::of(&tree.sources, *source))
    };
    PatchedObjects::of(&tree.objects, &tree.files, &content)
}

fn at(patched: &PatchedObjects, file: &str) -> usize {
    let mut objects = patched.objects.iter();
    objects
        .position(|object| object.file == file)
        .expect("an object")
}

#[test]
fn patches_of_parents_reach_the_objects_of_their_children() {
    let patched = patched(&tree(REPOSITORY));
    let app = &patched.objects[at(&patched, "apps/app.yaml")];
    assert_eq!(Substitutes::of(app).given["DOMAIN"], "example.com");
    let release = at(&patched, "app/release.yaml");
    let object = &patched.objects[release];
    let interval = object
        .node
        .path(&["spec", "interval"])
        .and_then(Node::as_str);
    assert_eq!(interval, Some("1h"));
    // The name and the namespace are those of the file; the way says what becomes of them.
    assert_eq!((object.name(), object.namespace()), ("app", ""));
    let [way] = patched.delivery.ways(release) else {
        panic!("one way");
    };
    assert_eq!(
        (way.namespace.as_deref(), way.prefix.as_str()),
        (Some("web"), "my-")
    );
    assert!(way.patched_by.is_empty());
}

#[test]
fn a_patched_value_has_its_place_in_the_patch() {
    let tree = tree(REPOSITORY);
    let patched = patched(&tree);
    let release = &patched.objects[at(&patched, "app/release.yaml")];
    let interval = release
        .node
        .path(&["spec", "interval"])
        .and_then(|node| node.span);
    let place = tree.sources.locate(interval.expect("a place"));
    assert_eq!(place.file, "flux/apps.yaml");
}

#[test]
fn words_are_strings_where_kustomize_reads_them() {
    let text = REPOSITORY.replace("spec: {chart: {}}", "spec: {chart: {a: No, b: false}}");
    let text = text
        + "# elsewhere.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nimmutable: No\n";
    let patched = patched(&tree(&text));
    let release = &patched.objects[at(&patched, "app/release.yaml")];
    let chart = release.node.path(&["spec", "chart"]).expect("the chart");
    assert_eq!(chart.get("a").and_then(Node::as_str), Some("No"));
    assert_eq!(chart.get("b").and_then(Node::as_bool), Some(false));
    let plain = tree(
        "
# kustomization.yaml
kind: Kustomization
apiVersion: kustomize.config.k8s.io/v1beta1
resources: [a.yaml]
# a.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {a: on}
",
    );
    let plain = PatchedObjects::of(&plain.objects, &plain.files, &|file: &str| {
        let source = plain.texts.get(file)?;
        Some(FileContent::of(&plain.sources, *source))
    });
    let map = &plain.objects[at(&plain, "a.yaml")];
    assert_eq!(
        map.node.path(&["data", "a"]).and_then(Node::as_str),
        Some("on")
    );
    // Nobody knows which program applies this one; a note says what kubectl would read.
    let other = &patched.objects[at(&patched, "elsewhere.yaml")];
    assert_eq!(
        other.node.get("immutable").and_then(Node::as_str),
        Some("No")
    );
}

#[test]
fn what_a_patch_deletes_is_not_applied() {
    let patched = patched(&tree(REPOSITORY));
    let old = at(&patched, "app/old.yaml");
    assert!(patched.delivery.is_deleted(old));
    assert!(patched.delivery.copies().all(|(at, _)| at != old));
}

#[test]
fn what_is_too_much_to_build_keeps_its_patches() {
    let tree = tree(REPOSITORY);
    let content = |file: &str| {
        let source = tree.texts.get(file)?;
        Some(FileContent::of(&tree.sources, *source))
    };
    let patched = PatchedObjects::at_most(0, &tree.objects, &tree.files, &content);
    let app = at(&patched, "apps/app.yaml");
    assert_eq!(*patched.objects[app].node, *tree.objects[app].node);
    assert!(!patched.delivery.ways(app)[0].patched_by.is_empty());
}

#[test]
fn patches_that_cannot_be_followed_are_still_listed() {
    let remote = REPOSITORY.replace(
        "resources: [release.yaml, old.yaml]",
        "resources: [release.yaml, old.yaml, 'https://example.com/more.yaml']",
    );
    let patched = patched(&tree(&remote));
    let release = at(&patched, "app/release.yaml");
    assert!(!patched.delivery.ways(release)[0].patched_by.is_empty());
}

const OVERLAYS: &str = "
# web/base/kustomization.yaml
resources: [gateway.yaml]
# web/base/gateway.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web}
spec: {gatewayClassName: base}
# web/dev/kustomization.yaml
namespace: web-dev
resources: [../base]
patches: [{patch: '[{op: replace, path: /spec/gatewayClassName, value: dev}]', target: {kind: Gateway}}]
# web/prod/kustomization.yaml
namespace: web-prod
resources: [../base]
patches: [{patch: '[{op: replace, path: /spec/gatewayClassName, value: prod}]', target: {kind: Gateway}}]
";

#[test]
fn each_way_has_its_own_patches() {
    let patched = patched(&tree(OVERLAYS));
    let applied = super::super::as_applied(&patched.objects, &patched.delivery);
    let gateways = applied.iter().filter(|it| it.kind() == "Gateway");
    let classes: Vec<(&str, Option<&str>)> = gateways
        .map(|it| {
            let class = it.node.path(&["spec", "gatewayClassName"]);
            (it.namespace(), class.and_then(Node::as_str))
        })
        .collect();
    assert_eq!(
        classes,
        [("web-dev", Some("dev")), ("web-prod", Some("prod"))]
    );
    let files = patched.objects.iter().map(|it| it.file.as_str());
    assert_eq!(patched.delivery.clusters(files).len(), 1);
}

#[test]
fn overlays_of_the_same_object_are_for_different_clusters() {
    let more = "# wiki/dev/kustomization.yaml
resources: [route.yaml]
# wiki/dev/route.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: wiki}
# wiki/prod/kustomization.yaml
resources: [route.yaml]
# wiki/prod/route.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: wiki}
";
    let text = OVERLAYS
        .replace("web-dev", "web")
        .replace("web-prod", "web")
        + more;
    let tree = tree(&text);
    let patched = patched(&tree);
    let files = patched.objects.iter().map(|it| it.file.as_str());
    let clusters = patched.delivery.clusters(files);
    assert_eq!(super::super::Cluster::names(&clusters), ["dev", "prod"]);
    assert!(clusters[0].may_hold("wiki/dev/route.yaml"));
    assert!(!clusters[0].may_hold("wiki/prod/route.yaml"));
    assert!(clusters[0].may_hold("web/base/gateway.yaml"));
}
