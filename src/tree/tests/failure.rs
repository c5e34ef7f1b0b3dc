//! Links, permissions, full disks, and two renders at once.

use std::io;

use super::support::{Fault, Faulty, Tree, file, lock_in, render_on};
use crate::tree::classify::Obstacle;
use crate::tree::guard::Guard;
use crate::tree::{Class, Error, LOCK_FILE, Options, TreePath, apply, plan};

#[test]
fn a_full_disk_is_named_with_the_path_and_the_reason() {
    let files = [file("a.yaml", "new\n"), file("b.yaml", "new\n")];
    let mut said = Vec::new();
    for at in 0.. {
        let tree = Tree::new();
        tree.render(&[file("a.yaml", "old\n")]);
        let disk = Faulty::new(at, Fault::Once(io::ErrorKind::StorageFull));
        let result = render_on(&disk, tree.root(), &files, &Options::default());
        let last = disk.log.borrow().get(at).cloned();
        if last.as_ref().is_some_and(|last| last.starts_with("write")) {
            let error = result.expect_err("a full disk");
            said.push(error.to_string());
            assert!(error.help().contains("free some space"), "{}", error.help());
            assert!(matches!(tree.text("a.yaml").as_str(), "old\n" | "new\n"));
        }
        if !disk.struck() {
            break;
        }
    }
    said.sort();
    said.dedup();
    let want = [LOCK_FILE, "a.yaml", "b.yaml"]
        .map(|path| format!("can't write `{path}`: no storage space"));
    assert_eq!(said, want);
}

