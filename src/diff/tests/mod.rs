//! Tests of the whole module.

mod formats;
mod found;
mod properties;

use crate::diff::{Content, Diff, File, diff};
use manifest::diagnostic::Sources;
use manifest::value::Node;
use manifest::{Object, read};

/// A file of YAML documents.
fn file(path: &str, text: &str) -> File {
    let mut sources = Sources::default();
    let id = sources.add(path, text);
    let (documents, problems) = read(&sources, id);
    assert!(problems.is_empty(), "{problems:?}");
    let objects = documents
        .into_iter()
        .map(|document| object(path, document.node))
        .collect();
    File {
        path: path.to_owned(),
        content: Content::Objects(objects),
    }
}

fn object(path: &str, node: Node) -> Object {
    Object::new(node, path)
}

fn opaque(path: &str, text: &str) -> File {
    File {
        path: path.to_owned(),
        content: Content::Opaque(text.into()),
    }
}

/// The difference between two texts of one file.
fn of_texts(old: &str, new: &str) -> Diff {
    diff(&[file("a.yaml", old)], &[file("a.yaml", new)], None)
}
