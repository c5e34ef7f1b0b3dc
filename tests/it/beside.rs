//! What `validate` reports on the rest of the repository together with the rendered files.

use crate::common::Project;

/// The route of an application, in the repository beside the rendered files.
const ROUTE: &str = "\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: app
  namespace: default
spec:
  hostnames: [app.example.com]
  parentRefs:
    - name: envoy-external
      namespace: network
      sectionName: htps
  rules:
    - backendRefs:
        - name: app
          port: 8080
";

fn project(section: &str) -> Project {
    let project = Project::new().minimal("").rendered();
    project.write(
        "kubernetes/apps/default/app/route.yaml",
        ROUTE.replace("htps", section),
    );
    project
}

#[test]
fn a_route_of_an_app_is_held_against_the_rendered_gateways() {
    let project = project("htps");
    snapshot!("route", project.run(["validate"]));
    project.run(["validate"]).code(1);
    // Rendering doesn't depend on it.
    project.run(["render", "--check"]).success();
}

#[test]
fn a_route_that_attaches_is_counted_and_nothing_is_said() {
    let project = project("https");
    project.run(["validate"]).success().says("ok: 8 files, ");
}

#[test]
fn the_tree_on_disk_gives_way_to_what_would_be_rendered() {
    let project = project("https");
    let config = project.read("cluster.toml");
    project.write(
        "cluster.toml",
        config.replace("envoy-external", "envoy-outside"),
    );
    // The old Gateway's file still exists, but routes are not checked against it.
    snapshot!("renamed", project.run(["validate"]));
}

#[test]
fn a_broken_file_beside_is_told_and_other_yaml_is_not() {
    let project = project("https");
    project.write("kubernetes/apps/default/app/values.yaml", "replicas: 2\n");
    project.write("kubernetes/apps/default/app/broken.yaml", "a: [\n");
    project.write("docs/broken.yaml", "a: [\n");
    snapshot!("broken", project.run(["validate"]));
}

#[test]
fn another_root_gives_the_same_names() {
    let project = project("htps");
    let here = project.run(["validate"]);
    let below = project.path("kubernetes/apps");
    let output = project
        .command()
        .current_dir(below)
        .arg("validate")
        .output()
        .expect("it runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), here.stdout);
}

/// A route of `cluster.toml` to a gateway that it doesn't render.
const OWN_ROUTE: &str = r#"
[[extra.objects]]
file = "envoy.yaml"
apiVersion = "gateway.networking.k8s.io/v1"
kind = "HTTPRoute"
metadata = { name = "app" }
spec = { parentRefs = [{ name = "envoy-outer" }], rules = [{ backendRefs = [{ name = "app", port = 80 }] }] }
"#;

const OUTER: &str = "\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: envoy-outer, namespace: network}
spec:
  gatewayClassName: envoy
  listeners: [{name: http, port: 80, protocol: HTTP}]
";

#[test]
fn render_tells_what_does_not_fit_together_and_writes_nothing() {
    let project = Project::new().minimal(OWN_ROUTE);
    let before = project.files();
    let run = project.run(["render"]).code(1);
    assert!(run.stderr.contains("[attachment/"), "{run}");
    assert!(run.stderr.contains("--> cluster.toml:"), "{run}");
    assert_eq!(project.files(), before);
    // What seems to be missing may lie beside.
    project.write("kubernetes/apps/network/outer/gateway.yaml", OUTER);
    project.run(["render"]).success();
}

#[test]
fn what_does_not_fit_the_rest_of_the_repository_keeps_nothing_from_being_written() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: dns, namespace: network, annotations: \
                   {lbipam.cilium.io/ips: 10.10.30.26}}\nspec: {type: LoadBalancer}\n";
    let project = Project::new()
        .minimal("")
        .file("kubernetes/apps/network/dns/service.yaml", service);
    project.run(["render"]).success();
    let run = project.run(["validate"]).code(1);
    run.says("network/duplicate-address");
}

#[test]
fn the_values_of_flux_kustomizations_in_another_folder_are_known() {
    let project = project("https");
    let route = "kubernetes/apps/default/app/route.yaml";
    project.edit(route, "app.example.com", "'${HOST}.example.com'");
    project.write(
        "clusters/home/apps.yaml",
        "\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: app, namespace: flux-system}
spec:
  interval: 1h
  path: ./kubernetes/apps/default/app
  prune: true
  sourceRef: {kind: GitRepository, name: flux-system}
  postBuild: {substitute: {HOST: web}}
---
apiVersion: example.com/v1
kind: Other
metadata: {name: other}
",
    );
    project
        .run(["validate"])
        .success()
        .never_says("example.com/v1");
    project.run(["exposure"]).success().says("web.example.com");
}
