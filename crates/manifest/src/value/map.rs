//! A map with text for keys, in the order written.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use super::node::Node;
use crate::diagnostic::Span;

/// How many keys are looked through one by one. Nearly all maps have fewer, and comparing a few short texts is
/// quicker than hashing one; past it an index keeps a map of any size quick, whatever its keys.
const FEW: usize = 16;

/// A map, in the order written.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: Vec<(String, Entry)>,
    /// Where each key stands, once there are more than [`FEW`].
    #[allow(clippy::box_collection)] // nearly all maps have none, and are the smaller for it
    index: Option<Box<HashMap<String, usize>>>,
}

/// What a key of a [`Map`] leads to.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where the key was written.
    pub key_span: Option<Span>,
    /// The value.
    pub value: Node,
}

impl Map {
    /// The map of these entries; `None` where a key stands among them twice.
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
                later.iter().all(|(other, _)| other != key)
            }),
        };
        is_distinct.then_some(map)
    }

    fn find(&self, key: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(key).copied(),
            None => self.entries.iter().position(|(there, _)| there == key),
        }
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The value under `key`, to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        let at = self.find(key)?;
        self.entries.get_mut(at).map(|(_, entry)| &mut entry.value)
    }

    /// The entry under `key`.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.get(self.find(key)?).map(|(_, entry)| entry)
    }

    /// Puts `value` under `key`: in its old place where the key is there already, else last.
    pub fn insert(&mut self, key: impl Into<String>, value: Node) -> Option<Entry> {
        self.insert_entry(
            key.into(),
            Entry {
                key_span: None,
                value,
            },
        )
    }

    /// As [`insert`](Self::insert), with the place of the key.
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

    /// Makes the index where there are more than a few keys.
    fn index(&mut self) {
        if self.entries.len() > FEW {
            let keys = self.entries.iter().map(|(key, _)| key.clone());
            self.index = Some(Box::new(keys.zip(0..).collect()));
        }
    }

    /// Takes the value under `key` out; the others keep their order.
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

    /// Whether `key` is there.
    pub fn contains_key(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// Keys and values, in the order written.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Node)> + ExactSizeIterator {
        self.entries
            .iter()
            .map(|(key, entry)| (key.as_str(), &entry.value))
    }

    /// Keys and entries, in the order written.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries
            .iter()
            .map(|(key, entry)| (key.as_str(), entry))
    }

    /// Keys and values, to change the values.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Node)> {
        self.entries
            .iter_mut()
            .map(|(key, entry)| (key.as_str(), &mut entry.value))
    }

    /// Keys and entries, by value.
    pub fn into_entries(self) -> impl Iterator<Item = (String, Entry)> {
        self.entries.into_iter()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no key.
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

/// Maps are equal where the same keys lead to equal values: order and places don't count.
impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .all(|(key, value)| other.get(key).is_some_and(|there| there == value))
    }
}

/// The order of the keys doesn't count.
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

    /// The same with few keys and with many.
    #[test]
    fn entries_make_a_map_unless_a_key_stands_twice() {
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
    fn keys_keep_their_order_and_are_found_however_many_there_are() {
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
