//! The `[validate]` table: which findings are not reported, and how serious the others are.

mod ignored;
mod place;

use std::collections::HashSet;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

pub(super) use place::{in_force, locate_settings, of_project};

use super::filter::Selector;
use crate::config::codes::CONFIG_UNUSED_IGNORE;
use crate::config::validate::{Deny, Level, Validate};
use ignored::{IgnoredFindings, read, selector};
use manifest::diagnostic::{Diagnostic, Severity, Sources, Span};
use manifest::value::Pointer;

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
            .filter_map(|(at, entry)| read(at, entry, problems))
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

    /// The places of the entries.
    pub(super) fn entries(&self) -> Vec<Span> {
        let entries = self.ignored.iter();
        entries.filter_map(|entry| entry.span).collect()
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

    /// The number of findings that are not reported because of the entries.
    pub(super) fn silenced(&self) -> usize {
        let all = self.ignored.iter().flat_map(|entry| &entry.silenced);
        all.collect::<HashSet<&Diagnostic>>().len()
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
        match self.silenced() {
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
