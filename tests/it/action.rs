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
    /// The programs on its path.
    bin: tempfile::TempDir,
    temp: tempfile::TempDir,
}

/// The result of a step.
#[derive(Debug)]
struct Done {
    code: Option<i32>,
    log: String,
    summary: String,
    /// What the step gives to later steps.
    outputs: String,
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
            temp: tempfile::tempdir().expect("a folder"),
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
        let path = |name: &str| self.temporary(name);
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
            .env("RUNNER_TEMP", self.temp.path())
            .env("GITHUB_PATH", path("path"))
            .env("GITHUB_OUTPUT", path("outputs"))
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
            outputs: std::fs::read_to_string(path("outputs")).unwrap_or_default(),
        }
    }

    /// Puts a script on the path.
    fn has_program(&self, name: &str, script: &str) {
        write_program(&self.bin.path().join(name), &format!("#!/bin/sh\n{script}"));
    }

    fn temporary(&self, name: &str) -> std::path::PathBuf {
        self.temp.path().join(name)
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
    for step in steps().iter().filter(|step| step["uses"].is_null()) {
        let script = script(step).to_owned();
        // An expression in a script would execute the input; in an environment variable it is only data.
        assert!(!script.contains("${{"), "{script}");
        let commands = script.lines().filter_map(|line| {
            let line = line.trim().strip_prefix("gatewayctl ")?;
            Some(line.split('>').next().unwrap_or_default().to_owned())
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
    assert_eq!(found, 3);
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
        assert!(ACTION.contains(&format!("inputs.{name} ")), "{name}");
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
    let when = "${{ !cancelled() && github.event_name == 'pull_request' }}";
    assert_eq!(show["if"], when);
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

/// A runner of a system for which there are releases.
fn linux(tag: &str) -> Runner {
    let project = Project::new().file("source/Cargo.toml", "");
    let source = project.path("source").display().to_string();
    Runner::new(project)
        .knows("github.server_url", "https://git.example.com")
        .knows("github.action_repository", "people/gatewayctl")
        .knows("github.action_ref", tag)
        .knows("github.action_path", source)
        .knows("runner.os", "Linux")
        .knows("runner.arch", "X64")
}

/// A `curl` that gives an archive with a program, and the checksum of `summed`.
fn curl_gives_a_release(runner: &Runner, summed: &str) {
    let archive = "gatewayctl-x86_64-unknown-linux-musl.tar.gz";
    let script = format!(
        "echo \"$@\"\necho '#!/bin/sh' > released\ntar -czf {archive} released\nsha256sum {summed} | sed 's/ .*/  {archive}/' > {archive}.sha256\n"
    );
    runner.has_program("curl", &script);
}

#[test]
fn the_release_of_the_actions_own_tag_is_downloaded() {
    let runner = linux("v0.3.1");
    curl_gives_a_release(&runner, "gatewayctl-x86_64-unknown-linux-musl.tar.gz");
    let done = runner.run(&step("Download gatewayctl"));
    assert_eq!(done.code, Some(0), "{done:?}");
    let from = "https://git.example.com/people/gatewayctl/releases/download/v0.3.1/gatewayctl-x86_64-unknown-linux-musl.tar.gz";
    assert!(
        done.log
            .contains(&format!("--remote-name {from} --remote-name {from}.sha256")),
        "{done:?}"
    );
    assert_eq!(done.outputs, "found=true\n");
    assert!(runner.temporary("gatewayctl/bin/released").is_file());
    let path = std::fs::read_to_string(runner.temporary("path")).expect("the path");
    assert_eq!(
        path,
        format!("{}/gatewayctl/bin\n", runner.temp.path().display())
    );
}

#[test]
fn an_archive_with_another_checksum_is_a_failure() {
    let runner = linux("v0.3.1");
    curl_gives_a_release(&runner, "released");
    let done = runner.run(&step("Download gatewayctl"));
    assert_ne!(done.code, Some(0), "{done:?}");
    assert_eq!(done.outputs, "");
    assert!(!runner.temporary("gatewayctl/bin/released").exists());
}

#[test]
fn where_there_is_no_release_the_program_is_built_once() {
    // `main` has no release, and the server refuses the other one.
    for (tag, curl) in [("main", "touch asked"), ("v9.9.9", "exit 22")] {
        let runner = linux(tag);
        runner.has_program("curl", curl);
        let done = runner.run(&step("Download gatewayctl"));
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(done.log.contains("built from its source"), "{done:?}");
        let (found, key) = done.outputs.split_once('\n').expect("two outputs");
        assert_eq!(found, "found=false");
        assert!(key.starts_with("key=gatewayctl-Linux-X64-"), "{key}");
        assert!(!runner.temporary("asked").exists());
    }
    let cache = step("Look for an earlier build");
    assert_eq!(cache["with"]["key"], "${{ steps.download.outputs.key }}");
}

#[test]
fn the_program_is_built_from_the_source_beside_the_action() {
    let runner = Runner::new(Project::new()).knows("github.action_path", "/a folder/gatewayctl");
    runner.has_program("cargo", "printf '%s|' \"$@\"\n");
    let done = runner.run(&step("Build gatewayctl"));
    let temp = runner.temp.path().display();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(
        done.log,
        format!("install|--path|/a folder/gatewayctl|--locked|--quiet|--root|{temp}/gatewayctl|")
    );
}

#[test]
fn findings_are_written_as_sarif() {
    let project = repository();
    project.edit("main/cluster.toml", "10.10.30.25", "10.10.30.26");
    let runner = Runner::new(project)
        .knows("inputs.root", "main")
        .knows("inputs.sarif", "found.sarif");
    let done = runner.run(&step("Write the findings as SARIF"));
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(
        runner
            .project
            .read("found.sarif")
            .contains("network/duplicate-address")
    );

    let runner = runner.knows("inputs.args", "--select no/such");
    let done = runner.run(&step("Write the findings as SARIF"));
    assert_eq!(done.code, Some(2), "{done:?}");
}

/// A runner with a difference to comment, and a `gh` that answers with comments, and prints what else it is asked.
fn commenter(comments: &str, changes: &str) -> Runner {
    let runner = Runner::new(Project::new())
        .knows("inputs.github-token", "secret")
        .knows("github.repository", "people/home")
        .knows("github.event.pull_request.number", "7")
        .knows("steps.diff.outputs.changes", changes);
    let text = "<!-- gatewayctl diff -->\n### gatewayctl diff\n";
    std::fs::write(runner.temporary("gatewayctl-diff.md"), text).expect("the difference");
    std::fs::write(runner.temporary("comments"), comments).expect("the comments");
    let answer =
        "case \"$*\" in *--paginate*) cat \"$RUNNER_TEMP/comments\" ;; *) echo \"$@\" ;; esac\n";
    runner.has_program("gh", answer);
    runner
}

#[test]
fn a_pull_request_has_one_comment_that_is_kept_up_to_date() {
    let comment = |comments: &str, changes: &str| {
        let runner = commenter(comments, changes);
        let done = runner.run(&step("Comment on the pull request"));
        assert_eq!(done.code, Some(0), "{done:?}");
        let temp = format!("{}/", runner.temp.path().display());
        done.log.replace(&temp, "")
    };
    let new = "api --silent --method POST repos/people/home/issues/7/comments --field body=@gatewayctl-diff.md\n";
    assert_eq!(comment("", "1"), new);
    assert_eq!(
        comment("3 Looks good\n4 I saw <!-- gatewayctl diff -->\n", "1"),
        new
    );
    let update = "api --silent --method PATCH repos/people/home/issues/comments/5 --field body=@gatewayctl-diff.md\n";
    let there = "3 Looks good\n5 <!-- gatewayctl diff -->\n6 <!-- gatewayctl diff -->\n";
    assert_eq!(comment(there, "1"), update);
    // A change that was taken back is not left standing there; a pull request without changes gets no comment.
    assert_eq!(comment(there, "0"), update);
    assert_eq!(comment("3 Looks good\n", "0"), "");
}

#[test]
fn a_comment_that_cannot_be_written_is_a_warning() {
    let runner = commenter("", "1");
    runner.has_program("gh", "exit 1\n");
    let done = runner.run(&step("Comment on the pull request"));
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(
        done.log.starts_with("::warning title=gatewayctl::"),
        "{done:?}"
    );
}
