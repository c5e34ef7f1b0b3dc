//! Matches the entries of two lists.
//! The first method that works is used: the keys from the schema; the keys that are known for a field of
//! this name ([`KEYS`]); `name`, if every entry has a unique one; as a set, if all entries are distinct
//! scalars; otherwise alignment, as for lines of text. For entries with keys, a different order is reported
//! as a separate change.

use std::collections::{BTreeMap, BTreeSet};

use similar::{Algorithm, DiffOp, capture_diff_slices};

use manifest::value::{Kind, Node};

/// The maximum number of entries of a list that is aligned. Longer lists are matched by index, which is fast.
const MOST_ALIGNED: usize = 2_000;

const REFERENCE: &[&str] = &["group", "kind", "namespace", "name", "sectionName", "port"];
const OBJECT: &[&str] = &["apiVersion", "kind", "namespace", "name"];

/// The keys that identify the entries of lists in which `name` is not unique, by field. They come from the
/// Gateway API, Flux, kustomize and Kubernetes.
pub const KEYS: &[(&str, &[&str])] = &[
    ("parentRefs", REFERENCE),
    ("targetRefs", REFERENCE),
    ("backendRefs", REFERENCE),
    ("certificateRefs", REFERENCE),
    ("dependsOn", &["namespace", "name"]),
    ("healthChecks", OBJECT),
    ("substituteFrom", &["kind", "name"]),
    ("valuesFrom", &["kind", "name", "valuesKey", "targetPath"]),
    ("configMapGenerator", &["namespace", "name"]),
    ("secretGenerator", &["namespace", "name"]),
    ("volumeMounts", &["mountPath"]),
    ("tolerations", &["key", "operator", "value", "effect"]),
];

/// The result of matching two lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aligned {
    /// Matching entries, in the order of the new list, with removed ones last.
    pub pairs: Vec<Pair>,
    /// The order of the common entries before and after, if it differs.
    pub reordered: Option<(Vec<String>, Vec<String>)>,
}

/// The index of an entry before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The index in the old list.
    pub old: Option<usize>,
    /// The index in the new list.
    pub new: Option<usize>,
    /// The name of the entry in a path; empty for an entry of a set.
    pub label: String,
}

/// Matches the entries of two lists under the key `field`. `keys` are those from the schema.
pub fn align(field: &str, keys: Option<&[String]>, old: &[Node], new: &[Node]) -> Aligned {
    let of_schema = keys.map(|keys| keys.iter().map(String::as_str).collect::<Vec<_>>());
    let of_table = KEYS
        .iter()
        .find(|(name, _)| *name == field)
        .map(|(_, keys)| keys.to_vec());
    for keys in [of_schema, of_table, Some(vec!["name"])]
        .into_iter()
        .flatten()
    {
        let name = |node: &Node| Name::of_entry(node, &keys);
        if let (Some(old), Some(new)) = (names(old, name), names(new, name)) {
            return keyed(&old, &new);
        }
    }
    if let (Some(old), Some(new)) = (names(old, Name::of_scalar), names(new, Name::of_scalar)) {
        return keyed(&old, &new);
    }
    align_by_content(old, new)
}

/// The identity of a list entry.
#[derive(Clone, Debug)]
struct Name {
    /// The unique key of the entry.
    key: String,
    /// The name of the entry in a path.
    label: String,
    /// The name of the entry in a list of names.
    shown: String,
}

impl Name {
    /// Identifies an entry by its keys; `None` if it has none of them, or if one is not a scalar.
    fn of_entry(node: &Node, keys: &[&str]) -> Option<Name> {
        let map = node.as_map()?;
        let (mut key, mut parts) = (Vec::new(), Vec::new());
        for name in keys {
            let value = map.get(name);
            key.push(value.map_or(Some(String::new()), scalar)?);
            parts.extend(value.and_then(plain).filter(|part| !part.is_empty()));
        }
        let label = parts.join("/");
        (!parts.is_empty()).then(|| Name {
            key: key.join(","),
            shown: label.clone(),
            label,
        })
    }

    /// Identifies a scalar by its value. It has no name in the path, because the value is shown beside the
    /// path.
    fn of_scalar(node: &Node) -> Option<Name> {
        Some(Name {
            key: scalar(node)?,
            shown: plain(node)?,
            label: String::new(),
        })
    }
}

/// The identities of all entries; `None` if an entry has none, or if two are equal.
fn names(list: &[Node], name: impl Fn(&Node) -> Option<Name>) -> Option<Vec<Name>> {
    let names: Vec<Name> = list.iter().map(name).collect::<Option<_>>()?;
    let distinct: BTreeSet<&str> = names.iter().map(|name| name.key.as_str()).collect();
    (distinct.len() == names.len()).then_some(names)
}

/// A scalar as JSON, so that `1` and `"1"` differ.
fn scalar(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::List(_) | Kind::Map(_) => None,
        _ => Some(canonical(node)),
    }
}

/// A scalar for people.
fn plain(node: &Node) -> Option<String> {
    node.as_str().map(str::to_owned).or_else(|| scalar(node))
}

