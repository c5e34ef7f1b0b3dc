//! The short way to the tree of a plain document: maps, lists and scalars, no anchors, no tags, no merge keys.
//!
//! Nearly all manifests are plain. Their trees are built here straight from the events of [`kustomize`]'s reader, in less
//! than half the time that serde and a place a value take. Whatever is not certain here (a date, an octal number, a key
//! that stands twice, a mistake, a place where readers differ) is left to [`read`](super::read): what YAML means, what
//! is too large, and what a mistake is called is settled there, and only there.

use super::kustomize::{self, Event, Events, Style, What};
use super::tree::placed;
use crate::diagnostic::{SourceId, Span};
use crate::value::{Entry, Kind, Map, Node};

/// How deep a plain document is at most; [`read`](super::read) goes a little deeper.
const DEEPEST: usize = 50;

/// How many events a plain document has at most; [`read`](super::read) takes more.
const MOST_EVENTS: usize = 100_000;

/// The tree of a plain document that stands `offset` bytes into `source`; `None` of any other.
pub(super) fn parse(text: &str, source: SourceId, offset: usize) -> Option<Node> {
    if !kustomize::is_printable(text) {
        return None;
    }
    let mut reader = Reader {
        events: Events::new(text),
        left: MOST_EVENTS,
        entries: Vec::with_capacity(OPEN),
        items: Vec::with_capacity(OPEN),
        text,
        source,
        offset,
    };
    if reader.next()?.what != What::DocumentStart {
        return None;
    }
    let first = reader.next()?;
    if !matches!(&first.what, What::MapStart(properties) if properties.is_empty()) {
        return None;
    }
    let kind = reader.map(DEEPEST)?;
    let node = reader.node(kind, first.start, first.end);
    let ends = reader.next()?.what == What::DocumentEnd && reader.next()?.what == What::End;
    (ends && !reader.events.is_peculiar()).then_some(node)
}

/// Room for as many entries and items as are open at once in most documents.
const OPEN: usize = 32;

struct Reader<'a> {
    events: Events<'a>,
    left: usize,
    /// The entries of the maps that are open, the innermost last: a map is made once all of its own are known, and so
    /// takes no more room than they do. Most maps are small, and a repository has a million.
    entries: Vec<(String, Entry)>,
    /// The items of the lists that are open, likewise.
    items: Vec<Node>,
    text: &'a str,
    source: SourceId,
    offset: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<Event<'a>> {
        self.left = self.left.checked_sub(1)?;
        self.events.next().ok()
    }

    fn node(&self, kind: Kind, start: usize, end: usize) -> Node {
        placed(kind, start, end, self.text, self.source, self.offset)
    }

    /// The value that starts with `event`, and the byte after the event.
    fn value(&mut self, event: Event<'a>, depth: usize) -> Option<(Node, usize)> {
        let Event {
            what,
            start,
            end: written,
        } = event;
        let mut end = written;
        let kind = match what {
            What::Scalar(properties, text, style) if properties.is_empty() => match style {
                Style::Plain => plain(&text)?,
                _ => Kind::String(text.into_owned()),
            },
            What::MapStart(properties) if properties.is_empty() => {
                self.map(depth.checked_sub(1)?)?
            }
            What::ListStart(properties) if properties.is_empty() => {
                let (items, last) = self.list(depth.checked_sub(1)?)?;
                end = end.max(last);
                Kind::List(items)
            }
            _ => return None,
        };
        Some((self.node(kind, start, end), written))
    }

    /// The entries of a map whose start was read.
    fn map(&mut self, depth: usize) -> Option<Kind> {
        let own = self.entries.len();
        loop {
            let Event { what, start, end } = self.next()?;
            let key = match what {
                What::MapEnd => {
                    return Map::distinct(self.entries.drain(own..).collect()).map(Kind::Map);
                }
                What::Scalar(properties, text, style) if properties.is_empty() => {
                    if style == Style::Plain && !is_text(&text) {
                        return None;
                    }
                    text.into_owned()
                }
                _ => return None,
            };
            let key_span = Span::new(self.source, self.offset + start, self.offset + end);
            let event = self.next()?;
            let (value, _) = self.value(event, depth)?;
            let entry = Entry {
                key_span: Some(key_span),
                value,
            };
            self.entries.push((key, entry));
        }
    }

    /// The items of a list whose start was read, and the byte after the last one's first event.
    fn list(&mut self, depth: usize) -> Option<(Vec<Node>, usize)> {
        let (own, mut last) = (self.items.len(), 0);
        loop {
            let event = self.next()?;
            if event.what == What::ListEnd {
                return Some((self.items.drain(own..).collect(), last));
            }
            let (item, end) = self.value(event, depth)?;
            self.items.push(item);
            last = end;
        }
    }
}

/// What a scalar without quotes is, where that is plain.
fn plain(text: &str) -> Option<Kind> {
    match text {
        "" | "~" | "null" => return Some(Kind::Null),
        "true" => return Some(Kind::Bool(true)),
        "false" => return Some(Kind::Bool(false)),
        _ if is_text(text) => return Some(Kind::String(text.to_owned())),
        _ => {}
    }
    // Decimal, and short enough for any type of number.
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_decimal = digits.len() <= 18 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_decimal || (digits.starts_with('0') && text != "0") {
        return None;
    }
    let number: i64 = text.parse().ok()?;
    Some(Kind::Number(number.into()))
}

/// Words that are no text to a YAML 1.1 reader, in any case.
const WORDS: &[&str] = &[
    "y", "yes", "n", "no", "on", "off", "true", "false", "null", "nan", "inf",
];

