//! Lists, which know how Kubernetes merges them.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use smol_str::SmolStr;

use super::value::{Key, Value};

/// How a list is merged (`x-kubernetes-list-type`), which decides when it equals another one, and what `+` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merge {
    /// Its items are unique, and their order doesn't matter.
    Set,
    /// Its items are maps with unique values of these keys, and their order doesn't matter.
    Map(Vec<SmolStr>),
}

/// A list. Copies are cheap.
#[derive(Clone, Debug)]
pub struct List {
    items: Arc<[Value]>,
    merge: Option<Arc<Merge>>,
}

impl List {
    /// The same items, merged in another way.
    #[must_use]
    pub fn merged(self, merge: Option<Merge>) -> Self {
        List {
            merge: merge.map(Arc::new),
            ..self
        }
    }

    /// Whether the order of its items matters.
    pub(crate) fn is_ordered(&self) -> bool {
        self.merge.is_none()
    }

    /// What identifies an item of this list; empty if nothing does.
    pub(crate) fn identity(&self, item: &Value) -> Vec<Option<Key>> {
        match self.merge.as_deref() {
            None => Vec::new(),
            Some(Merge::Set) => Key::of(item).map(Some).into_iter().collect(),
            Some(Merge::Map(keys)) => keys
                .iter()
                .map(|key| item.field(key).and_then(Key::of))
                .collect(),
        }
    }

    /// Where the items of another list are, by what identifies them in this one.
    pub(crate) fn places(&self, other: &List) -> BTreeMap<Vec<Option<Key>>, usize> {
        let identified = other
            .iter()
            .enumerate()
            .map(|(at, item)| (self.identity(item), at));
        identified
            .filter(|(identity, _)| !identity.is_empty())
            .collect()
    }

    /// Both lists together. The items of a set or a map are unique: in a map, the other list's win.
    pub(crate) fn with(&self, other: &List) -> List {
        let mut items = self.items.to_vec();
        let mut places = self.places(self);
        for item in other.iter() {
            let identity = self.identity(item);
            match places.get(&identity) {
                Some(at) if let Some(there) = items.get_mut(*at) => *there = item.clone(),
                _ => {
                    if !identity.is_empty() {
                        places.insert(identity, items.len());
                    }
                    items.push(item.clone());
                }
            }
        }
        List {
            items: items.into(),
            merge: self.merge.clone(),
        }
    }
}

impl Deref for List {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.items
    }
}

impl<Items: Into<Arc<[Value]>>> From<Items> for List {
    fn from(items: Items) -> Self {
        List {
            items: items.into(),
            merge: None,
        }
    }
}

impl FromIterator<Value> for List {
    fn from_iter<Items: IntoIterator<Item = Value>>(items: Items) -> Self {
        List::from(items.into_iter().collect::<Arc<[Value]>>())
    }
}
