//! What the API server checks on Kubernetes' own kinds in its Go code (`pkg/apis/*/validation`, Kubernetes 1.37), beyond
//! what its OpenAPI document says: names, references inside an object, fields that exclude or need each other.
//!
//! - [`table`]: which check applies to which field of which kind, as a table.
//! - [`place`]: values with their paths, which are only built for findings.
//! - `forms`: the formats of names and other texts.
//! - The other modules have the checks that need more than one field, by the part of an object that they look at.
//!
//! What isn't known yet, because Flux fills it in or it is encrypted, is accepted.

mod batch;
mod config;
mod containers;
mod downward;
pub(crate) mod forms;
mod immutable;
mod job;
mod network;
mod place;
mod pods;
mod policies;
mod quota;
mod resources;
mod selectors;
mod services;
mod storage;
mod table;
mod volumes;
mod workloads;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use crate::codes;
pub(crate) use immutable::check as changes;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::placeholder::is_unsettled;
use place::Place;

/// All findings on an object of one of Kubernetes' own kinds; none for other kinds.
pub(crate) fn check(object: &Object) -> Vec<Diagnostic> {
    let mut walk = BuiltinWalk {
        object,
        encrypted: object.node.get("sops").is_some(),
        found: Vec::new(),
    };
    let root = Place::root(&object.node);
    for kind in table::KINDS {
        if kind.group == object.group() && kind.kind == object.kind() {
            walk.rows(&root, kind.rows);
            if let Some(path) = kind.pod {
                pods::check(&mut walk, &root, path);
            }
        }
    }
    walk.found
}

/// The check of an object.
pub(super) struct BuiltinWalk<'a> {
    object: &'a Object,
    encrypted: bool,
    found: Vec<Diagnostic>,
}

impl BuiltinWalk<'_> {
    /// Applies rows of a table to a value.
    fn rows(&mut self, root: &Place<'_, '_>, rows: table::Rows) {
        for (path, checks) in rows {
            self.row(root, path, checks);
        }
    }

    fn row(&mut self, at: &Place<'_, '_>, path: &str, checks: &[table::Check]) {
        if path.is_empty() {
            return checks.iter().for_each(|check| check.apply(self, at));
        }
        let (step, rest) = path.split_once('.').unwrap_or((path, ""));
        match step.strip_suffix("[]") {
            Some(key) => {
                let list = at.get(key);
                for item in list.items() {
                    self.row(&item, rest, checks);
                }
            }
            None => self.row(&at.get(step), rest, checks),
        }
    }

    /// Reports that a value is missing.
    fn missing(&mut self, at: &Place<'_, '_>) {
        let pointer = at.pointer();
        let message = match at.is_null() {
            true => format!("`{}` is missing", pointer.dotted()),
            false => format!("`{}` is empty", pointer.dotted()),
        };
        let found = finding(codes::SCHEMA_REQUIRED, self.object, &pointer, message)
            .why("the API server refuses the object")
            .help("give it a value");
        self.found.push(found);
    }

    /// Reports a value that must be something else.
    fn wrong(&mut self, at: &Place<'_, '_>, want: &str) {
        let message = match at.text() {
            Some(text) => format!("can't be {text:?}"),
            None => match at.number() {
                Some(number) => format!("can't be {number}"),
                None => "is not valid".to_owned(),
            },
        };
        self.says(at, &message, &format!("write {want}"));
    }

    /// Reports something about a value.
    fn says(&mut self, at: &Place<'_, '_>, what: &str, help: &str) {
        let pointer = at.pointer();
        let name = match pointer.steps().is_empty() {
            true => "the object".to_owned(),
            false => format!("`{}`", pointer.dotted()),
        };
        let found = finding(
            codes::SCHEMA_VALUE,
            self.object,
            &pointer,
            format!("{name} {what}"),
        )
        .why("the API server refuses the object")
        .help(help);
        self.found.push(found);
    }

    /// Reports a value that is there twice.
    fn twice(&mut self, at: &Place<'_, '_>) {
        let pointer = at.pointer();
        let message = format!("`{}` is the same as one before it", pointer.dotted());
        let found = finding(codes::SCHEMA_LIST_KEY, self.object, &pointer, message)
            .why("the API server refuses the object")
            .help("give each entry a value of its own, or remove one of the two");
        self.found.push(found);
    }

    /// Checks a text, unless it is missing, empty or not known yet.
    fn form(&mut self, at: &Place<'_, '_>, form: forms::Form) {
        if let Some(text) = self.known_text(at)
            && !(form.holds)(text)
        {
            self.wrong(at, form.want);
        }
    }

    /// Checks a text that can't be empty if it is given.
    fn given(&mut self, at: &Place<'_, '_>, form: forms::Form) {
        if let Some(text) = at.text().filter(|text| !self.is_open(text))
            && !(form.holds)(text)
        {
            self.wrong(at, form.want);
        }
    }

    /// Checks an item of a list of texts, in which null is the same as an empty text.
    fn item(&mut self, at: &Place<'_, '_>, form: forms::Form) {
        match at.is_null() {
            true if !(form.holds)("") => self.wrong(at, form.want),
            true => {}
            false => self.given(at, form),
        }
    }

    /// Reports each of the given kinds of a value but the first: there can be only one of them.
    fn only_one(&mut self, holder: &Place<'_, '_>, given: &[&str]) {
        if let Some((first, others)) = given.split_first() {
            for other in others {
                let what = format!("can't be given beside `{first}`");
                self.says(&holder.get(other), &what, "keep one of the two");
            }
        }
    }

    /// A text, unless it is missing, empty or not known yet.
    fn known_text<'n>(&self, at: &Place<'n, '_>) -> Option<&'n str> {
        at.text()
            .filter(|text| !text.is_empty() && !self.is_open(text))
    }

    /// Reports a text that is among those before it, and adds it to them.
    fn unique(&mut self, at: &Place<'_, '_>, before: &mut HashSet<String>) {
        if let Some(text) = self.known_text(at)
            && !before.insert(text.to_owned())
        {
            self.twice(at);
        }
    }

    /// Reports a missing or empty value.
    fn required(&mut self, at: &Place<'_, '_>) {
        if at.is_empty() {
            self.missing(at);
        }
    }

    /// Whether a text is not known yet.
    fn is_open(&self, text: &str) -> bool {
        is_unsettled(text, self.encrypted)
    }
}
