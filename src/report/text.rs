//! Makes text from any source safe for a terminal, and texts that several formats use.

use super::{Report, place};
use manifest::diagnostic::printable::is_hidden;
use manifest::diagnostic::{Diagnostic, ObjectRef, Severity, Sources};

/// The maximum number of characters of a message that are shown, so that a quoted value can't flood the
/// terminal.
const LONGEST: usize = 1000;

/// A code point that will never be a character. It is shown as the replacement character.
pub(super) const NO_CHARACTER: char = '\u{fdd0}';

/// The character to show for `c`: the same, or a replacement for a character that would control the terminal
/// or is invisible. One character is always replaced by one, so that columns stay correct. A tab stays a tab.
pub(super) fn visible(c: char) -> char {
    match c {
        '\t' => c,
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        NO_CHARACTER => '\u{fffd}',
        c if is_hidden(c) => '\u{fffd}',
        _ => c,
    }
}

/// Text for one line: a message, a label, a path.
pub(super) fn line(text: &str) -> String {
    cut(text)
        .map(|c| if c == '\t' { ' ' } else { visible(c) })
        .collect()
}

/// Text that may have several lines: a note, a help.
pub(super) fn lines(text: &str) -> String {
    cut(text.trim_end())
        .map(|c| match c {
            '\n' => c,
            '\t' => ' ',
            _ => visible(c),
        })
        .collect()
}

fn cut(text: &str) -> impl Iterator<Item = char> {
    let more = text.chars().nth(LONGEST).map(|_| '…');
    text.chars().take(LONGEST).chain(more)
}

/// Formats an object as `Gateway network/envoy-external`.
pub(super) fn object(object: &ObjectRef) -> String {
    let or = |text: &str, instead: &str| match text {
        "" => instead.to_owned(),
        text => text.to_owned(),
    };
    let kind = or(&object.kind, "(no kind)");
    let name = or(&object.name, "(no name)");
    match object.namespace.as_str() {
        "" => format!("{kind} {name}"),
        namespace => format!("{kind} {namespace}/{name}"),
    }
}

/// In which clusters a finding is, if the repository is for several: the name of the line, and their names.
pub(super) fn clusters(finding: &Diagnostic) -> Option<(&'static str, String)> {
    let name = match finding.clusters.as_slice() {
        [] => return None,
        [_] => "cluster",
        _ => "clusters",
    };
    Some((name, finding.clusters.join(", ")))
}

/// Everything about a finding except its message, one item per line: the clusters, the object, other
/// positions, the consequences and the help.
pub(super) fn remarks(finding: &Diagnostic, report: &Report, sources: &Sources) -> Vec<String> {
    let related = finding.related.iter().map(|related| {
        let at = sources.locate(related.span);
        let path = report.base.path(&at.file);
        let place = format!("{path}:{}:{}", at.line, at.column);
        (related.label.as_str(), Some(place))
    });
    let rendered = place::rendered(finding, sources).map(|at| {
        let path = report.base.path(&at.file);
        match finding.span {
            Some(_) => format!("{path}:{}:{}", at.line, at.column),
            None => path,
        }
    });
    let (name, among) = clusters(finding).unzip();
    let before = [
        (name.unwrap_or_default(), among),
        ("object", finding.object.as_ref().map(object)),
        ("rendered to", rendered),
    ];
    let after = [
        ("note", finding.why.clone()),
        ("help", finding.help.clone()),
    ];
    before
        .into_iter()
        .chain(related)
        .chain(after)
        .filter_map(|(name, words)| Some(format!("{}: {}", line(name), lines(&words?))))
        .collect()
}

/// The summary: `2 errors, 1 warning in 9 files (23 objects)`, or that nothing was found.
pub(super) fn summary(report: &Report) -> String {
    summary_with(report, |_, words| words)
}

/// Like [`summary`], but `paint` formats the counts of the severities, and the `ok` if nothing was found.
pub(super) fn summary_with(
    report: &Report,
    paint: impl Fn(Option<Severity>, String) -> String,
) -> String {
    let (files, objects) = (count(report.files, "file"), count(report.objects, "object"));
    let counts = report.counts();
    let found: Vec<String> = [
        (counts.errors, Severity::Error),
        (counts.warnings, Severity::Warning),
        (counts.notes, Severity::Note),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, severity)| paint(Some(severity), count(number, severity.as_str())))
    .collect();
    let clusters = match report.clusters.len() {
        0 | 1 => String::new(),
        several => format!(", {}", count(several, "cluster")),
    };
    if found.is_empty() {
        let ok = paint(None, "ok".to_owned());
        return format!("{ok}: {files}, {objects}{clusters}, nothing found");
    }
    format!("{} in {files} ({objects}{clusters})", found.join(", "))
}

fn count(number: usize, word: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {word}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        let acting = (0..=0x10ffff_u32)
            .filter_map(char::from_u32)
            .filter(|c| c.is_control() && !"\t".contains(*c));
        for c in acting {
            assert!(!visible(c).is_control(), "{c:?}");
        }
        assert_eq!(line("a\x1b[31mb\nc\td\u{9b}"), "a␛[31mb␊c d\u{fffd}");
        assert_eq!(lines("a\nb\x07\n"), "a\nb␇");
    }

    #[test]
    fn a_long_message_is_cut() {
        let long = line(&"x".repeat(100_000));
        assert_eq!(long.chars().count(), LONGEST + 1);
        assert!(long.ends_with('…'));
        assert_eq!(line(&"x".repeat(LONGEST)).chars().count(), LONGEST);
    }
}
