//! `gatewayctl watch`: what is shown after each save, and its end.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use crate::common::{MINIMAL, Project};

struct Watch {
    process: Child,
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
        Watch { process, output }
    }

    /// Waits for a line that contains a text. The program writes until it is ended, so this can't wait for ever if the line
    /// comes at all.
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
    let Watch {
        mut process,
        output,
    } = watch;
    drop(output);
    assert_eq!(process.wait().expect("the program ends").code(), Some(0));
}

#[test]
fn an_interrupt_ends_it() {
    let project = project();
    let mut watch = Watch::start(&project);
    watch.wait_for("nothing found");
    let interrupted = std::process::Command::new("kill")
        .args(["-INT", &watch.process.id().to_string()])
        .status();
    assert!(interrupted.expect("kill").success());
    assert!(!watch.process.wait().expect("the program ends").success());
}

#[test]
fn there_must_be_something_to_watch() {
    let project = Project::new();
    let run = project.run(["watch"]);
    assert_eq!(run.code, Some(2), "{run}");
}
