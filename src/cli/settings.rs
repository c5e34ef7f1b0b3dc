//! The `[validate]` table: which findings are not reported, and how serious the others are.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use super::filter::Selector;
use crate::config::Text;
use crate::config::codes::{
    CONFIG_INVALID_VALUE, CONFIG_MISSING_KEY, CONFIG_UNKNOWN_REFERENCE, CONFIG_UNUSED_IGNORE,
};
use crate::config::validate::{Deny, Ignore, Level, Validate};
use manifest::diagnostic::{Diagnostic, Severity, Sources, Span};
use manifest::value::Pointer;
use manifest::value::pointer::Step;

/// The settings of a run, ready to be applied.
pub(super) struct ValidateSettings {
    /// The file that they are in.
    file: String,
    ignored: Vec<IgnoredFindings>,
    severities: Vec<(Selector, Level)>,
    denies_warnings: bool,
    /// The root, to which paths in the settings are relative.
    root: PathBuf,
}

/// An entry of `ignore`.
struct IgnoredFindings {
    span: Option<Span>,
    code: Option<Selector>,
    kind: Option<String>,
    name: Option<GlobMatcher>,
    namespace: Option<GlobMatcher>,
    path: Option<GlobMatcher>,
    pointer: Option<Pointer>,
    reason: String,
    /// The keys as they are written.
    written: String,
    /// The findings that were left out.
    silenced: HashSet<Diagnostic>,
}

impl ValidateSettings {
    /// Reads the table, which is in `file` of the folder `root`. Adds what is wrong with it to `problems`.
    pub(super) fn new(
        table: &Validate,
        file: &str,
        root: &Path,
        problems: &mut Vec<Diagnostic>,
    ) -> Self {
        let entries = table.ignore.iter().enumerate();
        let ignored = entries
            .filter_map(|(at, entry)| ignored(at, entry, problems))
            .collect();
        let severities = table.severity.iter().filter_map(|(code, level)| {
            let pointer = Pointer::root()
                .key("validate")
                .key("severity")
                .key(&code.value);
            Some((selector(code, &pointer, problems)?, level.value))
        });
        ValidateSettings {
            file: file.to_owned(),
            ignored,
            severities: severities.collect(),
            denies_warnings: table
                .deny
                .as_ref()
                .is_some_and(|it| it.value == Deny::Warnings),
            root: absolute(root),
        }
    }

    /// Removes the findings that are not reported, and sets the severities of the others. The names of files in findings
    /// are relative to `folder`.
    pub(super) fn apply(
        &mut self,
        diagnostics: &mut Vec<Diagnostic>,
        sources: &Sources,
        folder: &Path,
    ) {
        let folder = absolute(folder);
        let from_root = |file: &str| {
            let path = clean(&folder.join(file));
            let below = path.strip_prefix(&self.root).map(Path::to_path_buf);
            below.unwrap_or_else(|_| PathBuf::from(file))
        };
        let severities = &self.severities;
        diagnostics.retain_mut(|finding| {
            let files: Vec<PathBuf> = files(finding, sources).into_iter().map(from_root).collect();
            // Every entry that fits counts as used.
            let mut is_ignored = false;
            for entry in &mut self.ignored {
                if entry.fits(finding, &files) {
                    entry.silenced.insert(finding.clone());
                    is_ignored = true;
                }
            }
            let level = level_of(severities, finding);
            if let Some(severity) = level.and_then(severity) {
                finding.severity = severity;
            }
            !is_ignored && level != Some(Level::Off)
        });
    }

    /// Whether one of `paths` is the root or contains it, so that an entry that fits nothing is really unused.
    pub(super) fn is_all_in(&self, paths: &[PathBuf]) -> bool {
        paths
            .iter()
            .any(|path| self.root.starts_with(absolute(path)))
    }

