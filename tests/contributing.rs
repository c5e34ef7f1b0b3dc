//! Checks that CONTRIBUTING.md is correct: its paths exist, and its map matches the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn contributing() -> String {
    read(&root().join("CONTRIBUTING.md"))
}

/// The files that the recipes create as examples.
const MADE: &[&str] = &[
    "snapshots/envoy-gateway-1.9.1",
    "src/diagnostic/pages/network-open-to-all.md",
    "src/report/gitlab.rs",
];

#[test]
fn every_path_in_it_is_there() {
    let text = contributing();
    let quoted = text.split('`').skip(1).step_by(2);
    let is_path = |text: &&str| {
        let top = text.split('/').next().unwrap_or_default();
        let tops = ["src", "tests", "templates", "schemas", "snapshots", ".ci"];
        !text.contains(char::is_whitespace) && !text.contains('*') && tops.contains(&top)
    };
    let paths: BTreeSet<&str> = quoted.filter(is_path).collect();
    assert!(paths.len() > 20, "{paths:?}");
    let missing: Vec<&&str> = paths
        .iter()
        .filter(|path| !MADE.contains(path) && !root().join(path).exists())
        .collect();
    assert!(missing.is_empty(), "not there: {missing:?}");
}

/// The rooms in the table, and those that each uses.
fn map() -> BTreeMap<String, String> {
    let text = contributing();
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `src/")?.split('|');
        let room = cells.next()?.trim().trim_end_matches('`');
        Some((room.to_owned(), cells.nth(1)?.trim().to_owned()))
    });
    rows.collect()
}

#[test]
fn every_room_is_on_the_map() {
    let entries = fs::read_dir(root().join("src")).expect("src");
    let rooms: BTreeSet<String> = entries
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(rooms, map().into_keys().collect());
}

#[test]
fn rooms_use_what_the_map_says_and_nothing_else() {
    let map = map();
    for (room, said) in map.iter().filter(|(_, said)| *said != "all") {
        let used: Vec<String> = used_by(room, &map)
            .iter()
            .map(|room| format!("`{room}`"))
            .collect();
        assert_eq!(&used.join(", "), said, "what src/{room} uses");
    }
}

/// The other rooms that a room's code uses, without tests and documentation.
fn used_by(room: &str, map: &BTreeMap<String, String>) -> BTreeSet<String> {
    let folder = root().join("src").join(room);
    let files = WalkDir::new(&folder).into_iter().filter_entry(|entry| {
        let name = entry.file_name().to_string_lossy();
        name != "tests" && name != "tests.rs" && name != "oracle.rs"
    });
    let mut used = BTreeSet::new();
    for file in files.map(|entry| entry.expect("an entry")) {
        if file.path().extension().is_none_or(|ending| ending != "rs") {
            continue;
        }
        let text = read(file.path());
        let code = text
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .unwrap_or_default();
        let lines = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        for line in lines {
            for rest in line.split("crate::").skip(1) {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                let name = &rest[..end.unwrap_or(rest.len())];
                if name != room && map.contains_key(name) {
                    used.insert(name.to_owned());
                }
            }
            assert!(
                !line.contains("crate::{"),
                "{}: {line}",
                file.path().display()
            );
        }
    }
    used
}
