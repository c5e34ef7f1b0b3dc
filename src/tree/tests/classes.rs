//! Each class of file, in a real folder.

use super::support::{Tree, file, lock_in};
use crate::tree::plan::{Action, plan};
use crate::tree::{Class, Error, File, LOCK_FILE, Options, apply};

#[test]
fn what_is_missing_is_created_with_its_folders() {
    let tree = Tree::new();
    let files = [file("a/b/c.yaml", "x: 1\n"), file("d.yaml", "y: 1\n")];
    assert_eq!(tree.class(&files, "a/b/c.yaml"), Class::Create);
    let applied = tree.render(&files);
    assert_eq!(applied.written.len(), 2);
    assert_eq!(tree.text("a/b/c.yaml"), "x: 1\n");
    assert!(
        !tree.plan(&files).has_work(),
        "the second time there is nothing to do"
    );
    assert_eq!(tree.class(&files, "d.yaml"), Class::Unchanged);
}

#[test]
fn what_is_as_the_lock_says_is_updated() {
    let tree = Tree::new();
    tree.render(&[file("a.yaml", "x: 1\n")]);
    let files = [file("a.yaml", "x: 2\n")];
    assert_eq!(tree.class(&files, "a.yaml"), Class::Update);
    tree.render(&files);
    assert_eq!(tree.text("a.yaml"), "x: 2\n");
}

#[test]
fn an_edit_is_kept_and_shown_until_it_is_forced() {
    let tree = Tree::new();
    tree.render(&[file("a.yaml", "x: 1\n"), file("b.yaml", "1\n")]);
    tree.put("a.yaml", "x: 1\n# mine\n");
    let files = [file("a.yaml", "x: 2\n"), file("b.yaml", "2\n")];
    for _ in 0..2 {
        let plan = tree.plan(&files);
        assert_eq!(tree.class(&files, "a.yaml"), Class::Edited);
        let diff = plan.entries[0].diff().expect("a diff");
        assert!(diff.contains("-x: 1\n-# mine\n+x: 2\n"), "{diff}");
        apply(&plan).expect("applied");
        assert_eq!(tree.text("a.yaml"), "x: 1\n# mine\n");
        assert_eq!(tree.text("b.yaml"), "2\n", "the others are written");
    }
    apply(&tree.force(&files)).expect("applied");
    assert_eq!(tree.text("a.yaml"), "x: 2\n");
    assert!(!tree.plan(&files).has_work());
}

#[test]
fn an_edit_that_is_what_is_rendered_now_is_none() {
    let tree = Tree::new();
    tree.render(&[file("a.yaml", "x: 1\n")]);
    tree.put("a.yaml", "x: 2\n");
    let files = [file("a.yaml", "x: 2\n")];
    assert_eq!(tree.class(&files, "a.yaml"), Class::Unchanged);
    assert!(tree.plan(&files).lock_changes());
    tree.render(&files);
    assert_eq!(
        tree.class(&[file("a.yaml", "x: 3\n")], "a.yaml"),
        Class::Update
    );
}

#[test]
fn a_foreign_file_is_kept_unless_it_is_equal_or_may_be_taken_over() {
    let tree = Tree::new();
    tree.put("equal.yaml", "x: 1\n");
    tree.put("other.yaml", "theirs\n");
    tree.put("taken.yaml", "theirs\n");
    tree.put("styled.yaml", "x:   1\n");
    let files = [
        file("equal.yaml", "x: 1\n"),
        file("other.yaml", "ours\n"),
        file("taken.yaml", "ours\n").taking_over(),
        file("styled.yaml", "x: 1\n"),
    ];
    let same = |_: &str, disk: &str, new: &str| disk.replace(' ', "") == new.replace(' ', "");
    let options = Options {
        same_objects: Some(&same),
        ..Options::default()
    };
    let plan = plan(tree.root(), &files, &options).expect("a plan");
    let classes: Vec<_> = plan
        .entries
        .iter()
        .map(|entry| (&entry.class, entry.action))
        .collect();
    let want = [
        (&Class::Adopt, Action::Leave),
        (&Class::Foreign, Action::Leave),
        (&Class::Adopt, Action::Write),
        (&Class::Adopt, Action::Write),
    ];
    assert_eq!(classes, want);
    apply(&plan).expect("applied");
    assert_eq!(tree.text("other.yaml"), "theirs\n");
    assert_eq!(tree.text("taken.yaml"), "ours\n");
    assert_eq!(tree.text("styled.yaml"), "x: 1\n");
    assert_eq!(tree.class(&files, "equal.yaml"), Class::Unchanged);
    assert_eq!(
        tree.class(&files, "other.yaml"),
        Class::Foreign,
        "it did not become ours"
    );
}

