//! References across namespaces, and the ReferenceGrants that allow them.

use std::collections::{HashMap, HashSet};

use super::index::{Index, Key};
use super::read::{list, text};
use manifest::value::Node;

/// The referring side: a kind of a group, in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReferenceGrantFrom<'a> {
    /// The group.
    pub group: &'a str,
    /// The kind.
    pub kind: &'a str,
    /// The namespace.
    pub namespace: &'a str,
}

/// The object that is referred to.
#[derive(Clone, Copy, Debug)]
pub struct ReferenceGrantTo<'a> {
    /// The group; empty for the core group.
    pub group: &'a str,
    /// The kind.
    pub kind: &'a str,
    /// The namespace and name.
    pub key: Key<'a>,
}

/// The references that ReferenceGrants allow.
#[derive(Debug)]
pub struct Grants<'a> {
    /// By the namespace of the grant and the referring side that it allows.
    granted: HashMap<(&'a str, ReferenceGrantFrom<'a>), HashMap<GroupKind<'a>, AllowedNames<'a>>>,
}

/// A group and a kind.
type GroupKind<'a> = (&'a str, &'a str);

/// The objects of a kind that may be referred to.
#[derive(Debug, Default)]
struct AllowedNames<'a> {
    are_all: bool,
    some: HashSet<&'a str>,
}

/// Whether a reference is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// The reference stays in its namespace, or a grant allows it.
    Granted,
    /// No grant allows it.
    Refused,
}

impl<'a> Grants<'a> {
    /// Collects the given ReferenceGrants.
    pub fn new(index: &Index<'a>) -> Self {
        let mut granted: HashMap<_, HashMap<GroupKind<'_>, AllowedNames<'_>>> = HashMap::new();
        for grant in index.all("ReferenceGrant") {
            for from in list(&grant.node, &["spec", "from"]) {
                let from = ReferenceGrantFrom {
                    group: written(from, "group"),
                    kind: written(from, "kind"),
                    namespace: written(from, "namespace"),
                };
                let allowed = granted.entry((grant.namespace(), from)).or_default();
                for to in list(&grant.node, &["spec", "to"]) {
                    let names = allowed
                        .entry((written(to, "group"), written(to, "kind")))
                        .or_default();
                    match text(to, &["name"]) {
                        Some(name) => names.some.extend([name]),
                        None => names.are_all = true,
                    }
                }
            }
        }
        Grants { granted }
    }

    /// Decides whether a reference is allowed.
    pub fn ask(&self, from: ReferenceGrantFrom<'_>, to: ReferenceGrantTo<'_>) -> Permission {
        // The map's keys live as long as the objects, but the lookup's key may not.
        let all: &HashMap<
            (&str, ReferenceGrantFrom<'_>),
            HashMap<GroupKind<'_>, AllowedNames<'_>>,
        > = &self.granted;
        let names = all
            .get(&(to.key.namespace, from))
            .and_then(|kinds| kinds.get(&(to.group, to.kind)));
        let granted = from.namespace == to.key.namespace
            || names.is_some_and(|names| names.are_all || names.some.contains(to.key.name));
        match granted {
            true => Permission::Granted,
            false => Permission::Refused,
        }
    }
}

fn written<'a>(node: &'a Node, key: &str) -> &'a str {
    text(node, &[key]).unwrap_or_default()
}
