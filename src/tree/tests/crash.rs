//! A render that is stopped at any operation and then repeated has the same result as one that was not stopped.

use proptest::prelude::*;

use super::support::{Fault, Faulty, Snapshot, Tree, file, lock_in, render_on};
use crate::tree::{File, Options};

const PATHS: [&str; 7] = [
    "a.yaml",
    "b/c.yaml",
    "b/d/e.yaml",
    "b/d/f.yaml",
    "g/h/i.yaml",
    "g/j.yaml",
    "k.yaml",
];

/// Few cases, because each one renders some hundred times; `PROPTEST_CASES` changes the number.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// What a random case does with one path.
#[derive(Clone, Debug)]
struct Fate {
    first: Option<u8>,
    by_hand: Hand,
    second: Option<u8>,
    third: Option<u8>,
}

#[derive(Clone, Debug)]
enum Hand {
    Nothing,
    Edits,
    Removes,
}

fn text(version: u8) -> String {
    format!("version: {version}\n").repeat(3)
}

fn fate() -> impl Strategy<Value = Fate> {
    let version = || prop_oneof![1 => Just(None), 3 => (0u8..3).prop_map(Some)];
    let hand =
        prop_oneof![4 => Just(Hand::Nothing), 1 => Just(Hand::Edits), 1 => Just(Hand::Removes)];
    (version(), hand, version(), version()).prop_map(|(first, by_hand, second, third)| Fate {
        first,
        by_hand,
        second,
        third,
    })
}

fn files(fates: &[Fate], version: impl Fn(&Fate) -> Option<u8>) -> Vec<File> {
    let pairs = PATHS.iter().zip(fates);
    pairs
        .filter_map(|(path, fate)| Some(file(path, &text(version(fate)?))))
        .collect()
}

/// A tree after a first render and some changes by hand.
fn prepared(fates: &[Fate]) -> Tree {
    let tree = Tree::quick();
    let first = files(fates, |fate| fate.first);
    render_on(
        &Faulty::new(usize::MAX, Fault::Killed),
        tree.root(),
        &first,
        &Options::default(),
    )
    .expect("rendered");
    for (path, fate) in PATHS.iter().zip(fates) {
        match fate.by_hand {
            Hand::Nothing => {}
            Hand::Edits => tree.put(path, &by_hand(path)),
            Hand::Removes => {
                let _ = std::fs::remove_file(tree.root().join(path));
            }
        }
    }
    tree
}

fn by_hand(path: &str) -> String {
    format!("by hand: {path}\n")
}

/// Asserts that no file is partial: each is one of the versions, or an edit.
fn assert_whole(snapshot: &Snapshot, context: &str) {
    for (path, bytes) in snapshot
        .iter()
        .filter(|(path, _)| PATHS.contains(&path.as_str()))
    {
        let found = String::from_utf8_lossy(bytes);
        let whole = (0..3).any(|version| found == text(version)) || found == by_hand(path);
        assert!(whole, "{context}: {path} is partial: {found:?}");
    }
}

/// Asserts that edits by hand are unchanged.
fn assert_kept(fates: &[Fate], snapshot: &Snapshot, context: &str) {
    for (path, fate) in PATHS
        .iter()
        .zip(fates)
        .filter(|(_, fate)| matches!(fate.by_hand, Hand::Edits))
    {
        assert_eq!(
            snapshot.get(*path),
            Some(&by_hand(path).into_bytes()),
            "{context}: {path} {fate:?}"
        );
    }
}

/// Stops the second render at every operation in turn, then renders `last`; the result must always be the same.
fn stop_everywhere(fates: &[Fate], fault: Fault, force: bool, last: impl Fn(&Fate) -> Option<u8>) {
    let second = files(fates, |fate| fate.second);
    let last_files = files(fates, last);
    let options = Options {
        force,
        ..Options::default()
    };
    let healthy = || Faulty::new(usize::MAX, Fault::Killed);
    let whole = prepared(fates);
    let _ = render_on(&healthy(), whole.root(), &second, &options).expect("rendered");
    render_on(&healthy(), whole.root(), &last_files, &options).expect("rendered");
    let want = whole.snapshot();
    for at in 0.. {
        let tree = prepared(fates);
        let disk = Faulty::new(at, fault);
        let result = render_on(&disk, tree.root(), &second, &options);
        let context = format!("{fault:?} at {at}: {:?}", disk.log.borrow().last());
        assert_eq!(result.is_err(), disk.struck(), "{context}: {result:?}");
        assert_whole(&tree.snapshot(), &context);
        // `force` was given before; finishing doesn't need it.
        render_on(
            &healthy(),
            tree.root(),
            &last_files,
            &Options { force, ..options },
        )
        .expect("rendered again");
        let got = tree.snapshot();
        assert_whole(&got, &context);
        assert_eq!(got, want, "{context}");
        assert!(!lock_in(&tree).is_pending(), "{context}");
        if !force {
            assert_kept(fates, &got, &context);
        }
        if !disk.struck() {
            return;
        }
    }
}

