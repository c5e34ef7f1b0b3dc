//! A template and values to a tree.
//!
//! `{{ value }}` writes a mark: a private-use character, a number, another such character. YAML takes a
//! mark for a word, so the text parses whatever the value is. Then each mark gives way to its value: a
//! scalar that is nothing but a mark becomes the value itself, of any type; a mark inside longer text is
//! replaced by the value's text. A value can therefore never change the shape of the document.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use minijinja::syntax::SyntaxConfig;
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value,
};

use super::context::{Reads, node_of, value_of};
use super::templates::Templates;
use crate::diagnostic::{Code, Diagnostic, SourceId, Sources, Span};
use crate::manifest::read;
use crate::value::{Entry, Kind, Map, Node};

const OPEN: char = '\u{F0000}';
const CLOSE: char = '\u{F0001}';

/// Instructions that one template may run: far beyond any honest one, far below a second.
const FUEL: u64 = 2_000_000;

/// The values that one template wrote, by the number in their mark.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<(Vec<Node>, usize)>>);

/// Renders templates.
pub struct Engine<'a> {
    environment: Environment<'a>,
    templates: &'a Templates,
    written: Written,
    reads: Reads,
    /// The templates that findings point into.
    shown: RefCell<HashMap<String, SourceId>>,
}

impl<'a> Engine<'a> {
    /// An engine over a set of templates.
    pub fn new(templates: &'a Templates) -> Self {
        let (written, reads) = (Written::default(), Reads::default());
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(|name| {
            AutoEscape::Custom(
                if name.ends_with(".lua.j2") {
                    "lua"
                } else {
                    "yaml"
                }
                .into(),
            )
        });
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build();
        if let Ok(syntax) = syntax {
            environment.set_syntax(syntax);
        }
        let (marks, seen) = (written.clone(), reads.clone());
        environment.set_formatter(move |out, state, value| write(out, state, value, &marks, &seen));
        Engine {
            environment,
            templates,
            written,
            reads,
            shown: RefCell::default(),
        }
    }

    /// Renders the template `name` with `values` to a tree. What was not given is left out, with its key.
    ///
    /// # Errors
    /// Where the template fails or yields what is no YAML: a diagnostic with the template's line.
    pub fn tree(
        &mut self,
        name: &'static str,
        values: &Node,
        sources: &mut Sources,
    ) -> Result<Node, Box<Diagnostic>> {
        let text = self.text(name, values, sources)?;
        // The places that the parser gives count in the rendered text, which nobody sees.
        let source = sources.add(format!("{name} (rendered)"), text.output.as_str());
        let parsed = read::parse(&text.output, source, 0);
        let parsed =
            parsed.map_err(|problem| Box::new(self.broken(name, &text, &problem, sources)))?;
        let written = self
            .written
            .0
            .lock()
            .map(|written| written.0.clone())
            .unwrap_or_default();
        let resolver = Resolver {
            written: &written,
            text: &text.output,
        };
        match resolver.resolve(parsed) {
            Ok(node) => {
                let node = node.unwrap_or_else(Node::map);
                let missing = ["apiVersion", "kind"]
                    .into_iter()
                    .find(|key| node.get(key).and_then(Node::as_str).is_none());
                let Some(key) = missing else { return Ok(node) };
                let message =
                    format!("what the template makes has no `{key}`: it is no Kubernetes object");
                Err(Box::new(self.at_line(name, Some(1), message, sources)))
            }
            Err((message, at)) => Err(Box::new(self.at_output(name, &text, at, message, sources))),
        }
    }

    /// Renders the template `name` with `values` to text, for scripts: values are written as Lua literals.
    ///
    /// # Errors
    /// Where the template fails: a diagnostic with the template's line.
    pub fn script(
        &mut self,
        name: &'static str,
        values: &Node,
        sources: &mut Sources,
    ) -> Result<String, Box<Diagnostic>> {
        self.text(name, values, sources).map(|text| text.output)
    }

    fn text(
        &mut self,
        name: &'static str,
        values: &Node,
        sources: &mut Sources,
    ) -> Result<Text, Box<Diagnostic>> {
        if let Ok(mut written) = self.written.0.lock() {
            *written = (Vec::new(), 0);
        }
        self.reads.clear();
        let Some((source, _)) = self.templates.get(name) else {
            return Err(Box::new(Diagnostic::new(
                Code::ConfigTemplate,
                format!("there is no template {name}"),
            )));
        };
        if source.contains([OPEN, CLOSE]) {
            let message = "the template holds a character that marks values (U+F0000 or U+F0001)";
            return Err(Box::new(self.at_line(
                name,
                None,
                message.to_owned(),
                sources,
            )));
        }
        let template = match self.environment.get_template(name) {
            Ok(template) => Ok(template),
            Err(_) => match self.environment.add_template(name, source) {
                Ok(()) => self.environment.get_template(name),
                Err(error) => Err(error),
            },
        };
        let context = value_of(values, &self.reads);
        let rendered = template.and_then(|template| template.render_with_spans(context));
        match rendered {
            Ok((output, spans)) => Ok(Text { output, spans }),
            Err(error) => Err(Box::new(self.failed(name, &error, sources))),
        }
    }

