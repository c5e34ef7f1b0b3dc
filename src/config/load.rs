//! `cluster.toml`'s text to [`Cluster`], and every mistake of form at once.

use toml::de::{DeTable, DeValue};
use toml_parser::lexer::TokenKind;

use super::Cluster;
use crate::codes;
use manifest::diagnostic::suggest::nearest;
use manifest::diagnostic::{Diagnostic, SourceId, Sources, Span};
use manifest::value::de::{Problem, Wrong, decode};
use manifest::value::{Entry, Kind, Map, Node};

/// The largest `cluster.toml` that is read, in bytes.
pub const LARGEST_CONFIG: u64 = 1 << 20;

/// The most mistakes of syntax that are told: what follows from the first ones is noise.
const MOST_SYNTAX: usize = 100;

/// The most mistakes of form that are told.
const MOST_MISTAKES: usize = 1000;

/// How deep lists and tables are nested at most, and how many parts a key has: somewhat less than the parser can take.
const DEEPEST: usize = 64;

/// Reads `cluster.toml`. `None` where nothing of it could be read.
pub fn load(sources: &Sources, source: SourceId) -> (Option<Cluster>, Vec<Diagnostic>) {
    let (tree, mut problems) = match tree_of(sources, source) {
        Ok(read) => read,
        Err(problems) => return (None, problems),
    };
    let (cluster, wrong) = decode::<Cluster>(&tree);
    let wrong = wrong.into_iter().take(MOST_MISTAKES);
    problems.extend(wrong.map(|problem| describe(problem, &tree)));
    (cluster, problems)
}

/// Reads any TOML as a tree, and what manifests can't hold of it; `None` where it is no TOML.
pub fn tree(sources: &Sources, source: SourceId) -> Option<(Node, Vec<Diagnostic>)> {
    tree_of(sources, source).ok()
}

fn tree_of(
    sources: &Sources,
    source: SourceId,
) -> Result<(Node, Vec<Diagnostic>), Vec<Diagnostic>> {
    let text = sources.get(source).text();
    // The parser would build, and report, each of a million levels.
    if let Some(range) = too_deep(text) {
        return Err(vec![deep(Span::new(source, range.start, range.end))]);
    }
    let (table, errors) = DeTable::parse_recoverable(text);
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

/// The place at which lists and tables, or the parts of a key, are more than [`DEEPEST`].
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
    let message = format!("not TOML that can be read: nested more than {DEEPEST} levels deep");
    Diagnostic::new(codes::CONFIG_SYNTAX, message)
        .at(span)
        .why("nothing can be rendered or checked until the file can be read")
        .help("the tables are nested too deep to be meant")
}

fn syntax(error: &toml::de::Error, text: &str, source: SourceId) -> Diagnostic {
    let range = error.span().unwrap_or(0..0);
    let start = range.start.min(text.len());
    let end = range.end.clamp(start, text.len());
    let message = error.message().lines().next().unwrap_or("it can't be read");
    let help = if message.contains("duplicate key") {
        "keep one of the two; a table's header may stand only once too"
    } else if message.contains("recursion limit") || message.contains("recurse") {
        "the tables are nested too deep to be meant"
    } else {
        "strings stand in double quotes, tables in [brackets], one key = value on a line"
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
            Err(_) => refuse("a whole number beyond 64 bits", span, problems),
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
                Diagnostic::new(codes::CONFIG_WRONG_TYPE, "a date, where no key takes one")
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
            .why("the API server would refuse it, or round it")
            .help("write a smaller number, or a string"),
    );
    Kind::Number(0.into())
}