fn keyed(old: &[Name], new: &[Name]) -> Aligned {
    let positions = |names: &[Name]| -> BTreeMap<String, usize> {
        names
            .iter()
            .enumerate()
            .map(|(at, name)| (name.key.clone(), at))
            .collect()
    };
    let (was, is) = (positions(old), positions(new));
    let after = new.iter().enumerate().map(|(at, name)| Pair {
        old: was.get(&name.key).copied(),
        new: Some(at),
        label: name.label.clone(),
    });
    let removed = old
        .iter()
        .enumerate()
        .filter(|(_, name)| !is.contains_key(&name.key));
    let removed = removed.map(|(at, name)| Pair {
        old: Some(at),
        new: None,
        label: name.label.clone(),
    });
    let pairs = after.chain(removed).collect();
    let common = |names: &[Name], other: &BTreeMap<String, usize>| -> Vec<Name> {
        names
            .iter()
            .filter(|name| other.contains_key(&name.key))
            .cloned()
            .collect()
    };
    let (before, after) = (common(old, &is), common(new, &was));
    let same_order = before
        .iter()
        .map(|name| &name.key)
        .eq(after.iter().map(|name| &name.key));
    let shown = |names: Vec<Name>| names.into_iter().map(|name| name.shown).collect();
    Aligned {
        pairs,
        reordered: (!same_order).then(|| (shown(before), shown(after))),
    }
}

fn align_by_content(old: &[Node], new: &[Node]) -> Aligned {
    let texts = |list: &[Node]| list.iter().map(canonical).collect::<Vec<_>>();
    let (old, new) = (texts(old), texts(new));
    if let Some(reordered) = permuted(&old, &new) {
        return Aligned {
            pairs: Vec::new(),
            reordered: Some(reordered),
        };
    }
    let longest = old.len().max(new.len());
    let mut pairs = match old.cmp(&new) {
        _ if longest > MOST_ALIGNED => pair_by_position(0, old.len(), 0, new.len()).collect(),
        // The alignment must not depend on which side is the old one.
        std::cmp::Ordering::Greater => aligned(&new, &old)
            .into_iter()
            .map(|(new, old)| (old, new))
            .collect(),
        _ => aligned(&old, &new),
    };
    // Removed entries come last, the others in their new order.
    pairs.sort_by_key(|(old, new)| (new.is_none(), *new, *old));
    let pair = |(old, new): (Option<usize>, Option<usize>)| Pair {
        old,
        new,
        label: new.or(old).map(|at| at.to_string()).unwrap_or_default(),
    };
    Aligned {
        pairs: pairs.into_iter().map(pair).collect(),
        reordered: None,
    }
}

/// The old indexes of the entries, before and after, if both sides contain the same entries in a different
/// order.
fn permuted(old: &[String], new: &[String]) -> Option<(Vec<String>, Vec<String>)> {
    if old == new || old.len() != new.len() {
        return None;
    }
    let mut positions: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, text) in old.iter().enumerate().rev() {
        positions.entry(text).or_default().push(at);
    }
    let order: Vec<usize> = new
        .iter()
        .map(|text| positions.get_mut(text.as_str())?.pop())
        .collect::<Option<_>>()?;
    let shown = |order: &mut dyn Iterator<Item = usize>| order.map(|at| format!("#{at}")).collect();
    Some((shown(&mut (0..old.len())), shown(&mut order.into_iter())))
}

type Positions = (Option<usize>, Option<usize>);

fn aligned(old: &[String], new: &[String]) -> Vec<Positions> {
    let mut pairs = Vec::new();
    for operation in capture_diff_slices(Algorithm::Myers, old, new) {
        let (old, new) = match operation {
            DiffOp::Equal {
                old_index,
                new_index,
                len,
            } => (old_index..old_index + len, new_index..new_index + len),
            DiffOp::Delete {
                old_index,
                old_len,
                new_index,
            } => (old_index..old_index + old_len, new_index..new_index),
            DiffOp::Insert {
                old_index,
                new_index,
                new_len,
            } => (old_index..old_index, new_index..new_index + new_len),
            DiffOp::Replace {
                old_index,
                old_len,
                new_index,
                new_len,
            } => (
                old_index..old_index + old_len,
                new_index..new_index + new_len,
            ),
        };
        pairs.extend(pair_by_position(old.start, old.end, new.start, new.end));
    }
    pairs
}

fn pair_by_position(
    old: usize,
    old_end: usize,
    new: usize,
    new_end: usize,
) -> impl Iterator<Item = Positions> {
    let place = |start: usize, end: usize, at: usize| (start + at < end).then_some(start + at);
    (0..(old_end - old).max(new_end - new))
        .map(move |at| (place(old, old_end, at), place(new, new_end, at)))
}

/// A text that is the same for equal values: keys are sorted, and `1.0` is written as `1`.
fn canonical(node: &Node) -> String {
    match &node.kind {
        Kind::Number(number) if number.is_f64() => {
            let value = number.as_f64().unwrap_or_default();
            if value.fract() == 0.0 {
                format!("{value:.0}")
            } else {
                number.to_string()
            }
        }
        Kind::List(items) => format!(
            "[{}]",
            items.iter().map(canonical).collect::<Vec<_>>().join(",")
        ),
        Kind::Map(map) => {
            let entries: BTreeMap<&str, String> = map
                .iter()
                .map(|(key, value)| (key, canonical(value)))
                .collect();
            let entry =
                |(key, value): (&str, String)| format!("{}:{value}", serde_json::Value::from(key));
            format!(
                "{{{}}}",
                entries.into_iter().map(entry).collect::<Vec<_>>().join(",")
            )
        }
        _ => node.to_json().to_string(),
    }
}

#[cfg(test)]
mod tests;