/// What no number holds, in whatever base: units of durations and quantities, and the mark of a network.
const NO_NUMBER_HAS: &[u8] = b"ghjklmpqrstuvwGHJKLMPQRSTUVW/%";

/// Whether a scalar without quotes is certainly text: it starts as no number does and is none of the [`WORDS`], or
/// it holds what no number holds, two points included.
fn is_text(text: &str) -> bool {
    match text.as_bytes() {
        [b'0'..=b'9' | b'-' | b'+' | b'.', ..] => {
            text.bytes().any(|byte| NO_NUMBER_HAS.contains(&byte))
                || text.bytes().filter(|byte| *byte == b'.').count() > 1
        }
        [b'a'..=b'z' | b'A'..=b'Z', ..] => {
            text.len() > 5 || !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
        }
        [b'/' | b'$' | b'_', ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::tree;

    /// Whether it is plain; if so, both ways lead to the same tree and the same places.
    fn is_plain(text: &str) -> bool {
        let Some(node) = parse(text, SourceId(0), 7) else {
            return false;
        };
        let other = tree::parse(text, SourceId(0), 7).map(|node| format!("{node:#?}"));
        assert_eq!(
            Ok(format!("{node:#?}")),
            other.map_err(|it| it.message),
            "{text}"
        );
        true
    }

    #[test]
    fn manifests_are_plain_and_mean_the_same() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let files = ["tests", "snapshots"].map(|folder| walkdir::WalkDir::new(root.join(folder)));
        let (mut all, mut plain) = (0, 0);
        for file in files.into_iter().flatten().filter_map(Result::ok) {
            if file
                .path()
                .extension()
                .is_some_and(|ending| ending == "yaml")
                && let Ok(text) = std::fs::read_to_string(file.path())
            {
                let documents = text.split("\n---\n").filter(|it| it.contains("\nkind: "));
                let documents: Vec<bool> = documents.map(is_plain).collect();
                all += documents.len();
                plain += documents.iter().filter(|is_plain| **is_plain).count();
            }
        }
        assert!(all > 50 && plain * 10 > all * 8, "{plain} of {all}");
    }

    #[test]
    fn scalars_are_plain_only_where_no_second_look_is_needed() {
        for scalar in [
            "text",
            "on-off",
            "0",
            "80",
            "-1",
            "10.0.6.0/24",
            "10.10.30.26",
            "15m",
            "2Gi",
            "50%",
            "true",
            "null",
            "~",
            "",
            "\"1\"",
            "'on'",
            "[]",
            "{}",
            "|\n  a\n  b",
            ">\n  a\n  b",
            "${A}",
            "[a, {b: c}]",
            "v1.9.0",
            "a b # c",
            "é: é",
            "_1",
        ] {
            assert!(
                is_plain(&format!("a: {scalar}\nb: c\n")) || scalar.contains(": é"),
                "{scalar}"
            );
        }
        for scalar in [
            "on",
            "Yes",
            "n",
            "NULL",
            "010",
            "0x1F",
            "0o7",
            "1_000",
            "12:30",
            "1.0",
            ".5",
            "1e3",
            "+1",
            ".inf",
            ".nan",
            "2026-01-01",
            "-",
            "1d",
            "!!str 1",
            "&a b",
            "*a",
            "=",
            "<<",
            "99999999999999999999",
            "-0",
            "\u{a0}1",
        ] {
            assert!(!is_plain(&format!("a: {scalar}\n")), "{scalar}");
        }
    }

    #[test]
    fn what_is_more_than_plain_is_left_alone() {
        for text in [
            "a: &x {b: 1}\nc: *x\n",
            "a: {b: 1}\n<<: {c: 1}\n",
            "a: 1\na: 2\n",
            "on: 1\n",
            "80: 1\n",
            "? [a]\n: b\n",
            "%YAML 1.1\n---\na: b\n",
            "a: [\n",
            "- a\n",
            "a",
            "",
            "a: b\n...\n---\nc: d\n",
        ] {
            assert!(!is_plain(text), "{text}");
        }
        let deep = format!("a: {}{}\n", "[".repeat(60), "]".repeat(60));
        assert!(!is_plain(&deep));
    }

    #[test]
    fn a_list_below_its_key_is_where_its_first_item_is() {
        for item in [
            "a",
            "[b]",
            "{b: c}",
            "b: c",
            "'b'",
            "|\n  b",
            "- b",
            "- - b",
            "b: c\n  d:\n  - e\n  - f: g",
        ] {
            assert!(is_plain(&format!("a:\n- {item}\n- b\nc: d\n")), "{item}");
        }
    }

    proptest::proptest! {
        /// Whatever the text, it is not plain or it means the same both ways.
        #[test]
        fn both_ways_lead_to_the_same_tree(
            lines in proptest::collection::vec((0..4_usize, "(- )?([a-z~<0]{1,2}:( |\n-? ?)?)?[-+.0-9a-foxyn_:~%#'\"\\[\\]{}|>&*!, ]{0,6}[\t\r\u{a0}\u{2028}]?[-a:#?'\" ]{0,2}"), 0..8)
        ) {
            let lines = lines.iter().map(|(depth, line)| format!("{}{line}\n", " ".repeat(*depth)));
            is_plain(&lines.collect::<String>());
        }

        /// The same of single scalars, of which more are plain.
        #[test]
        fn both_ways_take_a_scalar_for_the_same(scalar in "[-+.0-9a-fA-FoxXyYnNiItTuUlLsSrRhm_:~%/$ ]{0,7}") {
            is_plain(&format!("a: {scalar}\n"));
        }
    }
}
