//! Parses texts: files whose content is given, and YAML that is written inside of a string.

use std::ops::Range;

use super::fields::{is_blank, text};
use super::state::State;
use super::{BuildPlace, FileContent};
use manifest::diagnostic::{SourceId, Sources, Span};
use manifest::read::{self, ReadProblem, ReadProblemKind, Reader};
use manifest::value::{Kind, Map, Node};

/// The maximum nesting of lists of objects; more have no use.
const MOST_LISTS: usize = 8;

/// The objects in documents as kustomize reads them: lists are replaced by their items, and every object needs a kind
/// and a name.
pub(super) fn objects(documents: Vec<Node>) -> Result<Vec<Node>, String> {
    let mut objects = Vec::new();
    let mut rest = documents;
    for _ in 0..MOST_LISTS {
        let mut lists = Vec::new();
        for document in rest {
            if is_blank(&document) || document.as_map().is_some_and(Map::is_empty) {
                continue;
            }
            check(&document)?;
            match text(&document, "kind").ends_with("List") {
                true => lists.push(document),
                false => objects.push(document),
            }
        }
        rest = Vec::new();
        for list in lists {
            match list.get("items").map(|items| &items.kind) {
                None => objects.push(list),
                Some(Kind::Null) => {}
                Some(Kind::List(items)) => rest.extend(items.iter().cloned()),
                Some(_) => return Err("the items of a list are no list".to_owned()),
            }
        }
        if rest.is_empty() {
            return Ok(objects);
        }
    }
    Err("lists of objects are nested too deeply".to_owned())
}

/// An object needs a kind and a name, but a list needs no name.
fn check(document: &Node) -> Result<(), String> {
    let kind = text(document, "kind");
    if kind.is_empty() {
        return Err("an object has no kind".to_owned());
    }
    let name = document.path(&["metadata", "name"]);
    let name = name.and_then(super::resource::text_of);
    match kind.ends_with("List") || name.is_some_and(|name| !name.is_empty()) {
        true => Ok(()),
        false => Err(format!("an object of the kind {kind} has no metadata.name")),
    }
}

/// Why a file has no documents.
pub(super) struct Unreadable {
    pub(super) message: String,
    /// Whether kustomize may be able to read it: it is beyond the limits of our reader, or means different things to
    /// different programs.
    pub(super) is_ours: bool,
}

impl From<String> for Unreadable {
    fn from(message: String) -> Self {
        Unreadable {
            message,
            is_ours: false,
        }
    }
}

impl From<ReadProblem> for Unreadable {
    fn from(problem: ReadProblem) -> Self {
        Unreadable {
            is_ours: problem.wrong != ReadProblemKind::Syntax,
            message: problem.message,
        }
    }
}

/// The documents of a file, as a reader reads them.
pub(super) fn parse_file(content: &FileContent, reader: Reader) -> Result<Vec<Node>, Unreadable> {
    let Ok(text) = std::str::from_utf8(&content.bytes) else {
        return Err("it is no text".to_owned().into());
    };
    match content.source {
        Some(source) => parse(text, reader, source),
        None => {
            let mut documents = parse(text, reader, nowhere())?;
            for document in &mut documents {
                move_spans(document, &|_| None);
            }
            Ok(documents)
        }
    }
}

/// The documents of a text that is the value of `node`. Their values have places in the file of `at` if its content
/// is given; otherwise, they have the place of `node`.
pub(super) fn parse_value(
    state: &State<'_, '_>,
    at: &BuildPlace,
    node: &Node,
) -> Result<Vec<Node>, String> {
    let text = node.as_str().unwrap_or_default();
    let mut documents =
        parse(text, Reader::Kustomize, nowhere()).map_err(|unreadable| unreadable.message)?;
    let lines = node.span.and_then(|span| {
        let content = state.content(&at.file)?;
        lines_of(text, std::str::from_utf8(&content.bytes).ok()?, span)
    });
    for document in &mut documents {
        move_spans(document, &|span| match (&lines, node.span) {
            (Some(lines), Some(whole)) => moved(lines, whole.source, span).or(node.span),
            _ => node.span,
        });
    }
    Ok(documents)
}

/// A source for texts that have none.
fn nowhere() -> SourceId {
    Sources::default().add("", "")
}

fn parse(text: &str, reader: Reader, source: SourceId) -> Result<Vec<Node>, Unreadable> {
    let mut documents = Vec::new();
    for range in read::split(text) {
        let part = text.get(range.clone()).unwrap_or_default();
        let mut document = read::parse_for(reader, part, source, range.start)?;
        // The operations of a JSON patch are read as kubectl reads YAML.
        if document.as_list().is_some() {
            document = read::parse_for(Reader::Kubectl, part, source, range.start)?;
        }
        if !is_blank(&document) {
            documents.push(document);
        }
    }
    Ok(documents)
}

/// The mark of the block (`|` or `>`) whose content begins at byte `start` of a file, if there is one.
pub(super) fn block_mark(file: &str, start: usize) -> Option<char> {
    let before = file.get(..start)?.trim_end();
    let line = before.rsplit('\n').next()?;
    let line = line
        .split_once(" #")
        .map_or(line, |(line, _)| line)
        .trim_end();
    let header = line.rsplit([' ', '\t']).next()?;
    let mark = header
        .chars()
        .next()
        .filter(|mark| matches!(mark, '|' | '>'))?;
    let is_rest = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+');
    header.get(1..)?.chars().all(is_rest).then_some(mark)
}

/// The lines of a value that is a literal block (`|`): where each begins in the value and in the file.
fn lines_of(value: &str, file: &str, span: Span) -> Option<Vec<(usize, usize)>> {
    let start = span.start as usize;
    let mut at = file.get(..start)?.rfind('\n')? + 1;
    if block_mark(file, at) != Some('|') || !file.get(at..start)?.trim().is_empty() {
        return None;
    }
    let own = value.len() - value.trim_start_matches(' ').len();
    let indentation = (start - at).checked_sub(if value.starts_with('\n') { 0 } else { own })?;
    let mut lines = Vec::new();
    let mut start = 0;
    let mut raws = file.get(at..)?.split_inclusive('\n');
    for line in value.split_inclusive('\n') {
        let raw = raws.next()?;
        let text = line.trim_end_matches('\n');
        if !text.is_empty() && !raw.get(indentation..)?.starts_with(text) {
            return None;
        }
        lines.push((start, at + indentation));
        start += line.len();
        at += raw.len();
    }
    Some(lines)
}

/// A position in a value as a position in the file.
fn moved(lines: &[(usize, usize)], source: SourceId, span: Span) -> Option<Span> {
    let Range { start, end } = span.range();
    let place = |offset: usize| {
        let line = lines
            .partition_point(|(there, _)| *there <= offset)
            .checked_sub(1)?;
        let (in_value, in_file) = lines.get(line)?;
        Some(in_file + (offset - in_value))
    };
    Some(Span::new(source, place(start)?, place(end)?))
}

/// Changes all positions in a tree.
fn move_spans(node: &mut Node, place: &dyn Fn(Span) -> Option<Span>) {
    node.span = node.span.and_then(place);
    match &mut node.kind {
        Kind::List(items) => items.iter_mut().for_each(|item| move_spans(item, place)),
        Kind::Map(map) => {
            let old = std::mem::take(map);
            for (key, mut entry) in old.into_entries() {
                entry.key_span = entry.key_span.and_then(place);
                move_spans(&mut entry.value, place);
                map.insert_entry(key, entry);
            }
        }
        _ => {}
    }
}