    /// A template's failure in words.
    fn failed(&self, name: &str, error: &Error, sources: &mut Sources) -> Diagnostic {
        let detail = error
            .detail()
            .map_or_else(|| error.kind().to_string(), str::to_owned);
        let message = match error.kind() {
            ErrorKind::OutOfFuel => "the template runs too long".to_owned(),
            ErrorKind::UndefinedError if error.detail().is_none() => {
                "a name that is not there".to_owned()
            }
            _ => detail,
        };
        let range = error.range();
        let line = error.line();
        let mut diagnostic = self.at_line(name, line, message, sources);
        if let (Some(range), Some(span)) = (range, diagnostic.span)
            && let Some(text) = sources.get(span.source).text().get(range.clone())
            && !text.is_empty()
        {
            diagnostic.span = Some(Span::new(span.source, range.start, range.end));
        }
        diagnostic
    }

    /// Broken YAML, at the template's line that made it.
    fn broken(
        &self,
        name: &str,
        text: &Text,
        problem: &read::Problem,
        sources: &mut Sources,
    ) -> Diagnostic {
        let message = format!("the template yields no YAML: {}", problem.message);
        self.at_output(name, text, problem.span.range().start, message, sources)
    }

    fn at_output(
        &self,
        name: &str,
        text: &Text,
        at: usize,
        message: String,
        sources: &mut Sources,
    ) -> Diagnostic {
        let span = text
            .spans
            .iter()
            .find(|span| span.output_range().contains(&at))
            .or(text.spans.last());
        let line = span.map(|span| match span.kind() {
            minijinja::OutputSpanKind::Raw => {
                let before = text
                    .output
                    .get(span.output_range().start..at)
                    .unwrap_or_default();
                span.line() + before.matches('\n').count()
            }
            _ => span.line(),
        });
        self.at_line(name, line, message, sources)
    }

    fn at_line(
        &self,
        name: &str,
        line: Option<usize>,
        message: String,
        sources: &mut Sources,
    ) -> Diagnostic {
        let (source, path) = self.templates.get(name).unwrap_or(("", None));
        let shown = path.map_or_else(|| format!("templates/{name} (built in)"), str::to_owned);
        // One source for each template, so that one mistake in several objects is told once.
        let id = *self
            .shown
            .borrow_mut()
            .entry(name.to_owned())
            .or_insert_with(|| sources.add(shown, source));
        let range = line
            .and_then(|line| sources.get(id).line_range(line))
            .unwrap_or(0..0);
        Diagnostic::new(Code::ConfigTemplate, message)
            .at(Span::new(id, range.start, range.end))
            .why("what the template makes can't be written; nothing is")
            .help("mend the template at the mark; `{{ value }}` writes any value as YAML, so it needs no quotes")
    }
}

/// What a template wrote, and which of its parts wrote what.
struct Text {
    output: String,
    spans: Vec<minijinja::OutputSpan>,
}

/// The formatter: a mark in YAML, a literal in Lua.
fn write(
    out: &mut Output,
    state: &mut State,
    value: &Value,
    written: &Written,
    reads: &Reads,
) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(Error::new(
            ErrorKind::UndefinedError,
            "a name that is not there",
        ));
    }
    if value.is_safe() {
        // What a macro or a block wrote holds marks already.
        return out
            .write_str(value.as_str().unwrap_or_default())
            .map_err(Error::from);
    }
    if matches!(state.auto_escape(), AutoEscape::Custom(format) if format == "lua") {
        return out.write_str(&lua_literal(value)?).map_err(Error::from);
    }
    let mut all = written
        .0
        .lock()
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, "values are locked"))?;
    let Some(node) = node_of(value, reads, all.1) else {
        let message = format!("{} can't stand in a manifest", value.kind());
        return Err(Error::new(ErrorKind::BadSerialization, message));
    };
    all.1 = reads.count();
    all.0.push(node);
    write!(out, "{OPEN}{}{CLOSE}", all.0.len() - 1).map_err(Error::from)
}

/// A value as a Lua literal. Strings are in double quotes with every byte outside of plain ASCII, and every
/// quote, backslash, `%` and `$` as a decimal escape (Lua 5.1, section 2.1): nothing in them is read by Lua,
/// by its patterns' eyes, or by Flux.
fn lua_literal(value: &Value) -> Result<String, Error> {
    if let Some(text) = value.as_str() {
        let mut literal = String::from("\"");
        for byte in text.bytes() {
            match byte {
                b'"' | b'\\' | b'$' | b'%' | 0..=31 | 127.. => {
                    literal.push_str(&format!("\\{byte:03}"))
                }
                _ => literal.push(char::from(byte)),
            }
        }
        literal.push('"');
        return Ok(literal);
    }
    match i64::try_from(value.clone()) {
        Ok(number) if value.is_number() => Ok(number.to_string()),
        _ => Err(Error::new(
            ErrorKind::BadSerialization,
            format!("{} can't stand in a script", value.kind()),
        )),
    }
}

