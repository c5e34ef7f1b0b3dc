//! All mistakes are reported at once and at their place, and nothing is written.
//!
//! The snapshots contain what users see; they are part of the product.

mod bounds;
mod closed;
mod config;
mod disk;
mod encodings;
mod intents;
mod names;
mod templates;

use crate::common::Project;
use std::fmt::Write as _;

/// A description of a mistake, and the configuration with it.
type Mistake<'a> = (&'a str, String);

/// Renders each configuration, expecting exit code 1 and nothing written. Returns all output.
fn refused(mistakes: &[Mistake]) -> String {
    let mut said = String::new();
    for (what, config) in mistakes {
        let stderr = refusal(Project::new().config(config), what);
        write!(said, "== {what}\n\n{stderr}\n").expect("a string");
    }
    said
}

/// Renders, expecting exit code 1 and nothing written. Returns the output.
fn refusal(project: Project, what: &str) -> String {
    let before = project.files();
    let run = project.run(["render"]);
    assert_eq!(run.code, Some(1), "{what}\n{run}");
    assert_eq!(project.files(), before, "{what}: something was written");
    assert_eq!(run.stdout, "", "{what}: findings go to standard error");
    // `validate` reports the same.
    let checked = project.run(["validate"]).code(1);
    assert_eq!(checked.stdout, run.stderr, "{what}");
    run.stderr
}
