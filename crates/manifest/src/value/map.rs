//! A map with strings as keys that keeps the order of its entries.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use super::node::Node;
use crate::diagnostic::Span;

/// The maximum number of keys that are searched linearly. Nearly all maps have fewer keys, and comparing a
/// few short strings is faster than hashing one. Larger maps have an index, which keeps lookups fast for any
/// number of keys.
const FEW: usize = 16;

/// A map that keeps the order of its entries.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: Vec<(String, Entry)>,
    /// The position of each key, if there are more than [`FEW`].
    #[allow(clippy::box_collection)]
    // nearly all maps have no index, and the box keeps them small
    index: Option<Box<HashMap<String, usize>>>,
}

/// The value of a key in a [`Map`].
#[derive(Clone, Debug)]
pub struct Entry {
    /// The position of the key.
    pub key_span: Option<Span>,
    /// The value.
    pub value: Node,
}

/// Whether two keys are equal. Most keys that are compared differ in their last letter if they have the same length, and
/// looking at that is quicker than a call of `memcmp`.
fn is_same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.as_bytes().last() == other.as_bytes().last() && one == other
}

impl Map {
    /// Creates a map of entries; `None` if a key occurs twice.
    pub fn distinct(entries: Vec<(String, Entry)>) -> Option<Self> {
        let mut map = Map {
            entries,
            index: None,
        };
        map.index();
        let is_distinct = match &map.index {
            Some(index) => index.len() == map.entries.len(),
            None => (1..).zip(&map.entries).all(|(next, (key, _))| {
                let later = map.entries.get(next..).unwrap_or_default();
                later.iter().all(|(other, _)| !is_same(other, key))
            }),
        };
        is_distinct.then_some(map)
    }

    fn find(&self, key: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(key).copied(),
            None => self
                .entries
                .iter()
                .position(|(there, _)| is_same(there, key)),
        }
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The value of `key`, for changes.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        let at = self.find(key)?;
        self.entries.get_mut(at).map(|(_, entry)| &mut entry.value)
    }

    /// The entry of `key`.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.get(self.find(key)?).map(|(_, entry)| entry)
    }

    /// Sets the value of `key`. An existing key keeps its position, a new one comes last. Returns the
    /// previous entry.
    pub fn insert(&mut self, key: impl Into<String>, value: Node) -> Option<Entry> {
        self.insert_entry(
            key.into(),
            Entry {
                key_span: None,
                value,
            },
        )
    }

    /// Like [`insert`](Self::insert), with the source position of the key.
    pub fn insert_entry(&mut self, key: String, entry: Entry) -> Option<Entry> {
        let old = self.find(&key).and_then(|at| self.entries.get_mut(at));
        if let Some((_, old)) = old {
            return Some(std::mem::replace(old, entry));
        }
        if let Some(index) = &mut self.index {
            index.insert(key.clone(), self.entries.len());
        }
        self.entries.push((key, entry));
        if self.index.is_none() {
            self.index();
        }
        None
    }

    /// Creates the index if there are more than [`FEW`] keys.
    fn index(&mut self) {
        if self.entries.len() > FEW {
            let keys = self.entries.iter().map(|(key, _)| key.clone());
            self.index = Some(Box::new(keys.zip(0..).collect()));
        }
    }

    /// Removes `key`; the other entries keep their order.
    pub fn remove(&mut self, key: &str) -> Option<Entry> {
        let at = self.find(key)?;
        if let Some(index) = &mut self.index {
            index.remove(key);
            index
                .values_mut()
                .filter(|there| **there > at)
                .for_each(|there| *there -= 1);
        }
        Some(self.entries.remove(at).1)
    }

    /// Whether the map has `key`.
    pub fn contains_key(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// The keys and values, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Node)> + ExactSizeIterator {
        self.entries
            .iter()
            .map(|(key, entry)| (key.as_str(), &entry.value))
    }

    /// The keys and entries, in order.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries
            .iter()
            .map(|(key, entry)| (key.as_str(), entry))
    }

    /// The keys and values, for changes of the values.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Node)> {
        self.entries
            .iter_mut()
            .map(|(key, entry)| (key.as_str(), &mut entry.value))
    }

    /// The keys and entries, by value.
    pub fn into_entries(self) -> impl Iterator<Item = (String, Entry)> {
        self.entries.into_iter()
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the map has no keys.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<K: Into<String>> FromIterator<(K, Node)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, Node)>>(iter: I) -> Self {
        let mut map = Map::default();
        for (key, value) in iter {
            map.insert(key, value);
        }
        map
    }
}

/// Maps are equal if they have the same keys with equal values. Order and source positions are ignored.
impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .all(|(key, value)| other.get(key).is_some_and(|there| there == value))
    }
}

/// The hash is independent of the order of the keys.
impl Hash for Map {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let entries = self.iter().map(|entry| {
            let mut one = DefaultHasher::new();
            entry.hash(&mut one);
            one.finish()
        });
        entries.fold(0, u64::wrapping_add).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(map: &Map) -> Vec<&str> {
        map.iter().map(|(key, _)| key).collect()
    }

    /// The result is the same with few keys and with many.
    #[test]
    fn entries_make_a_map_unless_a_key_is_duplicated() {
        let entry = |at: usize| {
            let value = Node::string(format!("v{at}"));
            let key_span = None;
            (format!("k{at}"), Entry { key_span, value })
        };
        for many in [0, 1, 3, FEW, FEW + 1, 1000] {
            let mut entries: Vec<(String, Entry)> = (0..many).map(entry).collect();
            let map = Map::distinct(entries.clone()).expect("keys that differ");
            assert_eq!(
                map,
                entries
                    .iter()
                    .map(|(key, it)| (key.as_str(), it.value.clone()))
                    .collect()
            );
            assert_eq!(map.len(), many);
            if many > 0 {
                entries.push(entry(many / 2));
                assert!(Map::distinct(entries).is_none(), "{many}");
            }
        }
    }

    #[test]
    fn keys_keep_their_order_and_are_found_in_large_maps() {
        for many in [3, FEW, FEW + 1, 1000] {
            let name = |at: usize| format!("k{at}");
            let mut map: Map = (0..many)
                .map(|at| (name(at), Node::string(name(at))))
                .collect();
            let found =
                |map: &Map, at| map.get(&name(at)).and_then(Node::as_str) == Some(&name(at));
            assert!((0..many).all(|at| found(&map, at)));
            assert!(map.insert(name(1), Node::string("k1")).is_some());
            assert!(map.remove("k0").is_some() && map.remove("k0").is_none());
            assert!((1..many).all(|at| found(&map, at)), "{many}");
            assert!(map.insert(name(0), Node::string("k0")).is_none());
            assert_eq!(map.len(), many);
            assert_eq!(keys(&map)[..2], ["k1", "k2"]);
            assert_eq!(keys(&map).last(), Some(&"k0"));
        }
    }
}
