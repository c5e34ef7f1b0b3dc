//! What is wrong with how a description is put together.

use super::super::codes;
use super::super::types::Text;
use super::{CLUSTERS, DEEPEST, MOST_CLUSTERS, MOST_FILES};
use manifest::diagnostic::suggest::nearest;
use manifest::diagnostic::{Diagnostic, Span};
use manifest::value::Node;
use manifest::value::de::found;

const NOT_KNOWN: &str = "without the file, it is not known what the clusters are like";

pub(super) fn not_relative(text: &Text) -> Diagnostic {
    Diagnostic::new(
        codes::CONFIG_EXTENDS,
        format!("{:?} is no relative path", text.value),
    )
    .at(text.span)
    .why(NOT_KNOWN)
    .help("write a path from this file's folder, with `/`, such as `../common/cluster.toml`")
}

pub(super) fn circle(text: &Text, way: &[&str]) -> Diagnostic {
    Diagnostic::new(
        codes::CONFIG_EXTENDS,
        format!(
            "the files extend each other in a circle: {}",
            way.join(", ")
        ),
    )
    .at(text.span)
    .why("no file of a circle can be read before the others")
    .help("remove this entry, or move what both need into a third file")
}

pub(super) fn too_many(text: &Text) -> Diagnostic {
    let message = format!(
        "{:?} is not read: more than {DEEPEST} files extend each other, or more than {MOST_FILES} are needed",
        text.value
    );
    Diagnostic::new(codes::CONFIG_EXTENDS, message)
        .at(text.span)
        .why("nobody could tell any more which file decides a value")
        .help("put what they have in common into fewer files")
}

pub(super) fn unread(text: &Text, name: &str, reason: &str) -> Diagnostic {
    Diagnostic::new(codes::CONFIG_EXTENDS, format!("{name} can't be read: {reason}"))
        .at(text.span)
        .why(NOT_KNOWN)
        .help("the path is relative to the file that names it, and the file must be in the same Git repository")
}

pub(super) fn not_a_key(key: &Text) -> Diagnostic {
    Diagnostic::new(
        codes::CONFIG_INVALID_VALUE,
        format!("{:?} is no key", key.value),
    )
    .at(key.span)
    .why("it is not known what is to be taken away")
    .help("write a key with dots, such as `proxy.replicas`, or `labels.\"example.com/a\"` with quotes inside")
}

pub(super) fn nothing_to_remove(key: &Text, steps: &[String], base: &Node) -> Diagnostic {
    let mut at = Some(base);
    let near = steps.iter().find_map(|step| {
        let map = at?.as_map()?;
        at = map.get(step);
        match at {
            Some(_) => None,
            None => nearest(step, map.iter().map(|(key, _)| key)),
        }
    });
    let help = match near {
        Some(near) => format!("there is `{near}`"),
        None => "remove the entry if the key is gone for good".to_owned(),
    };
    Diagnostic::new(
        codes::CONFIG_UNKNOWN_REFERENCE,
        format!("there is no `{}` to take away", key.value),
    )
    .at(key.span)
    .why("the entry would have no effect, and nobody would notice")
    .help(help)
}

pub(super) fn too_many_clusters(count: usize, span: Option<Span>) -> Diagnostic {
    let message = format!("{count} clusters are described, more than {MOST_CLUSTERS}");
    Diagnostic::new(codes::CONFIG_INVALID_VALUE, message)
        .at(span)
        .why("checking them all would take too long")
        .help(
            "describe them in several files, with a file of their own for what they have in common",
        )
}

pub(super) fn no_name(name: &str, span: Option<Span>) -> Diagnostic {
    let message = format!("a cluster can't be called {name:?}");
    Diagnostic::new(codes::CONFIG_INVALID_NAME, message)
        .at(span)
        .why("the name is that of a folder, and part of the lock's name")
        .help("write at most 63 lowercase letters, digits, `-`, `_` and `.`, and begin with a letter or digit")
}

pub(super) fn no_table(name: &str, value: &Node) -> Diagnostic {
    let message = format!(
        "`{CLUSTERS}.{name}` is not a table, but the {}",
        found(value)
    );
    Diagnostic::new(codes::CONFIG_WRONG_TYPE, message)
        .at(value.span)
        .why("the key doesn't take a value of this type")
        .help(format!(
            "write [{CLUSTERS}.{name}] on a line of its own, and the cluster's keys below it"
        ))
}
