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
    // Names that differ in a number only are of several objects of one kind: `app-v1` and `app-v2`.
    let letters = |name: &str| name.replace(|c: char| c.is_ascii_digit(), "");
    let own = letters(key.name);
    let near = there.iter().filter(|it| it.namespace == key.namespace);
    let names = near.map(|it| it.name).take(MOST_COMPARED);
    let names = names.filter(|name| letters(name) != own);
    nearest(key.name, names).map(Instead::Named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_elsewhere_or_nearby() {
        let key = |namespace, name| Key { namespace, name };
        let there = BTreeSet::from([key("a", "frontend"), key("a", "app-v1"), key("b", "web")]);
        let found = |namespace, name| instead(key(namespace, name), &there);
        assert_eq!(found("a", "frontnd"), Some(Instead::Named("frontend")));
        assert_eq!(found("a", "web"), Some(Instead::In("b")));
        assert_eq!(found("a", "app-v2"), None);
        assert_eq!(found("b", "frontnd"), None);
    }
}
