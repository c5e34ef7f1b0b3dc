//! Checks that THIRD-PARTY-NOTICES lists every package whose code is in the program, with the text of its licence.
//! `UPDATE=1 cargo test --test it third_party::` updates it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use walkdir::WalkDir;

/// The program is also released for other systems. Their packages differ only in the bindings to the system.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

const FILE: &str = "THIRD-PARTY-NOTICES";

const ABOUT: &str = "\
gatewayctl is made of the packages below, beside its own code. Each is used under the licence that is named; where a
package offers several of which one is MIT, it is used under MIT. The texts of the licences, and notices that go with
them, stand after the list, each once with the packages that it is of.
";

/// Cargo's metadata on all packages; `None` if it isn't available without the network.
fn metadata() -> Option<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--offline"])
        .args(["--filter-platform", PLATFORM])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("Cargo runs");
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        // If tests are built for another system, packages for Linux may be missing.
        if cfg!(target_os = "linux") {
            panic!("{said}");
        }
        println!("skipped: {said}");
        return None;
    }
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// Whether a package contains C sources.
fn is_source(package: &Value) -> bool {
    text(package, "name").ends_with("-src")
}

/// The packages whose code is in the program, by name and version. These are the dependencies, and packages with C
/// sources that are compiled during the build, whose names end with `-src`.
fn parts(metadata: &Value) -> Vec<&Value> {
    let packages: BTreeMap<&str, &Value> = list(metadata, "packages")
        .iter()
        .map(|package| (text(package, "id"), package))
        .collect();
    let nodes: BTreeMap<&str, &Value> = list(&metadata["resolve"], "nodes")
        .iter()
        .map(|node| (text(node, "id"), node))
        .collect();
    let root = text(&metadata["resolve"], "root");
    let (mut found, mut open) = (BTreeSet::new(), vec![root]);
    while let Some(id) = open.pop() {
        // The dependencies of such a package only help to compile its sources.
        if is_source(packages[id]) {
            continue;
        }
        for dependency in list(nodes[id], "deps") {
            let id = text(dependency, "pkg");
            let of_kind = |kind: Option<&str>| {
                list(dependency, "dep_kinds")
                    .iter()
                    .any(|it| it["kind"].as_str() == kind)
            };
            let is_compiled_in = of_kind(Some("build")) && is_source(packages[id]);
            let is_macro = list(packages[id], "targets")
                .iter()
                .any(|target| list(target, "kind").iter().any(|kind| kind == "proc-macro"));
            if (of_kind(None) && !is_macro || is_compiled_in) && found.insert(id) {
                open.push(id);
            }
        }
    }
    // The crates of this workspace have no registry as their source. They are not third-party code.
    let is_foreign = |package: &&Value| !package["source"].is_null();
    let mut parts: Vec<&Value> = found
        .into_iter()
        .map(|id| packages[id])
        .filter(is_foreign)
        .collect();
    parts.sort_by_key(|package| (text(package, "name"), text(package, "version")));
    parts
}

fn named(package: &Value) -> String {
    format!("{} {}", text(package, "name"), text(package, "version"))
}

/// Whether a package contains sources of others, whose licences are in subfolders.
fn brings_others(package: &Value) -> bool {
    let name = text(package, "name");
    is_source(package) || name.ends_with("-sys") || name == "ring"
}

/// The licence files of a package.
fn notices(package: &Value) -> Vec<PathBuf> {
    const NAMES: [&str; 6] = [
        "LICENSE",
        "LICENCE",
        "COPYING",
        "COPYRIGHT",
        "NOTICE",
        "UNLICENSE",
    ];
    let folder = Path::new(text(package, "manifest_path")).parent();
    let depth = if brings_others(package) { 6 } else { 1 };
    let entries = WalkDir::new(folder.expect("a folder"))
        .max_depth(depth)
        .sort_by_file_name();
    let name = |path: &Path| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().to_uppercase()
    };
    let mut files: Vec<PathBuf> = entries
        .into_iter()
        .map(|entry| entry.expect("the package is there").into_path())
        .filter(|path| path.is_file() && NAMES.iter().any(|it| name(path).starts_with(it)))
        .collect();
    // If there is a choice of licences, MIT is chosen.
    let licence = text(package, "license");
    let is_choice =
        (licence.contains(" OR ") || licence.contains('/')) && !licence.contains(" AND ");
    if is_choice && files.iter().any(|path| name(path).contains("MIT")) {
        files.retain(|path| {
            let name = name(path);
            name.contains("MIT") || name.starts_with("NOTICE") || name.starts_with("COPYRIGHT")
        });
    }
    files
}

