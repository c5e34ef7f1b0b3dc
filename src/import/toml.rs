//! Writes a tree as the `cluster.toml` that a person would write: short tables on one line, long ones under a header,
//! and dotted keys for tables with one value. This module decides the layout, and `toml_writer` does the quotes and
//! escapes.

use std::fmt::Write;

use toml_writer::{ToTomlKey, ToTomlValue, TomlKeyBuilder, TomlStringBuilder};

use manifest::diagnostic::printable::{is_hidden, printable};
use manifest::value::{Kind, Map, Node};

/// The maximum length of a line that contains a table or a list.
const WIDTH: usize = 110;

/// Tables that contain named tables. Each named table has a header of its own, however short it is.
const NAMED: [&[&str]; 14] = [
    &["clusters"],
    &["gateways"],
    &["classes"],
    &["auth"],
    &["external"],
    &["redirects"],
    &["responses"],
    &["security_policies"],
    &["extension_policies"],
    &["patch_policies"],
    &["tcp"],
    &["udp"],
    &["monitoring", "dashboards"],
    &["cert_manager", "certificates"],
];

/// Tables at the top level that are written as a dotted key if they have only one value.
const SMALL: [&str; 5] = ["namespace", "dns", "class", "versions", "redirect"];

/// A comment above a key or a header: the path, and the text without `#`.
pub type Comment = (Vec<String>, String);

/// Whether TOML can express a value: it has no null, and no integers beyond 64 bits.
pub fn can_say(node: &Node) -> bool {
    match &node.kind {
        Kind::Null => false,
        Kind::Number(number) => number.is_i64() || number.is_f64(),
        Kind::Bool(_) | Kind::String(_) => true,
        Kind::List(items) => items.iter().all(can_say),
        Kind::Map(map) => map.iter().all(|(_, value)| can_say(value)),
    }
}

/// The text of a tree that TOML [can express](can_say).
pub fn document(root: &Map, comments: &[Comment]) -> String {
    let mut writer = Writer {
        text: String::new(),
        comments,
    };
    writer.table(&mut Vec::new(), root);
    writer.text
}

/// The comments on lines of their own, each with the path of the key below it. Those in lists of tables are left out,
/// because their tables have no names.
pub(super) fn comments_above_keys(text: &str) -> Vec<Comment> {
    let (mut found, mut open): (Vec<Comment>, Vec<&str>) = (Vec::new(), Vec::new());
    let mut table: Option<Vec<String>> = Some(Vec::new());
    for line in text.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix('#') {
            open.push(comment.trim());
            continue;
        }
        let path = match line.strip_prefix('[') {
            Some(header) if header.starts_with('[') => {
                table = None;
                None
            }
            Some(header) if line.ends_with(']') => {
                table = header.strip_suffix(']').and_then(key_path);
                table.clone()
            }
            _ => line.split_once(" = ").and_then(|(key, _)| {
                let below = key_path(key)?;
                Some(table.iter().flatten().cloned().chain(below).collect())
                    .filter(|_| table.is_some())
            }),
        };
        if let Some(path) = path.filter(|_| !open.is_empty()) {
            found.push((path, open.join("\n")));
        }
        open.clear();
    }
    found
}

/// The parts of a dotted key.
fn key_path(key: &str) -> Option<Vec<String>> {
    let table = crate::config::load::table_of(&format!("{key} = 0"))?;
    let (mut path, mut at) = (Vec::new(), Some(&table));
    while let Some((key, value)) = at.and_then(|map| map.iter().next()) {
        path.push(key.to_owned());
        at = value.as_map();
    }
    Some(path)
}

struct Writer<'a> {
    text: String,
    comments: &'a [Comment],
}

impl Writer<'_> {
    /// Writes the values of a table, then the tables below it.
    fn table(&mut self, path: &mut Vec<String>, map: &Map) {
        let mut below = Vec::new();
        let own: Vec<_> = map
            .iter()
            .map(|(key, value)| (key, value, lines(path, key, value)))
            .collect();
        // The order of listeners matters, so either all of them have headers, or none.
        let under_headers = keeps_order(path) && own.iter().any(|(.., lines)| lines.is_none());
        for (key, value, lines) in own {
            match lines.filter(|_| !under_headers) {
                Some(lines) => {
                    path.push(key.to_owned());
                    self.comments(path);
                    path.pop();
                    self.text.push_str(&lines);
                }
                None => below.push((key, value)),
            }
        }
        for (key, value) in below {
            path.push(key.to_owned());
            match &value.kind {
                Kind::List(items) => {
                    for item in items.iter().filter_map(Node::as_map) {
                        self.header(path, "[[", "]]");
                        self.table(path, item);
                    }
                }
                Kind::Map(map) => {
                    if has_values(path, map) && !all_below(path, map) {
                        self.header(path, "[", "]");
                    }
                    self.table(path, map);
                }
                _ => {}
            }
            path.pop();
        }
    }

    fn header(&mut self, path: &[String], open: &str, close: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.comment(path);
        let keys: Vec<String> = path.iter().map(|part| key(part)).collect();
        // Writing to a string can't fail.
        let _ = writeln!(self.text, "{open}{}{close}", keys.join("."));
    }

    /// Writes the comments on a key, and on everything else in its line.
    fn comments(&mut self, path: &[String]) {
        for (_, text) in self
            .comments
            .iter()
            .filter(|(there, _)| there.starts_with(path))
        {
            self.text
                .extend(text.lines().map(|line| format!("# {}\n", printable(line))));
        }
    }

    /// Writes the comments on a table.
    fn comment(&mut self, path: &[String]) {
        for (_, text) in self.comments.iter().filter(|(there, _)| there == path) {
            self.text
                .extend(text.lines().map(|line| format!("# {}\n", printable(line))));
        }
    }
}

