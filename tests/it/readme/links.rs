//! The links of README.md, of the book, and of the other documents lead somewhere.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::{documents, root};

/// A document as its readers see it: without the code in it.
fn without_code(text: &str) -> String {
    let mut fence: Option<String> = None;
    let mut lines = Vec::new();
    for line in text.lines() {
        let ticks = line.len() - line.trim_start().trim_start_matches('`').len();
        let ticks = ticks - (line.len() - line.trim_start().len());
        match &fence {
            Some(open) if line.trim() == open => fence = None,
            Some(_) => {}
            None if ticks >= 3 => fence = Some("`".repeat(ticks)),
            None => lines.push(outside_of_ticks(line)),
        }
    }
    lines.join("\n")
}

fn outside_of_ticks(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

/// The targets of the links in a text.
fn targets(text: &str) -> Vec<String> {
    let text = without_code(text);
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    targets.map(str::to_owned).collect()
}

/// What GitHub and mdBook make of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter_map(|character| match character {
        ' ' => Some('-'),
        '-' | '_' => Some(character),
        _ if character.is_alphanumeric() => Some(character.to_ascii_lowercase()),
        _ => None,
    });
    kept.collect()
}

fn anchors(text: &str) -> HashSet<String> {
    let headings = text.lines().filter_map(|line| {
        let hashes = line.len() - line.trim_start_matches('#').len();
        (1..=6).contains(&hashes).then(|| line[hashes..].trim())
    });
    headings.map(anchor).collect()
}

/// A path without `..`, so that it names a document in one way.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut paths = documents();
    paths.extend(["CONTRIBUTING.md", "SECURITY.md"].map(str::to_owned));
    let texts: HashMap<PathBuf, String> = paths
        .iter()
        .map(|path| (PathBuf::from(path), super::read(path)))
        .collect();
    let mut wrong = Vec::new();
    for path in &paths {
        let document = Path::new(path);
        for target in targets(&texts[document]) {
            if target.contains("://") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target.as_str(), ""));
            let file = match file {
                "" => document.to_path_buf(),
                _ => plain(&document.parent().expect("a folder").join(file)),
            };
            let has_heading = || match texts.get(&file) {
                Some(text) => anchors(text).contains(heading),
                None => fs::read_to_string(root().join(&file))
                    .is_ok_and(|text| anchors(&text).contains(heading)),
            };
            if !root().join(&file).exists() || (!heading.is_empty() && !has_heading()) {
                wrong.push(format!("{path}: {target}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// mdBook copies only what is below `docs/src`.
#[test]
fn the_book_links_only_to_its_own_pages() {
    for path in documents().iter().skip(1) {
        let outside: Vec<String> = targets(&super::read(path))
            .into_iter()
            .filter(|target| target.starts_with(".."))
            .collect();
        assert_eq!(outside, [""; 0], "{path}");
    }
}

#[test]
fn headings_get_the_anchors_that_browsers_know() {
    assert_eq!(anchor("`spec` and `remove`"), "spec-and-remove");
    assert_eq!(
        anchor("Before each commit, and in CI"),
        "before-each-commit-and-in-ci"
    );
    assert_eq!(
        targets("[a](b.md#c) `[no](x)`\n```\n[no](y)\n```\n[d](e)"),
        ["b.md#c", "e"]
    );
}
