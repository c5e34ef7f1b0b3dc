//! A render killed at any instant: every file is whole, and the next render finishes.

#![cfg(unix)]

mod common;

use common::{LOCK, MINIMAL, Project, REFERENCE};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;

/// How many renders have to be killed before their end.
const KILLS: u32 = 90;

/// How many renders there are at most. A machine that is too busy to kill in time needs more than others.
const MOST_RENDERS: u32 = 3000;

type Tree = BTreeMap<String, Vec<u8>>;

/// Numbers that look random and are the same each time (a linear congruence, Numerical Recipes' constants).
struct Numbers(u32);

impl Numbers {
    fn next(&mut self, below: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u32::try_from((u64::from(self.0) * u64::from(below)) >> 32).expect("it is below")
    }
}

/// Microseconds within which kills fall. How long a run takes depends on what else the machine does, so each
/// round teaches the next: a kill that came too late makes it shorter, one that hit longer.
struct Window(u32);

impl Window {
    fn next(&self, numbers: &mut Numbers) -> Duration {
        Duration::from_micros(numbers.next(self.0).into())
    }

    fn learn(&mut self, hit: bool) {
        let changed = if hit {
            self.0 + self.0 / 12
        } else {
            self.0 - self.0 / 8
        };
        self.0 = changed.max(50);
    }
}

/// Starts a render and kills it after a time: from its start, or from where it begins to write (the lock is
/// replaced first). Whether it was killed before its end.
fn kill(project: &Project, writing: bool, wait: Duration) -> bool {
    let lock = project.path(LOCK);
    let identity = || std::fs::metadata(&lock).map_or(0, |found| found.ino());
    let before = identity();
    let mut child = project
        .command()
        .arg("render")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    while writing && identity() == before && matches!(child.try_wait(), Ok(None)) {
        std::thread::sleep(Duration::from_micros(20));
    }
    std::thread::sleep(wait);
    // It may have ended just before.
    let _ = child.kill();
    let status = child.wait().expect("it ends");
    let killed = status.signal() == Some(9);
    assert!(killed || status.success(), "{status}");
    killed
}

/// Two configurations whose files differ: some are only in one of them, some are in both and are not equal.
fn configs() -> [String; 2] {
    let other = format!(
        "{MINIMAL}\n[proxy]\nreplicas = 2\n[layout.files]\ngateways = \"{{short}}.yaml\"\ntraffic = \"policies.yaml\"\n[client_traffic]\nhttp3 = true\n"
    );
    [REFERENCE.to_owned(), other]
}

fn restore(project: &Project, tree: &Tree) {
    for path in project
        .files()
        .keys()
        .filter(|path| !tree.contains_key(*path))
    {
        std::fs::remove_file(project.path(path)).expect("removed");
    }
    for (path, bytes) in tree {
        project.write(path, bytes);
    }
}

/// Each file is what it is in one tree or the other; what both have is there.
#[track_caller]
fn whole(now: &Tree, old: &Tree, new: &Tree, when: &str) {
    let ours = |path: &&String| path.starts_with("kubernetes/");
    for (path, bytes) in now.iter().filter(|(path, _)| ours(path)) {
        if path.ends_with(".tmp") {
            continue;
        }
        let known = [old.get(path), new.get(path)];
        assert!(known.contains(&Some(bytes)), "{when}: {path} is torn");
    }
    for path in old
        .keys()
        .filter(ours)
        .filter(|path| new.contains_key(*path))
    {
        assert!(now.contains_key(path), "{when}: {path} is gone");
    }
    let lock = now.get(LOCK).expect("the lock is never gone");
    assert!(
        serde_json::from_slice::<serde_json::Value>(lock).is_ok(),
        "{when}: the lock is torn"
    );
}

#[test]
fn a_killed_render_leaves_every_file_whole_and_the_next_one_finishes() {
    let configs = configs();
    let trees = configs
        .each_ref()
        .map(|config| Project::new().config(config).rendered().files());
    let project = Project::new();
    restore(&project, &trees[0]);

    let (mut all, mut work) = (Window(200_000), Window(4_000));
    let (mut killed, mut interrupted, mut half, mut numbers) = (0, 0, 0, Numbers(7));
    let mut round = 0;
    while killed < KILLS && round < MOST_RENDERS {
        round += 1;
        let from = usize::try_from(round % 2).expect("a bit");
        let (old, new) = (&trees[from], &trees[1 - from]);
        restore(&project, old);
        project.write("cluster.toml", &configs[1 - from]);

        let writing = round % 3 != 0;
        let window = if writing { &mut work } else { &mut all };
        let wait = window.next(&mut numbers);
        let was_killed = kill(&project, writing, wait);
        window.learn(was_killed);
        let start = if writing {
            "it began to write"
        } else {
            "its start"
        };
        let when = format!("round {round}, killed {wait:?} after {start}");
        killed += u32::from(was_killed);

        let now = project.files();
        whole(&now, old, new, &when);
        let begun = now
            .iter()
            .any(|(path, bytes)| path.starts_with("kubernetes/") && old.get(path) != Some(bytes));
        half += u32::from(was_killed && begun);

        // Whoever only checks is not told of edits either.
        if round % 8 == 0 {
            project.run(["render", "--check"]).never_says("by hand");
        }
        let run = project.run(["render"]).success();
        interrupted += u32::from(run.stderr.contains("tree/interrupted"));
        run.never_says("by hand")
            .never_says("tree/edited")
            .never_says("tree/foreign");
        // No temporary file, no file of the old tree, the lock as it is after an undisturbed run.
        assert_eq!(project.files(), *new, "{when}");
    }
    println!(
        "{killed} of {round} renders were killed before their end, {half} of them in the midst of the files; {interrupted} were finished by the next as interrupted"
    );
    assert_eq!(killed, KILLS, "of {round} renders");
}

#[test]
fn a_hand_edit_after_a_kill_is_still_seen() {
    let configs = configs();
    let trees = configs
        .each_ref()
        .map(|config| Project::new().config(config).rendered().files());
    let project = Project::new();
    let release = "kubernetes/apps/network/envoy-gateway/app/helmrelease.yaml";
    let (mut window, mut numbers) = (Window(4_000), Numbers(11));
    let (mut killed, mut renders) = (0, 0);
    while killed < KILLS / 4 && renders < MOST_RENDERS {
        renders += 1;
        restore(&project, &trees[0]);
        project.write("cluster.toml", &configs[1]);
        let wait = window.next(&mut numbers);
        let was_killed = kill(&project, true, wait);
        window.learn(was_killed);
        killed += u32::from(was_killed);
        project.edit(release, "kind: HelmRelease", "kind: HelmRelease # mine");
        let run = project.run(["render"]);
        assert!(project.read(release).contains("# mine"), "{run}");
        run.code(1).warns("tree/edited");
    }
    assert_eq!(killed, KILLS / 4, "of {renders} renders");
}