/// Puts values in the place of their marks.
struct Resolver<'a> {
    written: &'a [Node],
    text: &'a str,
}

impl Resolver<'_> {
    /// The tree without marks; `None` where it is what was not given. An error is a message and the byte of
    /// the rendered text that it is about.
    fn resolve(&self, node: Node) -> Result<Option<Node>, (String, usize)> {
        let at = node.span.map_or(0, |span| span.range().start);
        let kind = match node.kind {
            Kind::Null => return Ok(None),
            Kind::String(text) if text.contains(OPEN) => return self.string(&text, at),
            Kind::List(items) => {
                let before = items.len();
                let mut list = Vec::new();
                for item in items {
                    list.extend(self.resolve(item)?);
                }
                if list.is_empty() && before > 0 {
                    return Ok(None);
                }
                Kind::List(list)
            }
            Kind::Map(map) => {
                let before = map.len();
                let mut kept = Map::default();
                for (key, entry) in map.into_entries() {
                    let key_at = entry.key_span.map_or(at, |span| span.range().start);
                    let Some(value) = self.resolve(entry.value)? else {
                        continue;
                    };
                    let Some(key) = self.key(key, key_at)? else {
                        continue;
                    };
                    kept.insert_entry(
                        key.0,
                        Entry {
                            key_span: key.1,
                            value,
                        },
                    );
                }
                if kept.is_empty() && before > 0 {
                    return Ok(None);
                }
                Kind::Map(kept)
            }
            kind => kind,
        };
        Ok(Some(Node::new(kind, None)))
    }

    fn key(
        &self,
        key: String,
        at: usize,
    ) -> Result<Option<(String, Option<Span>)>, (String, usize)> {
        if !key.contains(OPEN) {
            return Ok(Some((key, None)));
        }
        match self.string(&key, at)? {
            None => Ok(None),
            Some(Node {
                kind: Kind::String(text),
                span,
            }) => Ok(Some((text, span))),
            Some(node) => match plain_text(&node) {
                Some(text) => Ok(Some((text, node.span))),
                None => Err(("a list or table can't be a key".to_owned(), at)),
            },
        }
    }

    /// A scalar that holds marks.
    fn string(&self, text: &str, at: usize) -> Result<Option<Node>, (String, usize)> {
        let missing = || ("a mark without its value".to_owned(), at);
        let alone = text
            .strip_prefix(OPEN)
            .and_then(|rest| rest.strip_suffix(CLOSE));
        if let Some(number) = alone.filter(|number| !number.contains([OPEN, CLOSE])) {
            let node = number
                .parse::<usize>()
                .ok()
                .and_then(|at| self.written.get(at))
                .ok_or_else(missing)?;
            let quoted = self
                .text
                .get(at..)
                .is_some_and(|text| text.starts_with(['"', '\'']));
            let text = plain_text(node).filter(|_| quoted && !matches!(node.kind, Kind::Null));
            return Ok(match text {
                Some(text) => Some(Node::new(Kind::String(text), node.span)),
                None => without_nulls(node.clone()),
            });
        }
        let (mut whole, mut span) = (String::new(), None);
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(OPEN) {
            let (number, after) = after.split_once(CLOSE).ok_or_else(missing)?;
            let node = number
                .parse::<usize>()
                .ok()
                .and_then(|at| self.written.get(at))
                .ok_or_else(missing)?;
            if matches!(node.kind, Kind::Null) {
                return Ok(None);
            }
            let Some(value) = plain_text(node) else {
                return Err(("a list or table can't stand inside text".to_owned(), at));
            };
            whole.push_str(before);
            whole.push_str(&value);
            span = span.or(node.span);
            rest = after;
        }
        whole.push_str(rest);
        Ok(Some(Node::new(Kind::String(whole), span)))
    }
}

/// A scalar's text.
fn plain_text(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::String(text) => Some(text.clone()),
        Kind::Bool(value) => Some(value.to_string()),
        Kind::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A value without what was not given in it. Unlike in a template's own text, an empty list or map stays:
/// somebody wrote it.
fn without_nulls(mut node: Node) -> Option<Node> {
    node.kind = match node.kind {
        Kind::Null => return None,
        Kind::List(items) => Kind::List(items.into_iter().filter_map(without_nulls).collect()),
        Kind::Map(map) => {
            let mut kept = Map::default();
            for (key, entry) in map.into_entries() {
                let Entry { key_span, value } = entry;
                if let Some(value) = without_nulls(value) {
                    kept.insert_entry(key, Entry { key_span, value });
                }
            }
            Kind::Map(kept)
        }
        kind => kind,
    };
    Some(node)
}
