//! Full disks, and files without permission to read or write.

use crate::common::{APP, ENVOY, MINIMAL, Project, files};
use std::collections::BTreeMap;

/// The tree of [`MINIMAL`] with more gateways, and a project with the tree before.
fn two_trees() -> (Project, BTreeMap<String, Vec<u8>>) {
    let more = MINIMAL.replace("10.10.30.26", "10.10.30.36")
        + "\n[lua]\nblock_user_agents = [\"GPTBot\"]\n";
    let wanted = Project::new().config(&more).rendered().files();
    let project = Project::new().config(MINIMAL).rendered();
    project.write("cluster.toml", more);
    (project, wanted)
}

/// Asserts that each rendered file is the old or the new one, or exists in neither tree.
#[track_caller]
fn whole(
    tree: &BTreeMap<String, Vec<u8>>,
    old: &BTreeMap<String, Vec<u8>>,
    new: &BTreeMap<String, Vec<u8>>,
) {
    for (path, bytes) in tree
        .iter()
        .filter(|(path, _)| path.starts_with("kubernetes/") && !path.ends_with(".tmp"))
    {
        let known = [old.get(path), new.get(path)];
        assert!(
            known.contains(&Some(bytes)),
            "{path} is torn:\n{}",
            String::from_utf8_lossy(bytes)
        );
    }
    for path in old.keys().filter(|path| new.contains_key(*path)) {
        assert!(tree.contains_key(path), "{path} is gone");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_can_not_grow_is_whole_and_the_next_run_finishes() {
    let mut failed = 0;
    // From zero to more than the largest file needs, in blocks of 512 bytes.
    for blocks in 0..24 {
        let (project, wanted) = two_trees();
        let before = project.files();
        // The signal of this limit is ignored, so that the write fails as on a full disk.
        let run = project.shell(&format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec \"$PROGRAM\" render"
        ));
        whole(&project.files(), &before, &wanted);
        if run.code != Some(0) {
            failed += 1;
            let run = run
                .code(2)
                .warns("every file is complete, either old or new");
            assert!(run.stderr.starts_with("error: can't write"), "{run}");
        }
        let finished = project.run(["render"]).success();
        finished.never_says("by hand");
        assert_eq!(project.files(), wanted, "{blocks} blocks");
    }
    assert!((3..24).contains(&failed), "{failed} of 24 runs failed");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_every_file_whole_and_the_next_run_finishes() {
    let (project, wanted) = two_trees();
    let before = project.files();
    let config = project.read("cluster.toml");
    // A file system of its own, in a mount namespace that ends with the shell. The script fills it except for some
    // pages, renders, and copies the tree out; then it frees space and renders again.
    let script = r#"
        exec unshare --mount sh -c '
            set -e
            mkdir disk seen
            mount -t tmpfs -o size=512k none disk || exit 77
            cp -r kubernetes cluster.toml .gatewayctl.lock disk/
            head -c 524288 /dev/zero > disk/ballast 2>/dev/null || true
            truncate -s -PAGES disk/ballast
            set +e
            "$PROGRAM" render -C disk
            first=$?
            cp -r disk/. seen/
            rm seen/ballast disk/ballast
            "$PROGRAM" render -C disk >second.txt 2>&1 || first="$first, then $?"
            mkdir finished
            cp -r disk/. finished/
            echo "first $first"
        '"#;
    let mut failed = 0;
    for pages in 0..8 {
        let project = project_of(&before, &config);
        let run = project.shell(&script.replace("PAGES", &(pages * 4096).to_string()));
        if run.stderr.contains("unshare") || run.code == Some(77) {
            println!(
                "skipped: no disk can be mounted here ({})",
                run.stderr.trim()
            );
            return;
        }
        whole(&files(&project.path("seen")), &before, &wanted);
        if run.stdout.contains("first 2\n") {
            failed += 1;
            run.warns("free some space and render again to finish");
        } else {
            run.says("first 0\n");
        }
        assert_eq!(
            files(&project.path("finished")),
            wanted,
            "{}",
            project.read("second.txt")
        );
        assert!(!project.read("second.txt").contains("by hand"));
    }
    assert!(failed > 0, "the disk was never full");
}

/// A project with these files and this configuration.
fn project_of(files: &BTreeMap<String, Vec<u8>>, config: &str) -> Project {
    let project = Project::new();
    for (path, bytes) in files {
        project.write(path, bytes);
    }
    project.write("cluster.toml", config);
    project
}

#[cfg(unix)]
mod rights {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// Whether permissions don't apply to the user who runs the tests.
    fn skipped() -> bool {
        let probe = Project::new().file("probe", "");
        set(&probe, "probe", 0o000);
        let root = std::fs::read(probe.path("probe")).is_ok();
        if root {
            println!("skipped: root may read and write everything");
        }
        root
    }

    fn set(project: &Project, path: &str, mode: u32) {
        let rights = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(project.path(path), rights).expect("rights");
    }

    #[test]
    fn a_configuration_that_may_not_be_read() {
        if skipped() {
            return;
        }
        let project = Project::new().config(MINIMAL);
        set(&project, "cluster.toml", 0o000);
        project
            .run(["render"])
            .code(2)
            .warns("cluster.toml: can't be read");
    }

    #[test]
    fn a_file_and_a_folder_that_may_not_be_written() {
        if skipped() {
            return;
        }
        let (project, wanted) = two_trees();
        let before = project.files();
        set(&project, APP, 0o555);
        project.run(["render"]).code(2).warns("can't write");
        whole(&project.files(), &before, &wanted);
        set(&project, APP, 0o755);
        project.run(["render"]).success();
        assert_eq!(project.files(), wanted);

        set(&project, ENVOY, 0o000);
        project.run(["render"]).code(2).warns("can't read");
        set(&project, ENVOY, 0o644);
        project.run(["render"]).success();
    }
}

#[test]
fn an_output_that_is_a_file_is_said_to_be() {
    let project = Project::new().config(MINIMAL).file("out", "theirs\n");
    let run = project.run(["render", "--out", "out"]);
    assert!(matches!(run.code, Some(1 | 2)), "{run}");
    assert_eq!(project.read("out"), "theirs\n");
}

#[test]
fn an_output_folder_that_is_not_there_is_made() {
    let project = Project::new().config(MINIMAL);
    project.run(["render", "--out", "a/b/c"]).success();
    assert!(project.path(&format!("a/b/c/{ENVOY}")).is_file());
    project
        .run(["render", "--out", "a/b/c", "--check"])
        .success();
}