proptest! {
    #![proptest_config(config(8))]

    #[test]
    fn killed_anywhere_the_next_render_finishes(fates in prop::collection::vec(fate(), PATHS.len())) {
        stop_everywhere(&fates, Fault::Killed, false, |fate| fate.second);
    }

    #[test]
    fn a_full_disk_anywhere_costs_nothing_but_a_second_render(fates in prop::collection::vec(fate(), PATHS.len())) {
        stop_everywhere(&fates, Fault::Once(std::io::ErrorKind::StorageFull), false, |fate| fate.second);
    }

    #[test]
    fn killed_anywhere_nothing_edited_is_lost_when_the_config_changes_too(
        fates in prop::collection::vec(fate(), PATHS.len()),
    ) {
        let third = files(&fates, |fate| fate.third);
        for at in 0.. {
            let tree = prepared(&fates);
            let disk = Faulty::new(at, Fault::Killed);
            let _ = render_on(&disk, tree.root(), &files(&fates, |fate| fate.second), &Options::default());
            let context = format!("at {at}: {:?}", disk.log.borrow().last());
            tree.render(&third);
            let got = tree.snapshot();
            assert_whole(&got, &context);
            assert_kept(&fates, &got, &context);
            for (path, fate) in PATHS.iter().zip(&fates).filter(|(_, fate)| !matches!(fate.by_hand, Hand::Edits)) {
                let want = fate.third.map(|version| text(version).into_bytes());
                assert_eq!(got.get(*path), want.as_ref(), "{context}: {path} {fate:?}");
            }
            assert!(got.keys().all(|path| path.ends_with('/') || PATHS.contains(&path.as_str())), "{context}: {got:?}");
            if !disk.struck() {
                break;
            }
        }
    }

    #[test]
    fn killed_with_force_anywhere_the_next_render_finishes_without(
        fates in prop::collection::vec(fate(), PATHS.len()),
    ) {
        stop_everywhere(&fates, Fault::Killed, true, |fate| fate.second);
    }
}

#[test]
fn a_forced_render_that_was_killed_is_finished_without_force() {
    for at in 0.. {
        let tree = Tree::quick();
        tree.render(&[file("a.yaml", "1\n"), file("b.yaml", "1\n")]);
        tree.put("a.yaml", "mine\n");
        tree.put("b.yaml", "mine\n");
        let files = [file("a.yaml", "2\n"), file("b.yaml", "2\n")];
        let disk = Faulty::new(at, Fault::Killed);
        let force = Options {
            force: true,
            ..Options::default()
        };
        let _ = render_on(&disk, tree.root(), &files, &force);
        let begun = lock_in(&tree).is_pending();
        assert_eq!(tree.plan(&files).interrupted, begun);
        tree.render(&files);
        let ours = begun || !disk.struck() || tree.text("a.yaml") == "2\n";
        let want = if ours { "2\n" } else { "mine\n" };
        assert_eq!(
            (tree.text("a.yaml").as_str(), tree.text("b.yaml").as_str()),
            (want, want),
            "at {at}"
        );
        if !disk.struck() {
            return;
        }
    }
}

/// Adds our line to the file, or removes it, as the caller does for a kustomization.
fn merged(tree: &Tree, path: &str, ours: bool) -> File {
    let present = std::fs::read(tree.root().join(path)).ok();
    let text = String::from_utf8(present.clone().unwrap_or_default()).expect("UTF-8");
    let mut lines: Vec<&str> = text.lines().filter(|line| *line != "- ours").collect();
    lines.extend(ours.then_some("- ours"));
    File::shared(path, lines.join("\n") + "\n", present, ["ours".to_owned()])
}

