//! The texts for users.

use std::fmt::Write;

use super::support::{Fault, Faulty, Tree, file, render_on};
use crate::tree::{Error, LOCK_FILE, Lock, Options};
use manifest::diagnostic::Diagnostic;

fn listed(diagnostics: &[Diagnostic]) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        let _ = writeln!(
            text,
            "{}[{}]: {}",
            diagnostic.severity.as_str(),
            diagnostic.code,
            diagnostic.message
        );
        for (label, part) in [("why", &diagnostic.why), ("help", &diagnostic.help)] {
            let _ = writeln!(
                text,
                "  {label}: {}",
                part.as_deref().expect("every finding has both")
            );
        }
    }
    text
}

macro_rules! shown {
    ($name:literal, $text:expr) => {
        insta::with_settings!({
            snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"),
            prepend_module_to_snapshot => true,
            omit_expression => true,
        }, {
            insta::assert_snapshot!($name, $text);
        });
    };
}

fn busy_tree() -> (Tree, Vec<crate::tree::File>) {
    let tree = Tree::new();
    let names = [
        "changed.yaml",
        "edited.yaml",
        "gone.yaml",
        "left/edited.yaml",
        "left/removed.yaml",
        "same.yaml",
    ];
    tree.render(&names.map(|name| file(name, "spec:\n  port: 80\n")));
    tree.put("edited.yaml", "spec:\n  port: 81 # mine\n");
    tree.put("left/edited.yaml", "mine\n");
    std::fs::remove_file(tree.root().join("gone.yaml")).expect("removed");
    tree.put("foreign.yaml", "theirs: true\n");
    tree.put("folder.yaml/x", "theirs\n");
    tree.put("file", "theirs\n");
    let files = vec![
        file("../outside.yaml", ""),
        file("changed.yaml", "spec:\n  port: 443\n"),
        file("edited.yaml", "spec:\n  port: 443\n"),
        file("file/below.yaml", ""),
        file("folder.yaml", ""),
        file("foreign.yaml", "ours: true\n"),
        file("gone.yaml", "spec:\n  port: 80\n"),
        file("new.yaml", "spec: {}\n"),
        file("same.yaml", "spec:\n  port: 80\n"),
    ];
    (tree, files)
}

#[test]
fn findings() {
    let (tree, files) = busy_tree();
    shown!("findings", listed(&tree.plan(&files).findings()));
}

#[test]
fn out_of_date() {
    let (tree, files) = busy_tree();
    shown!("out_of_date", listed(&tree.plan(&files).out_of_date()));
}

#[test]
fn an_edit_as_a_diff() {
    let (tree, files) = busy_tree();
    let plan = tree.plan(&files);
    let diffs: Vec<String> = plan
        .entries
        .iter()
        .filter_map(|entry| entry.diff())
        .collect();
    shown!("diffs", diffs.join("\n"));
}

#[test]
fn an_interruption_is_said_once() {
    let tree = Tree::new();
    let files = [file("a.yaml", "1\n"), file("b/c.yaml", "1\n")];
    let mut said = 0;
    for at in 0..40 {
        let _ = render_on(
            &Faulty::new(at, Fault::Killed),
            tree.root(),
            &files,
            &Options::default(),
        );
        let plan = tree.plan(&files);
        if plan.interrupted {
            said += 1;
            assert_eq!(
                plan.findings().len(),
                1,
                "half-done work is not taken for an edit"
            );
            shown!("interrupted", listed(&plan.findings()));
        }
        tree.render(&files);
        assert!(!tree.plan(&files).interrupted);
        tree.render(&[]);
    }
    assert!(said > 10, "{said}");
}

#[cfg(unix)]
#[test]
fn a_link_in_the_way() {
    let tree = Tree::new();
    std::os::unix::fs::symlink("/nowhere", tree.root().join("apps")).expect("a link");
    shown!(
        "link",
        listed(&tree.plan(&[file("apps/a.yaml", "")]).findings())
    );
}

#[test]
fn errors() {
    let io = |kind: std::io::ErrorKind| Error::Io {
        doing: "write",
        path: "apps/a.yaml".to_owned(),
        source: kind.into(),
    };
    let path = || "apps/a.yaml".to_owned();
    let all = [
        io(std::io::ErrorKind::StorageFull),
        io(std::io::ErrorKind::PermissionDenied),
        Lock::parse(LOCK_FILE, "{").expect_err("broken"),
        Lock::parse(LOCK_FILE, r#"{"schema": "gatewayctl/lock/v3"}"#).expect_err("unknown"),
        Error::Busy {
            root: ".".to_owned(),
        },
        Error::Changed { path: path() },
        Error::Duplicate { path: path() },
    ];
    let texts = all.map(|error| format!("error: {error}\n  help: {}\n", error.help()));
    shown!("errors", texts.concat());
}