/// Whether the order of a table's entries matters, which is the case for a gateway's listeners.
fn keeps_order(path: &[String]) -> bool {
    matches!(path, [gateways, _, listeners] if gateways == "gateways" && listeners == "listeners")
}

/// Whether all entries of a table have headers, so that the table needs none.
fn all_below(path: &[String], map: &Map) -> bool {
    keeps_order(path)
        && map
            .iter()
            .any(|(key, value)| lines(path, key, value).is_none())
}

/// Whether a table needs a header: it has values of its own, or nothing at all.
fn has_values(path: &[String], map: &Map) -> bool {
    map.is_empty()
        || map
            .iter()
            .any(|(key, value)| lines(path, key, value).is_some())
}

/// `key = value`, if it is short enough for the table above; `None` if it needs a header.
fn lines(path: &[String], name: &str, value: &Node) -> Option<String> {
    if let Kind::Map(map) = &value.kind {
        let mut here: Vec<&str> = path.iter().map(String::as_str).collect();
        let is_named = NAMED.iter().any(|named| named.iter().eq(&here));
        let at_top = path.is_empty() && !(SMALL.contains(&name) && is_chain(value));
        here.push(name);
        let holds_named = NAMED.iter().any(|named| named.starts_with(&here));
        if is_named || at_top || (holds_named && !map.is_empty()) {
            return None;
        }
    }
    if let Some(line) = dotted(&key(name), value) {
        return Some(line);
    }
    match &value.kind {
        Kind::List(items) => array(name, items),
        _ => None,
    }
}

/// `a.b = value` for a map with one value, `a = { … }` for a short map, `a = value` for everything else.
fn dotted(name: &str, value: &Node) -> Option<String> {
    if let Kind::Map(map) = &value.kind
        && let (1, Some((inner, below))) = (map.len(), map.iter().next())
        && !is_long_list(below)
    {
        return dotted(&format!("{name}.{}", key(inner)), below);
    }
    if let Kind::String(text) = &value.kind
        && let Some(block) = block(text)
    {
        return Some(format!("{name} = {block}\n"));
    }
    let line = format!("{name} = {}", inline(value));
    let fits = match &value.kind {
        Kind::Map(_) | Kind::List(_) => line.len() <= WIDTH && !has_block(value),
        _ => true,
    };
    fits.then(|| line + "\n")
}

/// Whether a value contains a string of several lines, which would be hard to read on one line.
fn has_block(node: &Node) -> bool {
    match &node.kind {
        Kind::String(text) => text.contains('\n'),
        Kind::List(items) => items.iter().any(has_block),
        Kind::Map(map) => map.iter().any(|(_, value)| has_block(value)),
        _ => false,
    }
}

/// Whether a value is a list that doesn't fit on a line, which reads better under the header of its map.
fn is_long_list(node: &Node) -> bool {
    matches!(&node.kind, Kind::List(_)) && inline(node).len() > WIDTH
}

fn is_chain(node: &Node) -> bool {
    match &node.kind {
        Kind::Map(map) => map.len() == 1 && map.iter().all(|(_, below)| is_chain(below)),
        _ => true,
    }
}

/// A list with one item on each line; `None` if an item is a table that is too long for that.
fn array(name: &str, items: &[Node]) -> Option<String> {
    let mut text = format!("{} = [\n", key(name));
    let all_maps = items.iter().all(|item| item.as_map().is_some());
    for item in items {
        let line = inline(item);
        if all_maps && (line.len() > WIDTH || has_block(item)) {
            return None;
        }
        let _ = writeln!(text, "    {line},");
    }
    text.push_str("]\n");
    Some(text)
}

