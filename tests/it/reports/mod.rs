//! Validates re-created public reports and mistakes: each one must be found with the expected code, and its corrected
//! form must have neither errors nor warnings.
//!
//! The cases are in `cases` in the folder that `GATEWAYCTL_SHARED` names, else in `../shared`; without it, the tests
//! are skipped, and say so. A case is a folder with `broken` and `fixed` manifests, or with the roots of a
//! `cluster.toml` that are called `toml-broken` and `toml-fixed`. A case without these folders is wrong itself. Each
//! module below has a table with the cases of its subject.

mod every_kind;
mod kinds;
mod kinds_of_flux;
mod once;
mod places;
mod platform;
mod routes;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::PROGRAM;
use serde_json::Value;

/// A case, and the codes that are expected in its wrong forms.
pub struct Case {
    /// Its folder in `cases`.
    pub folder: &'static str,
    /// The code that the wrong manifests must have; empty if they can have any other.
    pub broken: &'static str,
    /// The code that the wrong `cluster.toml` must have; empty if there is none, or if the finding is not expected.
    pub toml: &'static str,
}

/// Runs all cases of a table, and fails with a line for each that is not as expected.
pub fn run(cases: &[Case]) {
    let Some(root) = root() else {
        eprintln!("skipped: there is no folder ../shared/cases, and GATEWAYCTL_SHARED names none");
        return;
    };
    let wrong: Vec<String> = cases.iter().flat_map(|case| judge(&root, case)).collect();
    assert_eq!(wrong, [""; 0], "{}", wrong.join("\n"));
}

fn root() -> Option<PathBuf> {
    let shared = match std::env::var_os("GATEWAYCTL_SHARED") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
    };
    Some(shared.join("cases")).filter(|root| root.is_dir())
}

/// What is not as expected in a case.
fn judge(root: &Path, case: &Case) -> Vec<String> {
    let folder = root.join(case.folder);
    let has_forms = folder.join("broken").is_dir();
    let is_toml = folder.join("cluster.toml").is_file();
    let (broken, toml) = match (has_forms, is_toml) {
        (true, _) => (folder.join("broken"), folder.join("toml-broken")),
        (false, true) => (PathBuf::new(), folder.clone()),
        (false, false) => (folder.clone(), PathBuf::new()),
    };
    let mut wrong = Vec::new();
    let mut expect = |at: &Path, code: &str| {
        let found = findings(at);
        if !found.iter().any(|one| one.starts_with(&format!("{code} "))) {
            wrong.push(format!("{}: no {code}, but {found:?}", at.display()));
        }
    };
    for (at, code) in [(broken, case.broken), (toml, case.toml)] {
        if !code.is_empty() {
            expect(&at, code);
        }
    }
    for right in ["fixed", "toml-fixed"].map(|right| folder.join(right)) {
        let found = if right.is_dir() {
            findings(&right)
        } else {
            Vec::new()
        };
        if !found.is_empty() {
            wrong.push(format!("{}: {found:?}", right.display()));
        }
    }
    wrong
}

/// What `validate` reports about a folder.
fn report_of(folder: &Path) -> Value {
    let mut command = Command::new(PROGRAM);
    command
        .current_dir(folder)
        .args(["validate", "--format", "json"]);
    if !folder.join("cluster.toml").is_file() {
        command.arg(".");
    }
    let output = command.output().expect("the program runs");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{}: {error}: {output:?}", folder.display()))
}

/// The errors and warnings of a folder, each as `code message`.
fn findings(folder: &Path) -> Vec<String> {
    let report = report_of(folder);
    let all = report["diagnostics"]
        .as_array()
        .expect("a list of findings");
    let counted = all.iter().filter(|one| one["severity"] != "note");
    let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    counted
        .map(|one| format!("{} {}", text(one, "code"), text(one, "message")))
        .collect()
}
