//! Reads the text of `cluster.toml` into [`Cluster`] and reports all mistakes of form in one run.

use std::collections::HashSet;

use serde::Deserialize;
use toml::de::{DeTable, DeValue};
use toml_parser::lexer::TokenKind;

use super::Cluster;
use super::codes;
use super::test::TestFile;
use super::validate::RepositorySettings;
use manifest::diagnostic::suggest::nearest;
use manifest::diagnostic::{Diagnostic, SourceId, Sources, Span};
use manifest::value::de::{Mistake, Problem, decode};
use manifest::value::pointer::Step;
use manifest::value::{Entry, Kind, Map, Node, Pointer};

/// The largest `cluster.toml` that is read, in bytes.
pub const LARGEST_CONFIG: u64 = 1 << 20;

/// The key that takes a date, with or without quotes: the end of an exception from the rules.
const DATE: &str = "until";

/// The maximum number of reported syntax errors. Later errors are often only consequences of the first ones.
const MOST_SYNTAX: usize = 100;

/// The largest file of which all syntax errors are reported, in bytes. Of a larger one it is the first, because the parser
/// keeps every error that it finds, and a megabyte has room for hundreds of thousands.
const LARGEST_WITH_ALL_ERRORS: usize = 100_000;

/// The maximum number of reported mistakes of form, such as unknown keys and wrong types.
const MOST_MISTAKES: usize = 1000;

/// The maximum number of keys that the file of another tool has. With more, the usual mistakes are reported.
const MOST_KEYS: usize = 50;

/// The maximum nesting of lists and tables, and the maximum number of parts of a dotted key. The TOML parser
/// could take slightly more.
const DEEPEST: usize = 64;

/// Reads `cluster.toml`. The cluster is `None` if nothing could be read.
pub fn load(sources: &Sources, source: SourceId) -> (Option<Cluster>, Vec<Diagnostic>) {
    load_table(sources, source, "cluster.toml")
}

/// Reads `gatewayctl.toml`. The settings are `None` if nothing could be read.
pub fn load_settings(
    sources: &Sources,
    source: SourceId,
) -> (Option<RepositorySettings>, Vec<Diagnostic>) {
    load_table(sources, source, "gatewayctl.toml")
}

/// The keys of a `cluster.toml` that is the file of another tool; empty if it is not. It is one if none of its keys is
/// known, and none resembles a known one.
pub fn keys_of_another_tool(text: &str) -> Vec<String> {
    foreign_keys::<Cluster>(text)
}

/// Whether a file is that of another tool: none of its keys is known, and none resembles a known one.
pub fn is_of_another_tool<T: for<'de> Deserialize<'de>>(text: &str) -> bool {
    !foreign_keys::<T>(text).is_empty()
}

fn foreign_keys<T: for<'de> Deserialize<'de>>(text: &str) -> Vec<String> {
    let mut sources = Sources::default();
    let source = sources.add("cluster.toml", text);
    let Some((tree, _)) = tree(&sources, source) else {
        return Vec::new();
    };
    let Some(map) = tree.as_map().filter(|map| map.len() <= MOST_KEYS) else {
        return Vec::new();
    };
    let (_, wrong) = decode::<T>(&tree);
    let foreign: HashSet<&str> = wrong
        .iter()
        .filter(|problem| problem.pointer.steps().len() == 1)
        .filter_map(|problem| match &problem.wrong {
            Mistake::UnknownKey(key, known) => {
                let is_far = nearest(key, known.iter().copied()).is_none();
                is_far.then_some(key.as_str())
            }
            _ => None,
        })
        .collect();
    match map.iter().all(|(key, _)| foreign.contains(key)) {
        true => map.iter().map(|(key, _)| key.to_owned()).collect(),
        false => Vec::new(),
    }
}

/// Reads a file with tests, which is shown as `name`. The tests are `None` if nothing could be read.
pub fn load_tests(
    sources: &Sources,
    source: SourceId,
    name: &str,
) -> (Option<TestFile>, Vec<Diagnostic>) {
    load_table(sources, source, name)
}

fn load_table<T: for<'de> Deserialize<'de>>(
    sources: &Sources,
    source: SourceId,
    name: &str,
) -> (Option<T>, Vec<Diagnostic>) {
    let (tree, mut problems) = match tree_of(sources, source) {
        Ok(read) => read,
        Err(problems) => return (None, problems),
    };
    let (table, wrong) = decoded::<T>(&tree, sources, name);
    problems.extend(wrong);
    (table, problems)
}

/// Decodes a tree. `name` is that of the file, for mistakes whose place is not known.
pub(super) fn decoded<T: for<'de> Deserialize<'de>>(
    tree: &Node,
    sources: &Sources,
    name: &str,
) -> (Option<T>, Vec<Diagnostic>) {
    let (table, wrong) = decode::<T>(tree);
    let wrong = wrong.into_iter().take(MOST_MISTAKES);
    let described = wrong.map(|problem| {
        let file = problem.span.map(|span| sources.get(span.source).name());
        describe(problem, tree, file.unwrap_or(name))
    });
    (table, described.collect())
}

