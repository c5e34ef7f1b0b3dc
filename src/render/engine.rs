//! Renders a template with values to a tree.
//! `{{ value }}` prints a mark: a private-use character, a number, and another private-use character. YAML
//! treats a mark like a word, so the text can be parsed whatever the value is. Then each mark is replaced by
//! its value: a scalar that consists of a single mark becomes the value itself, of any type; a mark inside
//! longer text is replaced by the value's text. So a value can never change the structure of the document.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use minijinja::syntax::SyntaxConfig;
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value,
};

use super::bounds;
use super::context::{Reads, Writer, longest_text, value_of};
use super::dialect;
use super::lua;
use super::marks::{CLOSE, OPEN, Resolver};
use super::templates::Templates;
use crate::config::codes;
use manifest::diagnostic::{Diagnostic, SourceId, Sources, Span};
use manifest::read;
use manifest::value::{Map, Node, ser};

/// The values that one template printed, by the number in their mark.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Values>>);

/// The printed values, and how many reads there were when the last one was printed.
#[derive(Default)]
struct Values {
    nodes: Vec<Node>,
    reads: usize,
}

/// Renders templates.
pub struct Engine<'a> {
    environment: Environment<'a>,
    syntax: SyntaxConfig,
    templates: &'a Templates,
    written: Written,
    reads: Reads,
    /// The sources of the templates that diagnostics refer to.
    shown: RefCell<HashMap<String, SourceId>>,
}

impl<'a> Engine<'a> {
    /// Creates an engine for a set of templates.
    pub fn new(templates: &'a Templates) -> Self {
        let (written, reads) = (Written::default(), Reads::default());
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_recursion_limit(bounds::DEEPEST);
        environment.add_filter("join", bounds::join);
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
            .build()
            .unwrap_or_default();
        environment.set_syntax(syntax.clone());
        let (marks, seen) = (written.clone(), reads.clone());
        environment.set_formatter(move |out, state, value| write(out, state, value, &marks, &seen));
        Engine {
            environment,
            syntax,
            templates,
            written,
            reads,
            shown: RefCell::default(),
        }
    }

    /// Renders the template `name` with `values` to an object. Keys whose value is missing are left out.
    /// # Errors
    /// Returns a diagnostic with the template's line if the template fails or its output is not an object.
    pub fn tree(
        &mut self,
        name: &'static str,
        values: &Node,
        sources: &mut Sources,
    ) -> Result<Node, Box<Diagnostic>> {
        let node = self.document(name, values, sources)?;
        let missing = ["apiVersion", "kind"]
            .into_iter()
            .find(|key| node.get(key).and_then(Node::as_str).is_none());
        let Some(key) = missing else { return Ok(node) };
        let message =
            format!("the template's output has no `{key}`, so it is not a Kubernetes object");
        Err(Box::new(self.at_line(name, Some(1), message, sources)))
    }

    /// Like [`tree`](Self::tree), but for any YAML document.
    /// # Errors
    /// Returns a diagnostic with the template's line if the template fails or its output is not YAML.
    pub fn document(
        &mut self,
        name: &'static str,
        values: &Node,
        sources: &mut Sources,
    ) -> Result<Node, Box<Diagnostic>> {
        let text = self.render_text(name, values, sources)?;
        // The parser's positions refer to the rendered text, which users never see.
        let source = sources.add(format!("{name} (rendered)"), text.output.as_str());
        let parsed = read::parse(&text.output, source, 0);
        let parsed =
            parsed.map_err(|problem| Box::new(self.broken(name, &text, &problem, sources)))?;
        let written = self
            .written
            .0
            .lock()
            .map(|written| written.nodes.clone())
            .unwrap_or_default();
        let most = text.fuel / bounds::WRITTEN_FOR_FUEL;
        let resolver = Resolver::new(&written, &text.output, most);
        match resolver.resolve(parsed) {
            Ok(node) => Ok(node.unwrap_or_else(Node::map)),
            Err((message, at)) => Err(Box::new(self.at_output(name, &text, at, message, sources))),
        }
    }

    /// Unwraps the values for the template `name`.
    /// # Errors
    /// Returns a diagnostic if they could not be serialized: a template must not be rendered as if nothing
    /// were set.
    pub fn values(
        &self,
        name: &'static str,
        made: Result<Node, ser::Error>,
        sources: &mut Sources,
    ) -> Result<Node, Box<Diagnostic>> {
        made.map_err(|problem| {
            let message = format!("the values for the template can't be serialized: {problem}");
            Box::new(self.at_line(name, None, message, sources))
        })
    }

    /// Renders the template `name` with `values` to text. It is used for scripts, so values are printed as
    /// Lua literals.
    /// # Errors
    /// Returns a diagnostic with the template's line if the template fails.
    pub fn script(
        &mut self,
        name: &'static str,
        values: &Node,
        sources: &mut Sources,
    ) -> Result<String, Box<Diagnostic>> {
        self.render_text(name, values, sources)
            .map(|text| text.output)
    }

