//! YAML (and JSON, which is YAML) to trees with places.
//!
//! Read as Kubernetes reads it (sigs.k8s.io/yaml, which is YAML 1.1 for scalars): `on`, `yes` and `y` are
//! true, `010` is eight, duplicate keys are refused. A file is cut into documents at its `---` lines before
//! any of them is parsed, as k8s.io/apimachinery does, so that one broken document doesn't hide the others.

use memchr::memmem;
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::plain;
use crate::diagnostic::{Code, Diagnostic, SourceId, Sources, Span};
use crate::value::{Entry, Kind, Map, Node};

/// The largest file that is read, in bytes.
pub const LARGEST_FILE: u64 = 16 << 20;

/// The most documents of one file that are read: far more than a chart or a bundle of CRDs has.
const MOST_DOCUMENTS: usize = 50_000;

/// One document of a file.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its tree.
    pub node: Node,
}

/// One document's place in a source, before it is parsed.
#[derive(Clone, Debug)]
pub struct Piece(std::ops::Range<usize>);

/// The documents of a source, not parsed yet; and a finding where there are more than are read.
pub fn pieces(sources: &Sources, source: SourceId) -> (Vec<Piece>, Option<Diagnostic>) {
    let text = sources.get(source).text();
    let mut parts = split(text);
    let problem = parts
        .get(MOST_DOCUMENTS)
        .map(|part| too_many(source, part.start));
    parts.truncate(MOST_DOCUMENTS);
    (parts.into_iter().map(Piece).collect(), problem)
}

/// Reads one document; none where it is empty.
///
/// # Errors
/// What keeps it from being read.
pub fn read_piece(
    sources: &Sources,
    source: SourceId,
    Piece(range): &Piece,
) -> Result<Option<Document>, Problem> {
    let text = sources
        .get(source)
        .text()
        .get(range.clone())
        .unwrap_or_default();
    match parse(text, source, range.start) {
        Ok(node) if node.kind == Kind::Null => Ok(None),
        Ok(node) => Ok(Some(Document { node })),
        Err(problem) => Err(problem),
    }
}

/// Reads all documents of a source. Empty documents are left out; a broken one is a diagnostic.
pub fn read(sources: &Sources, source: SourceId) -> (Vec<Document>, Vec<Diagnostic>) {
    let (pieces, problem) = pieces(sources, source);
    let mut documents = Vec::new();
    let mut problems = Vec::new();
    for piece in &pieces {
        match read_piece(sources, source, piece) {
            Ok(document) => documents.extend(document),
            Err(problem) => problems.push(problem.diagnostic()),
        }
    }
    problems.extend(problem);
    (documents, problems)
}

fn too_many(source: SourceId, start: usize) -> Diagnostic {
    Diagnostic::new(
        Code::ConfigTooLarge,
        format!("more than {MOST_DOCUMENTS} documents in one file"),
    )
    .at(Span::new(source, start, start + 3))
    .why("those from here on were not read")
    .help("split the file")
}

/// Why a text is no YAML, and where.
#[derive(Clone, Debug)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub span: Span,
}

impl Problem {
    /// The problem as a finding.
    pub fn diagnostic(self) -> Diagnostic {
        let help = if self.message.contains("duplicate mapping key") {
            "keep one of the two; the API server would silently take the last"
        } else if self.message.contains("tab") {
            "indent with spaces"
        } else {
            "check indentation, quotes and colons at the mark"
        };
        Diagnostic::new(Code::YamlSyntax, format!("not YAML: {}", self.message))
            .at(self.span)
            .why("kustomize and Flux stop at this file; nothing of its Kustomization is applied")
            .help(help)
    }
}

/// Where the documents of a text are.
fn split(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0;
    for before in memmem::find_iter(text.as_bytes(), "\n---") {
        let at = before + 1;
        let rest = text.get(at + 3..).unwrap_or_default();
        if rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']) {
            parts.push(start..at);
            start = at;
        }
    }
    parts.push(start..text.len());
    parts
}

/// Parses one document that stands `offset` bytes into `source`.
///
/// # Errors
/// Where the text is no YAML, or past the bounds on depth, nodes and aliases.
pub fn parse(text: &str, source: SourceId, offset: usize) -> Result<Node, Problem> {
    match plain::parse(text, source, offset) {
        Some(node) => Ok(node),
        None => parse_any(text, source, offset),
    }
}