/// Reads any TOML as a tree, with diagnostics for values that manifests can't hold; `None` if the text is not
/// TOML.
pub fn tree(sources: &Sources, source: SourceId) -> Option<(Node, Vec<Diagnostic>)> {
    tree_of(sources, source).ok()
}

/// The table of a text; `None` if it is not TOML.
pub(crate) fn table_of(text: &str) -> Option<Map> {
    let mut sources = Sources::default();
    let source = sources.add("cluster.toml", text);
    let (tree, _) = tree_of(&sources, source).ok()?;
    match Node::from_json(tree.to_json()).kind {
        Kind::Map(map) => Some(map),
        _ => None,
    }
}

pub(super) fn tree_of(
    sources: &Sources,
    source: SourceId,
) -> Result<(Node, Vec<Diagnostic>), Vec<Diagnostic>> {
    let text = sources.get(source).text();
    // The parser would build, and report, each level of a file that is nested a million levels deep.
    if let Some(range) = too_deep(text) {
        return Err(vec![deep(Span::new(source, range.start, range.end))]);
    }
    let (table, errors) = if text.len() <= LARGEST_WITH_ALL_ERRORS {
        DeTable::parse_recoverable(text)
    } else {
        match DeTable::parse(text) {
            Ok(table) => (table, Vec::new()),
            Err(error) => (toml::Spanned::new(0..0, DeTable::default()), vec![error]),
        }
    };
    if !errors.is_empty() {
        let mut problems: Vec<_> = errors
            .iter()
            .take(MOST_SYNTAX)
            .map(|error| syntax(error, text, source))
            .collect();
        problems.sort_by_key(|problem| problem.span);
        return Err(problems);
    }
    let mut problems = Vec::new();
    let tree = Node::new(
        Kind::Map(map_of(table.get_ref(), source, &mut problems)),
        Some(Span::new(source, 0, 0)),
    );
    Ok((tree, problems))
}

/// The position where lists and tables, or the parts of a key, are nested deeper than [`DEEPEST`].
fn too_deep(text: &str) -> Option<std::ops::Range<usize>> {
    let (mut open, mut dots) = (0_usize, 0_usize);
    for token in toml_parser::Source::new(text).lex() {
        match token.kind() {
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => open += 1,
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                open = open.saturating_sub(1);
            }
            TokenKind::Dot => dots += 1,
            TokenKind::Equals | TokenKind::Comma | TokenKind::Newline => dots = 0,
            _ => {}
        }
        if open > DEEPEST || dots > DEEPEST {
            return Some(token.span().start()..token.span().end());
        }
    }
    None
}

fn deep(span: Span) -> Diagnostic {
    let message = format!("the file can't be read: it is nested more than {DEEPEST} levels deep");
    Diagnostic::new(codes::CONFIG_SYNTAX, message)
        .at(span)
        .why("nothing can be rendered or checked until the file can be read")
        .help("no table of cluster.toml is nested this deep; look for brackets that are not closed")
}

fn syntax(error: &toml::de::Error, text: &str, source: SourceId) -> Diagnostic {
    let range = error.span().unwrap_or(0..0);
    let start = range.start.min(text.len());
    let end = range.end.clamp(start, text.len());
    let message = error.message().lines().next().unwrap_or("it can't be read");
    let help = if message.contains("duplicate key") {
        "remove one of the two; the header of a table may also appear only once"
    } else if message.contains("recursion limit") || message.contains("recurse") {
        "no table of cluster.toml is nested this deep; look for brackets that are not closed"
    } else {
        "write strings in double quotes, table names in [brackets], and one key = value per line"
    };
    Diagnostic::new(codes::CONFIG_SYNTAX, format!("not TOML: {message}"))
        .at(Span::new(source, start, end))
        .why("nothing can be rendered or checked until the file can be read")
        .help(help)
}

fn map_of(table: &DeTable, source: SourceId, problems: &mut Vec<Diagnostic>) -> Map {
    let mut map = Map::default();
    for (key, value) in table.iter() {
        let span = |range: std::ops::Range<usize>| Span::new(source, range.start, range.end);
        let key_span = span(key.span());
        if let (DATE, DeValue::Datetime(date)) = (key.get_ref().as_ref(), value.get_ref()) {
            let node = Node::new(Kind::String(date.to_string()), Some(span(value.span())));
            let entry = Entry {
                key_span: Some(key_span),
                value: node,
            };
            map.insert_entry(DATE.to_owned(), entry);
            continue;
        }
        let node = node_of(value.get_ref(), span(value.span()), source, problems);
        let entry = Entry {
            key_span: Some(key_span),
            value: node,
        };
        map.insert_entry(key.get_ref().to_string(), entry);
    }
    map
}

