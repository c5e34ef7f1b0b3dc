//! Renders one configuration after another in the same root: kustomize can build the result.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::layouts::random;
use super::{Numbers, Tree, rounds, same};
use crate::common::{INDEX, Project};

/// The kustomizations with their paths.
fn kustomizations(tree: &Tree) -> impl Iterator<Item = (&String, &Vec<u8>)> {
    tree.iter()
        .filter(|(path, _)| path.rsplit('/').next() == Some("kustomization.yaml"))
}

/// Asserts that every file that a kustomization lists exists.
#[track_caller]
fn everything_listed_is_there(tree: &Tree, when: &str) -> usize {
    let mut listed = 0;
    for (path, bytes) in kustomizations(tree) {
        let folder = path.strip_suffix("kustomization.yaml").expect("its name");
        let text = std::str::from_utf8(bytes).expect("UTF-8");
        let documents: Vec<Value> = serde_yaml::from_multiple(text).expect("YAML");
        let resources = documents[0]["resources"].as_array();
        let mut entries: Vec<String> = resources
            .into_iter()
            .flatten()
            .map(|entry| entry.as_str().expect("a text").to_owned())
            .collect();
        for map in documents[0]["configMapGenerator"]
            .as_array()
            .into_iter()
            .flatten()
        {
            for file in map["files"].as_array().into_iter().flatten() {
                let file = file.as_str().expect("a text");
                entries.push(
                    file.split_once('=')
                        .map_or(file, |(_, file)| file)
                        .to_owned(),
                );
            }
        }
        for entry in entries {
            listed += 1;
            let target = format!("{folder}{}", entry.trim_start_matches("./"));
            assert!(
                tree.contains_key(&target),
                "{when}: {path} lists {entry}: {:?}",
                tree.keys()
            );
        }
    }
    listed
}

/// Builds every folder with a kustomization. Returns their number; `None` without kustomize.
#[track_caller]
pub(crate) fn build(project: &Project, tree: &Tree, when: &str) -> Option<usize> {
    let mut built = 0;
    for (path, _) in kustomizations(tree) {
        let file = project.path(path);
        let folder = file.parent().unwrap_or(Path::new("."));
        let output = Command::new("kustomize")
            .arg("build")
            .arg(folder)
            .output()
            .ok()?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{when}: kustomize build of {path}: {said}"
        );
        built += 1;
    }
    Some(built)
}

#[test]
fn whatever_was_rendered_before_the_tree_that_is_left_builds() {
    let pairs = rounds("GATEWAYCTL_PAIRS", 25);
    let mut numbers = Numbers(5);
    let (mut listed, mut built, mut as_new) = (0, Some(0), 0);
    for round in 0..pairs {
        let (first, second) = (random(&mut numbers), random(&mut numbers));
        let when = format!("pair {round}\n--- first\n{first}\n--- second\n{second}\n---");
        let mut project = Project::new().config(&first);
        let theirs = numbers.next(3) == 0;
        if theirs {
            project = project
                .file(
                    INDEX,
                    "# ours\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: network\nresources:\n  - ./echo.yaml # a demo\n",
                )
                .file(
                    "kubernetes/apps/network/echo.yaml",
                    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: echo\n",
                );
        }
        let run = project.run(["render"]);
        assert_eq!(run.code, Some(0), "{when}: {run}");
        project.write("cluster.toml", &second);
        let run = project.run(["render"]);
        assert_eq!(run.code, Some(0), "{when}: {run}");
        assert!(!run.stderr.contains("tree/"), "{when}: {run}");
        let run = project.run(["render", "--check"]);
        assert_eq!(run.code, Some(0), "{when}: {run}");

        let tree = project.files();
        listed += everything_listed_is_there(&tree, &when);
        built = built
            .zip(build(&project, &tree, &when))
            .map(|(all, more)| all + more);
        if theirs {
            let index = project.read(INDEX);
            assert!(
                index.contains("  - ./echo.yaml # a demo\n"),
                "{when}: {index}"
            );
        } else if !second.contains("kustomization = false") {
            // Nothing of the first one is left: the tree is the one that the second renders in an empty folder.
            let fresh = Project::new().config(&second).rendered().files();
            same(&tree, &fresh, &when);
            as_new += 1;
        }
    }
    match built {
        Some(built) => println!(
            "pairs: {pairs} of configurations, {listed} entries of kustomizations lead to files, kustomize built {built} folders, {as_new} trees are as in a new folder"
        ),
        None => println!(
            "pairs: {pairs} of configurations, {listed} entries of kustomizations lead to files, {as_new} trees are as in a new folder; skipped: kustomize is not on PATH"
        ),
    }
}
