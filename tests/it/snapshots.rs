//! Compares whole trees with those in `snapshots/`. `UPDATE=1 cargo test --test it snapshots::` updates them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::trees::{self, Tree};
use similar::TextDiff;
use walkdir::WalkDir;

fn gatewayctl(root: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gatewayctl"))
        .arg("-C")
        .arg(root)
        .args(arguments)
        .output()
        .expect("gatewayctl runs")
}

/// Renders a tree in a temporary folder that contains nothing else afterwards.
fn rendered(tree: &Tree) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("cluster.toml");
    std::fs::write(&config, &tree.config).expect("cluster.toml is written");
    let output = gatewayctl(folder.path(), &["render"]);
    assert!(output.status.success(), "{}: {output:?}", tree.name);
    std::fs::remove_file(config).expect("cluster.toml is removed");
    folder
}

/// All files below a folder: paths and texts.
fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    let entries = WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.expect("a folder that can be read"));
    entries
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).expect("below it");
            let text = std::fs::read_to_string(entry.path()).expect("UTF-8");
            (path.to_owned(), text)
        })
        .collect()
}

/// The differences, as a diff; a missing file counts as empty.
fn differences(
    name: &str,
    kept: &BTreeMap<PathBuf, String>,
    now: &BTreeMap<PathBuf, String>,
) -> String {
    let paths: BTreeSet<&PathBuf> = kept.keys().chain(now.keys()).collect();
    paths
        .into_iter()
        .map(|path| {
            let text = |files: &BTreeMap<PathBuf, String>| files.get(path).cloned();
            let (old, new) = (text(kept), text(now));
            let shown = format!("snapshots/{name}/{}", path.display());
            match (old.is_some(), new.is_some()) {
                (false, _) => format!("{shown}: rendered, but not kept\n"),
                (_, false) => format!("{shown}: kept, but no longer rendered\n"),
                _ => TextDiff::from_lines(old.unwrap_or_default(), new.unwrap_or_default())
                    .unified_diff()
                    .header(&shown, &shown)
                    .to_string(),
            }
        })
        .collect()
}

#[test]
fn rendered_trees_are_as_they_were() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut changed = String::new();
    let mut gone = folders();
    for tree in trees::all() {
        gone.remove(&tree.name);
        let folder = rendered(&tree);
        let now = files(folder.path());
        let snapshot = trees::path(&format!("snapshots/{}", tree.name));
        if update {
            write(&snapshot, &now);
        }
        changed += &differences(&tree.name, &files_or_none(&snapshot), &now);
    }
    for name in gone {
        let snapshot = trees::path(&format!("snapshots/{name}"));
        if update {
            std::fs::remove_dir_all(snapshot).expect("a snapshot of no tree is removed");
        } else {
            changed += &format!("{}: kept, but of no tree\n", snapshot.display());
        }
    }
    assert!(
        changed.is_empty(),
        "{changed}\nIf this is meant, run: UPDATE=1 cargo test --test it snapshots::"
    );
}

/// The names of the stored trees.
fn folders() -> BTreeSet<String> {
    let entries = std::fs::read_dir(trees::path("snapshots")).expect("snapshots");
    entries
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

fn files_or_none(folder: &Path) -> BTreeMap<PathBuf, String> {
    if folder.is_dir() {
        files(folder)
    } else {
        BTreeMap::new()
    }
}

fn write(snapshot: &Path, files: &BTreeMap<PathBuf, String>) {
    if snapshot.exists() {
        std::fs::remove_dir_all(snapshot).expect("the old snapshot is removed");
    }
    for (path, text) in files {
        let path = snapshot.join(path);
        let folder = path.parent().expect("it has a folder");
        std::fs::create_dir_all(folder).expect("its folder is made");
        std::fs::write(path, text).expect("it is written");
    }
}

#[test]
fn nothing_is_found_in_them() {
    for tree in trees::all() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("cluster.toml"), &tree.config).expect("written");
        let output = gatewayctl(folder.path(), &["validate", "--format", "json"]);
        let report: serde_json::Value =
            serde_json::from_slice(&output.stdout).expect("a JSON report");
        assert_eq!(
            report["diagnostics"],
            serde_json::json!([]),
            "{}",
            tree.name
        );
        assert!(
            report["summary"]["objects"]
                .as_u64()
                .is_some_and(|objects| objects > 0)
        );
        assert!(output.status.success());
    }
}
