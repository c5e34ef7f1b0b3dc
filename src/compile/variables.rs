//! Flux variables in files that something else than Flux applies.

use std::collections::BTreeSet;

use crate::config::codes;
use crate::config::delivery::DeliveryKind;
use crate::model::Model;
use crate::render::File;
use manifest::diagnostic::{Diagnostic, Span};
use manifest::value::{Kind, Node, variable};

/// Reports each value of `cluster.toml` with a variable that nothing replaces.
pub(super) fn check(model: &Model, files: &[File]) -> Vec<Diagnostic> {
    if model.delivery == DeliveryKind::Flux {
        return Vec::new();
    }
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for file in files {
        for object in &file.objects {
            each_variable(object, &mut |text, place| {
                // Several values may be derived from the same place, which is one mistake. A value without a place is
                // from a template of the user.
                let key = match place {
                    Some(span) => (Some((span.source, span.start)), String::new()),
                    None => (None, text.to_owned()),
                };
                if seen.insert(key) {
                    found.push(not_replaced(text, place, file, model.delivery));
                }
            });
        }
    }
    found
}

/// Calls `with` for each text with a variable. Texts of several lines are scripts, whose variables are their own.
fn each_variable(node: &Node, with: &mut impl FnMut(&str, Option<Span>)) {
    match &node.kind {
        Kind::String(text) if !text.contains('\n') && variable::in_text(text) => {
            with(text, node.span);
        }
        Kind::Map(map) => map.iter().for_each(|(_, value)| each_variable(value, with)),
        Kind::List(items) => items.iter().for_each(|item| each_variable(item, with)),
        _ => {}
    }
}

/// The first variable in a text, with all that is in its braces.
fn shown(text: &str) -> &str {
    let first = variable::all(text).next();
    first
        .and_then(|first| text.get(first.at..first.end))
        .unwrap_or(text)
}

fn not_replaced(text: &str, place: Option<Span>, file: &File, kind: DeliveryKind) -> Diagnostic {
    let finding = Diagnostic::new(
        codes::CONFIG_OTHER_DELIVERY,
        format!("{} is a variable of Flux", shown(text)),
    )
    .why(format!(
        "with `delivery.kind = {:?}` nothing replaces it, so it stays as it is",
        kind.as_str()
    ))
    .help("write the value itself; or set `delivery.kind = \"flux\"`");
    match place {
        Some(_) => finding.at(place),
        None => finding.in_file(file.path.as_str()),
    }
}
