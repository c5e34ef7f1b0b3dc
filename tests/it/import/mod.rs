//! Imports of what this program renders, of small trees of many forms, of random changes to these, and of trees that
//! can't be imported; also of real repositories, with figures, if they are available.

mod bad;
mod clusters;
mod command;
mod delivery;
mod forms;
mod intents;
mod mutated;
mod real;

use std::collections::BTreeMap;
use std::path::Path;

use crd_validate::schema::Catalogue;
use gatewayctl::import::files::Files;
use gatewayctl::import::{Failure, Fate, Import, import};

/// All text files below a folder.
fn read(root: &Path) -> Files {
    let texts = crate::common::files(root).into_iter();
    let texts = texts.filter_map(|(path, bytes)| Some((path, String::from_utf8(bytes).ok()?)));
    Files {
        texts: texts.collect(),
        ..Files::default()
    }
}

/// Files from one text, in which `# file: PATH` starts each file.
fn files(text: &str) -> Files {
    let mut files = Files::default();
    for part in text.split("# file: ").skip(1) {
        let (path, text) = part.split_once('\n').expect("a path and a text");
        files.texts.insert(path.trim().to_owned(), text.to_owned());
    }
    files
}

fn is_generated(fate: &Fate) -> bool {
    matches!(fate, Fate::Generated { .. })
}

/// Imports a tree; a failure fails the test.
#[track_caller]
fn imported(files: &Files, path: &str) -> Import {
    match import(files, path, &Catalogue::embedded()) {
        Ok(import) => import,
        Err((Failure::Broken(problems), _)) => panic!("{problems:#?}"),
        Err((failure, _)) => panic!("{failure}"),
    }
}

/// The tree after a render: the existing files, replaced or extended by the rendered ones.
fn rendered(files: &Files, import: &Import) -> Files {
    let mut after = files.clone();
    for file in &import.compiled.files {
        after.texts.insert(file.path.clone(), file.text.clone());
    }
    after
}

/// The objects of a front door with their files, sorted.
fn objects(import: &Import) -> Vec<String> {
    let all = import
        .outcomes
        .iter()
        .map(|one| format!("{} {:?}", one.file, one.object));
    let mut all: Vec<String> = all.collect();
    all.sort();
    all
}

/// What would be rendered differently, as text; empty if nothing would.
fn differences(import: &Import) -> String {
    let changed = import.outcomes.iter().filter_map(|one| match &one.fate {
        Fate::Different(fields) => {
            let paths: Vec<&str> = fields.iter().map(|field| field.path.as_str()).collect();
            Some(format!(
                "{}: {} {}: {paths:?}\n",
                one.file, one.object.kind, one.object.name
            ))
        }
        _ => None,
    });
    let added = import.added.iter();
    let added =
        added.map(|(file, object)| format!("{file}: {} {} is new\n", object.kind, object.name));
    changed.chain(added).collect()
}

/// The rendered files, by path.
fn texts(import: &Import) -> BTreeMap<String, String> {
    let files = import.compiled.files.iter();
    files
        .map(|file| (file.path.clone(), file.text.clone()))
        .collect()
}

/// Imports the rendered files of a first import: nothing is lost, `cluster.toml` is the same, and it renders the same
/// bytes.
#[track_caller]
fn comes_back(name: &str, files: &Files, first: &Import, path: &str) {
    let second = imported(&rendered(files, first), path);
    let after = objects(&second);
    for object in objects(first) {
        assert!(
            after.contains(&object),
            "{name}: {object} is lost\n{}",
            first.config
        );
    }
    assert_eq!(
        second.config, first.config,
        "{name}: a second import differs"
    );
    assert_eq!(
        texts(&second),
        texts(first),
        "{name}: a second render differs"
    );
}