/// A value on one line. (Null, which TOML doesn't have, is excluded by [`can_say`].)
fn inline(node: &Node) -> String {
    match &node.kind {
        Kind::Null => "{}".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Number(number) if number.is_f64() => {
            format!("{:?}", number.as_f64().unwrap_or_default())
        }
        Kind::Number(number) => number.to_string(),
        Kind::String(text) => string(text),
        Kind::List(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Kind::Map(map) if map.is_empty() => "{}".to_owned(),
        Kind::Map(map) => {
            let entries = map.iter().map(|(name, value)| entry(&key(name), value));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// An entry of a table on one line.
fn entry(name: &str, value: &Node) -> String {
    if let Kind::Map(map) = &value.kind
        && let (1, Some((inner, below))) = (map.len(), map.iter().next())
    {
        return entry(&format!("{name}.{}", key(inner)), below);
    }
    format!("{name} = {}", inline(value))
}

/// A key, in quotes if necessary.
pub fn key(text: &str) -> String {
    let bare = TomlKeyBuilder::new(text).as_unquoted();
    bare.map_or_else(|| string(text), |bare| bare.to_toml_key())
}

/// A string on one line: in double quotes, or in single quotes if that avoids escapes.
pub fn string(text: &str) -> String {
    let forms = TomlStringBuilder::new(text);
    let pretty = forms.as_basic_pretty().or_else(|| forms.as_literal());
    let form = pretty.filter(|_| !text.contains(is_hidden));
    visible(&form.unwrap_or_else(|| forms.as_basic()).to_toml_value())
}

/// A string of several lines in triple quotes; `None` if it has only one line.
fn block(text: &str) -> Option<String> {
    let has_lines = text.trim_end_matches('\n').contains('\n');
    has_lines.then(|| visible(&TomlStringBuilder::new(text).as_ml_basic().to_toml_value()))
}

/// Replaces invisible characters in a string in double quotes by escapes, although TOML would allow them.
fn visible(written: &str) -> String {
    let mut out = String::with_capacity(written.len());
    for c in written.chars() {
        match is_hidden(c) {
            true => out.push_str(&format!("\\U{:08X}", u32::from(c))),
            false => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifest::diagnostic::Sources;
    use serde_json::json;

    fn written(value: serde_json::Value) -> String {
        let node = Node::from_json(value);
        document(node.as_map().expect("a map"), &[])
    }

    #[test]
    fn short_tables_stay_on_a_line_and_long_ones_get_a_header() {
        let text = written(json!({
            "domain": "example.com",
            "namespace": {"name": "networking"},
            "chart": {"version": "1.9.0", "release": {"interval": "30m"}},
            "proxy": {"resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "1Gi"}}},
            "gateways": {"a": {"address": "10.10.30.26", "annotations": {"example.com/a": "x\ny", "b": "c"}}, "b": {"address": []}},
        }));
        let want = "domain = \"example.com\"\nnamespace.name = \"networking\"\n\n[chart]\nversion = \"1.9.0\"\n\
            release.interval = \"30m\"\n\n[proxy]\nresources = { requests.cpu = \"100m\", limits.memory = \"1Gi\" }\n\n\
            [gateways.a]\naddress = \"10.10.30.26\"\n\n[gateways.a.annotations]\n\"example.com/a\" = \"\"\"\nx\ny\"\"\"\n\
            b = \"c\"\n\n[gateways.b]\naddress = []\n";
        assert_eq!(text, want);
    }

    #[test]
    fn lists_of_tables_are_written_out_where_they_are_long() {
        let long = "x".repeat(100);
        let text =
            written(json!({"chart": {"values": {"a": [{"b": long, "c": {"d": 1}}, {"b": "y"}]}}}));
        assert!(text.contains("[[chart.values.a]]\nb = \"xxx"), "{text}");
        assert!(text.contains("c.d = 1\n"), "{text}");
    }

    proptest::proptest! {
        #[test]
        fn any_tree_comes_back(tree in tree()) {
            let node = Node::from_json(json!({"chart": {"values": tree}}));
            let text = document(node.as_map().expect("a map"), &[]);
            let mut sources = Sources::default();
            let id = sources.add("cluster.toml", text.as_str());
            let (cluster, problems) = crate::config::load(&sources, id);
            proptest::prop_assert!(problems.is_empty(), "{text}\n{problems:?}");
            let values = cluster.expect("a config").chart.values.expect("values");
            proptest::prop_assert_eq!(Some(&values), node.path(&["chart", "values"]), "{}", text);
        }
    }

    fn tree() -> impl proptest::strategy::Strategy<Value = serde_json::Value> {
        use proptest::prelude::*;
        let leaf = prop_oneof![
            any::<bool>().prop_map(serde_json::Value::from),
            any::<i64>().prop_map(serde_json::Value::from),
            (-1e9..1e9).prop_map(serde_json::Value::from),
            "[a\"'\\\\\n\r\t\u{7f}é. #=-]{0,12}".prop_map(serde_json::Value::from),
            "[a-z ]{60,90}".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(5, 40, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
                proptest::collection::btree_map("[a-z.\"' ]{0,6}", inner, 0..5)
                    .prop_map(|map| map.into_iter().collect()),
            ]
        })
    }
}
