//! The tree of an object, with its heading.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, OnceLock};

use crate::value::Node;

/// The tree of an object. It caches the object's heading, because every check asks for its kind and most ask
/// for its name, and looking them up in the maps is slow when they are no longer in the CPU cache. Clones share the tree
/// until one of them is changed: a check of a repository clones all objects for each cluster and changes only a few.
#[derive(Clone, Debug)]
pub struct Root(Arc<Tree>);

#[derive(Clone, Debug)]
struct Tree {
    node: Node,
    heading: OnceLock<Heading>,
}

/// The concatenated strings at [`PATHS`]; a missing string is empty.
#[derive(Clone, Debug)]
struct Heading {
    text: Box<str>,
    ends: [usize; PATHS.len()],
}

/// The paths of the parts of a heading.
const PATHS: [&[&str]; 4] = [
    &["apiVersion"],
    &["kind"],
    &["metadata", "name"],
    &["metadata", "namespace"],
];

/// A part of a heading, in the order of [`PATHS`].
#[derive(Clone, Copy, Debug)]
pub(super) enum HeadingPart {
    ApiVersion,
    Kind,
    Name,
    Namespace,
}

impl Root {
    /// A part of the heading.
    pub(super) fn heading_part(&self, part: HeadingPart) -> &str {
        let heading = self.0.heading.get_or_init(|| Heading::new(&self.0.node));
        let at = part as usize;
        let start = at
            .checked_sub(1)
            .and_then(|before| heading.ends.get(before));
        let end = heading.ends.get(at).copied().unwrap_or_default();
        let range = start.copied().unwrap_or_default()..end;
        heading.text.get(range).unwrap_or_default()
    }

    /// Returns the tree.
    pub fn into_node(self) -> Node {
        match Arc::try_unwrap(self.0) {
            Ok(tree) => tree.node,
            Err(shared) => shared.node.clone(),
        }
    }
}

/// The initial capacity in bytes, which is enough for most headings.
const ROOM: usize = 128;

impl Heading {
    fn new(node: &Node) -> Self {
        let mut text = String::with_capacity(ROOM);
        let ends = PATHS.map(|path| {
            text.push_str(node.path(path).and_then(Node::as_str).unwrap_or_default());
            text.len()
        });
        Heading {
            text: text.into(),
            ends,
        }
    }
}

impl From<Node> for Root {
    fn from(node: Node) -> Self {
        Root(Arc::new(Tree {
            node,
            heading: OnceLock::new(),
        }))
    }
}

impl Deref for Root {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.0.node
    }
}

impl DerefMut for Root {
    /// The caller may change the heading through this reference, so the cache is cleared. A tree that is shared with
    /// clones is copied first.
    fn deref_mut(&mut self) -> &mut Node {
        let tree = Arc::make_mut(&mut self.0);
        tree.heading.take();
        &mut tree.node
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_follows_changes_of_the_tree() {
        let node = |text: &str| Node::from_json(serde_json::from_str(text).expect("JSON"));
        let mut root = Root::from(node(
            r#"{"kind": "Gateway", "metadata": {"name": "a", "namespace": "b"}}"#,
        ));
        let called = |root: &Root| {
            [
                HeadingPart::ApiVersion,
                HeadingPart::Kind,
                HeadingPart::Name,
                HeadingPart::Namespace,
            ]
            .map(|it| root.heading_part(it).to_owned())
        };
        assert_eq!(called(&root), ["", "Gateway", "a", "b"]);
        let metadata = root.as_map_mut().and_then(|map| map.get_mut("metadata"));
        *metadata.expect("metadata") = node(r#"{"name": "other", "namespace": 1}"#);
        assert_eq!(called(&root), ["", "Gateway", "other", ""]);
        *root = node(r#"[1]"#);
        assert_eq!(called(&root), ["", "", "", ""]);
    }
}
