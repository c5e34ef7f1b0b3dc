//! Lists whose items are merged by keys (kyaml's `associative_sequence.go`).

use super::super::fields::is_blank;
use super::super::merge_keys::Type;
use super::super::resource::{set_value, text_of};
use super::{DIRECTIVE, Directive, From, Merged, is_nothing, named};
use manifest::value::{Kind, Map, Node};

/// The values of an item's keys; empty texts for missing ones.
type Values = Vec<String>;

pub(super) fn merge(
    target: Option<Node>,
    patch: Option<Node>,
    kind: Option<Type>,
    keys: &[&str],
) -> Merged {
    if patch.as_ref().is_some_and(is_blank) && !is_nothing(target.as_ref()) {
        return Ok(None);
    }
    let (mut patch, mut from) = (patch, From::Target);
    let mut target = target;
    if is_nothing(target.as_ref()) {
        target.clone_from(&patch);
        from = From::Patch;
    } else if let Some(patch) = &mut patch {
        match directive_of(patch)? {
            Directive::Merge => {}
            Directive::Delete => return Ok(None),
            Directive::Replace => {
                target = Some(patch.clone());
                from = From::Patch;
            }
        }
    }
    let Some(target) = target else {
        return Ok(None);
    };
    let span = target.span;
    let own = list_of(patch);
    let there = list_of(Some(target));
    if own.len() + there.len() > MOST_ITEMS {
        return Err("the list is too long to be merged".to_owned());
    }
    let items = match keys {
        [] => merge_values(own, there),
        keys => merge_items(&own, there, kind, keys, from)?,
    };
    Ok(Some((Node::new(Kind::List(items), span), from)))
}

fn list_of(node: Option<Node>) -> Vec<Node> {
    match node.map(|node| node.kind) {
        Some(Kind::List(items)) => items,
        _ => Vec::new(),
    }
}

/// Removes the directive of a list, which is an item of its own, and returns it.
fn directive_of(patch: &mut Node) -> Result<Directive, String> {
    let Kind::List(items) = &mut patch.kind else {
        return Ok(Directive::Merge);
    };
    let alone = items.iter().find_map(|item| {
        let map = item.as_map()?;
        let text = map.get(DIRECTIVE).and_then(text_of)?;
        Some((map.len() == 1, text))
    });
    let Some((true, text)) = alone else {
        return Ok(Directive::Merge);
    };
    let directive = named(&text)?;
    items.retain(|item| item.get(DIRECTIVE).and_then(text_of).as_deref() != Some(&text));
    Ok(directive)
}

/// Merges lists of texts: those of the patch come first.
fn merge_values(patch: Vec<Node>, target: Vec<Node>) -> Vec<Node> {
    let mut merged: Vec<Node> = Vec::new();
    for item in patch.into_iter().chain(target) {
        if !merged.iter().any(|there| text_of(there) == text_of(&item)) {
            merged.push(item);
        }
    }
    merged
}

fn values_of(item: &Node, keys: &[&str]) -> Values {
    let value = |key: &&str| item.get(key).and_then(text_of).unwrap_or_default();
    keys.iter().map(value).collect()
}

/// The maximum number of items of merged lists; real ones have fewer.
const MOST_ITEMS: usize = 5_000;