    /// Turns warnings into errors if the settings say so.
    pub(super) fn deny(&self, diagnostics: &mut [Diagnostic]) {
        let warnings = diagnostics
            .iter_mut()
            .filter(|it| it.severity == Severity::Warning);
        for finding in warnings.filter(|_| self.denies_warnings) {
            finding.severity = Severity::Error;
        }
    }

    /// A note for each entry that fits no finding.
    pub(super) fn unused(&self) -> Vec<Diagnostic> {
        let unused = self
            .ignored
            .iter()
            .filter(|entry| entry.silenced.is_empty());
        let notes = unused.filter_map(|entry| {
            let message = format!("nothing is found that fits {}", entry.written);
            let note = Diagnostic::new(CONFIG_UNUSED_IGNORE, message)
                .at(entry.span)
                .why("a later finding that fits would not be reported")
                .help("remove the entry if what it was for is fixed");
            match level_of(&self.severities, &note) {
                Some(level) => Some(note.severity(severity(level)?)),
                None => Some(note),
            }
        });
        notes.collect()
    }

    /// Prints how many findings are not reported; with `each` also for each entry, with its reason.
    ///
    /// # Errors
    /// If it can't be written.
    pub(super) fn print_silenced(&self, each: bool, out: &mut dyn Write) -> std::io::Result<()> {
        let used = self
            .ignored
            .iter()
            .filter(|entry| !entry.silenced.is_empty());
        if each {
            for entry in used {
                let count = counted(entry.silenced.len());
                writeln!(out, "ignored {count} ({}): {}", entry.written, entry.reason)?;
            }
            return Ok(());
        }
        let all: HashSet<&Diagnostic> = used.flat_map(|entry| &entry.silenced).collect();
        match all.len() {
            0 => Ok(()),
            count => writeln!(
                out,
                "{} ignored by `[validate]` in {}; --verbose lists the reasons",
                counted(count),
                self.file
            ),
        }
    }
}

fn counted(count: usize) -> String {
    match count {
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    }
}

/// The most specific level for a finding.
fn level_of(severities: &[(Selector, Level)], finding: &Diagnostic) -> Option<Level> {
    let is_for = |(selector, _): &&(Selector, Level)| selector.covers(finding.code);
    let fitting = severities.iter().filter(is_for);
    let best = fitting.max_by_key(|(selector, _)| matches!(selector, Selector::Code(_)));
    best.map(|(_, level)| *level)
}

fn severity(level: Level) -> Option<Severity> {
    match level {
        Level::Error => Some(Severity::Error),
        Level::Warning => Some(Severity::Warning),
        Level::Note => Some(Severity::Note),
        Level::Off => None,
    }
}

/// The files of a finding: that of the mistake, and the one that it was rendered from.
fn files<'a>(finding: &'a Diagnostic, sources: &'a Sources) -> Vec<&'a str> {
    let spans = [finding.span, finding.origin].into_iter().flatten();
    let names = spans.map(|span| sources.get(span.source).name());
    names.chain(finding.file.as_deref()).collect()
}

impl IgnoredFindings {
    fn fits(&self, finding: &Diagnostic, files: &[PathBuf]) -> bool {
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
fn ignored(at: usize, entry: &Ignore, problems: &mut Vec<Diagnostic>) -> Option<IgnoredFindings> {
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
fn selector(text: &Text, at: &Pointer, problems: &mut Vec<Diagnostic>) -> Option<Selector> {
    match text.value.parse() {
        Ok(selector) => Some(selector),
        Err(unknown) => {
            let unknown: super::filter::UnknownCode = unknown;
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

/// The absolute path. Links are followed as far as the path exists.
fn absolute(path: &Path) -> PathBuf {
    let path = match path.as_os_str().is_empty() {
        true => Path::new("."),
        false => path,
    };
    let found = path.canonicalize().or_else(|_| std::path::absolute(path));
    found.unwrap_or_else(|_| path.to_owned())
}

/// The path without `.` and `..`.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    clean
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
