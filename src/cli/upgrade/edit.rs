//! Changes that the user has to make, and writing them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, bail};

use super::super::owned::with_help;
use crate::tree::plain;
use manifest::diagnostic::{Sources, Span};

/// A change that the user has to make.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    /// The file.
    pub file: String,
    /// The line.
    pub line: usize,
    /// What to change.
    pub what: String,
    /// What `--fix` writes; `None` if a person has to decide.
    pub fix: Option<Fix>,
}

/// Bytes of a file, and the text that replaces them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Fix {
    /// The bytes.
    pub range: Range<usize>,
    /// The text that is there.
    pub before: String,
    /// The text that replaces it.
    pub after: String,
}

impl Edit {
    /// A change at a position.
    pub(super) fn at(sources: &Sources, span: Span, what: String) -> Self {
        let place = sources.locate(span);
        Edit {
            file: place.file,
            line: place.line,
            what,
            fix: None,
        }
    }

    /// Replaces the first `old` of the text at a position by `new`. It stays a change for a person if the text there is
    /// written in another way than it is read, as with escapes.
    pub(super) fn replacing(mut self, sources: &Sources, span: Span, old: &str, new: &str) -> Self {
        let range = span.range();
        let text = sources.get(span.source).text().get(range.clone());
        self.fix = text.and_then(|text| {
            let at = range.start + text.find(old)?;
            Some(Fix {
                range: at..at + old.len(),
                before: old.to_owned(),
                after: new.to_owned(),
            })
        });
        self
    }

    /// Writes text after the line that a position is in.
    pub(super) fn inserting(mut self, sources: &Sources, span: Span, lines: &str) -> Self {
        let text = sources.get(span.source).text();
        let rest = text.get(span.range().end..);
        self.fix = rest.and_then(|rest| {
            let at = span.range().end + rest.find('\n')? + 1;
            Some(Fix {
                range: at..at,
                before: String::new(),
                after: lines.to_owned(),
            })
        });
        self
    }
}

/// Writes the changes into their files below `root`, whose names are relative to `names`. Returns the names of the changed
/// files.
///
/// # Errors
/// If a file is not below the root, is not as it was read, or can't be written.
pub(super) fn write(edits: &[Edit], names: &Path, root: &Path) -> anyhow::Result<Vec<String>> {
    let mut by_file: BTreeMap<&str, Vec<&Fix>> = BTreeMap::new();
    for edit in edits {
        if let Some(fix) = &edit.fix {
            by_file.entry(&edit.file).or_default().push(fix);
        }
    }
    let unresolved = |path: &Path| format!("{}: can't be found", path.display());
    let root = root.canonicalize().with_context(|| unresolved(root))?;
    let mut files = Vec::new();
    for (name, mut fixes) in by_file {
        let path = names.join(name);
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let real = folder.canonicalize().with_context(|| unresolved(&path))?;
        let Ok(below) = real.strip_prefix(&root) else {
            bail!(
                "{name} is not below {}, so it is not changed",
                root.display()
            );
        };
        let Some(last) = path.file_name() else {
            continue;
        };
        let below = below.join(last).to_string_lossy().replace('\\', "/");
        let seen = plain::read(&root, &below).map_err(with_help)?;
        let bytes = seen.bytes().unwrap_or_default().to_vec();
        let mut text = String::from_utf8(bytes).with_context(|| format!("{name}: not UTF-8"))?;
        fixes.sort_by_key(|fix| std::cmp::Reverse((fix.range.start, fix.range.end)));
        fixes.dedup();
        for fix in fixes {
            if text.get(fix.range.clone()) != Some(&*fix.before) {
                bail!("{name} has changed since it was read; run the command again");
            }
            text.replace_range(fix.range.clone(), &fix.after);
        }
        files.push((below, text.into_bytes(), Some(seen), name.to_owned()));
    }
    let names = files.iter().map(|(.., name)| name.clone()).collect();
    let files: Vec<_> = files
        .into_iter()
        .map(|(path, bytes, seen, _)| (path, bytes, seen))
        .collect();
    if !files.is_empty() {
        plain::write(&root, &files).map_err(with_help)?;
    }
    Ok(names)
}
