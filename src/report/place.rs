//! Which place of a finding counts where.

use manifest::diagnostic::{Diagnostic, Location, Sources};

/// The place at fault: the finding's span; else its file; else its origin; else nowhere, an empty name.
pub(super) fn at_fault(finding: &Diagnostic, sources: &Sources) -> Location {
    match (finding.span, &finding.file, finding.origin) {
        (Some(span), _, _) => sources.locate(span),
        (None, Some(file), _) => whole(file),
        (None, None, Some(origin)) => sources.locate(origin),
        (None, None, None) => whole(""),
    }
}

/// The place that a person has to change: the line of `cluster.toml` where there is one.
pub(super) fn to_change(finding: &Diagnostic, sources: &Sources) -> Location {
    match finding.origin {
        Some(origin) => sources.locate(origin),
        None => at_fault(finding, sources),
    }
}

/// Whether [`to_change`] is a place in a file, and not a file as a whole.
pub(super) fn is_exact(finding: &Diagnostic) -> bool {
    finding.origin.or(finding.span).is_some()
}

/// The place at fault where it is another than the one to change: in the file that was rendered.
pub(super) fn rendered(finding: &Diagnostic, sources: &Sources) -> Option<Location> {
    finding.origin?;
    let there = at_fault(finding, sources);
    (there != to_change(finding, sources)).then_some(there)
}

/// A file without a place in it, as its first character.
fn whole(file: &str) -> Location {
    Location {
        file: file.to_owned(),
        line: 1,
        column: 1,
        end_line: 1,
        end_column: 1,
    }
}
