//! `gatewayctl explain`: the page of a finding, a key of cluster.toml, or a field of a kind.

mod facts;
mod search;
mod settings;

use std::io::Write;
use std::process::ExitCode;

use anyhow::bail;

use super::Global;
use super::project;
use crate::codes;
use crate::config::reference;
use crd_validate::schema::node::NodeId;
use crd_validate::schema::{Catalogue, KindSchema, Lookup};
use facts::{facts, print_origin, print_rules};
use manifest::diagnostic::printable::printable;
use manifest::diagnostic::suggest::nearest;
use manifest::value::Pointer;

/// Arguments of `explain`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// A code (config/unknown-key), a key of cluster.toml (proxy.replicas), a field of a kind
    /// (Gateway.spec.listeners), or a word to look for; without it, everything that can be explained is listed
    #[arg(value_name = "CODE|FIELD|WORD")]
    what: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// If no code, key or field has that name.
pub(super) fn run(args: &Args, global: &Global, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let Some(what) = args.what.as_deref() else {
        search::print_index(out)?;
        return Ok(ExitCode::SUCCESS);
    };
    if let Some(code) = codes::parse(what) {
        write!(out, "{}", code.page())?;
    } else if let Some(key) = reference::find(what) {
        writeln!(out, "{}: {}\n\n{}", key.path, key.takes, key.text)?;
        settings::print(what, global, out)?;
        let below = format!("{}.", key.path);
        for key in reference::keys().iter().filter(|key| {
            key.path
                .strip_prefix(&below)
                .is_some_and(|rest| !rest.trim_start_matches("NAME.").contains('.'))
        }) {
            writeln!(out, "\n  {}: {}\n      {}", key.path, key.takes, key.text)?;
        }
    } else if !field(what, global, out)? && !mentions(what, global, out)? {
        let keys = reference::keys();
        let known = codes::all()
            .iter()
            .map(|code| code.as_str())
            .chain(keys.iter().map(|key| key.path.as_str()));
        match nearest(what, known) {
            Some(near) => bail!("no code, key or field is called `{what}`; did you mean `{near}`?"),
            None => bail!(
                "no code, key or field is called `{what}`; write a code (config/unknown-key), a key (proxy.replicas) or a field (Gateway.spec.listeners)"
            ),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The page of a field of a kind, as text. `what` is the name to show.
///
/// # Errors
/// Never, because a text can always be written to.
pub(super) fn field_page(
    catalogue: &Catalogue,
    schema: &KindSchema<'_>,
    (what, pointer): (&str, &Pointer),
    id: NodeId,
) -> anyhow::Result<String> {
    let mut page = Vec::new();
    describe(catalogue, schema, (what, pointer), id, &mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// Prints what mentions a word. False if it is more than a word, or nothing does.
fn mentions(what: &str, global: &Global, out: &mut dyn Write) -> anyhow::Result<bool> {
    if !what.chars().all(char::is_alphanumeric) {
        return Ok(false);
    }
    let (catalogue, selection) = project::in_force(global)?;
    search::print_matches(what, &catalogue, &selection, out)
}

/// Prints a field of a kind, with the schemas in force. False if the name is not one of a kind.
fn field(what: &str, global: &Global, out: &mut dyn Write) -> anyhow::Result<bool> {
    let (kind, path) = what.split_once('.').unwrap_or((what, ""));
    let (catalogue, selection) = project::in_force(global)?;
    let entries = catalogue.entries().iter();
    let Some(entry) = entries
        .filter(|entry| entry.kind.eq_ignore_ascii_case(kind))
        .find(|entry| selection.has(&entry.set))
    else {
        return Ok(false);
    };
    let Some(version) = entry.served.last() else {
        return Ok(false);
    };
    let Lookup::Known(schema) = catalogue.look_up(&selection, &entry.group, version, &entry.kind)
    else {
        return Ok(false);
    };
    let steps = path.split('.').filter(|step| !step.is_empty());
    let found = steps.clone().try_fold(schema.version.root, |id, step| {
        let id = items_of(&schema, id);
        schema.node(id).child(step)
    });
    let Some(found) = found else {
        bail!(
            "{} of {} has no field `{path}`",
            entry.kind,
            schema.chosen.set.title()
        );
    };
    let pointer = steps.fold(Pointer::root(), |at, step| at.key(step));
    describe(&catalogue, &schema, (what, &pointer), found, out)?;
    Ok(true)
}

/// The schema of a list's items, or the node itself if it is not a list.
fn items_of(schema: &KindSchema<'_>, id: NodeId) -> NodeId {
    schema.compiled.item_of(id)
}

fn describe(
    catalogue: &Catalogue,
    schema: &KindSchema<'_>,
    (what, pointer): (&str, &Pointer),
    id: NodeId,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let node = schema.node(id);
    writeln!(
        out,
        "{}: {}, in {}",
        printable(what),
        schema.type_in_words(id),
        printable(&schema.chosen.set.title())
    )?;
    for (name, value) in facts(node) {
        writeln!(out, "  {name}: {}", printable(&value))?;
    }
    let inner = schema.node(items_of(schema, id));
    print_rules(schema, node, pointer, out)?;
    if node.items.is_some() {
        print_rules(schema, inner, pointer, out)?;
    }
    print_origin(catalogue, schema, pointer, out)?;
    if !inner.properties.is_empty() {
        writeln!(
            out,
            "\nfields{}:",
            if node.items.is_some() {
                " of an item"
            } else {
                ""
            }
        )?;
    }
    for (name, below) in &inner.properties {
        let mark = if inner.required.contains(name) {
            ", required"
        } else {
            ""
        };
        let name = printable(name);
        writeln!(out, "  {name}: {}{mark}", schema.type_in_words(*below))?;
    }
    Ok(())
}