/// As [`parse`], but never the short way: the reader that settles what a document means.
///
/// # Errors
/// As [`parse`].
pub fn parse_any(text: &str, source: SourceId, offset: usize) -> Result<Node, Problem> {
    let options = serde_yaml::options! { legacy_octal_numbers: true, with_snippet: false };
    match serde_yaml::from_str_with_options::<Tree>(text, options) {
        Ok(tree) => Ok(tree.place(source, offset, text)),
        Err(error) => {
            let location = error.location();
            let at = location.map_or(0, |place| byte_of(text, place.line(), place.column()));
            let end = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
            let message = error.without_snippet().to_string();
            let message = message
                .rsplit_once(" at line ")
                .map_or(message.as_str(), |(message, _)| message);
            let message = message
                .split_once(", set ")
                .map_or(message, |(message, _)| message);
            let message = beyond_bounds(message).unwrap_or(message).to_owned();
            Err(Problem {
                message,
                span: Span::new(source, offset + at, offset + end),
            })
        }
    }
}

/// What the reader's bounds on depth, nodes and aliases mean to a person.
fn beyond_bounds(message: &str) -> Option<&'static str> {
    if message.starts_with("recursion limit") || message.contains("budget breached: Depth") {
        return Some("it is nested deeper than any object");
    }
    if message.starts_with("recursive references") {
        return Some("an alias stands inside what it repeats");
    }
    let bounds = message.contains("budget breached") || message.contains("alias replay");
    bounds.then_some("it holds more values than any object, aliases and merges counted in")
}

/// The byte of a line and column in characters, both counted from 1.
fn byte_of(text: &str, line: u64, column: u64) -> usize {
    let line = usize::try_from(line).unwrap_or(1).max(1);
    let column = usize::try_from(column).unwrap_or(1).max(1);
    let start = text
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum::<usize>();
    text[start..]
        .char_indices()
        .nth(column - 1)
        .map_or(text.len(), |(at, _)| start + at)
}

/// A node as the YAML library gives it: places count in one document, and have no source.
struct Tree {
    kind: TreeKind,
    start: usize,
    end: usize,
}

enum TreeKind {
    Leaf(Kind),
    List(Vec<Tree>),
    Map(Vec<(Key, Tree)>),
}

struct Key {
    text: String,
    start: usize,
    end: usize,
}

impl Tree {
    fn place(self, source: SourceId, offset: usize, text: &str) -> Node {
        let (start, mut end) = (self.start, self.end);
        let kind = match self.kind {
            TreeKind::Leaf(kind) => kind,
            TreeKind::List(items) => {
                end = end.max(items.last().map_or(end, |item| item.end));
                Kind::List(
                    items
                        .into_iter()
                        .map(|item| item.place(source, offset, text))
                        .collect(),
                )
            }
            TreeKind::Map(entries) => {
                let mut map = Map::default();
                for (key, value) in entries {
                    let key_span = Span::new(source, offset + key.start, offset + key.end);
                    let entry = Entry {
                        key_span: Some(key_span),
                        value: value.place(source, offset, text),
                    };
                    map.insert_entry(key.text, entry);
                }
                Kind::Map(map)
            }
        };
        placed(kind, start, end, text, source, offset)
    }
}

/// A node with the place `start..end` of a text that stands `offset` bytes into `source`, without blanks at its end.
pub(super) fn placed(
    kind: Kind,
    start: usize,
    end: usize,
    text: &str,
    source: SourceId,
    offset: usize,
) -> Node {
    let written = text.get(start..end).unwrap_or_default();
    let end = start + written.trim_end().len();
    Node::new(kind, Some(Span::new(source, offset + start, offset + end)))
}

fn bytes(location: &serde_yaml::Location) -> (usize, usize) {
    let span = location.span();
    let start = usize::try_from(span.byte_offset().unwrap_or(0)).unwrap_or(0);
    let length = usize::try_from(span.byte_len().unwrap_or(0)).unwrap_or(0);
    (start, start + length)
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = serde_yaml::Spanned::<TreeKind>::deserialize(deserializer)?;
        let (start, end) = bytes(&spanned.referenced);
        Ok(Tree {
            kind: spanned.value,
            start,
            end,
        })
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = serde_yaml::Spanned::<String>::deserialize(deserializer)?;
        let (start, end) = bytes(&spanned.referenced);
        Ok(Key {
            text: spanned.value,
            start,
            end,
        })
    }
}

