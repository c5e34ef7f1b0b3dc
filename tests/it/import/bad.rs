//! Trees that can't be imported: a clear message, exit code 2, and no file.

use crate::common::{APP, ENVOY, MINIMAL, NO_HANGING, Project, Run};

fn tree() -> Project {
    let project = Project::new().config(MINIMAL).rendered();
    std::fs::remove_file(project.path("cluster.toml")).expect("a file");
    project
}

/// Runs an import that must fail, and leave everything unchanged.
#[track_caller]
fn refused(project: &Project) -> Run {
    let before = project.files();
    let run = project.run(["import", "."]).code(2);
    assert_eq!(project.files(), before);
    run
}

#[test]
fn no_gateway() {
    let project = Project::new()
        .file("a.yaml", "kind: ConfigMap\n")
        .file("b/c.txt", "kind: Gateway\n");
    refused(&project)
        .warns("there is no Gateway of Envoy Gateway here")
        .warns("help: give the folder of the repository");
    project
        .run(["import", "nowhere"])
        .code(2)
        .warns("nowhere: can't be read");
    project
        .run(["import", "b/c.txt"])
        .code(2)
        .warns("is not a cluster.toml of cluster-template");
}

#[test]
fn gateways_of_another_controller_only() {
    let class = "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: { name: x }\nspec: { controllerName: example.com/x }\n---\n";
    let gateway = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: { name: x }\nspec: { gatewayClassName: x, listeners: [] }\n";
    refused(&Project::new().file("a.yaml", format!("{class}{gateway}")))
        .warns("there is no Gateway");
}

#[test]
fn broken_yaml() {
    let project = tree();
    project.edit(ENVOY, "listeners:", "listeners: [");
    refused(&project)
        .warns("error[yaml/syntax]")
        .warns(&format!("{ENVOY}:"))
        .warns("nothing was imported");
    // In another folder, broken files don't matter.
    let project = tree().file("kubernetes/apps/other/broken.yaml", "a: [");
    project.run(["import", "."]).success();
}

#[test]
fn no_utf_8() {
    let project = tree().file(&format!("{APP}/odd.yaml"), b"a: \xff\n");
    refused(&project).warns("app/odd.yaml: byte 3 is not valid UTF-8");
    let project = tree().file("kubernetes/apps/other/odd.yaml", b"a: \xff\n");
    project.run(["import", "."]).success();
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_repository() {
    let project = tree();
    std::os::unix::fs::symlink("/etc/hostname", project.path(&format!("{APP}/link.yaml")))
        .expect("a link");
    refused(&project)
        .warns("app/link.yaml: is a symbolic link that is broken or leads out of the repository");
    let project = tree();
    std::os::unix::fs::symlink("/etc", project.path(&format!("{APP}/etc"))).expect("a link");
    refused(&project).warns("app/etc: is a symbolic link");
    // A link that stays inside is read at its target.
    let project = tree();
    let link = project.path(&format!("{APP}/link.yaml"));
    std::os::unix::fs::symlink(project.path(ENVOY), link).expect("a link");
    project.run(["import", "."]).success();
}

#[test]
fn twenty_thousand_files() {
    let project = tree();
    let text = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata:\n  name: app\nspec:\n  parentRefs:\n    - name: envoy-internal\n      kind: Gateway\n";
    for folder in 0..200 {
        for file in 0..100 {
            project.write(&format!("kubernetes/apps/a{folder}/{file}.yaml"), text);
        }
    }
    project
        .shell(&format!("{NO_HANGING} && exec \"$PROGRAM\" import ."))
        .success();
}

#[test]
fn hostile_yaml() {
    let bomb = "a: &a [x, x]\nb: &b [*a, *a]\n".to_owned()
        + &(0..40)
            .map(|at| format!("c{at}: &c{at} [*b, *b, *b]\n"))
            .collect::<String>();
    for text in [
        bomb.as_str(),
        &"[".repeat(100_000),
        "\u{0}",
        "? [a]\n: b\n",
        "a: *nothing\n",
    ] {
        let project = tree().file(&format!("{APP}/odd.yaml"), text);
        let run = project.run(["import", "."]);
        assert!(matches!(run.code, Some(0 | 2)), "{run}");
        assert_eq!(project.path("cluster.toml").exists(), run.code == Some(0));
    }
}
