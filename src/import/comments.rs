//! Comments of the files that will be rendered. Those for Renovate are moved to the line of `cluster.toml` that their
//! value comes from; the others are listed as dropped.

use super::door::{Door, Found};
use super::files::Reader;
use super::prove;
use crate::compile::Compiled;
use manifest::diagnostic::printable::printable;
use manifest::value::{Kind, Node, Pointer};

/// A comment in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Its line, starting at 1.
    pub line: usize,
    /// Its text without the `#` and without blanks around it.
    pub text: String,
    /// The document and the value that it belongs to: the next one, or the one before it on the same line.
    pub value: Option<(usize, Pointer)>,
}

/// The comments that are carried over, and those that are dropped.
#[derive(Clone, Debug, Default)]
pub struct Carried {
    /// Lines of `cluster.toml`, starting at 1, and the comment above each.
    pub over: Vec<(usize, String)>,
    /// File, line and text of the dropped comments.
    pub dropped: Vec<(String, usize, String)>,
}

/// Comments that are rendered anyway, or say nothing: schema comments, our own header, empty comments.
fn is_made_anew(text: &str) -> bool {
    text.is_empty()
        || text.contains("yaml-language-server:")
        || text.starts_with("Rendered by gatewayctl from ")
        || text
            .chars()
            .all(|c| matches!(c, '#' | '-' | '=' | '*' | ' '))
}

/// Whether the comment is for Renovate.
fn is_for_renovate(text: &str) -> bool {
    text.starts_with("renovate:")
}

/// Sorts the comments of the files that are rendered.
pub fn carry(paths: &[&str], door: &Door, compiled: &Compiled, reader: &mut Reader) -> Carried {
    let mut carried = Carried::default();
    for path in paths {
        let parsed = reader.read(path);
        let text = reader.files.texts.get(*path).map_or("", String::as_str);
        for comment in comments(text, &parsed.nodes) {
            if is_made_anew(&comment.text) {
                continue;
            }
            let line = comment
                .value
                .as_ref()
                .filter(|_| is_for_renovate(&comment.text))
                .and_then(|(at, pointer)| {
                    let mut objects = door.objects.iter();
                    let found = objects.find(|found| found.path == **path && found.at == *at)?;
                    line_of(found, pointer, door, compiled)
                });
            match line {
                Some(line) => carried.over.push((line, comment.text)),
                None => carried
                    .dropped
                    .push(((*path).to_owned(), comment.line, comment.text)),
            }
        }
    }
    carried.over.sort();
    carried.over.dedup();
    carried
}

/// The line of `cluster.toml` that a value comes from.
fn line_of(found: &Found, pointer: &Pointer, door: &Door, compiled: &Compiled) -> Option<usize> {
    let origins = prove::origins(compiled, door, found)?;
    let span = origins
        .at(pointer)?
        .span
        .filter(|span| span.source == compiled.config)?;
    Some(compiled.sources.locate(span).line)
}

/// Adds the comments above the lines of a text.
pub fn with_comments(text: &str, over: &[(usize, String)]) -> String {
    let mut out = String::new();
    for (at, line) in text.split_inclusive('\n').enumerate() {
        for (_, comment) in over.iter().filter(|(line, _)| *line == at + 1) {
            out.push_str(&format!("# {}\n", printable(comment)));
        }
        out.push_str(line);
    }
    out
}

/// A scalar: its start, its end, its document and its path.
type Leaf = (usize, usize, usize, Pointer);

/// The comments of a file.
pub fn comments(text: &str, nodes: &[Node]) -> Vec<Comment> {
    let mut leaves = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        collect(node, at, &Pointer::root(), &mut leaves);
    }
    leaves.sort_by_key(|(start, ..)| *start);
    let mut found = Vec::new();
    let mut start = 0;
    for (at, line) in text.split_inclusive('\n').enumerate() {
        if let Some(column) = comment_in(line, start, &leaves) {
            let place = start + column;
            let is_alone = line.get(..column).unwrap_or_default().trim().is_empty();
            let after = leaves.iter().find(|(leaf, ..)| *leaf > place);
            let before = leaves
                .iter()
                .rev()
                .find(|(leaf, ..)| *leaf < place && *leaf >= start);
            let value = if is_alone { after } else { before };
            found.push(Comment {
                line: at + 1,
                text: line
                    .get(column..)
                    .unwrap_or_default()
                    .trim_start_matches('#')
                    .trim()
                    .to_owned(),
                value: value.map(|(_, _, document, pointer)| (*document, pointer.clone())),
            });
        }
        start += line.len();
    }
    found
}

/// The column of a comment in a line: a `#` at the start or after a blank, outside of all values.
fn comment_in(line: &str, start: usize, leaves: &[Leaf]) -> Option<usize> {
    let is_inside = |at: usize| leaves.iter().any(|(from, to, ..)| *from <= at && at < *to);
    let mut places = line.match_indices('#').map(|(column, _)| column);
    places.find(|column| {
        let before = line
            .get(..*column)
            .and_then(|before| before.chars().next_back());
        before.is_none_or(char::is_whitespace) && !is_inside(start + column)
    })
}

fn collect(node: &Node, document: usize, pointer: &Pointer, leaves: &mut Vec<Leaf>) {
    match &node.kind {
        Kind::Map(map) => {
            for (key, value) in map.iter() {
                collect(value, document, &pointer.key(key), leaves);
            }
        }
        Kind::List(items) => {
            for (at, value) in items.iter().enumerate() {
                collect(value, document, &pointer.index(at), leaves);
            }
        }
        _ => {
            if let Some(span) = node.span {
                let range = span.range();
                leaves.push((range.start, range.end, document, pointer.clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifest::diagnostic::Sources;
    use manifest::read;

    #[test]
    fn comments_are_told_from_text_and_belong_to_a_value() {
        let text = "# first\nspec:\n  # renovate: datasource=docker depName=example\n  tag: 1.9.0 # why\n  url: a#b\n  \
                    quoted: \"x # y\"\n  script: |\n    # no comment\n    x\n---\nkind: B\n";
        let mut sources = Sources::default();
        let id = sources.add("a.yaml", text);
        let (documents, _) = read::read(&sources, id);
        let nodes: Vec<Node> = documents
            .into_iter()
            .map(|document| document.node)
            .collect();
        let found = comments(text, &nodes);
        let short: Vec<(usize, &str, String)> = found
            .iter()
            .map(|one| {
                let value = one
                    .value
                    .as_ref()
                    .map_or(String::new(), |(_, pointer)| pointer.to_string());
                (one.line, one.text.as_str(), value)
            })
            .collect();
        assert_eq!(
            short,
            [
                (1, "first", "/spec/tag".to_owned()),
                (
                    3,
                    "renovate: datasource=docker depName=example",
                    "/spec/tag".to_owned()
                ),
                (4, "why", "/spec/tag".to_owned()),
            ]
        );
    }

    #[test]
    fn a_comment_goes_over_its_line() {
        let text = with_comments("a = 1\nb = 2\n", &[(2, "why".to_owned())]);
        assert_eq!(text, "a = 1\n# why\nb = 2\n");
    }
}