#[test]
fn a_shared_file_is_never_removed_wherever_the_render_was_killed() {
    for at in 0.. {
        let tree = Tree::quick();
        tree.put("k.yaml", "- theirs\n");
        let disk = Faulty::new(at, Fault::Killed);
        let files = [merged(&tree, "k.yaml", true), file("a.yaml", "1\n")];
        let _ = render_on(&disk, tree.root(), &files, &Options::default());
        let mut forgotten = tree.snapshot();
        tree.render(&[]);
        forgotten.retain(|path, _| path == "k.yaml");
        assert_eq!(
            tree.snapshot(),
            forgotten,
            "at {at}: forgotten as it was, and everything else is gone"
        );

        tree.render(&[merged(&tree, "k.yaml", true)]);
        assert_eq!(tree.text("k.yaml"), "- theirs\n- ours\n");
        tree.render(&[merged(&tree, "k.yaml", false)]);
        assert_eq!(tree.text("k.yaml"), "- theirs\n");
        if !disk.struck() {
            return;
        }
    }
}

#[test]
fn nothing_is_announced_late_and_nothing_is_said_to_be_done_early() {
    let tree = Tree::quick();
    tree.render(&[file("a/old.yaml", "1\n"), file("b.yaml", "1\n")]);
    let disk = Faulty::new(usize::MAX, Fault::Killed);
    render_on(
        &disk,
        tree.root(),
        &[file("b.yaml", "2\n"), file("c/new.yaml", "2\n")],
        &Options::default(),
    )
    .expect("rendered");
    let changes = [
        "make", "write", "name", "exchange", "rename", "remove", "flush",
    ];
    let log: Vec<String> = disk
        .log
        .borrow()
        .iter()
        .filter(|line| changes.iter().any(|change| line.starts_with(change)))
        .map(|line| {
            let own = line.split(".gatewayctl-").next().unwrap_or_default();
            match line.rsplit('.').next() {
                Some("tmp") => format!("{own}a temporary file"),
                Some("aside") => format!("{own}aside"),
                _ => line.clone(),
            }
        })
        .collect();
    let want = [
        "write a temporary file",
        "rename .gatewayctl.lock",
        "flush .",
        "write a temporary file",
        "name aside",
        "exchange b.yaml",
        "remove aside",
        "make c",
        "write c/a temporary file",
        "name c/new.yaml",
        "name a/aside",
        "remove a/aside",
        "remove a",
        "flush .",
        "flush c",
        "write a temporary file",
        "rename .gatewayctl.lock",
        "flush .",
    ];
    assert_eq!(log, want, "(writing a temporary file flushes it)");
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn killed_again_and_again_it_ends_as_if_never_killed(
        fates in prop::collection::vec(fate(), PATHS.len()),
        kills in prop::collection::vec((0usize..80, any::<bool>()), 1..6),
    ) {
        let (second, third) = (files(&fates, |fate| fate.second), files(&fates, |fate| fate.third));
        let tree = prepared(&fates);
        for (at, config) in &kills {
            let disk = Faulty::new(*at, Fault::Killed);
            let files = if *config { &second } else { &third };
            let _ = render_on(&disk, tree.root(), files, &Options::default());
            assert_whole(&tree.snapshot(), &format!("{kills:?}"));
        }
        tree.render(&third);
        let got = tree.snapshot();
        let edited = |fate: &Fate| matches!(fate.by_hand, Hand::Edits);
        assert_kept(&fates, &got, &format!("{kills:?}"));
        for (path, fate) in PATHS.iter().zip(&fates).filter(|(_, fate)| !edited(fate)) {
            let want = fate.third.map(|version| text(version).into_bytes());
            prop_assert_eq!(got.get(*path), want.as_ref(), "{} {:?}", path, fate);
        }
        let known = |path: &String| path.ends_with('/') || PATHS.contains(&path.as_str());
        prop_assert!(got.keys().all(known), "{:?}", got);
        for folder in got.keys().filter(|path| path.ends_with('/')) {
            // A folder that somebody emptied by hand is not removed.
            let by_hand = fates.iter().any(|fate| matches!(fate.by_hand, Hand::Removes));
            let used = got.keys().any(|path| path != folder && path.starts_with(folder.as_str()));
            prop_assert!(used || by_hand, "{} is empty", folder);
        }
    }
}
