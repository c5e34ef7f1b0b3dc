//! Reads the simple settings of an object: those of the tables in [`settings`](super::settings).

use crate::import::config::{flag, pairs, texts};
use crate::import::toml::can_say;
use manifest::value::{Kind, Map, Node, variable};

pub(super) use super::settings::*;

/// The type of a setting.
#[derive(Clone, Copy, Debug)]
pub(super) enum SettingType {
    /// A string.
    Text,
    /// A string with a default.
    TextOr(&'static str),
    /// An integer, or a Flux variable.
    Count,
    /// An integer with a default.
    CountOr(i64),
    /// A boolean.
    Flag,
    /// A boolean with a default.
    FlagOr(bool),
    /// A list of strings.
    Texts,
    /// Any value.
    Any,
    /// A map that exists or not: `{}` is `true`.
    Switch,
    /// A list of `{name}`, as a list of these names.
    Names,
    /// A list of `{name, value}`, as a table.
    NamedValues,
}

/// A key with its path in the table, a field with its path in the object, and the type.
pub(super) type Row = (&'static str, &'static str, SettingType);

use SettingType::{
    Any, Count, CountOr, Flag, FlagOr, NamedValues, Names, Switch, Text, TextOr, Texts,
};

/// Converts a value to a setting; `None` if it can't be expressed, or is the default.
fn taken(value: &Node, takes: SettingType) -> Option<Node> {
    let plain = || Node::from_json(value.to_json());
    match takes {
        Text => value.as_str().map(|_| plain()),
        TextOr(default) => value
            .as_str()
            .filter(|text| *text != default)
            .map(|_| plain()),
        Count | CountOr(_) if value.as_str().is_some_and(variable::in_text) => Some(plain()),
        Count => value.as_i64().map(|_| plain()),
        CountOr(default) => value
            .as_i64()
            .filter(|number| *number != default)
            .map(|_| plain()),
        Flag => value.as_bool().map(|_| plain()),
        FlagOr(default) => value
            .as_bool()
            .filter(|flag| *flag != default)
            .map(|_| plain()),
        Texts => {
            let items: Option<Vec<&str>> = value.as_list()?.iter().map(Node::as_str).collect();
            items.map(texts)
        }
        Any => can_say(value).then(plain),
        Switch => value.as_map().map(|_| flag(true)),
        Names => {
            let items = value.as_list()?.iter();
            let items: Option<Vec<&str>> = items.map(|item| only(item, &["name"])).collect();
            items.map(texts)
        }
        NamedValues => {
            let items = value.as_list()?.iter();
            let items: Option<Vec<(&str, &str)>> = items
                .map(|item| {
                    Some((
                        only(item, &["name", "value"])?,
                        item.get("value")?.as_str()?,
                    ))
                })
                .collect();
            items.map(pairs)
        }
    }
}

/// The name of an item that has these keys and no others.
fn only<'a>(item: &'a Node, keys: &[&str]) -> Option<&'a str> {
    let map = item.as_map()?;
    let has_no_others = map.len() == keys.len() && keys.iter().all(|key| map.contains_key(key));
    item.get("name")?.as_str().filter(|_| has_no_others)
}

/// The settings for an object. `part` replaces `{}` in the paths of the rows.
pub(super) fn lift(rows: &[Row], object: &Node, part: &str) -> Map {
    let mut table = Node::map();
    for (key, path, takes) in rows {
        let path: Vec<&str> = path
            .split('.')
            .map(|step| if step == "{}" { part } else { step })
            .collect();
        let value = object.path(&path).and_then(|value| taken(value, *takes));
        if let Some(value) = value {
            put(&mut table, key, value);
        }
    }
    match table.kind {
        Kind::Map(map) => map,
        _ => Map::default(),
    }
}

/// Sets the value at a dotted path.
pub fn put(table: &mut Node, path: &str, value: Node) {
    let Some(map) = table.as_map_mut() else {
        return;
    };
    match path.split_once('.') {
        None => {
            map.insert(path, value);
        }
        Some((first, rest)) => {
            if map.get(first).and_then(Node::as_map).is_none() {
                map.insert(first, Node::map());
            }
            if let Some(below) = map.get_mut(first) {
                put(below, rest, value);
            }
        }
    }
}
