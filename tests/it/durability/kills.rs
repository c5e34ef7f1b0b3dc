//! Kills a render at any moment: every file is whole, and the next render finishes the work.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;

use super::layouts::eight;
use super::{Numbers, Tree, Window, restore, rounds, same};
use crate::common::{LOCK, Project};

/// The maximum number of renders for each one that is killed in time. A busy machine needs more.
const MOST_RENDERS_A_KILL: u32 = 50;

/// Starts a render and kills it after a delay, measured from its start, or from the moment when it begins to write
/// (the lock is replaced first). Returns whether it was killed before its end.
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

/// Other entries in the namespace's kustomization, and files beside it.
const THEIRS: [(&str, &str); 2] = [
    (
        "kubernetes/apps/network/kustomization.yaml",
        "# Everything in this namespace.\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: network\nresources:\n  - ./echo.yaml # a demo\n",
    ),
    (
        "kubernetes/apps/network/echo.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: echo\n",
    ),
];

/// The trees before and after undisturbed renders. Each is made once.
struct Trees {
    configs: [String; 8],
    made: HashMap<(usize, bool), Tree>,
    changed: HashMap<(usize, usize, bool), Tree>,
}

impl Trees {
    fn new() -> Self {
        Trees {
            configs: eight(),
            made: HashMap::new(),
            changed: HashMap::new(),
        }
    }

    /// A rendered configuration, with the files of others if `theirs`.
    fn made(&mut self, at: usize, theirs: bool) -> Tree {
        let config = &self.configs[at];
        let make = || {
            let mut project = Project::new().config(config);
            for (path, text) in THEIRS.iter().filter(|_| theirs) {
                project = project.file(path, text);
            }
            project.rendered().files()
        };
        self.made.entry((at, theirs)).or_insert_with(make).clone()
    }

    /// The same, after the other configuration was rendered over it.
    fn changed(&mut self, from: usize, to: usize, theirs: bool) -> Tree {
        let old = self.made(from, theirs);
        let config = &self.configs[to];
        let change = || {
            let project = Project::new();
            restore(&project, &old);
            project.write("cluster.toml", config);
            project.rendered().files()
        };
        let key = (from, to, theirs);
        self.changed.entry(key).or_insert_with(change).clone()
    }
}

/// Asserts that each file is that of one tree or the other, and that files in both trees exist, except for the moment
/// when a file that will be removed is moved aside.
#[track_caller]
fn whole(now: &Tree, old: &Tree, new: &Tree, when: &str) {
    let is_own = |path: &str| path == LOCK || path.contains("/.gatewayctl-");
    let is_ours = |path: &&String| !is_own(path) && !path.starts_with('.');
    for (path, bytes) in now.iter().filter(|(path, _)| is_ours(path)) {
        let known = [old.get(path), new.get(path)];
        assert!(known.contains(&Some(bytes)), "{when}: {path} is torn");
    }
    for path in old.keys().filter(is_ours) {
        let stays = new.contains_key(path);
        assert!(!stays || now.contains_key(path), "{when}: {path} is gone");
    }
    let lock = now.get(LOCK).expect("the lock is never gone");
    assert!(
        serde_json::from_slice::<serde_json::Value>(lock).is_ok(),
        "{when}: the lock is torn"
    );
}

#[test]
fn a_killed_render_leaves_every_file_whole_and_the_next_one_finishes() {
    let kills = rounds("GATEWAYCTL_KILLS", 40);
    let mut trees = Trees::new();
    let project = Project::new();
    let (mut all, mut work) = (Window(200_000), Window(4_000));
    let (mut killed, mut interrupted, mut half, mut numbers) = (0, 0, 0, Numbers(7));
    let mut round = 0;
    while killed < kills && round < kills * MOST_RENDERS_A_KILL {
        round += 1;
        let (from, theirs) = (numbers.index(8), numbers.next(2) == 1);
        let to = (from + 1 + numbers.index(7)) % 8;
        let (old, new) = (trees.made(from, theirs), trees.changed(from, to, theirs));
        restore(&project, &old);
        project.write("cluster.toml", &trees.configs[to]);

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
        let when = format!("round {round}, from {from} to {to}, killed {wait:?} after {start}");
        killed += u32::from(was_killed);

        let now = project.files();
        whole(&now, &old, &new, &when);
        let is_begun = |(path, bytes): (&String, &Vec<u8>)| {
            path.ends_with(".yaml") && old.get(path) != Some(bytes)
        };
        half += u32::from(was_killed && now.iter().any(is_begun));

        // `render --check` reports no edits either.
        if round % 8 == 0 {
            project.run(["render", "--check"]).never_says("by hand");
        }
        let run = project.run(["render"]).success();
        interrupted += u32::from(run.stderr.contains("tree/interrupted"));
        run.never_says("by hand")
            .never_says("tree/edited")
            .never_says("tree/foreign");
        // There are no temporary files and no files of the old tree, and the lock is as after an undisturbed run.
        same(&project.files(), &new, &when);
    }
    println!(
        "kills: {killed} of {round} renders over 8 layouts were killed before their end, {half} in the midst of the files; {interrupted} were finished by the next as interrupted; lost: 0"
    );
    assert_eq!(killed, kills, "of {round} renders");
}

#[test]
fn a_hand_edit_after_a_kill_is_still_seen() {
    let mut trees = Trees::new();
    let old = trees.made(0, false);
    let project = Project::new();
    let release = "kubernetes/apps/network/envoy-gateway/app/helmrelease.yaml";
    let kills = 20;
    let (mut window, mut numbers) = (Window(4_000), Numbers(11));
    let (mut killed, mut renders) = (0, 0);
    while killed < kills && renders < kills * MOST_RENDERS_A_KILL {
        renders += 1;
        restore(&project, &old);
        project.write("cluster.toml", &trees.configs[1]);
        let wait = window.next(&mut numbers);
        let was_killed = kill(&project, true, wait);
        window.learn(was_killed);
        killed += u32::from(was_killed);
        project.edit(release, "kind: HelmRelease", "kind: HelmRelease # mine");
        let run = project.run(["render"]);
        assert!(project.read(release).contains("# mine"), "{run}");
        run.code(1).warns("tree/edited");
    }
    assert_eq!(killed, kills, "of {renders} renders");
}
