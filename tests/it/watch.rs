//! `gatewayctl watch`: what is shown after each save, and its end.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::{MINIMAL, Project};

/// How often a running program is looked at.
const PAUSE: Duration = Duration::from_millis(50);

/// After so many pauses, a program that should have said something or ended is killed, so that the test fails instead of
/// waiting for ever. That is far longer than any machine needs.
const MOST_PAUSES: u32 = 12_000;

/// A program that is killed when nobody needs it any more.
struct Running(Arc<Mutex<Child>>);

impl Running {
    fn new(child: Child) -> Self {
        let child = Arc::new(Mutex::new(child));
        let watched = Arc::downgrade(&child);
        std::thread::spawn(move || {
            for _ in 0..MOST_PAUSES {
                std::thread::sleep(PAUSE);
                if watched.strong_count() == 0 {
                    return;
                }
            }
            if let Some(child) = watched.upgrade() {
                let _ = child.lock().expect("the program").kill();
            }
        });
        Running(child)
    }

    fn id(&self) -> u32 {
        self.0.lock().expect("the program").id()
    }

    fn wait(&self) -> ExitStatus {
        loop {
            let ended = self.0.lock().expect("the program").try_wait();
            if let Some(status) = ended.expect("its state") {
                return status;
            }
            std::thread::sleep(PAUSE);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(mut child) = self.0.lock() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

struct Watch {
    process: Running,
    output: BufReader<ChildStdout>,
}

impl Watch {
    fn start(project: &Project) -> Self {
        let mut command = project.command();
        let mut process = command
            .arg("watch")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program");
        let output = BufReader::new(process.stdout.take().expect("standard output"));
        Watch {
            process: Running::new(process),
            output,
        }
    }

    /// Waits for a line that contains a text.
    fn wait_for(&mut self, text: &str) {
        let mut seen = String::new();
        loop {
            let mut line = String::new();
            let read = self.output.read_line(&mut line).expect("a line");
            assert!(read > 0, "the program ended without {text:?}:\n{seen}");
            seen.push_str(&line);
            if line.contains(text) {
                return;
            }
        }
    }
}

fn project() -> Project {
    let project = Project::new().minimal("").rendered();
    project
        .shell("git init -q . && git add -A && git commit -qm first")
        .success();
    project
}

#[test]
fn each_save_shows_the_findings_and_what_changes() {
    let project = project();
    let mut watch = Watch::start(&project);
    watch.wait_for("nothing found");
    watch.wait_for("since HEAD:");
    project.edit("cluster.toml", "10.10.30.26", "10.10.30.27");
    watch.wait_for("changed: cluster.toml");
    watch.wait_for("10.10.30.27");
    project.edit("cluster.toml", "[chart]", "[chrat]");
    watch.wait_for("has no key `chrat`");
    // A save that can't be read at all is told, and ends nothing.
    project.write("cluster.toml", b"\xff");
    watch.wait_for("cluster.toml: byte 0 is not valid UTF-8");
    project.write("cluster.toml", MINIMAL);
    watch.wait_for("nothing found");
    // It ends when nobody reads any more, although nothing is saved.
    let Watch { process, output } = watch;
    drop(output);
    assert_eq!(process.wait().code(), Some(0));
}

/// Ctrl-C sends SIGINT, which programs in the background inherit as ignored, and so would this test. SIGTERM has the same
/// effect on a program that handles neither.
#[test]
fn a_signal_ends_it() {
    let project = project();
    let mut watch = Watch::start(&project);
    watch.wait_for("nothing found");
    let ended = std::process::Command::new("kill")
        .args(["-TERM", &watch.process.id().to_string()])
        .status();
    assert!(ended.expect("kill").success());
    assert!(!watch.process.wait().success());
}

#[test]
fn there_must_be_something_to_watch() {
    let project = Project::new();
    let run = project.run(["watch"]);
    assert_eq!(run.code, Some(2), "{run}");
}
