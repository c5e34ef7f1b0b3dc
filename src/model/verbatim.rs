//! Objects that are written in full.

use super::names;
use crate::codes;
use crate::config::{Cluster, Text};
use manifest::diagnostic::{Diagnostic, Spanned};
use manifest::value::{Kind, Node};

/// An object in full, and the file that it goes into.
#[derive(Clone, Debug)]
pub struct Verbatim {
    /// The file, as `layout.files` names one; the file with the Flux Kustomizations by its own name.
    pub file: Text,
    /// The object.
    pub node: Node,
}

/// The objects of `extra.objects`.
pub fn build(cluster: &Cluster, problems: &mut Vec<Diagnostic>) -> Vec<Verbatim> {
    let objects = cluster.extra.objects.iter();
    objects.filter_map(|object| one(object, problems)).collect()
}

fn one(object: &Node, problems: &mut Vec<Diagnostic>) -> Option<Verbatim> {
    let mut node = object.clone();
    let file = node.as_map_mut().and_then(|map| map.remove("file"));
    let file = file.and_then(|entry| match entry.value.kind {
        Kind::String(text) => Some(Spanned::new(text, entry.value.span)),
        _ => None,
    });
    let Some(file) = file else {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_MISSING_KEY,
                "an object of [extra] has no `file`",
            )
            .at(object.span)
            .why("it would be written nowhere")
            .help("add `file = \"envoy.yaml\"`, the file that it goes into"),
        );
        return None;
    };
    let is_path =
        !file.contains('\\') && file.split('/').all(|part| !matches!(part, "" | "." | ".."));
    let name = match file.rsplit_once('/') {
        Some((_, name)) if is_path => name,
        _ => file.as_str(),
    };
    let name = file.with(name.to_owned());
    names::check_file("a file's name", &name, &[".yaml", ".yml"], problems);
    Some(Verbatim { file, node })
}
