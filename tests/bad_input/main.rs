//! What is wrong is said at its place, all at once, and nothing is written.
//!
//! Snapshots hold what people see; they are part of the product.

#[path = "../common/mod.rs"]
mod common;

mod bounds;
mod closed;
mod config;
mod disk;
mod names;
mod templates;

use common::Project;
use std::fmt::Write as _;

/// A mistake in words, and the configuration that makes it.
type Mistake<'a> = (&'a str, String);

/// Renders each configuration: exit 1, nothing written. Gives what was said, one after the other.
fn refused(mistakes: &[Mistake]) -> String {
    let mut said = String::new();
    for (what, config) in mistakes {
        let stderr = refusal(Project::new().config(config), what);
        write!(said, "== {what}\n\n{stderr}\n").expect("a string");
    }
    said
}

/// Renders: exit 1, nothing written. Gives what was said.
fn refusal(project: Project, what: &str) -> String {
    let before = project.files();
    let run = project.run(["render"]);
    assert_eq!(run.code, Some(1), "{what}\n{run}");
    assert_eq!(project.files(), before, "{what}: something was written");
    assert_eq!(run.stdout, "", "{what}: findings go to standard error");
    // Whoever only checks is told the same.
    let checked = project.run(["validate"]).code(1);
    assert_eq!(checked.stdout, run.stderr, "{what}");
    run.stderr
}