/// A mistake of form in words.
fn describe(problem: Problem, tree: &Node) -> Diagnostic {
    let path = problem.pointer.dotted();
    let table = problem.pointer.parent().map(|above| above.dotted());
    let of_table = match table.as_deref() {
        None | Some("") => "cluster.toml".to_owned(),
        Some(table) => format!("[{table}]"),
    };
    let diagnostic = match problem.wrong {
        Wrong::UnknownKey(key, known) => {
            let help = match nearest(&key, known.iter().copied()) {
                Some(near) => format!("write `{near}`"),
                None => format!("it has: {}", known.join(", ")),
            };
            Diagnostic::new(
                codes::CONFIG_UNKNOWN_KEY,
                format!("{of_table} has no key `{key}`"),
            )
            .why("a key that is not known would silently do nothing")
            .help(format!(
                "{help}; a field of the Kubernetes object goes into its `spec` table"
            ))
        }
        Wrong::UnknownWord(word, known) => {
            let listed = known.join("`, `");
            let help = match nearest(&word, known.iter().copied()) {
                Some(near) => format!("write `{near}`; there are `{listed}`"),
                None => format!("there are `{listed}`"),
            };
            Diagnostic::new(
                codes::CONFIG_INVALID_VALUE,
                format!("`{path}` can't be `{word}`"),
            )
            .why("only these words have a meaning here")
            .help(help)
        }
        Wrong::Missing(key) => Diagnostic::new(
            codes::CONFIG_MISSING_KEY,
            format!("`{path}` has no `{key}`"),
        )
        .why("there is no default for it")
        .help(format!("add `{key} = …`")),
        Wrong::Type(found, expected) => Diagnostic::new(
            codes::CONFIG_WRONG_TYPE,
            format!("`{path}` is {}", article(&found)),
        )
        .why("the value can't be read as what the key means")
        .help(format!("write {}", words(&expected))),
        Wrong::Other(message) => {
            let found = tree.at(&problem.pointer).map(manifest::value::de::found);
            let message = message.strip_prefix("expected ").unwrap_or(&message);
            let found = found.map_or_else(|| "wrong".to_owned(), |found| article(&found));
            Diagnostic::new(codes::CONFIG_WRONG_TYPE, format!("`{path}` is {found}"))
                .why("the value can't be read as what the key means")
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

/// serde's words for what was found, as a sentence goes on.
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

/// serde's words for what was expected, as a person says them.
fn words(expected: &str) -> String {
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
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<(String, usize, String)> {
        let mut sources = Sources::default();
        let id = sources.add("cluster.toml", text);
        let (_, problems) = load(&sources, id);
        problems
            .into_iter()
            .map(|problem| {
                let line = problem.span.map_or(0, |span| sources.locate(span).line);
                let text = format!("{} ({})", problem.message, problem.help.unwrap_or_default());
                (problem.code.to_string(), line, text)
            })
            .collect()
    }

    #[test]
    fn all_mistakes_of_form_are_told_at_once() {
        let found = problems(
            "domian = 'example.com'\n[proxy]\nreplicas = 'two'\nkind = 'Daemonset'\ndrain_timeout = 3\n\
             [gateways.a]\nadress = '10.10.30.26'\n[gateways.a.listeners.x]\nport = [1]\n",
        );
        let short: Vec<(&str, usize)> = found
            .iter()
            .map(|(code, line, _)| (code.as_str(), *line))
            .collect();
        assert_eq!(
            short,
            [
                ("config/unknown-key", 1),
                ("config/wrong-type", 3),
                ("config/invalid-value", 4),
                ("config/wrong-type", 5),
                ("config/unknown-key", 7),
                ("config/wrong-type", 9),
            ],
            "{found:#?}"
        );
        assert!(found[0].2.contains("write `domain`"), "{}", found[0].2);
        assert!(found[2].2.contains("write `DaemonSet`"), "{}", found[2].2);
    }

    #[test]
    fn broken_toml_is_told_with_its_line() {
        let found = problems("domain = \"a\nx = 1\n[gateways\n");
        assert!(found.len() >= 2, "{found:?}");
        assert_eq!((found[0].0.as_str(), found[0].1), ("config/syntax", 1));
    }

    #[test]
    fn the_pages_of_findings_use_keys_that_there_are() {
        use crate::codes;
        for code in codes::all() {
            let examples = code.page().split("```toml\n").skip(1);
            let right = code.page().split("## Right").nth(1).unwrap_or_default();
            for example in examples.filter_map(|rest| rest.split("\n```").next()) {
                let found = problems(example);
                let is_right = right.contains(example);
                if is_right {
                    assert!(found.is_empty(), "{code}: {found:?}");
                } else {
                    let of_this = |found: &(String, usize, String)| found.0 == code.as_str();
                    assert!(found.iter().all(of_this), "{code}: {found:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_nested_too_deep_is_told_once_and_at_its_place() {
        let open = |count: usize| format!("domain = {}{}", "[".repeat(count), "]".repeat(count));
        let is_deep = |text: &str| {
            let found = problems(text);
            let says =
                |found: &(String, usize, String)| found.2.contains("nested more than 64 levels");
            assert!(!found.iter().any(says) || found.len() == 1, "{found:?}");
            found.iter().any(says)
        };
        assert!(!is_deep(&open(DEEPEST)) && is_deep(&open(DEEPEST + 1)));
        for unit in ["[", "{a=", "{a=[", "a."] {
            assert!(
                is_deep(&format!("x = 1\ny.{}", unit.repeat(1000))),
                "{unit}"
            );
            assert!(is_deep(&format!("x = {}", unit.repeat(1000))), "{unit}");
        }
        // Neither strings nor comments nest, nor do lines that are closed.
        let brackets = "[".repeat(1000);
        let quoted = format!("a = \"{brackets}\"\nb = '''\n{brackets}'''\n# {brackets}");
        assert!(!is_deep(&quoted));
        assert!(!is_deep(&"[a.b.c]\nd = 1.5\n".repeat(1000)));
    }

    #[test]
    fn deep_and_odd_files_are_refused() {
        assert!(!problems(&format!("a = {}", "[".repeat(100_000))).is_empty());
        assert!(!problems(&format!("{}a = 1", "a.".repeat(100_000))).is_empty());
        assert!(!problems("x = 99999999999999999999\ny = 2020-01-01\nz = inf").is_empty());
    }
}