    fn render_text(
        &mut self,
        name: &'static str,
        values: &Node,
        sources: &mut Sources,
    ) -> Result<RenderedText, Box<Diagnostic>> {
        if let Ok(mut written) = self.written.0.lock() {
            *written = Values::default();
        }
        self.reads.clear();
        let Some((source, _)) = self.templates.get(name) else {
            return Err(Box::new(Diagnostic::new(
                codes::CONFIG_TEMPLATE,
                format!("there is no template {name}"),
            )));
        };
        if source.contains([OPEN, CLOSE]) {
            let message = "the template contains a character that is reserved for marking values (U+F0000 or U+F0001)";
            return Err(Box::new(self.at_line(
                name,
                None,
                message.to_owned(),
                sources,
            )));
        }
        let fuel = bounds::fuel_for(source, values);
        self.environment.set_fuel(Some(fuel));
        let context = value_of(values, &self.reads);
        let (environment, syntax) = (&mut self.environment, &self.syntax);
        let rendered = match self.templates.is_own(name) {
            true => bounds::with_stack(|| {
                let keys = values.as_map().into_iter().flat_map(Map::iter);
                let keys: BTreeSet<&str> = keys.map(|(key, _)| key).collect();
                dialect::check(source, syntax, &keys, longest_text(values))
                    .map_err(Failure::Refused)?;
                run(environment, name, source, context).map_err(Failure::Failed)
            })
            .unwrap_or_else(|why| {
                Err(Failure::Stopped(format!(
                    "the template can't be run: {why}"
                )))
            }),
            false => run(environment, name, source, context).map_err(Failure::Failed),
        };
        match rendered {
            Ok((output, spans)) => Ok(RenderedText {
                output,
                spans,
                fuel,
            }),
            Err(Failure::Refused(refusal)) => Err(Box::new(self.refused(name, refusal, sources))),
            Err(Failure::Failed(error)) => Err(Box::new(self.failed(name, &error, sources))),
            Err(Failure::Stopped(message)) => {
                Err(Box::new(self.at_line(name, Some(1), message, sources)))
            }
        }
    }

    /// Makes a diagnostic of a construct that templates may not contain.
    fn refused(&self, name: &str, refusal: dialect::Refusal, sources: &mut Sources) -> Diagnostic {
        let mut diagnostic = self.at_line(name, None, refusal.message, sources);
        diagnostic.span = diagnostic
            .span
            .map(|span| Span::new(span.source, refusal.range.start, refusal.range.end));
        diagnostic
            .why("templates run within limits, so that no template can hang the program or use all memory")
            .help(refusal.help)
    }

    /// Makes a diagnostic of an error that occurred while the template ran.
    fn failed(&self, name: &str, error: &Error, sources: &mut Sources) -> Diagnostic {
        let detail = error
            .detail()
            .map_or_else(|| error.kind().to_string(), str::to_owned);
        let message = match error.kind() {
            ErrorKind::OutOfFuel => "the template runs too long, or writes too much".to_owned(),
            ErrorKind::UndefinedError if error.detail().is_none() => {
                "a name that is not defined".to_owned()
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

    /// Makes a diagnostic of invalid YAML in the output, at the template's line that produced it.
    fn broken(
        &self,
        name: &str,
        text: &RenderedText,
        problem: &read::ReadProblem,
        sources: &mut Sources,
    ) -> Diagnostic {
        let message = format!(
            "the template's output is not valid YAML: {}",
            problem.message
        );
        self.at_output(name, text, problem.span.range().start, message, sources)
    }

    fn at_output(
        &self,
        name: &str,
        text: &RenderedText,
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
        // Each template is added as a source only once, so that the same mistake in several objects is
        // reported once.
        let id = *self
            .shown
            .borrow_mut()
            .entry(name.to_owned())
            .or_insert_with(|| sources.add(shown, source));
        let range = line
            .and_then(|line| sources.get(id).line_range(line))
            .unwrap_or(0..0);
        Diagnostic::new(codes::CONFIG_TEMPLATE, message)
            .at(Span::new(id, range.start, range.end))
            .why("the template's output can't be written, so no file is written")
            .help("correct the template at the mark; `{{ value }}` writes any value as YAML, so it needs no quotes")
    }
}

/// Why rendering produced no text.
enum Failure {
    /// The template contains a construct that is not allowed.
    Refused(dialect::Refusal),
    /// The engine reported an error.
    Failed(Error),
    /// The engine itself could not run or panicked.
    Stopped(String),
}

/// The output of a template, with the template's line for each part of it.
type Rendered = (String, Vec<minijinja::OutputSpan>);

fn run<'a>(
    environment: &mut Environment<'a>,
    name: &'static str,
    source: &'a str,
    context: Value,
) -> Result<Rendered, Error> {
    if environment.get_template(name).is_err() {
        environment.add_template(name, source)?;
    }
    environment.get_template(name)?.render_with_spans(context)
}

/// The output of a template, with the template's line for each part of it.
struct RenderedText {
    output: String,
    spans: Vec<minijinja::OutputSpan>,
    /// The fuel that the template got.
    fuel: u64,
}

/// The formatter for values: prints a mark in YAML and a literal in Lua.
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
            "a name that is not defined",
        ));
    }
    if value.is_safe() {
        // The output of a macro or a block contains marks already.
        return out
            .write_str(value.as_str().unwrap_or_default())
            .map_err(Error::from);
    }
    if matches!(state.auto_escape(), AutoEscape::Custom(format) if format == "lua") {
        return out.write_str(&lua::literal(value)?).map_err(Error::from);
    }
    let mut all = written
        .0
        .lock()
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, "values are locked"))?;
    let writer = Writer {
        state,
        reads,
        after: all.reads,
    };
    let node = writer.node_of(value)?;
    all.reads = reads.count();
    all.nodes.push(node);
    write!(out, "{OPEN}{}{CLOSE}", all.nodes.len() - 1).map_err(Error::from)
}
