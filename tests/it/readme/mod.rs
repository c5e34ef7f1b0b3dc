//! Checks that README.md and the book in `docs` are correct: their commands print what they show, the generated pages say
//! what the program knows, and their links lead somewhere.
//!
//! `UPDATE=1 cargo test --test it readme::` updates all of it.
#![cfg(unix)]

mod links;
mod pages;
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

/// README.md and the pages of the book, in the order in which people read them. Commands run in this order, and a page
/// goes on in the folder of the page before it, unless it asks for a new one.
fn documents() -> Vec<String> {
    let summary = read("docs/src/SUMMARY.md");
    let pages = summary
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let pages = pages.map(|page| format!("docs/src/{page}"));
    std::iter::once("README.md".to_owned())
        .chain(pages)
        .collect()
}

/// This is one test, because a page goes on where the page before it ends.
#[test]
fn readme_and_the_book_are_current() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    let mut folder = tempfile::tempdir().expect("a folder");
    let mut compare = |path: &str, there: &str, current: String| {
        if there == current {
            return;
        }
        if update {
            fs::write(root().join(path), current).expect("the file is written");
        } else {
            wrong.push(path.to_owned());
        }
    };
    for (path, current) in pages::generated() {
        let there = fs::read_to_string(root().join(path)).unwrap_or_default();
        compare(path, &there, current);
    }
    for path in documents() {
        let text = read(&path);
        let current = with_reference(&with_outputs(&path, &text, &mut folder));
        compare(&path, &text, current);
    }
    assert!(
        wrong.is_empty(),
        "not current, see above for commands: {}\nUPDATE=1 cargo test --test it readme:: writes them anew",
        wrong.join(", ")
    );
}

/// The text, with the current output of every command.
fn with_outputs(document: &str, text: &str, folder: &mut tempfile::TempDir) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut replace = Vec::new();
    for step in steps(text) {
        let at = |path: &str| folder.path().join(path);
        match step {
            Step::NewFolder => *folder = tempfile::tempdir().expect("a folder"),
            Step::Write { path, text } => write(&at(&path), &text),
            Step::Append { path, text } => {
                let before = fs::read_to_string(at(&path)).expect("a file to add to");
                write(&at(&path), &format!("{before}\n{text}"));
            }
            Step::Edit { path, text } => {
                let before = fs::read_to_string(at(&path)).expect("a file to edit");
                write(&at(&path), &script::edit(&before, &text));
            }
            Step::Run(step) => {
                let found = found(document, &step, folder.path());
                let Run {
                    command, output, ..
                } = step;
                let found: Vec<&str> = found.lines().map(str::trim_end).collect();
                let expected: Vec<&str> =
                    lines[output.clone()].iter().map(String::as_str).collect();
                if !matches(&expected, &found) {
                    println!(
                        "`{command}` prints\n{}\n{document} has\n{}",
                        found.join("\n"),
                        expected.join("\n")
                    );
                    let found = found.into_iter().map(str::to_owned);
                    replace.push((output, found.collect::<Vec<_>>()));
                }
            }
        }
    }
    for (range, output) in replace.into_iter().rev() {
        lines.splice(range, output);
    }
    lines.join("\n") + "\n"
}

/// What a command prints, which exits as the document says.
fn found(document: &str, step: &Run, folder: &Path) -> String {
    let (found, code) = run(&step.command, folder);
    let command = &step.command;
    assert_eq!(
        code, step.exit,
        "{document}: the exit code of `{command}`:\n{found}"
    );
    found
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
    fs::write(path, text).expect("the file is written");
}

const START: &str = "<!-- reference: written by `UPDATE=1 cargo test --test it readme::` -->\n";
const END: &str = "<!-- end of the reference -->\n";

/// The text, with the current reference of cluster.toml, if it has a place for it.
fn with_reference(text: &str) -> String {
    let Some((before, rest)) = text.split_once(START) else {
        return text.to_owned();
    };
    let (_, after) = rest.split_once(END).expect("the reference's end");
    format!("{before}{START}\n{}\n{END}{after}", tables::reference())
}

/// The two commands in the first block of README.md.
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

/// The first page is read to its end only if it is short.
#[test]
fn readme_is_short() {
    let lines = read("README.md").lines().count();
    assert!(lines <= 250, "README.md has {lines} lines");
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
    let page = "docs/src/pull-requests.md";
    assert!(
        read(page).contains(&format!("```yaml\n{printed}```\n")),
        "{page} lacks\n{printed}"
    );
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
