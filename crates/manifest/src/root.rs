//! An object's tree, and what the object is called.

use std::ops::{Deref, DerefMut};
use std::sync::OnceLock;

use crate::value::Node;

/// The tree of an object. It remembers its heading: every check asks each object for its kind, most of them for its
/// name, and the way there leads through maps that are in no cache any more.
#[derive(Clone, Debug)]
pub struct Root {
    node: Node,
    heading: OnceLock<Heading>,
}

/// What an object is called: the texts at [`PATHS`], one after the other; empty where there is none.
#[derive(Clone, Debug)]
struct Heading {
    text: Box<str>,
    ends: [usize; PATHS.len()],
}

/// Where the parts of a heading stand.
const PATHS: [&[&str]; 4] = [
    &["apiVersion"],
    &["kind"],
    &["metadata", "name"],
    &["metadata", "namespace"],
];

/// A part of a heading, by its place in [`PATHS`].
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    ApiVersion,
    Kind,
    Name,
    Namespace,
}

impl Root {
    /// A part of what the object is called.
    pub(super) fn text(&self, part: Part) -> &str {
        let heading = self.heading.get_or_init(|| Heading::of(&self.node));
        let at = part as usize;
        let start = at
            .checked_sub(1)
            .and_then(|before| heading.ends.get(before));
        let end = heading.ends.get(at).copied().unwrap_or_default();
        let range = start.copied().unwrap_or_default()..end;
        heading.text.get(range).unwrap_or_default()
    }

    /// The tree itself.
    pub fn into_node(self) -> Node {
        self.node
    }
}

/// Room for most headings, in bytes.
const ROOM: usize = 128;

impl Heading {
    fn of(node: &Node) -> Self {
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
        Root {
            node,
            heading: OnceLock::new(),
        }
    }
}

impl Deref for Root {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.node
    }
}

impl DerefMut for Root {
    /// Whoever may change the tree may change the heading: it is looked up again.
    fn deref_mut(&mut self) -> &mut Node {
        self.heading.take();
        &mut self.node
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_object_is_called_follows_its_tree() {
        let node = |text: &str| Node::from_json(serde_json::from_str(text).expect("JSON"));
        let mut root = Root::from(node(
            r#"{"kind": "Gateway", "metadata": {"name": "a", "namespace": "b"}}"#,
        ));
        let called = |root: &Root| {
            [Part::ApiVersion, Part::Kind, Part::Name, Part::Namespace]
                .map(|it| root.text(it).to_owned())
        };
        assert_eq!(called(&root), ["", "Gateway", "a", "b"]);
        let metadata = root.as_map_mut().and_then(|map| map.get_mut("metadata"));
        *metadata.expect("metadata") = node(r#"{"name": "other", "namespace": 1}"#);
        assert_eq!(called(&root), ["", "Gateway", "other", ""]);
        *root = node(r#"[1]"#);
        assert_eq!(called(&root), ["", "", "", ""]);
    }
}
