//! Somebody else changes the same files, before each operation in turn.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::support::{Fault, Faulty, Tree, file, render_on};
use crate::tree::apply::apply_on;
use crate::tree::{File, Options};

const VICTIMS: [&str; 3] = ["a.yaml", "b/c.yaml", "d/gone.yaml"];
const MINE: &str = "mine\n";

/// Two files that change, and one that is removed.
fn rendered() -> (Tree, Vec<File>) {
    let tree = Tree::quick();
    tree.render(&VICTIMS.map(|path| file(path, "1\n")));
    let second = vec![file("a.yaml", "2\n"), file("b/c.yaml", "2\n")];
    (tree, second)
}

/// Saves as editors do: by renaming a new file over the old one, or by truncating and writing the old one.
fn save(root: PathBuf, path: &'static str, by_rename: bool) -> impl Fn() {
    move || {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        if by_rename {
            let beside = path.with_extension("yaml~");
            fs::write(&beside, MINE).expect("written");
            fs::rename(&beside, &path).expect("renamed");
        } else {
            fs::write(&path, MINE).expect("written");
        }
    }
}

fn leftovers(tree: &Tree) -> Vec<String> {
    let paths = tree.snapshot().into_keys();
    paths.filter(|path| path.contains(".gatewayctl-")).collect()
}

#[test]
fn what_is_saved_before_any_operation_stays() {
    for victim in VICTIMS {
        for by_rename in [true, false] {
            for at in 0.. {
                let (tree, second) = rendered();
                let root = tree.root().to_owned();
                let plan = tree.plan(&second);
                let disk = Faulty::new(usize::MAX, Fault::Killed)
                    .meanwhile(at, save(root, victim, by_rename));
                let _ = apply_on(&disk, &plan);
                if disk.done.get() <= at {
                    break;
                }
                let context = format!("{victim} at {at}: {:?}", disk.log.borrow().get(at));
                assert_eq!(tree.text(victim), MINE, "{context}");
                tree.render(&second);
                assert_eq!(tree.text(victim), MINE, "{context}");
                assert_eq!(leftovers(&tree), [""; 0], "{context}");
            }
        }
    }
}

#[test]
fn what_is_saved_stays_though_the_render_is_killed_right_after() {
    for victim in VICTIMS {
        for after in 1..8 {
            for at in 0.. {
                let (tree, second) = rendered();
                let root = tree.root().to_owned();
                let plan = tree.plan(&second);
                let disk =
                    Faulty::new(at + after, Fault::Killed).meanwhile(at, save(root, victim, true));
                let _ = apply_on(&disk, &plan);
                if disk.done.get() <= at {
                    break;
                }
                let log = disk.log.borrow();
                let context = format!(
                    "{victim} at {at}, killed {after} later: {:?}",
                    log.get(at..)
                );
                // A plan after this reports the edit, not the file at its path.
                let said = tree.plan(&second).findings();
                assert!(
                    said.iter()
                        .all(|one| !one.message.contains("exists already")),
                    "{context}"
                );
                tree.render(&second);
                assert_eq!(tree.text(victim), MINE, "{context}");
                assert_eq!(leftovers(&tree), [""; 0], "{context}");
                assert!(!tree.plan(&second).has_work(), "{context}");
            }
        }
    }
}

#[test]
fn a_later_edit_in_the_place_of_one_that_waits_is_not_overwritten() {
    let mut waited = 0;
    for after in 1..8 {
        for at in 0.. {
            let (tree, second) = rendered();
            let plan = tree.plan(&second);
            let disk = Faulty::new(at + after, Fault::Killed)
                .meanwhile(at, save(tree.root().to_owned(), "a.yaml", true));
            let _ = apply_on(&disk, &plan);
            if disk.done.get() <= at {
                break;
            }
            if leftovers(&tree)
                .iter()
                .all(|path| !path.ends_with(".aside"))
                || tree.text("a.yaml") == MINE
            {
                continue;
            }
            waited += 1;
            tree.put("a.yaml", "later\n");
            let plan = tree.plan(&second);
            let said = plan.findings();
            assert!(
                said.iter()
                    .any(|one| one.message.contains("contains an edit of it")),
                "{said:#?}"
            );
            let _ = apply_on(&crate::tree::disk::Os, &plan);
            assert_eq!(tree.text("a.yaml"), "later\n");
            assert_eq!(leftovers(&tree).len(), 1, "the edit still waits");
        }
    }
    assert!(waited > 0);
}

/// Replaces a folder by a link.
fn swap(root: PathBuf, outside: PathBuf) -> impl Fn() {
    move || {
        // A folder that has been removed already can't be replaced.
        if fs::rename(root.join("b"), root.join("b.real")).is_ok() {
            symlink(&outside, root.join("b")).expect("a link");
        }
    }
}

#[test]
fn a_link_in_the_place_of_a_folder_at_any_instant_leads_nothing_out() {
    for at in 0.. {
        let (tree, second) = rendered();
        let outside = Tree::quick();
        outside.put("c.yaml", "1\n");
        let mut second = second;
        second.push(file("b/new/e.yaml", "2\n"));
        let hook = swap(tree.root().to_owned(), outside.root().to_owned());
        let disk = Faulty::new(usize::MAX, Fault::Killed).meanwhile(at, hook);
        let _ = render_on(&disk, tree.root(), &second, &Options::default());
        assert_eq!(outside.snapshot().len(), 1, "at {at}");
        assert_eq!(outside.text("c.yaml"), "1\n", "at {at}");
        // Files behind the link are not removed either, even if they were ours.
        let _ = render_on(&disk, tree.root(), &[], &Options::default());
        assert_eq!(outside.text("c.yaml"), "1\n", "at {at}");
        if disk.done.get() <= at {
            break;
        }
    }
}

#[test]
fn where_nothing_can_be_exchanged_the_look_comes_directly_before_the_rename() {
    // This file system can exchange files; the wrapped disk says that it can't.
    for by_rename in [true, false] {
        for at in 0.. {
            let (tree, second) = rendered();
            let plan = tree.plan(&second);
            let disk = Faulty::new(usize::MAX, Fault::Killed)
                .meanwhile(at, save(tree.root().to_owned(), "a.yaml", by_rename))
                .without_exchange();
            let done = apply_on(&disk, &plan);
            if disk.done.get() <= at {
                assert!(done.is_ok());
                break;
            }
            let log = disk.log.borrow();
            // Only an edit at the very moment of the rename can be lost.
            let is_the_instant = log.get(at).is_some_and(|line| line == "rename a.yaml");
            if !is_the_instant {
                assert_eq!(tree.text("a.yaml"), MINE, "at {at}: {:?}", log.get(at..));
            }
            assert!(exists(tree.root(), "a.yaml"));
        }
    }
}

fn exists(root: &Path, path: &str) -> bool {
    root.join(path).is_file()
}