#[test]
fn what_is_no_longer_rendered_goes_with_the_folders_that_it_empties() {
    let tree = Tree::new();
    tree.render(&[
        file("a/b/c.yaml", "1\n"),
        file("a/d.yaml", "2\n"),
        file("e/f/g.yaml", "3\n"),
        file("h.yaml", "4\n"),
    ]);
    tree.put("e/mine.txt", "mine");
    std::fs::create_dir(tree.root().join("empty")).expect("a folder");
    let applied = tree.render(&[file("a/d.yaml", "2\n")]);
    assert_eq!(applied.removed.len(), 3);
    let left: Vec<String> = tree.snapshot().into_keys().collect();
    assert_eq!(left, ["a/", "a/d.yaml", "e/", "e/mine.txt", "empty/"]);
}

#[test]
fn what_is_no_longer_rendered_but_edited_stays_and_is_the_users() {
    let tree = Tree::new();
    tree.render(&[file("a.yaml", "1\n"), file("b.yaml", "1\n")]);
    tree.put("a.yaml", "mine\n");
    let files = [file("b.yaml", "1\n")];
    assert_eq!(tree.class(&files, "a.yaml"), Class::KeepEdited);
    tree.render(&files);
    assert_eq!(tree.text("a.yaml"), "mine\n");
    assert_eq!(tree.plan(&files).entries.len(), 1, "it is said once");
    assert_eq!(
        tree.class(&[file("a.yaml", "1\n")], "a.yaml"),
        Class::Foreign
    );
}

#[test]
fn what_was_removed_by_hand_is_made_again_or_forgotten() {
    let tree = Tree::new();
    let files = [file("a.yaml", "1\n"), file("b.yaml", "1\n")];
    tree.render(&files);
    for name in ["a.yaml", "b.yaml"] {
        std::fs::remove_file(tree.root().join(name)).expect("removed");
    }
    assert_eq!(tree.class(&files[..1], "a.yaml"), Class::Gone);
    assert_eq!(tree.class(&files[..1], "b.yaml"), Class::Gone);
    tree.render(&files[..1]);
    assert_eq!(tree.snapshot().into_keys().collect::<Vec<_>>(), ["a.yaml"]);
    assert_eq!(lock_in(&tree).files.len(), 1);
}

#[test]
fn a_shared_file_is_never_edited_and_never_removed() {
    let tree = Tree::new();
    let path = "kustomization.yaml";
    let shared = |new: &str, old: Option<&str>| {
        [File::shared(
            path,
            new,
            old.map(|old| old.as_bytes().to_vec()),
            ["./ours".to_owned()],
        )]
    };
    tree.put(path, "- theirs\n");
    let files = shared("- theirs\n- ours\n", Some("- theirs\n"));
    assert_eq!(tree.class(&files, path), Class::Update);
    tree.render(&files);
    let lock = tree.text(LOCK_FILE);
    tree.put(path, "- theirs\n- more\n- ours\n");
    let files = shared(
        "- theirs\n- more\n- ours\n",
        Some("- theirs\n- more\n- ours\n"),
    );
    assert_eq!(tree.class(&files, path), Class::Unchanged);
    assert!(
        !tree.plan(&files).has_work(),
        "the user's change does not make the lock out of date"
    );
    assert_eq!(tree.text(LOCK_FILE), lock);
    let names: Vec<String> = lock_in(&tree)
        .shared()
        .map(|(path, _)| path.to_string())
        .collect();
    assert_eq!(names, [path]);
    assert_eq!(tree.class(&[], path), Class::KeepShared);
    tree.render(&[]);
    assert_eq!(tree.text(path), "- theirs\n- more\n- ours\n");
}

#[test]
fn a_shared_file_that_changed_after_it_was_merged_is_not_overwritten() {
    let tree = Tree::new();
    tree.put("k.yaml", "- newer\n");
    let files = [File::shared(
        "k.yaml",
        "- older\n- ours\n",
        Some(b"- older\n".to_vec()),
        ["./ours".to_owned()],
    )];
    let error = plan(tree.root(), &files, &Options::default()).expect_err("it changed");
    assert!(matches!(error, Error::Changed { path } if path == "k.yaml"));
}