#[test]
fn two_renders_at_once_are_one_too_many() {
    let tree = Tree::new();
    let plan_of_other = tree.plan(&[file("a.yaml", "1\n")]);
    let held = Guard::take(tree.root()).expect("the lock");
    let error = apply(&plan_of_other).expect_err("it is held");
    assert!(
        error
            .to_string()
            .starts_with("another gatewayctl is writing to"),
        "{error}"
    );
    drop(held);
    apply(&plan_of_other).expect("it was let go");
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn class_behind(link: &str, target_is_folder: bool, path: &str) -> Class {
        let (tree, outside) = (Tree::new(), Tree::new());
        outside.put("there/secret.yaml", "theirs\n");
        let target = outside.root().join(if target_is_folder {
            "there"
        } else {
            "there/secret.yaml"
        });
        let from = tree.root().join(link);
        fs::create_dir_all(from.parent().expect("a parent")).expect("folders");
        symlink(target, from).expect("a link");
        let files = [file(path, "ours\n")];
        let class = tree.class(&files, path);
        let applied = apply(&tree.force(&files)).expect("applied");
        assert_eq!(applied.written, []);
        assert_eq!(outside.text("there/secret.yaml"), "theirs\n");
        assert_eq!(
            outside.snapshot().len(),
            2,
            "nothing was written behind the link"
        );
        assert!(
            fs::symlink_metadata(tree.root().join(link))
                .expect("the link")
                .is_symlink(),
            "it is still there"
        );
        class
    }

    #[test]
    fn no_link_is_followed_or_replaced() {
        let link =
            |path: &str| Class::Blocked(Obstacle::Link(TreePath::parse(path).expect("a path")));
        assert_eq!(class_behind("a", true, "a/b/c.yaml"), link("a"));
        assert_eq!(class_behind("a/b", true, "a/b/secret.yaml"), link("a/b"));
        assert_eq!(
            class_behind("a/b/c.yaml", false, "a/b/c.yaml"),
            link("a/b/c.yaml")
        );
    }

    #[test]
    fn what_was_ours_is_not_removed_behind_a_link() {
        let (tree, outside) = (Tree::new(), Tree::new());
        tree.render(&[file("a/b.yaml", "1\n")]);
        outside.put("b.yaml", "1\n");
        fs::remove_dir_all(tree.root().join("a")).expect("removed");
        symlink(outside.root(), tree.root().join("a")).expect("a link");
        assert_eq!(tree.class(&[], "a/b.yaml"), Class::KeepEdited);
        tree.render(&[]);
        assert_eq!(outside.text("b.yaml"), "1\n");
    }

    #[test]
    fn a_link_that_appears_after_the_plan_is_not_followed_either() {
        let (tree, outside) = (Tree::new(), Tree::new());
        tree.render(&[file("a/b.yaml", "1\n"), file("c.yaml", "1\n")]);
        let files = [
            file("a/b.yaml", "2\n"),
            file("a/d/e.yaml", "2\n"),
            file("f/g.yaml", "2\n"),
        ];
        let plan = tree.plan(&files);
        fs::remove_dir_all(tree.root().join("a")).expect("removed");
        symlink(outside.root(), tree.root().join("a")).expect("a link");
        assert!(matches!(apply(&plan), Err(Error::Changed { path }) if path == "a/b.yaml"));
        assert!(outside.snapshot().is_empty());
        assert!(
            !tree.root().join("f").exists(),
            "nothing else was begun either"
        );
    }

    #[test]
    fn a_link_that_leads_to_the_root_itself_is_fine() {
        let (tree, other) = (Tree::new(), Tree::new());
        let root = other.root().join("root");
        symlink(tree.root(), &root).expect("a link");
        let plan = plan(&root, &[file("a/b.yaml", "1\n")], &Options::default()).expect("a plan");
        apply(&plan).expect("applied");
        assert_eq!(tree.text("a/b.yaml"), "1\n");
    }

    #[test]
    fn a_linked_lock_is_refused() {
        let (tree, other) = (Tree::new(), Tree::new());
        other.put("lock", "{}");
        symlink(other.root().join("lock"), tree.root().join(LOCK_FILE)).expect("a link");
        let error = plan(tree.root(), &[], &Options::default()).expect_err("a link");
        assert!(error.to_string().contains("not a regular file"), "{error}");
    }

    #[test]
    fn a_missing_root_is_made() {
        let tree = Tree::new();
        let root = tree.root().join("x/y");
        let plan = plan(&root, &[file("a.yaml", "1\n")], &Options::default()).expect("a plan");
        apply(&plan).expect("applied");
        assert_eq!(tree.text("x/y/a.yaml"), "1\n");
    }

    #[test]
    fn modes_stay_and_new_files_follow_the_umask() {
        let tree = Tree::new();
        tree.render(&[file("a.yaml", "1\n"), file("b.yaml", "1\n")]);
        tree.put("reference", "");
        let mode = |path: &str| {
            fs::metadata(tree.root().join(path))
                .expect("a file")
                .permissions()
                .mode()
                & 0o777
        };
        assert_eq!(mode("a.yaml"), mode("reference"));
        fs::set_permissions(tree.root().join("a.yaml"), Permissions::from_mode(0o600))
            .expect("a mode");
        tree.render(&[file("a.yaml", "2\n"), file("b.yaml", "2\n")]);
        assert_eq!((mode("a.yaml"), mode("b.yaml")), (0o600, mode("reference")));
    }

    #[test]
    fn a_folder_without_permission_is_named() {
        let tree = Tree::new();
        tree.render(&[file("a/b.yaml", "1\n")]);
        let folder = tree.root().join("a");
        fs::set_permissions(&folder, Permissions::from_mode(0o555)).expect("a mode");
        if fs::write(folder.join("probe"), "").is_ok() {
            eprintln!("skipped: this user (root) may write anywhere");
            return;
        }
        let error = apply(&tree.plan(&[file("a/b.yaml", "2\n")])).expect_err("no permission");
        assert!(
            error
                .to_string()
                .starts_with("can't write `a/b.yaml`: Permission denied"),
            "{error}"
        );
        assert_eq!(tree.text("a/b.yaml"), "1\n");
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).expect("a mode");
        let again = tree.plan(&[file("a/b.yaml", "2\n")]);
        assert!(again.interrupted);
        apply(&again).expect("applied");
        assert_eq!(tree.text("a/b.yaml"), "2\n");
        assert!(!lock_in(&tree).is_pending());
    }

    #[test]
    fn a_pipe_in_the_way_is_not_waited_for() {
        let tree = Tree::new();
        let made = std::process::Command::new("mkfifo")
            .arg(tree.root().join("a.yaml"))
            .status();
        if !made.is_ok_and(|status| status.success()) {
            eprintln!("skipped: no mkfifo here");
            return;
        }
        assert_eq!(
            tree.class(&[file("a.yaml", "1\n")], "a.yaml"),
            Class::Blocked(Obstacle::NotAFile)
        );
    }
}

#[test]
fn folders_and_files_in_each_others_place_are_left_alone() {
    let tree = Tree::new();
    tree.put("folder/mine.txt", "mine");
    tree.put("file", "mine");
    let files = [file("folder", "ours\n"), file("file/a.yaml", "ours\n")];
    let path = TreePath::parse("file").expect("a path");
    assert_eq!(
        tree.class(&files, "folder"),
        Class::Blocked(Obstacle::NotAFile)
    );
    assert_eq!(
        tree.class(&files, "file/a.yaml"),
        Class::Blocked(Obstacle::NotAFolder(path))
    );
    assert!(!tree.force(&files).has_work());
}

#[test]
fn a_huge_file_in_the_way_is_foreign_and_not_read() {
    let tree = Tree::new();
    let huge = std::fs::File::create(tree.root().join("a.yaml")).expect("a file");
    huge.set_len(1 << 40).expect("a sparse file");
    let files = [file("a.yaml", "1\n")];
    assert_eq!(tree.class(&files, "a.yaml"), Class::Foreign);
    assert!(matches!(apply(&tree.force(&files)), Ok(applied) if applied.written.len() == 1));
    assert_eq!(tree.text("a.yaml"), "1\n");
}
