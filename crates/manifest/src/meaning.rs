//! Compares the meaning of manifests, independent of their order and style.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use super::read;
use crate::diagnostic::Sources;
use crate::value::path::name;
use crate::value::{Kind, Map, Node};

/// The file names by which kustomize finds a kustomization in a folder, in its order. The file may leave out what it is.
pub const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// An object in its normal form: fields that are null are removed, because the API server treats them as
/// missing. (In the values of a chart, null has a meaning, so they stay.) A kustomization gets its
/// `apiVersion` and `kind`.
pub fn plain(path: &str, node: &Node) -> Node {
    let mut plain = without_nulls(
        node,
        node.get("kind").and_then(Node::as_str) == Some("HelmRelease"),
    );
    if KUSTOMIZATIONS.contains(&name(path))
        && let Some(map) = plain.as_map_mut()
    {
        for (key, value) in [
            ("apiVersion", "kustomize.config.k8s.io/v1beta1"),
            ("kind", "Kustomization"),
        ] {
            if !map.contains_key(key) {
                map.insert(key, Node::string(value));
            }
        }
    }
    plain
}

fn without_nulls(node: &Node, keeps_values: bool) -> Node {
    let kind = match &node.kind {
        Kind::Map(map) => {
            let mut kept = Map::default();
            for (key, entry) in map.entries() {
                if matches!(entry.value.kind, Kind::Null) {
                    continue;
                }
                let mut entry = entry.clone();
                if !(keeps_values && key == "values") {
                    entry.value = without_nulls(&entry.value, keeps_values);
                }
                kept.insert_entry(key.to_owned(), entry);
            }
            Kind::Map(kept)
        }
        Kind::List(items) => Kind::List(
            items
                .iter()
                .map(|item| without_nulls(item, keeps_values))
                .collect(),
        ),
        kind => kind.clone(),
    };
    Node::new(kind, node.span)
}

/// Whether two texts of a file contain the same objects, in any order.
pub fn same(path: &str, first: &str, second: &str) -> bool {
    let (Some(first), Some(second)) = (objects(path, first), objects(path, second)) else {
        return false;
    };
    if first.len() != second.len() {
        return false;
    }
    // The objects are grouped by their hashes, so that each is compared only with objects that are probably
    // equal.
    let mut unmatched: HashMap<u64, Vec<Node>> = HashMap::new();
    for object in second {
        unmatched.entry(hash(&object)).or_default().push(object);
    }
    first.into_iter().all(|object| {
        let alike = unmatched.get_mut(&hash(&object));
        alike.is_some_and(|alike| {
            let at = alike.iter().rposition(|other| *other == object);
            at.map(|at| alike.swap_remove(at)).is_some()
        })
    })
}

fn hash(node: &Node) -> u64 {
    let mut hasher = DefaultHasher::new();
    node.hash(&mut hasher);
    hasher.finish()
}

fn objects(path: &str, text: &str) -> Option<Vec<Node>> {
    let mut sources = Sources::default();
    let id = sources.add(path, text);
    let (documents, problems) = read::read(&sources, id);
    let nodes = documents.iter().map(|document| plain(path, &document.node));
    problems.is_empty().then(|| nodes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_style_and_nulls_are_ignored() {
        let first = "kind: A\nmetadata: {name: a, labels: ~}\n---\nkind: B\nspec: {x: [1, 2]}\n";
        let second =
            "kind: B\nspec:\n  x:\n    - 1\n    - 2\n---\nmetadata:\n  name: a\nkind: \"A\"\n";
        assert!(same("a.yaml", first, second));
        for other in [
            "kind: B\n",
            "kind: B\nspec: {x: [2, 1]}\n---\nkind: A\nmetadata: {name: a}\n",
        ] {
            assert!(!same("a.yaml", first, other), "{other}");
        }
        assert!(!same("a.yaml", "a: 1", "a: ["));
        assert!(!same("a.yaml", "a: 1\n---\na: 1\n", "a: 1\n"));
        assert!(!same(
            "a.yaml",
            "a: 1\n---\na: 1\n---\na: 2\n",
            "a: 1\n---\na: 2\n---\na: 2\n"
        ));
        assert!(same(
            "a.yaml",
            "a: 1.0\n---\na: {b: -0.0, c: 1}\n",
            "a: {c: 1, b: 0}\n---\na: 1\n"
        ));
    }

    #[test]
    fn nulls_in_a_charts_values_matter() {
        let release = |values: &str| format!("kind: HelmRelease\nspec: {{values: {values}}}\n");
        assert!(!same("a.yaml", &release("{a: null}"), &release("{}")));
    }

    #[test]
    fn a_kustomization_needs_no_kind() {
        let full = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n";
        assert!(same("x/kustomization.yaml", "resources: [a.yaml]", full));
        assert!(!same("x/other.yaml", "resources: [a.yaml]", full));
    }
}
