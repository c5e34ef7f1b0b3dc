//! Writes a tree as YAML in a common style.
//! The indentation is two spaces, and lists are indented below their key. Strings with several lines are
//! written as block literals. Strings are quoted only if a parser would misread them (see [`scalar`]). Empty
//! maps and lists are written as `{}` and `[]`.

use super::scalar;
use crate::value::{Kind, Map, Node};

/// The maximum length of a key, in bytes, that is written without `?`. YAML 1.2, section 7.4.3, allows 1024
/// characters, but parsers count them differently.
const LONGEST_KEY: usize = 1000;

/// The text of a document, which ends with a line feed.
pub fn document(node: &Node) -> String {
    let mut writer = Writer::default();
    match &node.kind {
        Kind::Map(map) if !map.is_empty() => writer.map(map, 0, false),
        Kind::List(items) if !items.is_empty() => writer.list(items, 0, false),
        _ => {
            writer.inline(node, 0);
            writer.text.push('\n');
        }
    }
    writer.text
}

#[derive(Default)]
struct Writer {
    text: String,
}

impl Writer {
    fn indent(&mut self, level: usize) {
        self.text.extend(std::iter::repeat_n("  ", level));
    }

    /// Writes the entries of a map. If `started` is true, the first one continues the current line.
    fn map(&mut self, map: &Map, level: usize, started: bool) {
        for (at, (key, value)) in map.iter().enumerate() {
            if at > 0 || !started {
                self.indent(level);
            }
            let key = scalar::string(key);
            if key.len() > LONGEST_KEY {
                self.text.push_str("? ");
                self.text.push_str(&key);
                self.text.push('\n');
                self.indent(level);
            } else {
                self.text.push_str(&key);
            }
            self.text.push(':');
            match &value.kind {
                Kind::Map(below) if !below.is_empty() => {
                    self.text.push('\n');
                    self.map(below, level + 1, false);
                }
                Kind::List(items) if !items.is_empty() => {
                    self.text.push('\n');
                    self.list(items, level + 1, false);
                }
                _ => {
                    self.text.push(' ');
                    self.inline(value, level + 1);
                    self.text.push('\n');
                }
            }
        }
    }

    /// Writes the items of a list. If `started` is true, the first one continues the current line.
    fn list(&mut self, items: &[Node], level: usize, started: bool) {
        for (at, item) in items.iter().enumerate() {
            if at > 0 || !started {
                self.indent(level);
            }
            self.text.push('-');
            match &item.kind {
                Kind::Map(map) if !map.is_empty() => {
                    self.text.push(' ');
                    self.map(map, level + 1, true);
                }
                Kind::List(below) if !below.is_empty() => {
                    self.text.push(' ');
                    self.list(below, level + 1, true);
                }
                _ => {
                    self.text.push(' ');
                    self.inline(item, level + 1);
                    self.text.push('\n');
                }
            }
        }
    }

    /// Writes the value after a key or a dash. `level` is the indentation for the lines of a block literal.
    fn inline(&mut self, node: &Node, level: usize) {
        match &node.kind {
            Kind::Null => self.text.push_str("null"),
            Kind::Bool(value) => self.text.push_str(if *value { "true" } else { "false" }),
            Kind::Number(number) => self.text.push_str(&scalar::number(number)),
            Kind::List(_) => self.text.push_str("[]"),
            Kind::Map(_) => self.text.push_str("{}"),
            Kind::String(text) => match scalar::block(text, 2) {
                Some((header, lines)) => {
                    self.text.push_str(&header);
                    for line in lines {
                        self.text.push('\n');
                        if !line.is_empty() {
                            self.indent(level.max(1));
                            self.text.push_str(line);
                        }
                    }
                }
                None => self.text.push_str(&scalar::string(text)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Sources;
    use crate::read;
    use serde_json::{Value, json};

    fn written(value: Value) -> String {
        document(&Node::from_json(value))
    }

    #[test]
    fn the_output_looks_handwritten() {
        let value = json!({
            "spec": {"list": [{"a": 1, "b": ["x"]}, [1, [2]], {}, "on"], "empty": {}, "none": null},
            "note": "group: external\nguarded: true", "url": "https://example.com"
        });
        let want = "spec:
  list:
    - a: 1
      b:
        - x
    - - 1
      - - 2
    - {}
    - \"on\"
  empty: {}
  none: null
note: |-
  group: external
  guarded: true
url: https://example.com
";
        assert_eq!(written(value), want);
    }

    #[test]
    fn written_trees_can_be_read_back() {
        let values = [
            json!({"a": "x\n\n\n", "b": " x\ny", "c": "x\n y\n", "d": "\n", "e": "a\tb\nc", "f": "\u{85}"}),
            json!(["a\nb", ["a\nb\n\n"], {"k": "  a\nb"}]),
            json!({"on": "off", "": "", "a: b": "#", "1": 1.5, "x": -3}),
            json!({"a": "---\nb: c\n", "b": "é\nü", "c": "d\r\ne"}),
            json!([{"k".repeat(2000): {"k".repeat(2000): [1]}, "\"".repeat(600): "x"}]),
            json!("text\nof two"),
            json!([]),
        ];
        for value in values {
            let text = written(value.clone());
            let mut sources = Sources::default();
            let id = sources.add("x.yaml", text.clone());
            let back = read::parse(&text, id, 0).expect(&text);
            assert_eq!(back.to_json(), value, "{text}");
        }
    }
}
