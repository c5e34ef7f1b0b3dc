//! What `validate` reports on the rest of the repository together with the rendered files.

mod common;

use common::Project;

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