fn node_of(value: &DeValue, span: Span, source: SourceId, problems: &mut Vec<Diagnostic>) -> Node {
    let kind = match value {
        DeValue::String(text) => Kind::String(text.to_string()),
        DeValue::Boolean(value) => Kind::Bool(*value),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Kind::Number(number.into()),
            Err(_) => refuse(
                "a whole number that doesn't fit into 64 bits",
                span,
                problems,
            ),
        },
        DeValue::Float(number) => match number
            .as_str()
            .parse()
            .ok()
            .and_then(serde_json::Number::from_f64)
        {
            Some(number) => Kind::Number(number),
            None => refuse("a number that YAML manifests can't hold", span, problems),
        },
        DeValue::Datetime(date) => {
            problems.push(
                Diagnostic::new(codes::CONFIG_WRONG_TYPE, "a date, but no key takes a date")
                    .at(span)
                    .why("Kubernetes manifests have no dates, only strings")
                    .help(format!("write it in quotes: \"{date}\"")),
            );
            Kind::String(date.to_string())
        }
        DeValue::Array(items) => Kind::List(
            items
                .iter()
                .map(|item| {
                    let range = item.span();
                    let span = Span::new(source, range.start, range.end);
                    node_of(item.get_ref(), span, source, problems)
                })
                .collect(),
        ),
        DeValue::Table(table) => Kind::Map(map_of(table, source, problems)),
    };
    Node::new(kind, Some(span))
}

fn refuse(what: &str, span: Span, problems: &mut Vec<Diagnostic>) -> Kind {
    problems.push(
        Diagnostic::new(codes::CONFIG_WRONG_TYPE, what)
            .at(span)
            .why("the API server would reject or round it")
            .help("write a smaller number, or a string"),
    );
    Kind::Number(0.into())
}

/// Makes a diagnostic of a mistake of form.
fn describe(problem: Problem, tree: &Node, name: &str) -> Diagnostic {
    let path = problem.pointer.dotted();
    let table = problem.pointer.parent().map(|above| above.dotted());
    let of_table = match table.as_deref() {
        None | Some("") => name.to_owned(),
        Some(table) => format!("[{table}]"),
    };
    let diagnostic = match problem.wrong {
        Mistake::UnknownKey(key, known) => {
            let help = match nearest(&key, known.iter().copied()) {
                Some(near) => format!("write `{near}`"),
                None => format!("the keys are: {}", known.join(", ")),
            };
            Diagnostic::new(
                codes::CONFIG_UNKNOWN_KEY,
                format!("{of_table} has no key `{key}`"),
            )
            .why("an unknown key would have no effect, and nobody would notice")
            .help(match is_about_objects(&problem.pointer) {
                true => {
                    format!("{help}; a field of the Kubernetes object goes into its `spec` table")
                }
                false => help,
            })
        }
        Mistake::UnknownWord(word, known) => {
            let listed = known.join("`, `");
            let help = match nearest(&word, known.iter().copied()) {
                Some(near) => format!("write `{near}`; the allowed values are `{listed}`"),
                None => format!("the allowed values are `{listed}`"),
            };
            Diagnostic::new(
                codes::CONFIG_INVALID_VALUE,
                format!("`{path}` can't be `{word}`"),
            )
            .why("no other value has a meaning here")
            .help(help)
        }
        Mistake::Missing(key) => Diagnostic::new(
            codes::CONFIG_MISSING_KEY,
            format!("`{path}` has no `{key}`"),
        )
        .why("it has no default")
        .help(format!("add `{key} = …`")),
        Mistake::Type(found, expected) => Diagnostic::new(
            codes::CONFIG_WRONG_TYPE,
            format!("`{path}` is {}", article(&found)),
        )
        .why("the key doesn't take a value of this type")
        .help(format!("write {}", describe_expected(&expected))),
        Mistake::Other(message) => {
            let found = tree.at(&problem.pointer).map(manifest::value::de::found);
            let message = message.strip_prefix("expected ").unwrap_or(&message);
            let found = found.map_or_else(|| "wrong".to_owned(), |found| article(&found));
            Diagnostic::new(codes::CONFIG_WRONG_TYPE, format!("`{path}` is {found}"))
                .why("the key doesn't take a value of this type")
                .help(format!("write {message}"))
        }
    };
    let pointer = Some(problem.pointer.to_string());
    Diagnostic {
        pointer,
        ..diagnostic
    }
    .at(problem.span)
}

/// Whether a table describes objects, and not what is asked of them.
fn is_about_objects(pointer: &Pointer) -> bool {
    let first = pointer.steps().first();
    let others = ["test", "networks", "rules"];
    !matches!(first, Some(Step::Key(key)) if others.contains(&key.as_str()))
}

/// Turns serde's description of a found value into the end of a sentence: with an article and TOML's names of
/// types.
fn article(found: &str) -> String {
    let found = found
        .replace("sequence", "list")
        .replace("map", "table")
        .replace("floating point", "number")
        .replace("integer", "number");
    match found.split(' ').next() {
        Some("nothing") => found,
        Some("list" | "table") => format!("a {found}"),
        _ => format!("the {found}"),
    }
}

/// Turns serde's description of an expected value into words for users.
fn describe_expected(expected: &str) -> String {
    match expected {
        "a string" | "a borrowed string" => "a string, in double quotes".to_owned(),
        "a boolean" => "true or false, without quotes".to_owned(),
        "a sequence" => "a list, in [brackets]".to_owned(),
        "a map" => "a table".to_owned(),
        other if other.starts_with("struct ") => "a table".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests;