/// A licence that is only in the code: the package, the file, and the beginning of the comment with the licence.
const IN_CODE: &[(&str, &str, &str)] = &[(
    "lua-src",
    "lua-5.2.4/lua.h",
    "* Copyright (C) 1994-2015 Lua.org",
)];

/// The texts of licences in a package's code.
fn in_code(package: &Value) -> Vec<String> {
    let folder = Path::new(text(package, "manifest_path"))
        .parent()
        .expect("a folder");
    let of_it = IN_CODE
        .iter()
        .filter(|(name, ..)| text(package, "name") == *name);
    let comment = |(_, file, start): &(&str, &str, &str)| {
        let code = std::fs::read_to_string(folder.join(file)).expect("a file of the package");
        let from = code
            .find(start)
            .unwrap_or_else(|| panic!("{file} has no {start:?}"));
        let comment = code[from..].split("***").next().unwrap_or_default();
        let lines = comment
            .lines()
            .map(|line| line.trim_start_matches('*').trim());
        lines.collect::<Vec<_>>().join("\n")
    };
    of_it.map(comment).collect()
}

/// A text without the differences between copies of the same licence.
fn plain(text: &str) -> String {
    let lines = text.lines().map(str::trim_end).collect::<Vec<_>>();
    lines.join("\n").trim_matches('\n').to_owned()
}

fn written(metadata: &Value) -> String {
    let parts = parts(metadata);
    let mut out = format!("Third-party notices\n\n{ABOUT}\n");
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut without = Vec::new();
    for package in &parts {
        let licence = text(package, "license");
        assert!(!licence.is_empty(), "{} names no licence", named(package));
        let place = match text(package, "repository") {
            "" => "https://crates.io",
            repository => repository,
        };
        writeln!(out, "- {}: {licence} ({place})", named(package)).expect("a string");
        let files = notices(package).into_iter();
        let files = files.map(|file| std::fs::read(file).expect("a notice"));
        let found: Vec<String> = files
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .chain(in_code(package))
            .collect();
        if found.is_empty() {
            without.push(named(package));
        }
        for text in found {
            let of = texts.entry(plain(&text)).or_default();
            if !of.contains(&named(package)) {
                of.push(named(package));
            }
        }
    }
    if !without.is_empty() {
        let without = without.join(", ");
        writeln!(
            out,
            "\nThese hold no text of their licence, which is named above: {without}."
        )
        .expect("a string");
    }
    let mut texts: Vec<(Vec<String>, String)> =
        texts.into_iter().map(|(text, of)| (of, text)).collect();
    texts.sort();
    for (of, text) in texts {
        writeln!(out, "\n{}\n{}:\n\n{text}", "=".repeat(100), of.join(", ")).expect("a string");
    }
    out
}

#[test]
fn the_notices_are_those_of_the_packages_in_the_program() {
    let Some(metadata) = metadata() else { return };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let wanted = written(&metadata);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &wanted).expect("the file");
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = there
        .lines()
        .zip(wanted.lines())
        .find(|(there, wanted)| there != wanted);
    assert!(
        there == wanted,
        "{FILE} is out of date: `UPDATE=1 cargo test --test it third_party::`; first {differs:?}"
    );
}

#[test]
fn code_in_c_and_what_stands_on_it_is_named() {
    let Some(metadata) = metadata() else { return };
    let names: Vec<&str> = parts(&metadata)
        .iter()
        .map(|package| text(package, "name"))
        .collect();
    for name in ["lua-src", "serde", "regex", "kube-client"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    for name in ["proptest", "clap_derive", "cc", "gatewayctl"] {
        assert!(!names.contains(&name), "{name}: {names:?}");
    }
}
