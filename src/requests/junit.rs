//! The results of tests as JUnit XML, for test dashboards: a file is a test suite, and a request of a test is a test case.
//! No times are written, so that the same input gives the same report.

use std::collections::BTreeMap;
use std::io;

use super::Outcome;
use crate::report::escape_xml;
use manifest::diagnostic::printable::printable;
use manifest::diagnostic::{Diagnostic, Sources};

/// The name of the suite and the class of mistakes in tests.
const MISTAKES: &str = "mistakes in tests";

/// Writes the XML document.
///
/// # Errors
/// If it can't be written.
pub fn write(
    outcomes: &[Outcome],
    mistakes: &[Diagnostic],
    sources: &Sources,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut suites: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for outcome in outcomes {
        suites.entry(&outcome.file).or_default().push(outcome);
    }
    let failed =
        |all: &mut dyn Iterator<Item = &Outcome>| all.filter(|it| !it.failures.is_empty()).count();
    let failures = failed(&mut outcomes.iter()) + mistakes.len();
    let tests = outcomes.len() + mistakes.len();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"gatewayctl test\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">"
    )?;
    for (file, all) in &suites {
        let failures = failed(&mut all.iter().copied());
        open(out, file, all.len(), failures)?;
        for outcome in all {
            write!(out, "{}", case(outcome, sources))?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    if !mistakes.is_empty() {
        open(out, MISTAKES, mistakes.len(), mistakes.len())?;
        for mistake in mistakes {
            let message = attribute(&mistake.message);
            let body = body(mistake, sources);
            writeln!(
                out,
                "    <testcase classname=\"{MISTAKES}\" name=\"{message}\">\n      <failure type=\"{}\" message=\"{message}\">{body}</failure>\n    </testcase>",
                mistake.code.as_str()
            )?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn open(out: &mut dyn io::Write, name: &str, tests: usize, failures: usize) -> io::Result<()> {
    let name = attribute(name);
    writeln!(
        out,
        "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">"
    )
}

fn case(outcome: &Outcome, sources: &Sources) -> String {
    let cluster = outcome
        .cluster
        .as_ref()
        .map_or(String::new(), |name| format!(" in {name}"));
    let class = attribute(&outcome.test);
    let name = attribute(&format!("{}{cluster}", outcome.request));
    let file = attribute(&outcome.file);
    let head = format!(
        "    <testcase classname=\"{class}\" name=\"{name}\" file=\"{file}\" line=\"{}\"",
        outcome.line
    );
    if outcome.failures.is_empty() {
        return format!("{head}/>\n");
    }
    let failures = outcome.failures.iter().map(|failure| {
        format!(
            "      <failure type=\"{}\" message=\"{}\">{}</failure>\n",
            failure.finding.code.as_str(),
            attribute(&failure.finding.message),
            body(&failure.finding, sources)
        )
    });
    format!("{head}>\n{}    </testcase>\n", failures.collect::<String>())
}

/// All information about a finding, one item per line.
fn body(finding: &Diagnostic, sources: &Sources) -> String {
    let mut lines = vec![finding.message.clone()];
    let at = |span| {
        let at = sources.locate(span);
        format!("{}:{}:{}", at.file, at.line, at.column)
    };
    lines.extend(finding.span.map(|span| format!("place: {}", at(span))));
    let related = finding.related.iter();
    lines.extend(related.map(|it| format!("{}: {}", it.label, at(it.span))));
    lines.extend(finding.why.as_ref().map(|why| format!("request: {why}")));
    lines.extend(finding.help.as_ref().map(|help| format!("help: {help}")));
    let lines: Vec<String> = lines.iter().map(|line| attribute(line)).collect();
    lines.join("\n")
}

fn attribute(text: &str) -> String {
    escape_xml(&printable(text))
}
