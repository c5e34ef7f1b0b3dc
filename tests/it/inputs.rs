//! What `validate PATH…` reads: files, folders and standard input, with several documents in a file.

use crate::common::Project;

fn map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n")
}

/// A folder with everything that may be beside manifests.
fn folder() -> Project {
    let project = Project::new();
    project.write("apps/b.yaml", map("b"));
    project.write("apps/a.yml", map("a"));
    project.write(
        "apps/c.json",
        r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}"#,
    );
    project.write("apps/values.yaml", "replicas: 2\n");
    project.write("apps/README.md", "not: yaml\n");
    project
}

/// The lines of `--verbose` on what was skipped.
fn passed_over(project: &Project) -> String {
    let run = project.run(["validate", "apps", "--verbose"]);
    let lines = run
        .stderr
        .lines()
        .filter(|line| line.starts_with("skipped"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_folder_is_read_in_order_and_other_yaml_is_counted() {
    let project = folder();
    snapshot!("folder", project.run(["validate", "apps"]));
}

#[test]
fn what_gitignore_names_is_passed_over_and_counted() {
    let project = folder();
    project.write(".gitignore", "/apps/b.yaml\n*.bak.yaml\n");
    project.write("apps/.gitignore", "!keep.bak.yaml\n");
    project.write("apps/old.bak.yaml", "a: [\n");
    project.write("apps/keep.bak.yaml", map("kept"));
    project.write("apps/.hidden/x.yaml", "a: [\n");
    project.write("apps/b.yaml", "a: [\n");
    std::fs::create_dir(project.path(".git")).expect("a repository");
    snapshot!("ignored", passed_over(&project));
    project
        .run(["validate", "apps"])
        .success()
        .warns("skipped in folders: 2 (a .gitignore lists it), 1 (its name starts with a dot), 1 (it is not a Kubernetes object); --verbose lists them");
    project
        .run(["validate", "apps", "--quiet"])
        .success()
        .never_says("skipped");
    // A file that the user names is read, even if a .gitignore lists it.
    project
        .run(["validate", "apps/b.yaml"])
        .code(1)
        .says("error[yaml/syntax]");
}

#[cfg(unix)]
#[test]
fn links_to_files_are_read_and_links_to_folders_are_named() {
    let project = folder();
    project.write(
        "elsewhere/d.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  nam: d\n",
    );
    let link = |from: &str, to: &str| {
        std::os::unix::fs::symlink(from, project.path(to)).expect("a link");
    };
    link("../elsewhere/d.yaml", "apps/d.yaml");
    link("..", "apps/up");
    link("nowhere", "apps/broken.yaml");
    project
        .run(["validate", "apps"])
        .code(1)
        .says("--> apps/d.yaml:4:3");
    snapshot!("links", passed_over(&project));
}

#[test]
fn a_broken_document_does_not_hide_the_others() {
    let project = Project::new();
    let wrong = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\nbata: {}\n";
    project.write(
        "many.yaml",
        format!(
            "{wrong}---\nkind: [\n---\n# nothing\n---\n{}",
            wrong.replace("one", "two")
        ),
    );
    snapshot!("broken", project.run(["validate", "many.yaml"]));
}

#[test]
fn lists_as_kubectl_prints_them_are_their_items() {
    let project = Project::new();
    let list = "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: ConfigMap\n    metadata:\n      name: one\n  \
                - apiVersion: v1\n    kind: ConfigMap\n    metadata:\n      nam: two\n";
    snapshot!("list", project.run_with(["validate", "-"], list.as_bytes()));
}

#[test]
fn many_files_give_the_same_report_every_time() {
    let project = Project::new();
    for at in 0..200 {
        let text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: n{at}\nbata: {{}}\n---\n{}",
            map("x")
        );
        project.write(&format!("all/{at:03}.yaml"), text);
    }
    let first = project.run(["validate", "all", "--format", "json"]);
    for _ in 0..4 {
        assert_eq!(
            project.run(["validate", "all", "--format", "json"]).stdout,
            first.stdout
        );
    }
    let report: serde_json::Value = serde_json::from_str(&first.stdout).expect("JSON");
    let files: Vec<&str> = report["diagnostics"]
        .as_array()
        .expect("findings")
        .iter()
        .filter_map(|one| one["file"].as_str())
        .collect();
    assert_eq!(files.len(), 200);
    assert!(files.is_sorted(), "in the order of the files");
}
