//! The entries of `ignore` in `[validate]`.

use std::collections::HashSet;
use std::path::PathBuf;

use globset::{GlobBuilder, GlobMatcher};

use crate::cli::filter::{Selector, UnknownCode};
use crate::config::Text;
use crate::config::codes::{CONFIG_INVALID_VALUE, CONFIG_MISSING_KEY, CONFIG_UNKNOWN_REFERENCE};
use crate::config::validate::Ignore;
use manifest::diagnostic::{Diagnostic, Span};
use manifest::value::Pointer;
use manifest::value::pointer::Step;

/// An entry of `ignore`.
pub(super) struct IgnoredFindings {
    pub(super) span: Option<Span>,
    code: Option<Selector>,
    kind: Option<String>,
    name: Option<GlobMatcher>,
    namespace: Option<GlobMatcher>,
    path: Option<GlobMatcher>,
    pointer: Option<Pointer>,
    pub(super) reason: String,
    /// The keys as they are written.
    pub(super) written: String,
    /// The findings that were left out.
    pub(super) silenced: HashSet<Diagnostic>,
}

impl IgnoredFindings {
    /// Whether a finding fits all keys. `files` are those of the finding, relative to the root.
    pub(super) fn fits(&self, finding: &Diagnostic, files: &[PathBuf]) -> bool {
        let object = finding.object.as_ref();
        let has = |glob: &GlobMatcher, text: Option<&str>| text.is_some_and(|it| glob.is_match(it));
        self.code.is_none_or(|code| code.covers(finding.code))
            && self
                .kind
                .as_ref()
                .is_none_or(|kind| object.is_some_and(|it| it.kind == *kind))
            && self
                .name
                .as_ref()
                .is_none_or(|glob| has(glob, object.map(|it| it.name.as_str())))
            && self
                .namespace
                .as_ref()
                .is_none_or(|glob| has(glob, object.map(|it| it.namespace.as_str())))
            && self
                .path
                .as_ref()
                .is_none_or(|glob| files.iter().any(|file| glob.is_match(file)))
            && self.pointer.as_ref().is_none_or(|pointer| {
                let its = finding.pointer.as_deref().and_then(Pointer::parse);
                its.is_some_and(|its| is_above(pointer, &its))
            })
    }
}

/// Whether `above` is the same field as `below` or contains it. `*` stands for any step.
fn is_above(above: &Pointer, below: &Pointer) -> bool {
    let is_any = |step: &Step| matches!(step, Step::Key(key) if key == "*");
    let same = |one: &Step, other: &Step| is_any(one) || one == other;
    let (above, below) = (above.steps(), below.steps());
    above.len() <= below.len() && above.iter().zip(below).all(|(one, other)| same(one, other))
}

