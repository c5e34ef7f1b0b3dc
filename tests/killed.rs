//! A render killed at any instant: every file is whole, and the next render finishes.

#![cfg(unix)]

mod common;

use common::{LOCK, MINIMAL, Project, REFERENCE};
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

const KILLS: u32 = 150;

type Tree = BTreeMap<String, Vec<u8>>;

/// Numbers that look random and are the same each time (a linear congruence, Numerical Recipes' constants).
struct Numbers(u32);

impl Numbers {
    fn next(&mut self, below: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u32::try_from(u64::from(self.0) * u64::from(below) >> 32).expect("it is below")
    }
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

    // How long the whole work takes, from the start of the process to its end.
    let full = (0..5).map(|at: usize| {
        project.write("cluster.toml", &configs[(at + 1) % 2]);
        let started = Instant::now();
        project.run(["render"]).success();
        started.elapsed()
    });
    let full = full.max().expect("five runs").max(Duration::from_millis(8));

    let (mut killed, mut interrupted, mut half, mut numbers) = (0, 0, 0, Numbers(7));
    for round in 0..KILLS {
        let from = usize::try_from(round % 2).expect("a bit");
        let (old, new) = (&trees[from], &trees[1 - from]);
        restore(&project, old);
        project.write("cluster.toml", &configs[1 - from]);

        let mut child = project
            .command()
            .arg("render")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        // The last third of a run is where the files are written.
        let micros = u32::try_from(full.as_micros()).expect("less than an hour");
        let wait = if round % 3 == 0 {
            numbers.next(micros)
        } else {
            micros / 2 + numbers.next(micros / 2)
        };
        let wait = Duration::from_micros(wait.into());
        std::thread::sleep(wait);
        // It may have ended just before.
        let _ = child.kill();
        let status = child.wait().expect("it ends");
        let when = format!("round {round}, killed after {wait:?}");
        let was_killed = status.signal() == Some(9);
        assert!(was_killed || status.success(), "{when}: {status}");
        killed += u32::from(was_killed);

        let now = project.files();
        whole(&now, old, new, &when);
        let begun = now
            .iter()
            .any(|(path, bytes)| path.starts_with("kubernetes/") && old.get(path) != Some(bytes));
        half += u32::from(was_killed && begun);

        // Whoever only checks is not told of edits either.
        if round % 8 == 0 {
            project
                .run(["render", "--check"])
                .is_silent_about("by hand");
        }
        let run = project.run(["render"]).success();
        interrupted += u32::from(run.stderr.contains("tree/interrupted"));
        run.is_silent_about("by hand")
            .is_silent_about("tree/edited")
            .is_silent_about("tree/foreign");
        // No temporary file, no file of the old tree, the lock as it is after an undisturbed run.
        assert_eq!(project.files(), *new, "{when}");
    }
    println!(
        "{killed} of {KILLS} renders were killed before their end, {half} of them in the midst of the files; {interrupted} were finished by the next as interrupted"
    );
    assert!(
        killed >= KILLS / 5,
        "only {killed} of {KILLS} kills came before the end"
    );
}

#[test]
fn a_hand_edit_after_a_kill_is_still_seen() {
    let configs = configs();
    let trees = configs
        .each_ref()
        .map(|config| Project::new().config(config).rendered().files());
    let project = Project::new();
    let release = "kubernetes/apps/network/envoy-gateway/app/helmrelease.yaml";
    let mut seen = 0;
    let mut numbers = Numbers(11);
    for _ in 0..40 {
        restore(&project, &trees[0]);
        project.write("cluster.toml", &configs[1]);
        let mut child = project
            .command()
            .arg("render")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        std::thread::sleep(Duration::from_micros(
            (20_000 + numbers.next(150_000)).into(),
        ));
        let _ = child.kill();
        child.wait().expect("it ends");
        project.edit(release, "kind: HelmRelease", "kind: HelmRelease # mine");
        let run = project.run(["render"]);
        assert!(project.read(release).contains("# mine"), "{run}");
        run.code(1).warns("tree/edited");
        seen += 1;
    }
    assert_eq!(seen, 40);
}
