//! Adds entries to a kustomization of the user, and follows kustomizations that are only read.

use std::collections::{BTreeMap, BTreeSet};

use crd_validate::schema::Selection;
use gatewayctl::compile::rendered;
use gatewayctl::lint::{self, LintInput};
use gatewayctl::render::{Kind, index};
use manifest::diagnostic::Sources;
use manifest::value::{Map, Node};
use manifest::{Object, items, read};

use super::files::{CATALOGUE, CONFIG, OneFile};
use super::report;

/// The path of the namespace's kustomization, which `render` shares with the user.
const INDEX: &str = "kubernetes/apps/network/kustomization.yaml";

/// Adds our entries, which must not change anything else in the file, then follows the file like one of a repository.
pub fn merge_and_read(text: &str) {
    add(text);
    let world = OneFile { path: INDEX, text };
    let compiled = rendered("cluster.toml", CONFIG, &world, &CATALOGUE);
    let merged = compiled.files.iter().find(|file| file.kind == Kind::Index);
    // A file with errors is not written.
    if let Some(merged) = merged.filter(|_| !compiled.has_errors()) {
        let mut sources = Sources::default();
        let id = sources.add(INDEX, merged.text.as_str());
        let (_, problems) = read::read(&sources, id);
        assert!(problems.is_empty(), "{problems:?}\n{}", merged.text);
    }
    report::tell(compiled.diagnostics, &compiled.sources);
    follow(text);
}

/// Adds our entries at the end of `resources`. Everything else must stay the same, and adding them again must change
/// nothing.
fn add(text: &str) {
    let mut sources = Sources::default();
    let id = sources.add(INDEX, text);
    let Ok(tree) = read::parse(text, id, 0) else {
        return;
    };
    let ours = ["./envoy-gateway/ks.yaml".to_owned()];
    let Some((added, _)) = index::add(text, &tree, &ours) else {
        return;
    };
    let id = sources.add("added.yaml", added.as_str());
    let back = read::parse(&added, id, 0).unwrap_or_else(|problem| {
        panic!(
            "what was added broke the file: {}\n{added}",
            problem.message
        )
    });
    let is_other = |(key, _): &(&str, &Node)| *key != "resources";
    let others = |map: Option<&Map>| -> Vec<(String, Node)> {
        let entries = map.into_iter().flat_map(Map::iter).filter(is_other);
        entries
            .map(|(key, node)| (key.to_owned(), node.clone()))
            .collect()
    };
    assert_eq!(others(tree.as_map()), others(back.as_map()), "{added}");
    assert_eq!(
        index::add(&added, &back, &ours).map(|(text, _)| text),
        Some(added)
    );
}

/// Checks the file together with other files that it may list, so that it is followed as kustomize and Flux do.
fn follow(text: &str) {
    let mut sources = Sources::default();
    let id = sources.add(INDEX, text);
    let (documents, _) = read::read(&sources, id);
    let nodes = documents.iter().flat_map(|document| items(&document.node));
    let objects: Vec<Object> = nodes.map(|node| Object::new(node.clone(), INDEX)).collect();
    let files: BTreeSet<String> = [
        INDEX,
        "kubernetes/apps/network/namespace.yaml",
        "kubernetes/apps/network/envoy-gateway/ks.yaml",
        "kubernetes/apps/network/envoy-gateway/app/kustomization.yaml",
    ]
    .map(str::to_owned)
    .into();
    let found = lint::check(&LintInput {
        objects: &objects,
        files: &files,
        walked: &[String::new()],
        texts: &BTreeMap::from([(INDEX.to_owned(), id)]),
        sources: &sources,
        model: None,
        rules: None,
        selection: &Selection::newest(&CATALOGUE),
    });
    report::tell(found, &sources);
}
