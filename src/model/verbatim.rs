//! Objects that are written completely in `extra.objects`.

use super::names;
use crate::config::codes;
use crate::config::{Cluster, Text};
use manifest::diagnostic::{Diagnostic, Spanned};
use manifest::value::{Kind, Node};

/// A complete object, and the file that it is written to.
#[derive(Clone, Debug)]
pub struct Verbatim {
    /// The file, in the form that `layout.files` uses. The file with the Flux Kustomizations is given by its
    /// own name.
    pub file: Text,
    /// The object, with Kubernetes' own keys.
    pub node: Node,
}

/// Reads the objects in `extra.objects`.
pub fn build(cluster: &Cluster, problems: &mut Vec<Diagnostic>) -> Vec<Verbatim> {
    let objects = cluster.extra.objects.iter();
    objects
        .filter_map(|object| build_one(object, problems))
        .collect()
}

fn build_one(object: &Node, problems: &mut Vec<Diagnostic>) -> Option<Verbatim> {
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
            .why("it is not known which file to write it to")
            .help("add `file = \"envoy.yaml\"`, the file to write it to"),
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