impl<'de> Deserialize<'de> for TreeKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = TreeKind;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("a YAML value")
    }
    fn visit_unit<E>(self) -> Result<TreeKind, E> {
        Ok(TreeKind::Leaf(Kind::Null))
    }
    fn visit_none<E: de::Error>(self) -> Result<TreeKind, E> {
        self.visit_unit()
    }
    fn visit_bool<E>(self, value: bool) -> Result<TreeKind, E> {
        Ok(TreeKind::Leaf(Kind::Bool(value)))
    }
    fn visit_i64<E>(self, value: i64) -> Result<TreeKind, E> {
        Ok(TreeKind::Leaf(Kind::Number(value.into())))
    }
    fn visit_u64<E>(self, value: u64) -> Result<TreeKind, E> {
        Ok(TreeKind::Leaf(Kind::Number(value.into())))
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<TreeKind, E> {
        serde_json::Number::from_f64(value)
            .map(|number| TreeKind::Leaf(Kind::Number(number)))
            .ok_or_else(|| E::custom("a number that JSON can't hold"))
    }
    fn visit_str<E>(self, value: &str) -> Result<TreeKind, E> {
        Ok(TreeKind::Leaf(Kind::String(value.to_owned())))
    }
    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<TreeKind, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(TreeKind::List(list))
    }
    fn visit_map<A: de::MapAccess<'de>>(self, mut entries: A) -> Result<TreeKind, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(TreeKind::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Pointer;

    fn read_text(text: &str) -> (Sources, Vec<Document>, Vec<Diagnostic>) {
        let mut sources = Sources::default();
        let id = sources.add("a.yaml", text);
        let (documents, problems) = read(&sources, id);
        (sources, documents, problems)
    }

    #[test]
    fn a_broken_document_does_not_hide_the_others() {
        let (sources, documents, problems) =
            read_text("---\na: 1\n---\nb: [1\nc: d\n--- # third\nd: 2\n---\n");
        assert_eq!(documents.len(), 2);
        assert_eq!(problems.len(), 1);
        let place = sources.locate(problems[0].span.expect("a place"));
        assert!((4..=6).contains(&place.line), "{place:?}");
    }

    #[test]
    fn every_node_knows_its_bytes() {
        let text = "---\nspec:\n  ports:\n    - name: \"é\"\n      port: 80\n";
        let (sources, documents, _) = read_text(text);
        let at = |pointer: &str| {
            let pointer = Pointer::parse(pointer).expect("a pointer");
            let span = documents[0].node.nearest_span(&pointer).expect("a place");
            let place = sources.locate(span);
            (place.line, place.column, text[span.range()].to_owned())
        };
        assert_eq!(at("/spec/ports/0/name"), (4, 13, "\"é\"".to_owned()));
        assert_eq!(at("/spec/ports/0/port"), (5, 13, "80".to_owned()));
        assert_eq!(at("/spec/ports/0/nothing").0, 4);
    }

    #[test]
    fn scalars_are_what_kubernetes_takes_them_for() {
        let (_, documents, _) = read_text("[on, 'on', 010, 0x1F, 12:30, ~, 1.0, 1e3, \"1\"]");
        assert_eq!(
            documents[0].node.to_json().to_string(),
            r#"[true,"on",8,31,"12:30",null,1.0,1000.0,"1"]"#
        );
    }

    #[test]
    fn bombs_are_refused() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..10 {
            let below = format!("*a{}, ", level - 1).repeat(9);
            bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
        }
        assert_eq!(read_text(&bomb).2.len(), 1);
        let deep = "[".repeat(100_000);
        assert_eq!(read_text(&deep).2.len(), 1);
        let deep = "a:\n".to_owned()
            + &(0..5000)
                .map(|n| " ".repeat(n) + "a:\n")
                .collect::<String>();
        assert_eq!(read_text(&deep).2.len(), 1);
    }
}
