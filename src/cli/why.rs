//! `gatewayctl why`: where a rendered value comes from.

use std::io::Write;
use std::process::ExitCode;

use anyhow::bail;

use super::Global;
use super::project::Project;
use crate::compile::Compiled;
use manifest::Object;
use manifest::diagnostic::Span;
use manifest::diagnostic::printable::printable;
use manifest::value::pointer::Step;
use manifest::value::{Kind, Node, Pointer};

/// Arguments of `why`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// A rendered file, with or without a line: FILE or FILE:LINE
    #[arg(value_name = "FILE[:LINE]")]
    file: String,
    /// A JSON pointer into the file's object, such as /spec/listeners/0/port
    #[arg(value_name = "/POINTER")]
    pointer: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// If the file is not rendered, or the value is not in it.
pub(super) fn run(args: &Args, global: &Global, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let compiled = Project::find(global)?.compile()?;
    let (name, line) = match args.file.rsplit_once(':') {
        Some((name, line))
            if line.bytes().all(|byte| byte.is_ascii_digit()) && !line.is_empty() =>
        {
            (name, line.parse::<usize>().ok())
        }
        _ => (args.file.as_str(), None),
    };
    let path = rendered(&compiled, name)?;
    let objects: Vec<&Object> = compiled
        .objects
        .iter()
        .filter(|object| object.file == path)
        .collect();
    let mut said = false;
    for object in &objects {
        let places = match (&args.pointer, line) {
            (Some(text), _) => at_pointer(object, text)?,
            (None, Some(line)) => at_line(&compiled, object, line),
            (None, None) => configured_scalars(object),
        };
        for pointer in places {
            explain(&compiled, object, &pointer, out)?;
            said = true;
        }
    }
    if !said {
        match (&args.pointer, line) {
            (Some(pointer), _) => bail!("no object of {path} has {pointer}"),
            (None, Some(line)) => bail!("no value starts on line {line} of {path}"),
            (None, None) if objects.is_empty() => {
                bail!("{path} contains no object: it is a script")
            }
            (None, None) => bail!(
                "no value of {path} is set in cluster.toml, all are defaults; to ask about one line, write {path}:LINE"
            ),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The path of the rendered file that `name` stands for. The end of a path is enough if only one file ends with it.
fn rendered<'a>(compiled: &'a Compiled, name: &str) -> anyhow::Result<&'a str> {
    let name = name.trim_start_matches("./");
    let paths = || compiled.files.iter().map(|file| file.path.as_str());
    if let Some(path) = paths().find(|path| *path == name) {
        return Ok(path);
    }
    let ends: Vec<&str> = paths()
        .filter(|path| {
            path.strip_suffix(name)
                .is_some_and(|rest| rest.ends_with('/'))
                || name.ends_with(&format!("/{path}"))
        })
        .collect();
    match ends.as_slice() {
        [one] => Ok(one),
        [] => {
            let near = manifest::diagnostic::suggest::nearest(name, paths());
            let listed = near.map_or_else(
                || {
                    format!(
                        "these files are rendered:\n  {}",
                        paths().collect::<Vec<_>>().join("\n  ")
                    )
                },
                |near| format!("did you mean {near}?"),
            );
            bail!("{name} is not rendered; {listed}")
        }
        several => bail!("{name} fits several files: {}", several.join(", ")),
    }
}

fn at_pointer(object: &Object, text: &str) -> anyhow::Result<Vec<Pointer>> {
    let Some(pointer) = Pointer::parse(text) else {
        bail!(
            "{text} is not a JSON pointer; one starts with a slash, such as /spec/listeners/0/port"
        );
    };
    let pointer = pointer.resolve_in(&object.node);
    Ok(object
        .node
        .at(&pointer)
        .map(|_| pointer)
        .into_iter()
        .collect())
}

/// The innermost values that start on a line.
fn at_line(compiled: &Compiled, object: &Object, line: usize) -> Vec<Pointer> {
    let starts =
        |span: Option<Span>| span.is_some_and(|span| compiled.sources.locate(span).line == line);
    let mut found = Vec::new();
    visit_scalars(
        &object.node,
        &mut Pointer::root(),
        &mut |pointer, node, key| {
            if starts(key)
                || (starts(node.span) && !matches!(node.kind, Kind::Map(_) | Kind::List(_)))
            {
                found.push(pointer.clone());
            }
        },
    );
    found
}

/// Every scalar that is set in cluster.toml.
fn configured_scalars(object: &Object) -> Vec<Pointer> {
    let mut found = Vec::new();
    visit_scalars(
        &object.node,
        &mut Pointer::root(),
        &mut |pointer, node, _| {
            let is_scalar = !matches!(node.kind, Kind::Map(_) | Kind::List(_));
            let origins = object
                .origins
                .as_ref()
                .and_then(|origins| origins.at(pointer));
            if is_scalar && origins.is_some_and(|origin| origin.span.is_some()) {
                found.push(pointer.clone());
            }
        },
    );
    found
}

type Visit<'a> = dyn FnMut(&Pointer, &Node, Option<Span>) + 'a;

fn visit_scalars(node: &Node, at: &mut Pointer, visit: &mut Visit) {
    match &node.kind {
        Kind::Map(map) => {
            for (key, entry) in map.entries() {
                at.push(Step::Key(key.to_owned()));
                visit(at, &entry.value, entry.key_span);
                visit_scalars(&entry.value, at, visit);
                at.pop();
            }
        }
        Kind::List(items) => {
            for (index, item) in items.iter().enumerate() {
                at.push(Step::Index(index));
                visit(at, item, None);
                visit_scalars(item, at, visit);
                at.pop();
            }
        }
        _ => {}
    }
}

/// Prints one value: where it is rendered, and where it comes from.
fn explain(
    compiled: &Compiled,
    object: &Object,
    pointer: &Pointer,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let sources = &compiled.sources;
    let value = object.node.at(pointer).map(summary).unwrap_or_default();
    let place = object.span(pointer).map(|span| sources.locate(span));
    let line = place.map_or(0, |place| place.line);
    writeln!(
        out,
        "{}:{line}  {} {}",
        printable(&object.file),
        printable(&object.identity().to_string()),
        printable(&pointer.dotted())
    )?;
    writeln!(out, "  is    {}", printable(&value))?;
    let own = object
        .origins
        .as_ref()
        .and_then(|origins| origins.at(pointer))
        .and_then(|origin| origin.span);
    match own {
        Some(span) => {
            let place = sources.locate(span);
            let text = sources.get(span.source).line(place.line).trim();
            writeln!(
                out,
                "  from  {}:{}:{}  {}",
                printable(&place.file),
                place.line,
                place.column,
                printable(text)
            )?;
            for span in compiled.overrides.below(span) {
                let place = sources.locate(span);
                let text = sources.get(span.source).line(place.line).trim();
                writeln!(
                    out,
                    "  over  {}:{}:{}  {}",
                    printable(&place.file),
                    place.line,
                    place.column,
                    printable(text)
                )?;
            }
        }
        None => writeln!(
            out,
            "  from  {}: nothing in cluster.toml sets it",
            made_by(compiled, object)
        )?,
    }
    Ok(())
}

/// Names the template that made an object.
fn made_by(compiled: &Compiled, object: &Object) -> String {
    let file = compiled.files.iter().find(|file| file.path == object.file);
    let siblings = compiled
        .objects
        .iter()
        .filter(|other| other.file == object.file);
    let at = siblings
        .take_while(|other| !std::ptr::eq(*other, object))
        .count();
    let template = file.and_then(|file| file.templates.get(at)).copied();
    template.map_or_else(
        || "the file itself".to_owned(),
        |template| format!("the template {template}"),
    )
}

fn summary(node: &Node) -> String {
    match &node.kind {
        Kind::Map(map) => format!("a map of {} keys", map.len()),
        Kind::List(items) => format!("a list of {} items", items.len()),
        _ => {
            let text = node.to_json().to_string();
            match text.char_indices().nth(100) {
                Some((at, _)) => format!("{}…", &text[..at]),
                None => text,
            }
        }
    }
}