#[test]
fn line_ends_that_git_widened_are_no_edit() {
    let tree = Tree::new();
    tree.render(&[file("a.yaml", "x: 1\ny: 1\n")]);
    tree.put("a.yaml", "x: 1\r\ny: 1\r\n");
    let lock = tree.text(LOCK_FILE).replace('\n', "\r\n");
    tree.put(LOCK_FILE, &lock);
    assert_eq!(
        tree.class(&[file("a.yaml", "x: 1\ny: 1\n")], "a.yaml"),
        Class::Unchanged
    );
    assert!(!tree.plan(&[file("a.yaml", "x: 1\ny: 1\n")]).has_work());
    assert_eq!(
        tree.class(&[file("a.yaml", "x: 2\n")], "a.yaml"),
        Class::Update
    );
    assert_eq!(tree.class(&[], "a.yaml"), Class::Remove);
    tree.put("a.yaml", "x: 1\r\ny: 2\r\n");
    assert_eq!(
        tree.class(&[file("a.yaml", "x: 2\n")], "a.yaml"),
        Class::Edited
    );
}

#[test]
fn a_change_between_the_look_and_the_write_is_not_overwritten() {
    let tree = Tree::new();
    tree.render(&[file("a.yaml", "1\n")]);
    let late = tree.plan(&[file("a.yaml", "2\n")]);
    tree.put("a.yaml", "mine\n");
    assert!(matches!(apply(&late), Err(Error::Changed { path }) if path == "a.yaml"));
    assert_eq!(tree.text("a.yaml"), "mine\n");
    assert!(!lock_in(&tree).is_pending(), "nothing was begun");
    tree.put("a.yaml", "1\n");
    tree.render(&[file("a.yaml", "1\n"), file("b.yaml", "1\n")]);
    assert!(matches!(apply(&late), Err(Error::Changed { path }) if path == LOCK_FILE));
}

#[test]
fn a_path_that_is_given_twice_is_refused() {
    let tree = Tree::new();
    for files in [
        [file("a", "1"), file("a", "2")],
        [file("a", "1"), file("a/b", "2")],
    ] {
        let result = plan(tree.root(), &files, &Options::default());
        assert!(matches!(result, Err(Error::Duplicate { path }) if path == "a"));
    }
}

#[test]
fn the_lock_has_one_line_a_file_in_order() {
    let tree = Tree::new();
    let none = || None::<Vec<u8>>;
    tree.render(&[
        file("b/c.yaml", "1\n"),
        file("a.yaml", "2\n"),
        File::shared("k.yaml", "- ours\n", none(), ["./ours".to_owned()]),
    ]);
    insta::with_settings!({
        snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"),
        prepend_module_to_snapshot => true,
        omit_expression => true,
    }, {
        insta::assert_snapshot!("lock", tree.text(LOCK_FILE));
    });
    let lock = lock_in(&tree);
    assert_eq!(
        lock.text(),
        tree.text(LOCK_FILE),
        "what is read is what was written"
    );
}

#[test]
fn a_lock_that_cannot_be_read_is_an_error_that_says_what_to_do() {
    let cases = [
        ("{", "not JSON"),
        ("{}", "no `schema`"),
        ("<<<<<<< HEAD\n", "conflict markers of a Git merge"),
        (
            r#"{"schema": "gatewayctl/lock/v9", "files": {}}"#,
            "`gatewayctl/lock/v9`, but this version of gatewayctl reads `gatewayctl/lock/v2`",
        ),
        (
            r#"{"schema": "gatewayctl/lock/v1", "files": {"../x": {"ownership": "shared"}}}"#,
            "has a component `.` or `..`",
        ),
        (
            r#"{"schema": "gatewayctl/lock/v1", "files": {"x": {}}}"#,
            "x: neither a SHA-256 nor shared",
        ),
        (
            r#"{"schema": "gatewayctl/lock/v1", "files": {"x": {"sha256": "12"}}}"#,
            "x: no SHA-256",
        ),
        (
            r#"{"schema": "gatewayctl/lock/v1", "files": {}, "later": 1}"#,
            "unknown field `later`",
        ),
        (
            r#"{"schema": "gatewayctl/lock/v2", "files": {"x": {"ownership": "shared"}, "\u0078": {"ownership": "shared"}}}"#,
            "\"x\" appears twice",
        ),
        (
            r#"{"schema": "gatewayctl/lock/v2", "files": {}, "files": {}}"#,
            "duplicate field `files`",
        ),
    ];
    for (text, want) in cases {
        let tree = Tree::new();
        tree.put(LOCK_FILE, text);
        let error = plan(tree.root(), &[], &Options::default()).expect_err(text);
        assert!(error.to_string().contains(want), "{error}");
        assert!(
            error.help().contains("git checkout") || error.help().contains("newer gatewayctl"),
            "{}",
            error.help()
        );
    }
}