/// Merges lists of maps by keys.
fn merge_items(
    patch: &[Node],
    mut target: Vec<Node>,
    kind: Option<Type>,
    keys: &[&str],
    origin: From,
) -> Result<Vec<Node>, String> {
    let mut all: Vec<Values> = Vec::new();
    for item in patch.iter().chain(&target) {
        let values = values_of(item, keys);
        if !all.contains(&values) {
            all.push(values);
        }
    }
    if keys.len() > 1 {
        complete(&mut all);
    }
    // Keys that no item has are left out.
    let is_used = |at: &usize| {
        all.iter()
            .any(|values| values.get(*at).is_some_and(|value| !value.is_empty()))
    };
    let mut used: Vec<usize> = (0..keys.len()).filter(is_used).collect();
    if used.is_empty() {
        used = (0..keys.len()).collect();
    }
    let keys: Vec<&str> = used
        .iter()
        .filter_map(|at| keys.get(*at).copied())
        .collect();
    let mut added: Vec<Node> = Vec::new();
    for values in &all {
        let values: Values = used
            .iter()
            .filter_map(|at| values.get(*at).cloned())
            .collect();
        let at = target
            .iter()
            .position(|item| is_meant(item, &keys, &values));
        let there = at.and_then(|at| target.get(at).cloned());
        let own = patch
            .iter()
            .find(|item| is_meant(item, &keys, &values))
            .cloned();
        let merged = super::merge(there, own, kind, None)?;
        let merged = merged.filter(|(node, _)| node.as_map().is_none_or(|map| !map.is_empty()));
        let Some((mut node, from)) = merged else {
            target.retain(|item| !has(item, &keys, &values));
            continue;
        };
        if let Some(map) = node.as_map_mut() {
            complete_item(map, &keys, &values);
        }
        // What is replaced stays in the target, unless that is the patch itself.
        let is_kept = from == From::Target || origin == From::Patch;
        if let (true, Some(slot)) = (is_kept, at.and_then(|at| target.get_mut(at))) {
            *slot = node.clone();
        }
        set(&mut added, node, &keys, &values);
    }
    append(&mut added, target, &keys);
    Ok(added)
}

/// Sets keys that are missing in an item.
fn complete_item(map: &mut Map, keys: &[&str], values: &Values) {
    for (key, value) in keys.iter().zip(values) {
        if !map.contains_key(key) && !value.is_empty() {
            set_value(map, key, Node::string(value));
        }
    }
}

/// Two items are the same if at least one key is equal, and the others are equal or missing.
fn complete(all: &mut [Values]) {
    for one in 0..all.len() {
        for other in 0..all.len() {
            let (Some(a), Some(b)) = (all.get(one), all.get(other)) else {
                continue;
            };
            let pairs = || a.iter().zip(b);
            let fits = pairs().all(|(a, b)| a == b || a.is_empty() || b.is_empty());
            if !fits || !pairs().any(|(a, b)| a == b) {
                continue;
            }
            let both: Values = pairs()
                .map(|(a, b)| if a.is_empty() { b } else { a }.clone())
                .collect();
            for at in [one, other] {
                if let Some(slot) = all.get_mut(at) {
                    slot.clone_from(&both);
                }
            }
        }
    }
}

/// Whether an item has the values that are not empty, or, if there are none, empty ones.
fn is_meant(item: &Node, keys: &[&str], values: &Values) -> bool {
    let is_empty = values.iter().all(String::is_empty);
    let mut given = keys
        .iter()
        .zip(values)
        .filter(|(_, value)| is_empty || !value.is_empty());
    given.all(|(key, value)| item.get(key).and_then(text_of).as_ref() == Some(value))
}

/// Whether an item has these values; an empty value fits everything that is there.
fn has(item: &Node, keys: &[&str], values: &Values) -> bool {
    keys.iter()
        .zip(values)
        .all(|(key, value)| match item.get(key) {
            Some(there) => value.is_empty() || text_of(there).as_deref() == Some(value),
            None => false,
        })
}

/// Replaces the items with these values, or appends one.
fn set(items: &mut Vec<Node>, item: Node, keys: &[&str], values: &Values) {
    let mut is_found = false;
    for there in items.iter_mut().filter(|there| has(there, keys, values)) {
        *there = item.clone();
        is_found = true;
    }
    if !is_found {
        items.push(item);
    }
}

/// Appends the target's items that are not among the merged ones.
fn append(merged: &mut Vec<Node>, target: Vec<Node>, keys: &[&str]) {
    for item in target {
        let values = values_of(&item, keys);
        // kustomize drops other items where an item has no keys, or only the first ones.
        let present = keys.iter().filter(|key| item.get(key).is_some()).count();
        if present < keys.len() {
            let first = keys
                .iter()
                .take_while(|key| item.get(key).is_some())
                .count();
            let known = keys.get(..first).unwrap_or_default();
            if present == 0 {
                merged.clear();
            } else if first > 0 {
                merged.retain(|there| !has(there, known, &values));
            }
            merged.push(item);
            continue;
        }
        // With several keys, kustomize moves the item to the end.
        if keys.len() > 1 {
            merged.retain(|there| !has(there, keys, &values));
        }
        set(merged, item, keys, &values);
    }
}
