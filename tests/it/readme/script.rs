//! Runs README.md as a script: its ```` ```console ```` blocks are run in order, and their output is compared.
//!
//! A comment above a block, which readers don't see, says what the test does with it:
//!
//! | comment | what is done |
//! |---|---|
//! | `<!-- new folder -->` | what follows runs in an empty folder |
//! | `<!-- file: PATH -->` | the block is written to the file |
//! | `<!-- there: PATH -->` | a manifest of the reader's own stands there, which is not shown |
//! | `<!-- append: PATH -->` | the block is added at the end of the file, after an empty line |
//! | `<!-- edit: PATH -->` | the block is a diff; its old lines stand in the file once, and give way to its new ones |
//! | `<!-- exit: CODE -->` | the block's last command exits with the code; all others exit with 0 |
//!
//! In a `console` block a line that starts with `$ ` is a command; what follows is its output, on both streams. `...`
//! on a line of its own stands for any lines.

use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};

/// An action at one place of the text.
#[derive(Debug)]
pub enum Step {
    NewFolder,
    Write { path: String, text: String },
    Append { path: String, text: String },
    Edit { path: String, text: String },
    Run(Run),
}

/// A command and its expected output.
#[derive(Debug)]
pub struct Run {
    pub command: String,
    pub exit: i32,
    /// The lines of the output, counted from 0.
    pub output: Range<usize>,
}

/// A manifest of the reader's own.
fn own(path: &str) -> String {
    let kustomize = "kustomize.config.k8s.io/v1alpha1";
    match path.ends_with("/kustomization.yaml") {
        true => format!("apiVersion: {kustomize}\nkind: Component\n"),
        false => "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: own\n".to_owned(),
    }
}

/// The actions of a text.
pub fn steps(text: &str) -> Vec<Step> {
    let lines: Vec<&str> = text.lines().collect();
    let mut steps = Vec::new();
    let mut mark: Option<(&str, &str)> = None;
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        if let Some(comment) = comment(line) {
            let (what, value) = comment.split_once(": ").unwrap_or((comment, ""));
            match what {
                "new folder" => steps.push(Step::NewFolder),
                "there" => steps.push(Step::Write {
                    path: value.to_owned(),
                    text: own(value),
                }),
                "file" | "append" | "edit" | "exit" => mark = Some((what, value)),
                _ => {}
            }
            continue;
        }
        let ticks = line.len() - line.trim_start_matches('`').len();
        if ticks < 3 {
            continue;
        }
        let fence = "`".repeat(ticks);
        let end = (at..lines.len())
            .find(|end| lines[*end] == fence)
            .unwrap_or_else(|| panic!("line {at}: the block has no end"));
        let body = at..end;
        let text: String = lines[body.clone()]
            .iter()
            .map(|line| format!("{line}\n"))
            .collect();
        match (mark.take(), &line[ticks..]) {
            (Some(("file", path)), _) => steps.push(Step::Write {
                path: path.into(),
                text,
            }),
            (Some(("append", path)), _) => steps.push(Step::Append {
                path: path.into(),
                text,
            }),
            (Some(("edit", path)), "diff") => steps.push(Step::Edit {
                path: path.into(),
                text,
            }),
            (mark, "console") => {
                let exit = match mark {
                    Some(("exit", code)) => code.parse().expect("an exit code"),
                    _ => 0,
                };
                steps.extend(runs(&lines, body, exit).into_iter().map(Step::Run));
            }
            (None, _) => {}
            (Some(mark), kind) => panic!("line {at}: {mark:?} above a block of {kind:?}"),
        }
        at = end + 1;
    }
    steps
}

fn comment(line: &str) -> Option<&str> {
    line.strip_prefix("<!-- ")?.strip_suffix(" -->")
}

fn runs(lines: &[&str], body: Range<usize>, exit: i32) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for at in body {
        match (lines[at].strip_prefix("$ "), runs.last_mut()) {
            (Some(command), _) => runs.push(Run {
                command: command.to_owned(),
                exit: 0,
                output: at + 1..at + 1,
            }),
            (None, Some(run)) => run.output.end = at + 1,
            (None, None) => panic!("line {}: output before a command", at + 1),
        }
    }
    if let Some(last) = runs.last_mut() {
        last.exit = exit;
    }
    runs
}

/// Runs a command as a user would: in `folder`, with the program on the path. Returns both streams, and the exit
/// code.
pub fn run(command: &str, folder: &Path) -> (String, i32) {
    let program = Path::new(env!("CARGO_BIN_EXE_gatewayctl"));
    let program = program.parent().expect("a folder").to_path_buf();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([program].into_iter().chain(std::env::split_paths(&path)));
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1\n{command}")])
        .current_dir(folder)
        .stdin(Stdio::null())
        .env("PATH", path.expect("a path"))
        .env("HOME", folder)
        .env("LC_ALL", "C.UTF-8")
        .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("NO_COLOR", "1")])
        .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "A")))
        .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "a@example.com")))
        .output()
        .expect("sh runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    (text, output.status.code().unwrap_or(-1))
}

/// Replaces the old lines of a diff by its new ones.
pub fn edit(text: &str, diff: &str) -> String {
    let side = |other: char| -> String {
        let lines = diff.lines().filter(|line| !line.starts_with(other));
        lines
            .map(|line| format!("{}\n", line.get(1..).unwrap_or_default()))
            .collect()
    };
    let (old, new) = (side('+'), side('-'));
    assert_eq!(
        text.matches(&old).count(),
        1,
        "stands there once:\n{old}\nin:\n{text}"
    );
    text.replace(&old, &new)
}

/// Whether lines are as expected; `...` stands for any lines.
pub fn matches(expected: &[&str], found: &[&str]) -> bool {
    match expected.split_first() {
        None => found.is_empty(),
        Some((&"...", rest)) => (0..=found.len()).any(|skip| matches(rest, &found[skip..])),
        Some((line, rest)) => found.first() == Some(line) && matches(rest, &found[1..]),
    }
}
