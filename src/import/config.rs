//! A `cluster.toml` under construction.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use crate::config::reference;
use manifest::value::{Kind, Map, Node};

/// Tables and values by path.
#[derive(Clone, Debug, Default)]
pub struct Config {
    root: Map,
}

/// The order of the tables at the top level: the one in which a person would write them.
const ORDER: [&str; 36] = [
    "domain",
    "certificates",
    "namespace",
    "dns",
    "class",
    "versions",
    "chart",
    "proxy",
    "gateways",
    "classes",
    "tunnel",
    "redirect",
    "redirects",
    "responses",
    "ssh",
    "tcp",
    "udp",
    "external",
    "client_traffic",
    "backend_traffic",
    "lua",
    "auth",
    "security_policies",
    "extension_policies",
    "patch_policies",
    "autoscaling",
    "monitoring",
    "network_policies",
    "cilium",
    "cert_manager",
    "delivery",
    "flux",
    "argocd",
    "layout",
    "extra",
    "",
];

impl From<Map> for Config {
    fn from(root: Map) -> Self {
        Config { root }
    }
}

impl Config {
    /// Sets the value at a path, and creates the tables on the way.
    pub fn set(&mut self, path: &[&str], value: Node) {
        if let Some((last, above)) = path.split_last() {
            self.edit(above, |table| {
                table.insert(*last, value);
            });
        }
    }

    /// Adds values to the table at a path, and replaces existing ones.
    pub fn extend(&mut self, path: &[&str], values: Map) {
        self.edit(path, |table| {
            for (key, entry) in values.into_entries() {
                table.insert_entry(key, entry);
            }
        });
    }

    /// Changes the table at a path, and creates it if it doesn't exist.
    pub fn edit(&mut self, path: &[&str], change: impl FnOnce(&mut Map)) {
        edit(&mut self.root, path, change);
    }

    /// The value at a path.
    pub fn get(&self, path: &[&str]) -> Option<&Node> {
        let (first, rest) = path.split_first()?;
        self.root.get(first)?.path(rest)
    }

    /// Removes and returns the value at a path.
    pub fn take(&mut self, path: &[&str]) -> Option<Node> {
        let (last, above) = path.split_last()?;
        self.get(path)?;
        let mut taken = None;
        self.edit(above, |table| taken = table.remove(last));
        taken.map(|entry| entry.value)
    }

    /// Everything, in the order of the reference.
    pub fn ordered(&self) -> Map {
        let mut root = ordered(&self.root, "", places());
        let mut sorted = Map::default();
        for key in ORDER {
            if let Some(entry) = root.remove(key) {
                sorted.insert_entry(key.to_owned(), entry);
            }
        }
        for (key, entry) in root.into_entries() {
            sorted.insert_entry(key, entry);
        }
        sorted
    }
}

fn edit(map: &mut Map, path: &[&str], change: impl FnOnce(&mut Map)) {
    let Some((first, rest)) = path.split_first() else {
        return change(map);
    };
    if map.get(first).and_then(Node::as_map).is_none() {
        map.insert(*first, Node::map());
    }
    if let Some(below) = map.get_mut(first).and_then(Node::as_map_mut) {
        edit(below, rest, change);
    }
}

/// The position of each key in the reference.
fn places() -> &'static HashMap<String, usize> {
    static PLACES: OnceLock<HashMap<String, usize>> = OnceLock::new();
    PLACES.get_or_init(|| {
        let keys = reference::keys().into_iter().enumerate();
        keys.map(|(at, key)| (key.path, at)).collect()
    })
}

/// A table with its known keys in order. Unknown keys keep the order that they have.
fn ordered(map: &Map, path: &str, places: &HashMap<String, usize>) -> Map {
    let of = |key: &str| {
        let own = format!("{path}{key}");
        match places.get(&own) {
            Some(at) => (*at, own),
            None => (usize::MAX, format!("{path}NAME")),
        }
    };
    let mut entries: Vec<_> = map.entries().collect();
    entries.sort_by_key(|(key, _)| of(key).0);
    let mut sorted = Map::default();
    for (key, entry) in entries {
        let mut entry = entry.clone();
        let (_, own) = of(key);
        // Keys below a key that accepts anything are the user's, and keep their order.
        let is_table = TABLES.get_or_init(tables).contains(&own);
        if let (Kind::Map(inner), true) = (&entry.value.kind, is_table) {
            entry.value = Node::new(Kind::Map(ordered(inner, &format!("{own}."), places)), None);
        }
        sorted.insert_entry(key.to_owned(), entry);
    }
    sorted
}

/// The tables that have keys of their own.
static TABLES: OnceLock<HashSet<String>> = OnceLock::new();

fn tables() -> HashSet<String> {
    let keys = reference::keys().into_iter();
    let above = keys.flat_map(|key| {
        let ends: Vec<usize> = key.path.match_indices('.').map(|(end, _)| end).collect();
        ends.into_iter()
            .filter_map(move |end| key.path.get(..end).map(str::to_owned))
            .collect::<Vec<_>>()
    });
    above.collect()
}

/// A string.
pub fn text(text: impl Into<String>) -> Node {
    Node::string(text)
}

/// A boolean.
pub fn flag(value: bool) -> Node {
    Node::new(Kind::Bool(value), None)
}

/// A string, or a list of strings if there are several.
pub fn texts<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Node {
    let mut items: Vec<Node> = items.into_iter().map(Node::string).collect();
    match items.len() {
        1 => items.remove(0),
        _ => Node::new(Kind::List(items), None),
    }
}

/// A list of strings.
pub fn list<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Node {
    Node::new(
        Kind::List(items.into_iter().map(Node::string).collect()),
        None,
    )
}

/// A table of strings.
pub fn pairs<K: Into<String>, V: Into<String>>(items: impl IntoIterator<Item = (K, V)>) -> Node {
    let map: Map = items
        .into_iter()
        .map(|(key, value)| (key.into(), Node::string(value)))
        .collect();
    Node::new(Kind::Map(map), None)
}
