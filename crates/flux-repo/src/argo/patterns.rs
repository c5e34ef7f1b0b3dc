//! Patterns of paths, as Argo CD reads them.

use std::collections::BTreeSet;

/// The patterns that a pattern with `{a,b}` stands for.
pub(super) fn alternatives(pattern: &str) -> Vec<String> {
    let parts = pattern.split_once('{').and_then(|(start, rest)| {
        let (inner, end) = rest.split_once('}')?;
        Some((start, inner, end))
    });
    match parts {
        Some((start, inner, end)) => inner
            .split(',')
            .map(|one| format!("{start}{}{end}", one.trim()))
            .collect(),
        None => vec![pattern.to_owned()],
    }
}

/// Whether a pattern of Argo CD fits a path in a folder: `*` is anything there, slashes, too.
pub(super) fn fits_path(pattern: &str, path: &str) -> bool {
    fits(&pattern.replace("**/", "*"), path)
}

/// Whether a pattern fits a path: `*` is anything but a slash, and `**` any number of folders.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    // The numbers of parts that the pattern may have consumed so far.
    let mut consumed = BTreeSet::from([0]);
    for pattern in pattern.split('/') {
        consumed = match (pattern, consumed.first()) {
            (_, None) => return false,
            ("**", Some(first)) => (*first..=parts.len()).collect(),
            _ => consumed
                .into_iter()
                .filter(|at| parts.get(*at).is_some_and(|part| fits(pattern, part)))
                .map(|at| at + 1)
                .collect(),
        };
    }
    consumed.contains(&parts.len())
}

fn fits(pattern: &str, part: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == part;
    };
    let Some(mut left) = part.strip_prefix(start) else {
        return false;
    };
    let mut words = rest.split('*').peekable();
    while let Some(word) = words.next() {
        if words.peek().is_none() {
            return left.ends_with(word);
        }
        match left.find(word) {
            Some(at) => left = left.get(at + word.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}
