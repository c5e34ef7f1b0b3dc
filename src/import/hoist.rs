//! Moves settings that several tables have in common to the table that they inherit from.

use super::config::Config;
use super::lift::{Form, Slot};
use super::prove::merge;
use manifest::value::{Kind, Map, Node};

/// Moves settings that several tables have in common to the table that they inherit from.
pub fn hoisted(config: &Config, slots: &[Slot]) -> Option<Config> {
    let mut hoisted = config.clone();
    let mut changed = false;
    let families: [(&[&str], &str); 2] = [(&["proxy"], "proxy"), (&["autoscaling"], "autoscaling")];
    for (shared, name) in families {
        let own: Vec<Vec<&str>> = slots
            .iter()
            .filter(|slot| slot.form == Form::Inheriting)
            .filter(|slot| match name {
                "proxy" => {
                    slot.table.last().is_some_and(|last| last == "proxy") && slot.table.len() == 3
                }
                _ => slot.table.first().is_some_and(|first| first == name),
            })
            .map(|slot| slot.table.iter().map(String::as_str).collect())
            .collect();
        // The shared table already makes an object, which would get these settings too.
        let is_shared = slots.iter().any(|slot| slot.table == shared);
        if own.len() < 2 || is_shared {
            continue;
        }
        let tables: Vec<Map> = own
            .iter()
            .map(|path| {
                config
                    .get(path)
                    .and_then(Node::as_map)
                    .cloned()
                    .unwrap_or_default()
            })
            .collect();
        let common = common(&tables);
        for (key, value) in common.iter() {
            changed = true;
            merge_value(&mut hoisted, shared, key, value);
            for path in &own {
                let path: Vec<&str> = path.iter().copied().chain([key]).collect();
                let rest = hoisted.take(&path).and_then(|own| without(&own, value));
                if let Some(rest) = rest {
                    hoisted.set(&path, rest);
                }
            }
        }
        // The proxies of a gateway are scaled even if nothing is set.
        for path in own
            .iter()
            .filter(|path| matches!(path[..], ["autoscaling", "gateways", _]))
        {
            let is_empty = |node: &Node| node.as_map().is_some_and(Map::is_empty);
            if hoisted.get(path).is_some_and(is_empty) {
                hoisted.take(path);
            }
            if hoisted
                .get(&["autoscaling", "gateways"])
                .is_some_and(is_empty)
            {
                hoisted.take(&["autoscaling", "gateways"]);
            }
        }
    }
    changed.then_some(hoisted)
}

fn merge_value(config: &mut Config, table: &[&str], key: &str, value: &Node) {
    let path: Vec<&str> = table.iter().copied().chain([key]).collect();
    match value.as_map() {
        Some(_) => merge(config, &path, value.clone()),
        None => config.set(&path, value.clone()),
    }
}

/// The settings that all tables have in common. Parts of `spec` count too, because its maps are merged.
fn common(tables: &[Map]) -> Map {
    let mut common = Map::default();
    let Some((first, rest)) = tables.split_first() else {
        return common;
    };
    for (key, value) in first.iter() {
        if matches!(
            key,
            "name" | "labels" | "annotations" | "object" | "remove" | "enabled"
        ) {
            continue;
        }
        if rest.iter().all(|table| table.get(key) == Some(value)) {
            common.insert(key, value.clone());
        } else if key == "spec" {
            let others: Option<Vec<&Node>> = rest.iter().map(|table| table.get(key)).collect();
            let part = others.and_then(|others| {
                others
                    .into_iter()
                    .try_fold(value.clone(), |part, other| overlap(&part, other))
            });
            if let Some(part) = part {
                common.insert(key, part);
            }
        }
    }
    common
}

/// The part that two maps have in common.
fn overlap(first: &Node, second: &Node) -> Option<Node> {
    if first == second {
        return Some(first.clone());
    }
    let (Kind::Map(first), Kind::Map(second)) = (&first.kind, &second.kind) else {
        return None;
    };
    let alike = first
        .iter()
        .filter_map(|(key, value)| Some((key, overlap(value, second.get(key)?)?)));
    let alike: Map = alike.collect();
    (!alike.is_empty()).then(|| Node::new(Kind::Map(alike), None))
}

/// A value without the part that is set elsewhere; `None` if nothing is left.
fn without(own: &Node, said: &Node) -> Option<Node> {
    if own == said {
        return None;
    }
    match (&own.kind, &said.kind) {
        (Kind::Map(own), Kind::Map(said)) => {
            let rest = own.iter().filter_map(|(key, value)| match said.get(key) {
                Some(said) => Some((key, without(value, said)?)),
                None => Some((key, value.clone())),
            });
            let rest: Map = rest.collect();
            (!rest.is_empty()).then(|| Node::new(Kind::Map(rest), None))
        }
        _ => Some(own.clone()),
    }
}
