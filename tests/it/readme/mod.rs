//! Checks that README.md is correct: its commands print what it shows, and its reference matches the program.
//!
//! `UPDATE=1 cargo test --test it readme::` updates both.
#![cfg(unix)]

mod script;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};

use script::{Run, Step, matches, run, steps};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// This is one test, because both updates write the same file.
#[test]
fn readme_is_current() {
    let text = read("README.md");
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    let with_outputs = outputs(&text, &mut wrong);
    let whole = with_reference(&with_outputs, &mut wrong);
    if update {
        fs::write(root().join("README.md"), whole).expect("README.md is written");
    } else {
        assert!(
            wrong.is_empty(),
            "{}\nUPDATE=1 cargo test --test it readme:: writes README.md anew",
            wrong.join("\n")
        );
    }
}

/// The text, with the current output of every command.
fn outputs(text: &str, wrong: &mut Vec<String>) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut replace = Vec::new();
    let mut folder = tempfile::tempdir().expect("a folder");
    for step in steps(text) {
        let at = |path: &str| folder.path().join(path);
        match step {
            Step::NewFolder => folder = tempfile::tempdir().expect("a folder"),
            Step::Write { path, text } => write(&at(&path), &text),
            Step::Append { path, text } => {
                let before = fs::read_to_string(at(&path)).expect("a file to add to");
                write(&at(&path), &format!("{before}\n{text}"));
            }
            Step::Edit { path, text } => {
                let before = fs::read_to_string(at(&path)).expect("a file to edit");
                write(&at(&path), &script::edit(&before, &text));
            }
            Step::Run(Run {
                command,
                exit,
                output,
            }) => {
                let (found, code) = run(&command, folder.path());
                let found: Vec<&str> = found.lines().map(str::trim_end).collect();
                let expected: Vec<&str> =
                    lines[output.clone()].iter().map(String::as_str).collect();
                assert_eq!(
                    code,
                    exit,
                    "the exit code of `{command}`:\n{}",
                    found.join("\n")
                );
                if !matches(&expected, &found) {
                    wrong.push(format!(
                        "`{command}` prints\n{}\nREADME.md has\n{}",
                        found.join("\n"),
                        expected.join("\n")
                    ));
                    replace.push((
                        output,
                        found.into_iter().map(str::to_owned).collect::<Vec<_>>(),
                    ));
                }
            }
        }
    }
    for (range, output) in replace.into_iter().rev() {
        lines.splice(range, output);
    }
    lines.join("\n") + "\n"
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
    fs::write(path, text).expect("the file is written");
}

const START: &str = "<!-- reference: written by `UPDATE=1 cargo test --test it readme::` -->\n";
const END: &str = "<!-- end of the reference -->\n";

/// The text, with the current reference.
fn with_reference(text: &str, wrong: &mut Vec<String>) -> String {
    let (before, rest) = text.split_once(START).expect("the reference's start");
    let (there, after) = rest.split_once(END).expect("the reference's end");
    let current = format!("\n{}\n", tables::reference());
    if there != current {
        wrong.push("the reference of cluster.toml is not what the program reads".to_owned());
    }
    format!("{before}{START}{current}{END}{after}")
}

/// The two commands at the top, in the first block of the text.
fn headline() -> Vec<String> {
    let text = read("README.md");
    let block = text
        .split("```sh\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let commands = block.expect("a block of commands").lines();
    commands
        .map(|line| line.split(" #").next().unwrap_or(line).trim().to_owned())
        .collect()
}

#[test]
fn the_first_command_renders_the_reference() {
    let [render, _] = headline().try_into().expect("two commands");
    let arguments = render
        .strip_prefix("cargo run --release -- ")
        .expect("cargo run");
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(
        root().join("cluster.toml"),
        folder.path().join("cluster.toml"),
    )
    .expect("a copy");
    let (output, code) = run(&format!("gatewayctl {arguments}"), folder.path());
    assert_eq!(code, 0, "{output}");
    assert!(
        folder
            .path()
            .join("kubernetes/apps/network/kustomization.yaml")
            .is_file()
    );
}

#[test]
fn ci_runs_the_second_command() {
    let [_, test] = headline().try_into().expect("two commands");
    let Ok(ci) = fs::read_to_string(root().join(".ci/run")) else {
        println!("skipped: there is no .ci/run here");
        return;
    };
    assert!(
        ci.lines().any(|line| line.contains(&test)),
        "`{test}` is not in .ci/run"
    );
}

#[test]
fn the_lefthook_snippet_is_the_one_that_init_prints() {
    let init = read("src/cli/init-next.txt");
    let lines = init
        .lines()
        .skip_while(|line| !line.contains("(lefthook.yaml)"))
        .skip(2);
    let printed: String = lines
        .take_while(|line| !line.is_empty())
        .map(|line| format!("{}\n", line.strip_prefix("  ").unwrap_or(line)))
        .collect();
    assert!(printed.contains("gatewayctl validate"), "{printed}");
    assert!(
        read("README.md").contains(&format!("```yaml\n{printed}```\n")),
        "README.md lacks\n{printed}"
    );
}

#[test]
fn files_that_readme_links_to_are_there() {
    let text = read("README.md");
    let links = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
        let path = link.split('#').next().unwrap_or(link);
        assert!(root().join(path).exists(), "{link}");
    }
}

#[test]
fn dots_stand_for_any_lines() {
    assert!(matches(&["a", "...", "d"], &["a", "b", "c", "d"]));
    assert!(matches(&["..."], &[]));
    assert!(!matches(&["a", "..."], &["b"]));
    assert!(!matches(&["a"], &["a", "b"]));
}

#[test]
fn an_edit_replaces_old_lines_by_new_ones() {
    assert_eq!(
        script::edit("a\nb\nc\n", " a\n-b\n+d\n+e\n"),
        "a\nd\ne\nc\n"
    );
}
