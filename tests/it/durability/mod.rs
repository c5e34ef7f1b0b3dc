//! Measures what a render survives: kills, saves by an editor, and changes of the configuration.
//!
//! A plain `cargo test` does few of each. `GATEWAYCTL_KILLS`, `GATEWAYCTL_SAVES` and `GATEWAYCTL_PAIRS` set the
//! number; CONTRIBUTING.md has the command for the published figures. Each test prints one line of figures.

#![cfg(unix)]

mod kills;
mod layouts;
pub(crate) mod pairs;
mod saves;

use std::collections::BTreeMap;

/// Paths and bytes.
type Tree = BTreeMap<String, Vec<u8>>;

/// Reproducible pseudo-random numbers (a linear congruential generator with the constants of Numerical Recipes).
struct Numbers(u32);

impl Numbers {
    fn next(&mut self, below: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u32::try_from((u64::from(self.0) * u64::from(below)) >> 32).expect("it is below")
    }

    fn index(&mut self, below: usize) -> usize {
        let below = u32::try_from(below).expect("few");
        usize::try_from(self.next(below)).expect("an index")
    }
}

/// The time, in microseconds, within which something happens to a run. The right time depends on how busy the machine
/// is, so it is adapted: it becomes shorter when something came too late, and longer when it was in time.
struct Window(u32);

impl Window {
    fn next(&self, numbers: &mut Numbers) -> std::time::Duration {
        std::time::Duration::from_micros(numbers.next(self.0).into())
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

/// The number of rounds: from the environment, else `few`.
fn rounds(variable: &str, few: u32) -> u32 {
    match std::env::var(variable) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{variable}={text} is no number")),
        Err(_) => few,
    }
}

/// Replaces all files of a project by these.
fn restore(project: &crate::common::Project, tree: &Tree) {
    for path in project.files().keys() {
        if !tree.contains_key(path) {
            std::fs::remove_file(project.path(path)).expect("removed");
        }
    }
    for (path, bytes) in tree {
        project.write(path, bytes);
    }
}

/// Asserts that two trees are equal, and shows the differences.
#[track_caller]
fn same(now: &Tree, want: &Tree, when: &str) {
    let paths: std::collections::BTreeSet<&String> = now.keys().chain(want.keys()).collect();
    let mut differences = String::new();
    for path in paths
        .into_iter()
        .filter(|path| now.get(*path) != want.get(*path))
    {
        let text = |tree: &Tree| match tree.get(path) {
            Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            None => "(nothing)".to_owned(),
        };
        differences.push_str(&format!(
            "{path} is\n{}\nand not\n{}\n",
            text(now),
            text(want)
        ));
    }
    assert!(differences.is_empty(), "{when}:\n{differences}");
}
