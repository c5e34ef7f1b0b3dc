//! Random changes: objects are changed, removed and moved between files. The result must be imported without a
//! difference, or kept, and must survive a second import.

use std::collections::BTreeMap;
use std::path::Path;

use crd_validate::schema::Catalogue;
use gatewayctl::import::files::Files;
use gatewayctl::import::{Failure, import};
use manifest::diagnostic::Sources;
use manifest::value::{Kind, Node};
use manifest::{read, write};

use super::{comes_back, differences};

/// Pseudo-random numbers that are the same on every machine (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (end.max(1) as u64)).expect("a small number")
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

/// The documents of a tree, by file.
fn documents(files: &Files) -> BTreeMap<String, Vec<Node>> {
    let mut all = BTreeMap::new();
    for (path, text) in &files.texts {
        if path.ends_with(".yaml") {
            let mut sources = Sources::default();
            let id = sources.add(path.as_str(), text.as_str());
            let (documents, problems) = read::read(&sources, id);
            assert!(problems.is_empty(), "{path}: {problems:?}");
            all.insert(
                path.clone(),
                documents.into_iter().map(|one| one.node).collect(),
            );
        }
    }
    all
}

/// Changes a random value below a node.
fn change(node: &mut Node, random: &mut Random) {
    match &mut node.kind {
        Kind::Map(map) => {
            let keys: Vec<String> = map.iter().map(|(key, _)| key.to_owned()).collect();
            if random.one_in(6) {
                let extra = [
                    Node::string("x"),
                    Node::new(Kind::Bool(true), None),
                    Node::map(),
                    Node::new(Kind::Null, None),
                ];
                map.insert(
                    format!("extra{}", random.below(3)),
                    extra[random.below(4)].clone(),
                );
            } else if let Some(key) = keys.get(random.below(keys.len())) {
                if random.one_in(4) {
                    map.remove(key);
                } else if let Some(below) = map.get_mut(key) {
                    change(below, random);
                }
            }
        }
        Kind::List(items) if items.is_empty() => {}
        Kind::List(items) => {
            let at = random.below(items.len());
            match random.below(4) {
                0 => drop(items.remove(at)),
                1 => items.rotate_left(1),
                _ => change(&mut items[at], random),
            }
        }
        Kind::String(text) => {
            *text = ["y", "${VAR}", "10.10.30.99", "a\nb"][random.below(4)].to_owned()
        }
        Kind::Number(number) => *number = 7.into(),
        Kind::Bool(value) => *value = !*value,
        Kind::Null => {}
    }
}

/// A randomly changed tree.
fn mutated(original: &Files, random: &mut Random) -> Files {
    let mut all = documents(original);
    let paths = all.keys().filter(|path| path.contains("envoy-gateway"));
    let paths: Vec<String> = paths.cloned().collect();
    for _ in 0..random.below(12) {
        let path = &paths[random.below(paths.len())];
        let nodes = all.get_mut(path).expect("a file");
        if nodes.is_empty() {
            continue;
        }
        let at = random.below(nodes.len());
        let is_own = path.ends_with("/kustomization.yaml") || path.ends_with("ks.yaml");
        match random.below(8) {
            0 if !is_own => drop(nodes.remove(at)),
            1 if !is_own => {
                let node = nodes.remove(at);
                let folder = path.rsplit_once('/').expect("a folder").0;
                let name = ["gateway.yaml", "sub/other.yaml", "z.yaml"][random.below(3)];
                all.entry(format!("{folder}/{name}"))
                    .or_default()
                    .push(node);
            }
            _ => {
                let metadata = nodes[at]
                    .as_map_mut()
                    .and_then(|map| map.get_mut("metadata"));
                match metadata.and_then(Node::as_map_mut) {
                    Some(metadata) if random.one_in(5) => {
                        metadata.insert("labels", Node::from_json(serde_json::json!({"a": "b"})));
                    }
                    _ => change(&mut nodes[at], random),
                }
            }
        }
    }
    let mut files = original.clone();
    for (path, nodes) in all {
        let texts = nodes
            .iter()
            .map(|node| format!("---\n{}", write::document(node)));
        files.texts.insert(path, texts.collect());
    }
    files
}

/// Imports many randomly changed trees. Returns what went wrong.
fn failures(name: &str, original: &Files, cases: u64) -> Vec<String> {
    let catalogue = Catalogue::embedded();
    let mut failed = Vec::new();
    let (mut imported, mut none) = (0, 0);
    for seed in 1..=cases {
        let files = mutated(original, &mut Random(seed * 7919));
        let shown = format!("{name}, seed {seed}");
        let paths = match import(&files, "", &catalogue) {
            Err((Failure::Several(paths), _)) => paths,
            _ => vec![String::new()],
        };
        for path in paths {
            match import(&files, &path, &catalogue) {
                Ok(first) => {
                    imported += 1;
                    let different = differences(&first);
                    let back =
                        std::panic::catch_unwind(|| comes_back(&shown, &files, &first, &path));
                    if !different.is_empty() || back.is_err() {
                        failed.push(format!("{shown}\n{different}\n{}", first.config));
                    }
                }
                Err((Failure::NoGateway(_) | Failure::NoneMade(_), _)) => none += 1,
                Err((failure, _)) => failed.push(format!("{shown}: {failure}")),
            }
        }
    }
    println!("{name}: {imported} imported, {none} without a gateway");
    failed
}

/// The number of changed copies of each tree, unless `CASES` is set.
fn cases(default: u64) -> u64 {
    let asked = std::env::var("CASES").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn whatever_stands_in_a_tree_is_generated_or_kept_and_comes_back() {
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots");
    let mut failed = Vec::new();
    for name in ["reference", "three-gateways", "two-folders", "one-gateway"] {
        failed.extend(failures(
            name,
            &super::read(&snapshots.join(name)),
            cases(6),
        ));
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn real_trees_may_change_too() {
    let trees = super::real::shared().join("trees");
    if !trees.is_dir() {
        println!("skipped: {} is not here", trees.display());
        return;
    }
    let mut failed = Vec::new();
    for entry in std::fs::read_dir(&trees).expect("a folder") {
        let root = entry.expect("an entry").path();
        if root.is_dir() {
            let name = root
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            failed.extend(failures(&name, &super::read(&root), cases(1)));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
