//! The position of a finding, depending on its use.

use manifest::diagnostic::{Diagnostic, Location, Sources};

/// The position of the mistake: the span of the finding, or else its file, or else its origin, or else an
/// empty file name.
pub(super) fn at_fault(finding: &Diagnostic, sources: &Sources) -> Location {
    match (finding.span, &finding.file, finding.origin) {
        (Some(span), _, _) => sources.locate(span),
        (None, Some(file), _) => whole(file),
        (None, None, Some(origin)) => sources.locate(origin),
        (None, None, None) => whole(""),
    }
}

/// The position that a user has to change: the line in `cluster.toml`, if there is one.
pub(super) fn to_change(finding: &Diagnostic, sources: &Sources) -> Location {
    match finding.origin {
        Some(origin) => sources.locate(origin),
        None => at_fault(finding, sources),
    }
}

/// Whether [`to_change`] is a position in a file instead of a whole file.
pub(super) fn is_exact(finding: &Diagnostic) -> bool {
    finding.origin.or(finding.span).is_some()
}

/// The position of the mistake in the rendered file, if it differs from the position to change.
pub(super) fn rendered(finding: &Diagnostic, sources: &Sources) -> Option<Location> {
    finding.origin?;
    let there = at_fault(finding, sources);
    (there != to_change(finding, sources)).then_some(there)
}

/// A whole file, represented by its first character.
fn whole(file: &str) -> Location {
    Location {
        file: file.to_owned(),
        line: 1,
        column: 1,
        end_line: 1,
        end_column: 1,
    }
}
