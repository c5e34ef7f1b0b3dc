//! What kustomize's YAML does to folded blocks (`>`).
//!
//! kustomize writes every object as YAML and reads that again before it prints it. Its writer adds an empty line where a
//! folded block goes on with a line that is indented further, so that the text gets one more line feed there
//! (`yaml_emitter_write_folded_scalar` in go.yaml.in/yaml/v3).

use std::collections::HashMap;

use super::inline::block_mark;
use super::state::State;
use manifest::diagnostic::SourceId;
use manifest::value::{Kind, Node};

/// The texts of files by source, as far as they were needed.
#[derive(Default)]
pub(super) struct Texts(HashMap<SourceId, Option<String>>);

impl Texts {
    /// The text of a source, if its content is given.
    pub(super) fn of(&mut self, state: &State<'_, '_>, source: SourceId) -> Option<&str> {
        let text = self.0.entry(source).or_insert_with(|| {
            let file = state.builder.sources.get(&source)?;
            String::from_utf8(state.content(file)?.bytes).ok()
        });
        text.as_deref()
    }
}

/// Changes the folded blocks in an object.
pub(super) fn rewrite(state: &State<'_, '_>, node: &mut Node, texts: &mut Texts) {
    match &mut node.kind {
        Kind::List(items) => items
            .iter_mut()
            .for_each(|item| rewrite(state, item, texts)),
        Kind::Map(map) => map
            .iter_mut()
            .for_each(|(_, value)| rewrite(state, value, texts)),
        Kind::String(text) => {
            let Some(rewritten) = rewritten(text) else {
                return;
            };
            let Some(span) = node.span else { return };
            let file = texts.of(state, span.source);
            if file.and_then(|file| block_mark(file, span.start as usize)) == Some('>') {
                *text = rewritten;
            }
        }
        _ => {}
    }
}

/// The text with one more line feed before lines that are indented further; `None` if it stays the same.
fn rewritten(text: &str) -> Option<String> {
    if !text.contains("\n ") && !text.contains("\n\t") {
        return None;
    }
    let is_blank = |line: &str| line.starts_with([' ', '\t']);
    // The writer looks at the first line where it should look at the next one.
    if text.trim_start_matches('\n').is_empty() || is_blank(text.trim_start_matches('\n')) {
        return None;
    }
    let mut rewritten = String::with_capacity(text.len() + 8);
    let mut lines = text.split('\n').peekable();
    let mut last = "";
    while let Some(line) = lines.next() {
        if !line.is_empty() {
            if is_blank(line) && !last.is_empty() && !is_blank(last) {
                rewritten.push('\n');
            }
            last = line;
        }
        rewritten.push_str(line);
        if lines.peek().is_some() {
            rewritten.push('\n');
        }
    }
    (rewritten != text).then_some(rewritten)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_indented_further_gets_an_empty_line_before() {
        for (text, want) in [
            ("[\n  a\n  b\n]\n", Some("[\n\n  a\n  b\n]\n")),
            ("a\n\n  b\nc\n", Some("a\n\n\n  b\nc\n")),
            ("a\nb\n", None),
            ("  a\n  b\n", None),
        ] {
            assert_eq!(rewritten(text).as_deref(), want, "{text:?}");
        }
    }
}
