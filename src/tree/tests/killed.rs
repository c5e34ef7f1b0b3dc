//! A process that really is killed. (`crash` stops at every operation, this one in the middle of them.)

use std::process::{Command, Stdio};
use std::time::Duration;

use super::support::{Tree, file};
use crate::tree::{Class, File, LOCK_FILE, Lock, Options, apply, plan};

/// The root that the child renders to.
const ROOT: &str = "GATEWAYCTL_TEST_KILLED_ROOT";

fn text(version: usize) -> String {
    format!("version: {version}\n").repeat(500 + version)
}

/// Files of which some come, change and go with each version.
fn files(version: usize) -> Vec<File> {
    (0..12)
        .filter(|number| number % 3 != version % 3)
        .map(|number| file(&format!("d{}/f{number}.yaml", number % 4), &text(version)))
        .collect()
}

#[test]
#[ignore = "the child of the test below: renders until it is killed"]
fn child() {
    let Some(root) = std::env::var_os(ROOT) else {
        return;
    };
    for version in (0..3).cycle() {
        let plan = plan(root.as_ref(), &files(version), &Options::default()).expect("a plan");
        apply(&plan).expect("applied");
    }
}

#[test]
fn killed_by_the_system_every_file_is_whole_and_the_next_render_finishes() {
    let program = std::env::current_exe().expect("this program");
    let name = concat!(module_path!(), "::child")
        .split_once("::")
        .expect("a crate")
        .1;
    let mut interrupted = 0;
    for round in 0..25u64 {
        let tree = Tree::new();
        let mut child = Command::new(&program)
            .args(["--exact", "--ignored", name])
            .env(ROOT, tree.root())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a child");
        let mut waited = 0;
        while !tree.root().join(LOCK_FILE).exists() && waited < 10_000 {
            std::thread::sleep(Duration::from_millis(1));
            waited += 1;
        }
        std::thread::sleep(Duration::from_micros(137 * round));
        child.kill().expect("killed");
        child.wait().expect("its end");
        assert!(waited < 10_000, "the child never rendered");

        for (path, bytes) in tree.snapshot() {
            let found = String::from_utf8(bytes).expect("UTF-8");
            let whole = (0..3).any(|version| found == text(version));
            assert!(
                whole || path.ends_with('/') || path.ends_with(".tmp"),
                "{path} is partial"
            );
        }
        let plan = tree.plan(&files(1));
        interrupted += u32::from(plan.interrupted);
        let taken_for_edits = plan.entries.iter().any(|entry| {
            matches!(
                entry.class,
                Class::Edited | Class::KeepEdited | Class::Foreign
            )
        });
        assert!(!taken_for_edits, "{:?}", plan.findings());
        apply(&plan).expect("applied");
        let whole = Tree::new();
        whole.render(&files(1));
        assert_eq!(tree.snapshot(), whole.snapshot());
        assert!(!Lock::load(tree.root()).expect("a lock").is_pending());
    }
    assert!(interrupted > 0, "no kill came in the middle of a render");
}
