//! `action.yml`, the action for GitHub: its scripts are run here as a runner would run them.
#![cfg(unix)]

use std::process::Command;

use crate::common::{PROGRAM, Project, write_program};
use clap::Parser;
use gatewayctl::cli::Cli;
use serde_json::Value;

const ACTION: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/action.yml"));

fn action() -> Value {
    serde_yaml::from_str(ACTION).expect("YAML")
}

fn steps() -> Vec<Value> {
    let action = action();
    assert_eq!(action["runs"]["using"], "composite");
    action["runs"]["steps"].as_array().expect("steps").clone()
}

fn step(name: &str) -> Value {
    let mut steps = steps().into_iter();
    steps
        .find(|step| step["name"] == name)
        .unwrap_or_else(|| panic!("no step {name}"))
}

fn script(step: &Value) -> &str {
    step["run"].as_str().expect("a script")
}

/// A runner, with the programs on its path and its context.
struct Runner {
    project: Project,
    /// The values of expressions.
    known: Vec<(&'static str, String)>,
    bin: tempfile::TempDir,
}

/// The result of a step.
#[derive(Debug)]
struct Done {
    code: Option<i32>,
    log: String,
    summary: String,
}

impl Runner {
    fn new(project: Project) -> Self {
        let bin = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(PROGRAM, bin.path().join("gatewayctl")).expect("a link");
        let known = vec![
            ("inputs.root", ".".to_owned()),
            ("inputs.args", String::new()),
        ];
        Runner {
            project,
            known,
            bin,
        }
    }

    fn knows(mut self, expression: &'static str, value: impl Into<String>) -> Self {
        self.known.retain(|(known, _)| *known != expression);
        self.known.push((expression, value.into()));
        self
    }

    /// Runs a step as GitHub does: `bash --noprofile --norc -eo pipefail`, with the step's environment.
    fn run(&self, step: &Value) -> Done {
        assert_eq!(step["shell"], "bash");
        let path = |name: &str| self.bin.path().join(name);
        let inherited = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("bash");
        command
            .args([
                "--noprofile",
                "--norc",
                "-euo",
                "pipefail",
                "-c",
                script(step),
            ])
            .current_dir(self.project.root())
            .env("PATH", format!("{}:{inherited}", self.bin.path().display()))
            .env("RUNNER_TEMP", self.bin.path())
            .env("GITHUB_PATH", path("path"))
            .env("GITHUB_STEP_SUMMARY", path("summary"));
        for (name, value) in step["env"].as_object().expect("an environment") {
            let value = value.as_str().expect("an expression");
            let expression = value
                .strip_prefix("${{ ")
                .and_then(|it| it.strip_suffix(" }}"));
            let expression = expression.expect("one expression");
            let known = self.known.iter().find(|(known, _)| *known == expression);
            let (_, value) = known.unwrap_or_else(|| panic!("{expression} is not known"));
            command.env(name, value);
        }
        let output = command.output().expect("bash runs");
        let log = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        Done {
            code: output.status.code(),
            log: log.into_owned(),
            summary: std::fs::read_to_string(path("summary")).unwrap_or_default(),
        }
    }
}

/// A repository with `cluster.toml` in `main`, rendered and committed.
fn repository() -> Project {
    let project = Project::new().file("main/cluster.toml", crate::common::MINIMAL);
    project.run(["-C", "main", "render"]).success();
    let made = project.shell("git init -q . && git add -A && git commit -qm base");
    made.success();
    project
}

fn head(project: &Project) -> String {
    let run = project.shell("git rev-parse HEAD").success();
    run.stdout.trim().to_owned()
}

#[test]
fn the_commands_in_it_are_commands_of_the_program() {
    let mut found = 0;
    for step in steps() {
        let script = script(&step).to_owned();
        // An expression in a script would execute the input; in an environment variable it is only data.
        assert!(!script.contains("${{"), "{script}");
        let commands = script.lines().filter_map(|line| {
            let line = line.trim().strip_prefix("gatewayctl ")?;
            Some(line.split(">>").next().unwrap_or_default().to_owned())
        });
        for command in commands {
            let words = command
                .split_whitespace()
                .map(|word| word.trim_matches('"'));
            let words = words.filter(|word| !word.contains("[@]"));
            let parsed = Cli::try_parse_from(std::iter::once("gatewayctl").chain(words));
            parsed.unwrap_or_else(|error| panic!("gatewayctl {command}: {error}"));
            found += 1;
        }
    }
    assert_eq!(found, 2);
}

#[test]
fn every_input_is_described_and_used() {
    let action = action();
    for (name, input) in action["inputs"].as_object().expect("inputs") {
        assert!(
            input["description"]
                .as_str()
                .is_some_and(|it| it.ends_with('.'))
        );
        assert!(
            ACTION.contains(&format!("${{{{ inputs.{name} }}}}")),
            "{name}"
        );
    }
}

#[test]
fn a_finding_fails_the_action_with_an_annotation_and_a_summary() {
    let project = repository();
    project.edit("main/cluster.toml", "10.10.30.25", "10.10.30.26");
    let runner = Runner::new(project).knows("inputs.root", "main");
    let done = runner.run(&step("Validate"));
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(
        done.log
            .contains("::error file=main/cluster.toml,line=11,col="),
        "{done:?}"
    );
    assert!(
        done.summary.starts_with("### gatewayctl validate\n"),
        "{done:?}"
    );
    assert!(
        done.summary.contains("<code>main/cluster.toml&#58;11&#58;"),
        "{done:?}"
    );

    let runner = runner.knows("inputs.args", "  --ignore network/duplicate-address  ");
    let done = runner.run(&step("Validate"));
    assert_eq!(done.code, Some(0), "{done:?}");
}

#[test]
fn a_summary_that_cannot_be_written_is_a_failure_and_a_full_one_gets_no_more() {
    let project = Project::new().minimal("");
    let validate = |summary: &str| {
        let mut command = project.command();
        command.args(["validate", "--format", "github"]);
        let done = command.env("GITHUB_STEP_SUMMARY", summary).output();
        let done = done.expect("the program runs");
        let stderr = String::from_utf8_lossy(&done.stderr).into_owned();
        (done.status.code(), stderr)
    };
    let (code, said) = validate("no/folder");
    assert_eq!(code, Some(2));
    assert_eq!(
        said,
        "error: no/folder, the file in GITHUB_STEP_SUMMARY, can't be written: No such file or directory (os error 2)\n"
    );
    let full = "x".repeat(1024 * 1024 - 50);
    project.write("summary", &full);
    assert_eq!(validate("summary"), (Some(0), String::new()));
    assert_eq!(project.read("summary"), full);
}

#[test]
fn arguments_are_words_and_nothing_else() {
    let runner = Runner::new(repository())
        .knows("inputs.root", "main")
        .knows("inputs.args", "$(touch made) ; * && touch made");
    let done = runner.run(&step("Validate"));
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.log.contains("$(touch"), "{done:?}");
    assert!(!runner.project.path("made").exists());
}

