//! YAML as kustomize reads it.
//!
//! kustomize has go-yaml, which reads YAML 1.1 in the way of libyaml. A reader of YAML 1.2 takes some texts for something
//! else: U+2028 ends a line for one and not for the other, `{a:}` has the key `a:` or `a`. What is applied is what
//! kustomize reads, and what people, editors and other tools read should be the same. So this is go-yaml's scanner and
//! parser once more, rule by rule (after libyaml, © 2006-2010 Kirill Simonov, and go-yaml, © 2011-2019 Canonical Ltd,
//! both under the MIT licence), to read by, and to find out where the readers differ.
//!
//! - `scan`, `blank`, `scalar`, `tag`: a text to tokens.
//! - [`events`](Events): tokens to maps, lists and scalars.
//! - `resolve`: what a scalar without quotes is.
//! - [`compare`]: the same text by both readers; `refused`: what only kustomize refuses.

mod blank;
mod compare;
mod events;
mod refused;
mod resolve;
mod scalar;
mod scan;
mod tag;
mod token;

pub(super) use compare::{LastBlock, compare};
pub(super) use events::{Event, Events, What};
use token::fault;
pub(super) use token::{Fault, Style};

/// The end of a line, if there is one, that kustomize stops at and that nobody sees: in a text that is no YAML, it may
/// be why.
pub(super) fn hidden_break(text: &str) -> Option<Fault> {
    // The scanner takes a NUL for the end.
    control_characters(text).ok()?;
    let mut events = Events::new(text);
    let fault = loop {
        match events.next() {
            Ok(Event {
                what: What::End, ..
            }) => return None,
            Ok(_) => {}
            Err(fault) => break fault,
        }
    };
    let is_hidden = text
        .get(fault.at..)?
        .starts_with(['\r', '\u{85}', '\u{2028}', '\u{2029}']);
    is_hidden.then_some(fault)
}

/// Checks the marks between documents: kustomize takes every line that starts with `---` for one, and nothing may stand
/// behind it but a comment. `text` starts with a mark, unless it is the file's first document.
pub(super) fn check_marks(text: &str, is_first: bool) -> Result<(), Fault> {
    let line = text.lines().next().unwrap_or_default();
    let behind = line.strip_prefix("---").map_or("", str::trim_start);
    if !is_first && !behind.is_empty() && !behind.starts_with('#') {
        return fault(
            "a value behind `---`, which kustomize refuses",
            line.len() - behind.len(),
        );
    }
    let mut lines = text.lines().skip(1).map(str::trim_start);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    if !is_first && first.is_some_and(|line| line.starts_with("...")) {
        return fault("`...` where no document is, which kustomize refuses", 0);
    }
    match memchr::memmem::find(text.as_bytes(), b"\n---") {
        Some(at) => fault(
            "a line that starts with `---`, which kustomize takes for the end of the document",
            at + 1,
        ),
        None => Ok(()),
    }
}

/// What no YAML holds, written as it is.
fn control_characters(text: &str) -> Result<(), Fault> {
    let is_allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    match text.char_indices().find(|(_, c)| !is_allowed(*c)) {
        Some((at, c)) => fault(
            format!(
                "the character U+{:04X}, which YAML doesn't allow",
                u32::from(c)
            ),
            at,
        ),
        None => Ok(()),
    }
}

/// Whether a text certainly holds no character that YAML doesn't allow: there is none but what printers have.
pub(super) fn is_printable(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~'))
        || control_characters(text).is_ok()
}
