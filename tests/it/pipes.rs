//! Pipes and devices instead of files: no command waits for them, reads them without end, or treats them as files
//! that don't exist.
#![cfg(unix)]

use std::os::unix::fs::symlink;

use crate::common::{APP, ENVOY, INDEX, LOCK, MINIMAL, Project, Run, write_program};

/// Limits on time and memory, far above what any run needs.
const GUARD: &str = "ulimit -v 4000000 && exec timeout 120";

const CRD: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
";

/// A rendered project with everything that can be read: a script, templates, its own schemas, a repository.
fn project() -> Project {
    let layout = "[lua]\nscript = \"block.lua\"\n[layout]\ntemplates = \"own\"\n";
    let project = Project::new()
        .file("block.lua", "function envoy_on_request(handle) end\n")
        .file(
            "own/namespace.yaml.j2",
            include_str!("../../templates/namespace.yaml.j2"),
        )
        .file("crd.yaml", CRD)
        .file(".gitignore", "*.tmp\n")
        .minimal(layout)
        .rendered();
    project.run(["schemas", "import", "crd.yaml"]).success();
    project
        .shell("git init -q . && git add -A && git commit -qm first")
        .success();
    project
}

/// What may exist instead of a file.
const SPECIAL: &[&str] = &["pipe", "link to a device"];

/// Replaces a file by something else.
fn put(project: &Project, path: &str, what: &str) {
    let path = project.path(path);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
    let _ = std::fs::remove_file(&path);
    match what {
        "pipe" => {
            let made = std::process::Command::new("mkfifo").arg(&path).status();
            assert!(made.expect("mkfifo").success());
        }
        _ => symlink("/dev/zero", &path).expect("a link"),
    }
}

fn run(project: &Project, command: &str) -> Run {
    let run = project.shell(&format!("{GUARD} \"$PROGRAM\" {command} < /dev/null"));
    assert!(
        run.code.is_some_and(|code| code < 3),
        "`{command}` did not end by itself: {run}"
    );
    run
}

/// All commands that read a project; those that write come last.
const COMMANDS: &[&str] = &[
    "render --check",
    "render --stdout",
    "diff",
    "diff --against git:HEAD",
    "validate",
    "validate .",
    "status",
    "status kubernetes",
    "exposure",
    "graph",
    "trace http://a.example.com/",
    "upgrade --to 1.8.3",
    "why kubernetes/apps/network/envoy-gateway/app/envoy.yaml",
    "explain Gateway",
    "schemas list",
    "schemas verify",
    "import . --output new.toml",
    "render",
    "schemas import crd.yaml",
];

#[test]
fn every_command_ends_whatever_stands_in_the_place_of_a_file() {
    let schema = "schemas/own/Widget.example.com.json";
    let places = [
        "cluster.toml",
        "block.lua",
        "own/namespace.yaml.j2",
        ".gitignore",
        ".git/HEAD",
        LOCK,
        ENVOY,
        INDEX,
        "kubernetes/apps/other.yaml",
        "schemas/lock.json",
        schema,
    ];
    let like = project();
    let files = like.files();
    assert!(
        files.contains_key("schemas/lock.json"),
        "{:?}",
        files.keys()
    );
    for place in places {
        for what in SPECIAL {
            // Git itself waits for a pipe, for a minute until it is killed.
            let commands: &[&str] = match place {
                ".git/HEAD" if *what == "pipe" => &["validate", "render --check"],
                _ => COMMANDS,
            };
            let project = Project::new();
            for (path, bytes) in &files {
                project.write(path, bytes);
            }
            put(&project, place, what);
            for command in commands {
                run(&project, command);
            }
        }
    }
}

#[test]
fn what_somebody_names_is_told_to_be_no_file() {
    for what in SPECIAL {
        let project = project();
        put(&project, "special", what);
        let is = match *what {
            "pipe" => "it is a pipe, not a regular file",
            _ => "it is a device, not a regular file",
        };
        for command in [
            "validate special",
            "status special",
            "exposure special",
            "graph special",
            "trace http://a.example.com/ --in special",
            "upgrade --to 1.8.3 special",
            "schemas import special",
            "crds apply -f special",
        ] {
            run(&project, command).code(2).warns(is);
        }
        run(&project, "import kubernetes --output special").code(2);
        run(&project, "--config special validate").code(2);
        let summary = format!("export GITHUB_STEP_SUMMARY=special; {GUARD}");
        let command = format!("{summary} \"$PROGRAM\" validate --format github");
        project
            .shell(&command)
            .code(2)
            .warns("special, the file in GITHUB_STEP_SUMMARY");
        for config in ["--kubeconfig special", ""] {
            let named = format!("export KUBECONFIG=special HOME=/nowhere; {GUARD}");
            let command = format!("{named} \"$PROGRAM\" diff --against cluster {config}");
            project.shell(&command).code(2).warns("special");
        }
    }
}

#[test]
fn links_to_files_are_followed() {
    let project = Project::new().file("real.toml", MINIMAL);
    symlink("real.toml", project.path("cluster.toml")).expect("a link");
    let project = project.rendered();
    std::fs::create_dir(project.path("links")).expect("a folder");
    symlink(project.path(ENVOY), project.path("links/a.yaml")).expect("a link");
    let linked = project.run(["validate", "links/a.yaml"]);
    let named = project.run(["validate", &format!("{APP}/envoy.yaml")]);
    assert_eq!(linked.code, named.code, "{linked}");
    linked.says("1 file, 5 objects");
}

/// Output of a replacement for Git that never ends.
#[test]
fn git_is_not_waited_for_without_end_and_what_it_says_is_bounded() {
    let project = project();
    write_program(&project.path("bin/git"), "#!/bin/sh\nexec cat /dev/zero\n");
    let script =
        format!("export PATH=$PWD/bin:$PATH; {GUARD} \"$PROGRAM\" diff --against git:HEAD");
    project
        .shell(&script)
        .code(2)
        .warns("can't run git, which `--against git:REV` needs: printed more than");
}
