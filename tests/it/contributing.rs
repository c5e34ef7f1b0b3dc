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
    "snapshots/envoy-gateway-1.10.0",
    "src/lint/network/any_origin.rs",
    "src/report/gitlab.rs",
];

#[test]
fn every_path_in_it_is_there() {
    let text = contributing();
    let quoted = text.split('`').skip(1).step_by(2);
    let is_path = |text: &&str| {
        let top = text.split('/').next().unwrap_or_default();
        let tops = [
            "src",
            "crates",
            "tests",
            "templates",
            "schemas",
            "snapshots",
            ".ci",
            ".github",
        ];
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

/// The rooms and crates in the table, by path, and those that each uses.
fn map() -> BTreeMap<String, String> {
    let text = contributing();
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split('|');
        let room = cells.next()?.trim().trim_end_matches('`');
        let uses = cells.nth(1)?.trim().to_owned();
        room.contains('/').then(|| (room.to_owned(), uses))
    });
    rows.collect()
}

fn folders_in(folder: &str) -> impl Iterator<Item = String> {
    let entries =
        fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let folders = entries
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.path().is_dir());
    folders.map(move |entry| format!("{folder}/{}", entry.file_name().to_string_lossy()))
}

#[test]
fn every_room_and_every_crate_is_on_the_map() {
    let there: BTreeSet<String> = folders_in("src").chain(folders_in("crates")).collect();
    assert_eq!(there, map().into_keys().collect());
}

#[test]
fn rooms_and_crates_use_what_the_map_says_and_nothing_else() {
    let map = map();
    for (room, said) in map.iter().filter(|(_, said)| *said != "all") {
        let used = match room.strip_prefix("crates/") {
            Some(name) => dependencies_of(name, &map),
            None => used_by(room, &map),
        };
        let used: Vec<String> = used.iter().map(|room| format!("`{room}`")).collect();
        assert_eq!(&used.join(", "), said, "what {room} uses");
    }
}

/// The names of the map's rooms and crates. Code uses rooms with `crate::`, and crates without it.
fn names(map: &BTreeMap<String, String>, kind: &str) -> BTreeSet<String> {
    map.keys()
        .filter_map(|path| path.strip_prefix(kind))
        .map(str::to_owned)
        .collect()
}

/// The crates of this workspace that a crate depends on, by its `Cargo.toml`; without those that only its tests need.
fn dependencies_of(name: &str, map: &BTreeMap<String, String>) -> BTreeSet<String> {
    let text = read(&root().join("crates").join(name).join("Cargo.toml"));
    let table: toml::Table = text
        .parse()
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let dependencies = table["dependencies"].as_table().expect("a table");
    names(map, "crates/")
        .into_iter()
        .filter(|known| dependencies.contains_key(known))
        .collect()
}

/// The other rooms and the crates that a room's code uses, without tests and documentation.
fn used_by(room: &str, map: &BTreeMap<String, String>) -> BTreeSet<String> {
    let own = room.strip_prefix("src/").unwrap_or_default();
    let (rooms, crates) = (names(map, "src/"), names(map, "crates/"));
    let files = WalkDir::new(root().join(room))
        .into_iter()
        .filter_entry(|entry| {
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
        for line in code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
        {
            assert!(
                !line.contains("crate::{"),
                "{}: {line}",
                file.path().display()
            );
            for rest in line.split("crate::").skip(1) {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                let name = &rest[..end.unwrap_or(rest.len())];
                if name != own && rooms.contains(name) {
                    used.insert(name.to_owned());
                }
            }
            let names_it = |name: &&String| {
                let path = format!("{}::", name.replace('-', "_"));
                line.match_indices(&path).any(|(at, _)| {
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || "_:".contains(c))
                })
            };
            used.extend(crates.iter().filter(names_it).cloned());
        }
    }
    used
}
