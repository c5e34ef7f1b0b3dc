//! Neither a closed output nor a full disk turns a failure into success.

use std::process::{Command, Stdio};

use crate::common::{ENVOY, PROGRAM, Project};

/// Runs the program with a closed standard output, and perhaps a closed standard error. Returns the exit code.
fn unread(project: &Project, arguments: &[&str], both: bool) -> Option<i32> {
    let closed = || {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        writer
    };
    let mut command = Command::new(PROGRAM);
    command.args(arguments).current_dir(project.root());
    command.stdin(Stdio::null()).stdout(closed());
    if both {
        command.stderr(closed());
    } else {
        command.stderr(Stdio::null());
    }
    command.status().expect("it runs").code()
}

#[test]
fn a_closed_pipe_leaves_the_exit_code_as_it_was_earned() {
    let right = Project::new().minimal("").rendered();
    let wrong = Project::new().minimal("[client_traffic]\nspec.nothing = 1\n");
    let edited = Project::new().minimal("").rendered();
    edited.edit(ENVOY, "envoy-external", "envoy-other");
    edited.write("broken.yaml", "a: [\n");
    for both in [false, true] {
        for (project, arguments, code) in [
            (&right, &["validate"][..], 0),
            (&right, &["render", "--check"], 0),
            (&right, &["diff"], 0),
            (&right, &["config-schema"], 0),
            (&right, &["schemas", "list"], 0),
            (&right, &["exposure"], 0),
            (&right, &["graph"], 0),
            (&wrong, &["validate"], 1),
            (&wrong, &["validate", "--format", "json"], 1),
            (&wrong, &["validate", "--format", "sarif"], 1),
            (&wrong, &["render"], 1),
            (&edited, &["validate", "broken.yaml"], 1),
            (&edited, &["render", "--check"], 1),
            (&edited, &["diff"], 1),
            (&edited, &["validate", "nowhere.yaml"], 2),
            (&edited, &["explain", "no/such-code"], 2),
        ] {
            let told = unread(project, arguments, both);
            assert_eq!(told, Some(code), "{arguments:?}, both {both}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_failure() {
    let right = Project::new().minimal("").rendered();
    for arguments in [
        &["validate"][..],
        &["validate", "--format", "json"],
        &["config-schema"],
        &["schemas", "list"],
        &["explain", "yaml/syntax"],
        &["man"],
    ] {
        let full = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .expect("/dev/full");
        let output = Command::new(PROGRAM)
            .args(arguments)
            .current_dir(right.root())
            .stdin(Stdio::null())
            .stdout(full)
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.starts_with("error: "), "{arguments:?}: {said}");
    }
}
