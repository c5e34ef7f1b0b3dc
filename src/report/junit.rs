//! The report for test dashboards: JUnit XML, as GitLab, Jenkins and others read it.
//! A file becomes a test suite, and a finding becomes a test case in it. Errors become failures. Other
//! findings become passed test cases, with the finding as output. A run without findings is a single passed
//! test case. No times are written, so that the same input gives the same report.

use std::collections::BTreeMap;
use std::io;

use super::{Report, place, text};
use manifest::diagnostic::{Diagnostic, Location, Sources};

/// Writes the XML document.
pub(super) fn write(report: &Report, sources: &Sources, out: &mut dyn io::Write) -> io::Result<()> {
    let mut suites: BTreeMap<String, Vec<&Diagnostic>> = BTreeMap::new();
    for finding in &report.diagnostics {
        let file = place::to_change(finding, sources).file;
        let name = match report.base.path(&file) {
            path if path.is_empty() => "gatewayctl".to_owned(),
            path => path,
        };
        suites.entry(name).or_default().push(finding);
    }
    let tests = report.diagnostics.len().max(1);
    let failures = report.counts().errors;
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"gatewayctl\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">"
    )?;
    if suites.is_empty() {
        let name = escape(&text::summary(report));
        open(out, "gatewayctl", 1, 0)?;
        writeln!(
            out,
            "    <testcase classname=\"gatewayctl\" name=\"{name}\"/>"
        )?;
        writeln!(out, "  </testsuite>")?;
    }
    for (name, findings) in &suites {
        let failures = findings.iter().filter(|finding| finding.is_error()).count();
        open(out, name, findings.len(), failures)?;
        for finding in findings {
            write!(out, "{}", case(finding, report, sources))?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn open(out: &mut dyn io::Write, name: &str, tests: usize, failures: usize) -> io::Result<()> {
    let name = escape(&text::line(name));
    writeln!(
        out,
        "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">"
    )
}

fn case(finding: &Diagnostic, report: &Report, sources: &Sources) -> String {
    let at = place::to_change(finding, sources);
    let code = finding.code.as_str();
    let message = escape(&text::line(&finding.message));
    let (place, line) = match place::is_exact(finding) {
        true => (
            format!("{}:{} ", at.line, at.column),
            format!(" line=\"{}\"", at.line),
        ),
        false => (String::new(), String::new()),
    };
    let path = match report.base.path(&at.file).as_str() {
        "" => String::new(),
        path => format!(" file=\"{}\"", escape(&text::line(path))),
    };
    let body = escape(&body_text(finding, &at, report, sources));
    let (start, end) = match finding.is_error() {
        true => (
            format!("<failure type=\"{code}\" message=\"{message}\">"),
            "</failure>",
        ),
        false => ("<system-out>".to_owned(), "</system-out>"),
    };
    format!(
        "    <testcase classname=\"{code}\" name=\"{place}{message}\"{path}{line}>\n      {start}{body}{end}\n    </testcase>\n"
    )
}

/// All information about a finding, one item per line.
fn body_text(finding: &Diagnostic, at: &Location, report: &Report, sources: &Sources) -> String {
    let severity = finding.severity.as_str();
    let mut lines = vec![format!("{severity}: {}", text::line(&finding.message))];
    let path = text::line(&report.base.path(&at.file));
    if place::is_exact(finding) {
        lines.push(format!("place: {path}:{}:{}", at.line, at.column));
    } else if !path.is_empty() {
        lines.push(format!("place: {path}"));
    }
    lines.extend(text::remarks(finding, report, sources));
    lines.join("\n")
}

/// Escapes text for an element or an attribute. Characters that XML 1.0 (2.2) doesn't allow are left out.
/// `::` and `##[` are written with character references, which have the same meaning. If the document is
/// printed to the log of GitHub Actions, a line of a finding could otherwise be interpreted as a command.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            ':' if escaped.ends_with(':') => escaped.push_str("&#58;"),
            '[' if escaped.ends_with("##") => escaped.push_str("&#91;"),
            '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => {
                escaped.push(c);
            }
            _ => {}
        }
    }
    escaped
}