#[test]
fn a_difference_is_shown_and_is_no_failure() {
    let project = repository();
    let base = head(&project);
    let runner = Runner::new(project)
        .knows("inputs.root", "main")
        .knows("github.event.pull_request.base.sha", base);
    let show = step("Show what changes");
    assert_eq!(show["if"], "github.event_name == 'pull_request'");
    let same = runner.run(&show);
    assert_eq!(same.code, Some(0), "{same:?}");

    runner
        .project
        .edit("main/cluster.toml", "10.10.30.25", "10.10.30.24");
    let changed = runner.run(&show);
    assert_eq!(changed.code, Some(0), "{changed:?}");
    assert!(changed.summary.contains("+") && changed.summary.contains("10.10.30.24"));
}

#[test]
fn a_failure_to_compare_is_a_failure() {
    let runner = Runner::new(repository())
        .knows("inputs.root", "main")
        .knows("github.event.pull_request.base.sha", "0".repeat(40));
    let show = step("Show what changes");
    let done = runner.run(&show);
    assert!(done.code.is_some_and(|code| code > 1), "{done:?}");

    let base = head(&runner.project);
    let runner = runner.knows("github.event.pull_request.base.sha", base);
    runner.project.write("main/cluster.toml", "domain = 1\n");
    let done = runner.run(&show);
    assert_eq!(done.code, Some(2), "{done:?}");
}

#[test]
fn a_shallow_checkout_gets_the_base() {
    let origin = repository();
    let base = head(&origin);
    origin.edit("main/cluster.toml", "10.10.30.25", "10.10.30.24");
    origin.shell("git commit -qam change").success();
    let shallow = Project::new();
    let from = origin.root().display().to_string();
    let clone = format!("git clone -q --depth 1 'file://{from}' .");
    shallow.shell(&clone).success();
    let runner = Runner::new(shallow)
        .knows("inputs.root", "main")
        .knows("github.event.pull_request.base.sha", base);
    let done = runner.run(&step("Show what changes"));
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.summary.contains("10.10.30.24"), "{done:?}");
}

#[test]
fn the_program_is_built_from_the_source_beside_the_action() {
    let runner = Runner::new(Project::new()).knows("github.action_path", "/a folder/gatewayctl");
    let cargo = runner.bin.path().join("cargo");
    write_program(&cargo, "#!/bin/sh\nprintf '%s|' \"$@\"\n");
    let done = runner.run(&step("Install gatewayctl"));
    let temp = runner.bin.path().display();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(
        done.log,
        format!("install|--path|/a folder/gatewayctl|--locked|--quiet|--root|{temp}/gatewayctl|")
    );
    let path = std::fs::read_to_string(runner.bin.path().join("path")).expect("the path");
    assert_eq!(path, format!("{temp}/gatewayctl/bin\n"));
}
