//! Finds the values of an object that kubectl reads otherwise than kustomize and Flux.

use crate::codes;
use crate::compose::compose;
use crate::diagnostic::{Diagnostic, SourceId, Span};
use crate::read::Reader;
use crate::value::{Entry, Kind, Node};

/// The maximum number of notes for one object.
const MOST_NOTES: usize = 20;

/// The maximum number of characters of a value in a note.
const LONGEST_SHOWN: usize = 60;

/// Notes on all values that differ. `node` is the object as kustomize reads it, and `text` begins at byte `offset` of the
/// source.
pub(super) fn notes(node: &Node, text: &str, source: SourceId, offset: usize) -> Vec<Diagnostic> {
    let Ok(other) = compose(text, Reader::Kubectl, source, offset) else {
        return Vec::new();
    };
    let mut differences = Differences {
        text,
        offset,
        notes: Vec::new(),
    };
    differences.compare(node, &other.node);
    differences.notes
}

struct Differences<'a> {
    text: &'a str,
    offset: usize,
    notes: Vec<Diagnostic>,
}

impl Differences<'_> {
    fn compare(&mut self, kustomize: &Node, kubectl: &Node) {
        if self.notes.len() >= MOST_NOTES {
            return;
        }
        match (&kustomize.kind, &kubectl.kind) {
            (Kind::Map(map), Kind::Map(others)) => {
                for (key, entry) in map.entries() {
                    let other = others.entry(key).map(|other| (key, other));
                    let Some((other_key, other)) = other.or_else(|| {
                        let mut others = others.entries();
                        others.find(|(_, other)| other.key_span == entry.key_span)
                    }) else {
                        continue;
                    };
                    if key != other_key {
                        self.key(key, other_key, entry);
                    }
                    self.compare(&entry.value, &other.value);
                }
            }
            (Kind::List(items), Kind::List(others)) => {
                for (item, other) in items.iter().zip(others) {
                    self.compare(item, other);
                }
            }
            _ if kustomize != kubectl => self.value(kustomize, kubectl),
            _ => {}
        }
    }

    fn key(&mut self, key: &str, other: &str, entry: &Entry) {
        let message = format!("kubectl reads the key `{}` as {:?}", cut(key), cut(other));
        self.note(message, "put the key in quotes".to_owned(), entry.key_span);
    }

    fn value(&mut self, kustomize: &Node, kubectl: &Node) {
        let span = kustomize.span;
        let written = span.and_then(|span| {
            let range = span.range();
            let start = range.start.checked_sub(self.offset)?;
            self.text.get(start..range.end.checked_sub(self.offset)?)
        });
        let written = written.unwrap_or_default();
        let what = match written {
            "" => "this missing value".to_owned(),
            written => format!("`{}`", cut(written)),
        };
        let message = format!(
            "kustomize and Flux read {what} as {}, kubectl as {}",
            shown(kustomize),
            shown(kubectl)
        );
        let help = match &kubectl.kind {
            _ if written.is_empty() => "write `null` or `\"\"`, whichever is meant".to_owned(),
            Kind::Bool(value) => format!("write `{value}`, or {:?} for the string", cut(written)),
            _ => "put it in quotes, as it is written".to_owned(),
        };
        self.note(message, help, span);
    }

    fn note(&mut self, message: String, help: String, span: Option<Span>) {
        // An alias repeats its value.
        if self.notes.iter().any(|note| note.span == span) {
            return;
        }
        let note = Diagnostic::new(codes::YAML_KUBECTL_DIFFERS, message)
            .why("the file means something else when it is applied with kubectl")
            .help(help);
        self.notes.push(match span {
            Some(span) => note.at(span),
            None => note,
        });
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A value as a note names it.
fn shown(node: &Node) -> String {
    match &node.kind {
        Kind::Null => "null".to_owned(),
        Kind::String(text) => format!("the string {:?}", cut(text)),
        Kind::List(_) => "a list".to_owned(),
        Kind::Map(_) => "a map".to_owned(),
        Kind::Bool(_) | Kind::Number(_) => format!("`{}`", node.to_json()),
    }
}
