//! The documents that are open in the editor.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gen_lsp_types::{Position, Range, TextDocumentContentChangeEvent};

use super::uri;
use crate::editor::lines::{LinePosition, Lines};
use manifest::read::LARGEST_FILE;

/// An open document.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// The file that it stands for; `None` if it is not one on this machine.
    pub path: Option<PathBuf>,
    pub version: i32,
    pub text: Arc<str>,
}

/// The open documents by their URIs, as the editor writes them.
#[derive(Debug, Default)]
pub(super) struct Documents(BTreeMap<String, Document>);

impl Documents {
    pub(super) fn get(&self, uri: &str) -> Option<&Document> {
        self.0.get(uri)
    }

    pub(super) fn open(&mut self, uri: &str, version: i32, text: &str) {
        let document = Document {
            path: uri::to_path(uri),
            version,
            text: text.into(),
        };
        self.0.insert(uri.to_owned(), document);
    }

    /// Takes over changes. Those of a document that is not open, and those that make it too large, are ignored.
    pub(super) fn change(
        &mut self,
        uri: &str,
        version: i32,
        changes: &[TextDocumentContentChangeEvent],
    ) {
        let Some(document) = self.0.get_mut(uri) else {
            return;
        };
        let mut text = document.text.to_string();
        for change in changes {
            match change {
                TextDocumentContentChangeEvent::TextDocumentContentChangePartial(part) => {
                    let range = bytes(&text, &part.range);
                    text.replace_range(range, &part.text);
                }
                TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole) => {
                    whole.text.clone_into(&mut text);
                }
            }
        }
        if u64::try_from(text.len()).is_ok_and(|bytes| bytes <= LARGEST_FILE) {
            document.text = text.into();
            document.version = version;
        }
    }

    /// Returns the document that was closed.
    pub(super) fn close(&mut self, uri: &str) -> Option<Document> {
        self.0.remove(uri)
    }

    /// The document that stands for a file, with its URI.
    pub(super) fn of_path(&self, path: &Path) -> Option<(&str, &Document)> {
        let mut all = self.0.iter();
        let (uri, document) = all.find(|(_, document)| document.path.as_deref() == Some(path))?;
        Some((uri, document))
    }

    /// The texts of the files below a folder.
    pub(super) fn texts_below(&self, root: &Path) -> BTreeMap<PathBuf, Arc<str>> {
        let texts = self.0.values().filter_map(|document| {
            let path = document
                .path
                .as_ref()
                .filter(|path| path.starts_with(root))?;
            Some((path.clone(), Arc::clone(&document.text)))
        });
        texts.collect()
    }
}

/// The bytes of a range. One that ends before it starts is empty.
fn bytes(text: &str, range: &Range) -> std::ops::Range<usize> {
    let lines = Lines::new(text);
    let start = lines.offset(from_protocol(range.start));
    let end = lines.offset(from_protocol(range.end));
    start..end.max(start)
}

pub(super) fn from_protocol(position: Position) -> LinePosition {
    LinePosition {
        line: position.line,
        character: position.character,
    }
}

/// The range of some bytes.
pub(super) fn range(lines: &Lines<'_>, bytes: &std::ops::Range<usize>) -> Range {
    let (start, end) = lines.positions(bytes);
    Range {
        start: Position {
            line: start.line,
            character: start.character,
        },
        end: Position {
            line: end.line,
            character: end.character,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_taken_over_one_after_the_other() {
        let mut documents = Documents::default();
        documents.open("file:///a", 1, "a\u{1f600}b\nc\n");
        let changes = serde_json::json!([
            {"range": {"start": {"line": 0, "character": 3}, "end": {"line": 0, "character": 4}}, "text": "x\ny"},
            {"range": {"start": {"line": 2, "character": 9}, "end": {"line": 1, "character": 0}}, "text": "z"},
            {"range": {"start": {"line": 99, "character": 0}, "end": {"line": 99, "character": 0}}, "text": "!"},
        ]);
        let changes: Vec<_> = serde_json::from_value(changes).expect("changes");
        documents.change("file:///a", 2, &changes);
        documents.change("file:///b", 2, &changes);
        let document = documents.get("file:///a").expect("it is open");
        assert_eq!(
            (&*document.text, document.version),
            ("a\u{1f600}x\ny\ncz\n!", 2)
        );
    }
}
