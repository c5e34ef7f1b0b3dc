//! The command `import`: what it writes and prints, its exit code, and a `render` after it.

use crate::common::{APP, ENVOY, LOCK, MINIMAL, Project};

/// A tree of another user: rendered once, without `cluster.toml` and lock, and with a file of their own.
fn tree() -> Project {
    let project = Project::new().config(MINIMAL).rendered();
    for path in ["cluster.toml", LOCK] {
        std::fs::remove_file(project.path(path)).expect("a file");
    }
    let path = format!("{APP}/externalsecret.yaml");
    let own = "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata:\n  name: oidc\n";
    project.edit(
        &format!("{APP}/kustomization.yaml"),
        "  - ./helmrelease.yaml",
        "  - ./externalsecret.yaml\n  - ./helmrelease.yaml",
    );
    project.file(&path, own)
}

#[test]
fn import_then_render_takes_the_files_over_and_changes_nothing() {
    let project = tree();
    let before = project.files();
    let run = project.run(["import", "."]).success();
    let run = run
        .says("wrote cluster.toml\n")
        .says("10 objects: 9 generated, 1 kept, 0 different;");
    run.says("ExternalSecret oidc: it doesn't belong to the gateways");
    let mut after = project.files();
    let config = after.remove("cluster.toml").expect("a config");
    assert_eq!(after, before, "import changed the tree");
    let config = String::from_utf8(config).expect("text");
    assert!(
        config.starts_with("domain = \"example.com\"\ncertificates = \"example-com-tls\"\n"),
        "{config}"
    );
    project.run(["render"]).success();
    assert!(project.read(LOCK).contains(ENVOY));
    project.run(["render", "--check"]).success();
    project
        .run(["import", "."])
        .success()
        .says("unchanged cluster.toml\n");
}

#[test]
fn files_that_were_changed_since_are_not_taken_over() {
    let project = tree();
    project.run(["import", "."]).success();
    project.edit(ENVOY, "port: 80", "port: 8080");
    project.run(["render"]).code(1).warns("tree/foreign");
    assert!(project.read(ENVOY).contains("port: 8080"));
    project.run(["render", "--force"]).success();
    assert!(!project.read(ENVOY).contains("port: 8080"));
}

#[test]
fn the_order_of_objects_in_a_file_does_not_matter() {
    let project = tree();
    let text = project.read(ENVOY);
    let (header, rest) = text.split_once("---\n").expect("documents");
    let mut documents: Vec<&str> = rest.split("---\n").collect();
    documents.reverse();
    project.write(ENVOY, format!("{header}---\n{}", documents.join("---\n")));
    project.run(["import", "."]).success();
    project.run(["render"]).success();
}

#[test]
fn the_report_is_json_for_programs() {
    let project = tree();
    let run = project.run(["import", ".", "--format", "json"]).success();
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(json["schema"], "gatewayctl/import/v1");
    assert_eq!(json["config"], "cluster.toml");
    for (key, value) in [
        ("objects", 10),
        ("generated", 9),
        ("kept", 1),
        ("in_full", 0),
    ] {
        assert_eq!(json[key], value, "{key}");
    }
    assert_eq!(json["different"], serde_json::json!([]));
    assert_eq!(json["kept_objects"][0]["object"]["kind"], "ExternalSecret");
}

#[test]
fn any_folder_of_the_tree_will_do_and_the_output_may_be_elsewhere() {
    let project = tree();
    let app = "kubernetes/apps/network/envoy-gateway";
    project
        .run(["import", app, "--output", "-"])
        .success()
        .says("[gateways.envoy-external]");
    // This is not a Git repository, so the paths of Flux Kustomizations show where the top is.
    project.run(["import", &format!("{app}/app")]).success();
    let config = project.read("cluster.toml");
    std::fs::remove_file(project.path("cluster.toml")).expect("a file");
    project.shell("git init -q").success();
    project.run(["import", app]).success();
    assert_eq!(project.read("cluster.toml"), config);
    project
        .run(["import", ".", "--output", "kubernetes/cluster.toml"])
        .success();
    let nested = project.read("kubernetes/cluster.toml");
    assert!(nested.contains("path = \"apps/network\""), "{nested}");
    // That Flux reads from the repository's root is the default, so it isn't written.
    assert!(!nested.contains("./kubernetes"), "{nested}");
    project.run(["-C", "kubernetes", "render"]).success();
    let flux = project.read(&format!("{app}/ks.yaml"));
    assert!(
        flux.contains("path: ./kubernetes/apps/network/envoy-gateway/app\n"),
        "{flux}"
    );
}

#[test]
fn a_cluster_toml_that_says_something_else_is_left_alone() {
    let project = tree().config("# mine\n");
    let run = project.run(["import", "."]).code(2);
    run.warns("exists already, and was not changed")
        .warns("--output");
    assert_eq!(project.read("cluster.toml"), "# mine\n");
}

#[test]
fn front_doors_that_are_unlike_are_told_and_one_is_chosen() {
    let project = tree();
    for (path, bytes) in project.files() {
        if let Some(rest) = path.strip_prefix("kubernetes/") {
            let text = String::from_utf8(bytes)
                .expect("text")
                .replace("./kubernetes/", "./staging/")
                .replace("name: envoy-external", "name: edge-external")
                .replace("name: envoy-internal", "name: edge-internal");
            project.write(&format!("staging/{rest}"), text);
        }
    }
    let run = project.run(["import", "."]).code(2);
    run.warns("so they may be in the same cluster\n  kubernetes/apps/network/envoy-gateway/app\n  staging/apps/network")
        .warns("--path kubernetes/apps/network/envoy-gateway");
    assert!(!project.path("cluster.toml").exists());
    project.run(["import", ".", "--path", "staging"]).success();
    assert!(
        project
            .read("cluster.toml")
            .contains("path = \"staging/apps/network\"")
    );
}

#[test]
fn findings_about_the_tree_come_at_the_end_with_their_lines() {
    let project = tree();
    project.edit(
        ENVOY,
        "gatewayClassName: envoy\n",
        "gatewayClassName: envoy\n  listener: 3\n",
    );
    let run = project.run(["import", "."]).success();
    run.warns("error[schema/unknown-field]: `spec.listener` is not a field of Gateway\n  --> cluster.toml:");
}

#[test]
fn cluster_templates_file_is_converted() {
    let template = "[network]\nnode_cidr = \"10.10.30.0/24\"\n[gateways]\ninternal = \"10.10.30.25\"\nexternal = \"10.10.30.26\"\n\
                    [domain]\nname = \"example.com\"\n[dns]\ntoken = \"very-secret\"\n";
    let project = Project::new().file("template/cluster.toml", template);
    for source in ["template", "template/cluster.toml"] {
        let run = project
            .run(["import", source, "--output", "new.toml"])
            .success();
        run.says("new.toml")
            .says("${SECRET_DOMAIN}")
            .never_says("very-secret");
        assert!(!project.read("new.toml").contains("very-secret"));
    }
    project.run(["--config", "new.toml", "render"]).success();
    project
        .run(["import", "template"])
        .code(2)
        .warns("exists already");
}
