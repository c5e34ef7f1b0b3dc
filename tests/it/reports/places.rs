//! The place of every finding in the re-created reports. `places.txt` has a line for each wrong form of a case.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::{report_of, root};
use crate::common::PROGRAM;
use serde_json::Value;

/// A line of `places.txt`: the code that must be found, and where; `-` if nothing is found, because it is prevented.
struct Expected {
    code: &'static str,
    place: &'static str,
}

fn expected() -> BTreeMap<(&'static str, &'static str), Expected> {
    let lines = include_str!("places.txt").lines();
    let lines = lines.filter(|line| !line.starts_with('#') && !line.is_empty());
    let row = |line: &'static str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [case, form, code, place] = words.try_into().expect("four words");
        ((case, form), Expected { code, place })
    };
    lines.map(row).collect()
}

/// The findings of a folder that are errors or warnings, each with its place: that in `cluster.toml` if it has one.
fn found(folder: &Path) -> Vec<(String, String)> {
    let report = report_of(folder);
    let all = report["diagnostics"].as_array().expect("a list");
    let counted = all.iter().filter(|one| one["severity"] != "note");
    let place = |one: &Value| {
        let at = match &one["origin"] {
            Value::Null => one,
            origin => origin,
        };
        format!("{}:{}", at["file"].as_str().unwrap_or_default(), at["line"])
    };
    let code = |one: &Value| one["code"].as_str().unwrap_or_default().to_owned();
    counted.map(|one| (code(one), place(one))).collect()
}

#[test]
fn every_mistake_is_found_at_its_place_and_what_is_right_is_silent() {
    let Some(root) = root() else {
        eprintln!("skipped: there is no folder ../shared/cases, and GATEWAYCTL_SHARED names none");
        return;
    };
    let expected = expected();
    let (mut wrong, mut mistakes, mut corrected) = (Vec::new(), 0, 0);
    for kind in ["reports", "missed", "front-door"] {
        let mut cases: Vec<_> = fs::read_dir(root.join(kind))
            .expect("a folder of cases")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.is_dir())
            .collect();
        cases.sort();
        for case in cases {
            let name = case.file_name().expect("a name").to_string_lossy();
            let name = format!("{kind}/{name}");
            let forms = ["broken", "toml-broken", "fixed", "toml-fixed"];
            let forms = forms.into_iter().filter(|form| case.join(form).is_dir());
            let mut forms: Vec<&str> = forms.collect();
            if forms.is_empty() {
                forms.push(".");
            }
            for form in forms {
                let found = found(&case.join(form));
                let is_right = form.ends_with("fixed");
                mistakes += usize::from(!is_right);
                corrected += usize::from(is_right);
                let fits = match expected.get(&(&*name, form)) {
                    _ if is_right => found.is_empty(),
                    Some(Expected { code: "-", .. }) => found.is_empty(),
                    Some(Expected { code, place }) => {
                        found.iter().any(|(one, at)| one == code && at == place)
                    }
                    None => !found.is_empty(),
                };
                if !fits {
                    wrong.push(format!("{name}/{form}: {found:?}"));
                }
            }
        }
    }
    eprintln!(
        "of {mistakes} mistakes and {corrected} corrected forms, {} are not as expected",
        wrong.len()
    );
    assert_eq!(wrong, [""; 0], "{}", wrong.join("\n"));
}

#[test]
fn crds_that_stay_old_are_told_by_upgrade() {
    let Some(root) = root() else {
        eprintln!("skipped: there is no folder ../shared/cases, and GATEWAYCTL_SHARED names none");
        return;
    };
    let case = root.join("reports/36-crds-stay-old-at-upgrade");
    for (form, is_wrong) in [("broken", true), ("fixed", false)] {
        let output = Command::new(PROGRAM)
            .current_dir(case.join(form))
            .args(["upgrade", "--to", "1.8.3", "."])
            .output()
            .expect("the program runs");
        let text = String::from_utf8_lossy(&output.stdout);
        let is_told = text.contains("error[flux/crds-stay-old]");
        assert_eq!(is_told, is_wrong, "{form}: {text}");
    }
}
