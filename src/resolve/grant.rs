//! References across namespaces, and the ReferenceGrants that allow them.

use std::collections::HashMap;

use super::index::{Index, Key};
use super::read::{list, text};
use crate::value::Node;

/// What refers: a kind of a group in a namespace.
#[derive(Clone, Copy, Debug)]
pub struct From<'a> {
    /// The group.
    pub group: &'a str,
    /// The kind.
    pub kind: &'a str,
    /// The namespace.
    pub namespace: &'a str,
}

/// What is referred to.
#[derive(Clone, Copy, Debug)]
pub struct To<'a> {
    /// The group; empty for the core group.
    pub group: &'a str,
    /// The kind.
    pub kind: &'a str,
    /// The namespace and name.
    pub key: Key<'a>,
}

/// Whether references are allowed.
#[derive(Debug)]
pub struct Grants<'a> {
    by_namespace: HashMap<&'a str, Vec<&'a Node>>,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// It stays in its namespace, or a grant allows it.
    Granted,
    /// No grant allows it.
    Refused,
}

impl<'a> Grants<'a> {
    /// The grants at hand.
    pub fn new(index: &Index<'a>) -> Self {
        let mut by_namespace: HashMap<&str, Vec<&Node>> = HashMap::new();
        for grant in index.all("ReferenceGrant") {
            if let Some(spec) = grant.node.get("spec") {
                by_namespace
                    .entry(grant.namespace())
                    .or_default()
                    .push(spec);
            }
        }
        Grants { by_namespace }
    }

    /// Whether a reference is allowed.
    pub fn ask(&self, from: From<'_>, to: To<'_>) -> Permission {
        let grants = self.by_namespace.get(to.key.namespace);
        let granted = from.namespace == to.key.namespace
            || grants
                .into_iter()
                .flatten()
                .any(|grant| allows_from(grant, from) && allows_to(grant, to));
        match granted {
            true => Permission::Granted,
            false => Permission::Refused,
        }
    }
}

fn is(node: &Node, key: &str, want: &str) -> bool {
    text(node, &[key]).unwrap_or_default() == want
}

fn allows_from(grant: &Node, from: From<'_>) -> bool {
    list(grant, &["from"]).iter().any(|one| {
        is(one, "namespace", from.namespace)
            && is(one, "group", from.group)
            && is(one, "kind", from.kind)
    })
}

fn allows_to(grant: &Node, to: To<'_>) -> bool {
    list(grant, &["to"]).iter().any(|one| {
        is(one, "group", to.group)
            && is(one, "kind", to.kind)
            && text(one, &["name"]).is_none_or(|name| name == to.key.name)
    })
}
