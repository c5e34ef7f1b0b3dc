//! Tables of `cluster.toml` that say what is wanted: what they render, and what is said about mistakes in them.

mod answers;
mod auth;
mod dns;
mod external;
mod listeners;
mod network_policies;
mod page;
mod policies;
mod proxies;

use crate::common::{APP, Project};

/// The objects that tables after the smallest configuration render into a file of the app, without the lines that every file has.
/// They must be valid.
fn file(tables: &str, name: &str) -> String {
    let project = Project::new().minimal(tables);
    project.run(["render"]).success();
    let run = project.run(["validate"]);
    assert!(!run.stdout.contains("error"), "{run}");
    let text = project.read(&format!("{APP}/{name}"));
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.fold(String::new(), |text, line| text + line + "\n")
}

/// One object of `envoy.yaml`.
fn object(tables: &str, kind: &str) -> String {
    let text = file(tables, "envoy.yaml");
    let mut objects = text.split("---\n");
    let of_kind = |object: &&str| object.contains(&format!("\nkind: {kind}\n"));
    objects.find(of_kind).unwrap_or_default().to_owned()
}
