//! A YAML parser that reads YAML exactly as kustomize does.
//! kustomize uses go-yaml, which reads YAML 1.1 in the same way as libyaml. A YAML 1.2 parser reads some
//! texts differently: U+2028 ends a line only in YAML 1.1, and `{a:}` has the key `a:` or `a`. What kustomize
//! reads is what gets applied, so it should be the same as what people, editors and other tools read.
//! Therefore this is a port of go-yaml's scanner and parser, rule by rule (after libyaml, © 2006-2010 Kirill
//! Simonov, and go-yaml, © 2011-2019 Canonical Ltd, both under the MIT licence). It is used to parse
//! manifests, and to find the positions that parsers read differently.
//! - `alias_key`: makes aliases as keys readable for other parsers.
//! - `scan`, `blank`, `scalar`, `tag`: convert a text to tokens.
//! - [`events`](Events): converts tokens to maps, lists and scalars.
//! - `resolve`: determines the type of unquoted scalars.
//! - [`compare`]: compares both parsers on the same text; `refused` finds what only kustomize refuses.

mod alias_key;
mod blank;
mod compare;
mod events;
mod refused;
mod resolve;
mod scalar;
mod scan;
mod tag;
mod token;

pub(super) use alias_key::Spaced;
pub(super) use compare::compare;
pub(super) use events::{Event, EventKind, Events, Properties};
use refused::Refused;
pub(super) use resolve::{Scalar, is_word_of_kubectl, value_of, value_with_tag};
use token::fault;
pub(super) use token::{Fault, Style};

/// Finds an invisible line end at which kustomize's parser fails. In a text that is not valid YAML, it may be
/// the cause.
pub(super) fn hidden_break(text: &str) -> Option<Fault> {
    // The scanner treats a NUL as the end.
    control_characters(text).ok()?;
    let mut events = Events::new(text);
    let fault = loop {
        match events.next() {
            Ok(Event {
                kind: EventKind::End,
                ..
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

/// Finds the key that kustomize refuses, or that it reads differently than other programs, in a text with a key
/// that is not a scalar, or is null.
pub(super) fn refused_key(text: &str) -> Option<Fault> {
    control_characters(text).ok()?;
    let mut events = Events::new(text);
    let mut refused = Refused::default();
    loop {
        let event = match events.next() {
            Ok(event) => event,
            Err(fault) => return Some(fault),
        };
        if let Err(fault) = refused.check(&event) {
            // After a `? : a`, the map that starts with the colon has no key.
            return events.next().err().or(Some(fault));
        }
        if event.kind == EventKind::End {
            return None;
        }
    }
}

/// Checks the `---` lines between documents. kustomize treats every line that starts with `---` as one, and
/// only a comment may follow the dashes. `text` starts with such a line, unless it is the first document of
/// the file.
pub(super) fn check_marks(text: &str, is_first: bool) -> Result<(), Fault> {
    let line = text.lines().next().unwrap_or_default();
    let behind = line.strip_prefix("---").map_or("", str::trim_start);
    if !is_first && !behind.is_empty() && !behind.starts_with('#') {
        return fault(
            "a value after `---`, which kustomize refuses",
            line.len() - behind.len(),
        );
    }
    let mut lines = text.lines().skip(1).map(str::trim_start);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    if !is_first && first.is_some_and(|line| line.starts_with("...")) {
        return fault(
            "`...` without a document before it, which kustomize refuses",
            0,
        );
    }
    match memchr::memmem::find(text.as_bytes(), b"\n---") {
        Some(at) => fault(
            "a line that starts with `---`, which kustomize treats as the end of the document",
            at + 1,
        ),
        None => Ok(()),
    }
}

/// Checks that there are no characters that YAML doesn't allow.
pub(super) fn control_characters(text: &str) -> Result<(), Fault> {
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

/// Whether a text contains only characters that YAML allows.
pub(super) fn is_printable(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~'))
        || control_characters(text).is_ok()
}
