//! Objects from YAML for the tests of the passes.

use std::collections::{BTreeMap, BTreeSet};

use super::{Given, Pass};
use crd_validate::schema::{Catalogue, Selection};
use manifest::diagnostic::{Diagnostic, Sources};
use manifest::{Object, read};

/// The objects of a file.
pub fn objects(file: &str, text: &str) -> Vec<Object> {
    let mut sources = Sources::default();
    add(&mut sources, file, text)
}

fn add(sources: &mut Sources, file: &str, text: &str) -> Vec<Object> {
    let id = sources.add(file, text);
    let (documents, problems) = read::read(sources, id);
    assert_eq!(problems, [], "{file}");
    let objects = documents
        .into_iter()
        .map(|document| Object::new(document.node, file));
    objects.filter(|object| !object.kind().is_empty()).collect()
}

/// The findings of a pass on a tree of files, with Envoy Gateway `version` in force.
pub fn found(pass: Pass, version: &str, tree: &[(&str, &str)]) -> Vec<Diagnostic> {
    let mut sources = Sources::default();
    let (mut all, mut texts) = (Vec::new(), BTreeMap::new());
    for (file, text) in tree {
        if file.ends_with(".yaml") {
            all.extend(add(&mut sources, file, text));
        }
        texts.insert((*file).to_owned(), sources.add(*file, *text));
    }
    let files: BTreeSet<String> = tree.iter().map(|(file, _)| (*file).to_owned()).collect();
    let catalogue = Catalogue::embedded();
    let mut selection = Selection::newest(&catalogue);
    selection
        .declare(&catalogue, "envoy-gateway", version, None, "cluster.toml")
        .expect("a version of the catalogue");
    let given = Given {
        objects: &all,
        files: &files,
        walked: &[String::new()],
        texts: &texts,
        sources: &sources,
        model: None,
        selection: &selection,
    };
    given.whole(pass)
}

/// The same, each finding as `severity code pointer: message`.
pub fn told(pass: Pass, version: &str, tree: &[(&str, &str)]) -> Vec<String> {
    let found = found(pass, version, tree);
    let told = found.iter().map(|one| {
        assert!(one.why.is_some() && one.help.is_some(), "{one:?}");
        assert!(one.span.is_some(), "{one:?}");
        let pointer = one.pointer.as_deref().unwrap_or_default();
        format!(
            "{} {} {pointer}: {}",
            one.severity.as_str(),
            one.code,
            one.message
        )
    });
    told.collect()
}