/// Reads an entry. `None` if it can't be used, which is then among the problems.
pub(super) fn read(
    at: usize,
    entry: &Ignore,
    problems: &mut Vec<Diagnostic>,
) -> Option<IgnoredFindings> {
    let here = Pointer::root().key("validate").key("ignore").index(at);
    let keys = [
        ("code", &entry.code),
        ("kind", &entry.kind),
        ("name", &entry.name),
        ("namespace", &entry.namespace),
        ("path", &entry.path),
        ("pointer", &entry.pointer),
    ];
    let given: Vec<(&str, &Text)> = keys
        .iter()
        .filter_map(|(key, text)| Some((*key, text.as_ref()?)))
        .collect();
    let first = given
        .first()
        .map(|(_, text)| *text)
        .or(entry.reason.as_ref());
    let span = first.and_then(|text| text.span);
    let reason = entry
        .reason
        .as_ref()
        .filter(|it| !it.value.trim().is_empty());
    if given.is_empty() || reason.is_none() {
        let (message, help) = match given.is_empty() {
            true => (
                "an entry of `ignore` says nothing about the findings that it is for",
                "add `code`, `kind`, `name`, `namespace`, `path` or `pointer`",
            ),
            false => (
                "an entry of `ignore` has no `reason`",
                "add `reason = \"…\"`, so that others know when the entry can be removed",
            ),
        };
        problems.push(
            Diagnostic::new(CONFIG_MISSING_KEY, message)
                .at(span)
                .why("the entry is not used")
                .help(help)
                .with_pointer(here.to_string()),
        );
        return None;
    }
    let before = problems.len();
    let mut glob = |key: &str, text: &Option<Text>| {
        let text = text.as_ref()?;
        glob(text, &here.key(key), problems)
    };
    let (name, namespace) = (
        glob("name", &entry.name),
        glob("namespace", &entry.namespace),
    );
    let path = glob("path", &entry.path);
    let code = entry
        .code
        .as_ref()
        .and_then(|code| selector(code, &here.key("code"), problems));
    let pointer = entry.pointer.as_ref().and_then(|text| {
        let pointer = Pointer::parse(&text.value);
        if pointer.is_none() {
            let message = format!("`{}` is not a JSON pointer", text.value);
            problems.push(
                Diagnostic::new(CONFIG_INVALID_VALUE, message)
                    .at(text.span)
                    .why("the entry is not used")
                    .help("write the names of the fields, each after a slash: `/spec/rules`")
                    .with_pointer(here.key("pointer").to_string()),
            );
        }
        pointer
    });
    let written = given
        .iter()
        .map(|(key, text)| format!("{key} = \"{}\"", text.value));
    (problems.len() == before).then(|| IgnoredFindings {
        span,
        code,
        kind: entry.kind.as_ref().map(|it| it.value.clone()),
        name,
        namespace,
        path,
        pointer,
        reason: reason.map(|it| it.value.clone()).unwrap_or_default(),
        written: written.collect::<Vec<_>>().join(", "),
        silenced: HashSet::new(),
    })
}

/// The code or group with this name.
pub(super) fn selector(
    text: &Text,
    at: &Pointer,
    problems: &mut Vec<Diagnostic>,
) -> Option<Selector> {
    match text.value.parse() {
        Ok(selector) => Some(selector),
        Err(unknown) => {
            let unknown: UnknownCode = unknown;
            problems.push(
                Diagnostic::new(CONFIG_UNKNOWN_REFERENCE, unknown.message())
                    .at(text.span)
                    .why("no finding has this code, so the setting has no effect")
                    .help(unknown.advice())
                    .with_pointer(at.to_string()),
            );
            None
        }
    }
}

fn glob(text: &Text, at: &Pointer, problems: &mut Vec<Diagnostic>) -> Option<GlobMatcher> {
    let pattern = text.value.trim_start_matches("./");
    match GlobBuilder::new(pattern).literal_separator(true).build() {
        Ok(glob) => Some(glob.compile_matcher()),
        Err(error) => {
            let message = format!("`{}` is not a pattern: {}", text.value, error.kind());
            problems.push(
                Diagnostic::new(CONFIG_INVALID_VALUE, message)
                    .at(text.span)
                    .why("the entry is not used")
                    .help("`*` stands for any characters of a name, `**` for any folders, and `[` and `{` need their counterparts")
                    .with_pointer(at.to_string()),
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_covers_what_is_below_it() {
        let covers = |above: &str, below: &str| {
            let parse = |text: &str| Pointer::parse(text).expect("a pointer");
            is_above(&parse(above), &parse(below))
        };
        assert!(covers("/spec/rules", "/spec/rules/0/matches"));
        assert!(covers("/spec/rules/*/matches", "/spec/rules/12/matches"));
        assert!(covers("/spec/rules/0", "/spec/rules/0"));
        assert!(!covers("/spec/rules/0", "/spec/rules/1"));
        assert!(!covers("/spec/rules/0", "/spec/rules"));
        assert!(!covers("/spec/rule", "/spec/rules"));
    }
}
