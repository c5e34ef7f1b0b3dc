//! Checks that findings can be written in each format, and that their places are in the texts that they refer to.

use gatewayctl::report::{Format, Report, Terminal};
use manifest::diagnostic::{Diagnostic, Sources};

/// Checks the places of findings, and writes the findings in every format.
pub fn tell(found: Vec<Diagnostic>, sources: &Sources) {
    for finding in &found {
        let places = finding.span.into_iter().chain(finding.origin);
        let places = places.chain(finding.related.iter().map(|related| related.span));
        for span in places {
            let text = sources.get(span.source).text();
            assert!(
                text.get(span.range()).is_some(),
                "{finding:?} is at {:?} of a text of {} bytes",
                span.range(),
                text.len()
            );
        }
    }
    let report = Report::new(found, 1, 1, sources);
    for format in Format::ALL {
        format
            .write(&report, sources, Terminal::default(), &mut std::io::sink())
            .expect("writing to nowhere never fails");
    }
}
