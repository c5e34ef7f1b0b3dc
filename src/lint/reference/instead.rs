//! What exists instead of an object that something names and that doesn't exist.

use std::collections::BTreeSet;

use envoy_gateway::index::Key;
use manifest::diagnostic::suggest::{MOST_COMPARED, nearest};

/// What exists instead of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instead<'n> {
    /// An object with this similar name, in the same namespace.
    Named(&'n str),
    /// An object with the same name, in this other namespace.
    In(&'n str),
}

/// What exists instead of an object; `None` if nothing similar does.
pub(crate) fn instead<'n>(key: Key<'_>, there: &BTreeSet<Key<'n>>) -> Option<Instead<'n>> {
    let mut elsewhere = there.iter().filter(|it| it.name == key.name);
    if let Some(one) = elsewhere.find(|it| it.namespace != key.namespace) {
        return Some(Instead::In(one.namespace));
    }
    let near = there.iter().filter(|it| it.namespace == key.namespace);
    let names = near.map(|it| it.name).take(MOST_COMPARED);
    nearest(key.name, names).map(Instead::Named)
}
