//! Small repositories for tests, each written as one text.

use std::collections::{BTreeMap, BTreeSet};

use manifest::diagnostic::{SourceId, Sources};
use manifest::{Object, read};

/// The files of a small repository, as if read from a disk.
pub struct Tree {
    /// The objects of all manifests.
    pub objects: Vec<Object>,
    /// The paths of all files.
    pub files: BTreeSet<String>,
    /// The texts of the files, by path.
    pub texts: BTreeMap<String, SourceId>,
    /// The texts that [`Tree::texts`] refers to.
    pub sources: Sources,
}

/// Reads files. Each one starts with a line `# path`.
///
/// If a manifest is not valid YAML, because that is a mistake in the test.
pub fn tree(text: &str) -> Tree {
    let mut tree = Tree {
        objects: Vec::new(),
        files: BTreeSet::new(),
        texts: BTreeMap::new(),
        sources: Sources::default(),
    };
    for part in text.split("\n# ").map(|part| part.trim_start_matches("# ")) {
        let (path, text) = part
            .trim_start()
            .split_once('\n')
            .unwrap_or((part.trim(), ""));
        if path.is_empty() {
            continue;
        }
        tree.files.insert(path.to_owned());
        let id = tree.sources.add(path, text);
        tree.texts.insert(path.to_owned(), id);
        if !path.ends_with(".yaml") {
            continue;
        }
        let (documents, problems) = read(&tree.sources, id);
        assert!(problems.is_empty(), "{path}: {problems:?}");
        tree.objects.extend(
            documents
                .into_iter()
                .map(|document| Object::new(document.node, path)),
        );
    }
    tree
}
