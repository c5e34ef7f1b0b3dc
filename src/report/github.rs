//! The report for GitHub Actions: a workflow command for each finding, which becomes an annotation at its
//! line, and a summary in Markdown for the page of the run.
//! The commands and their escapes are those of `@actions/core` 1.11 (`command.ts`).

use std::io;

use super::{Report, place, text};
use manifest::diagnostic::{Diagnostic, Severity, Sources};

/// The maximum size of a step summary on GitHub, in bytes.
pub const LARGEST_SUMMARY: usize = 1024 * 1024;

/// The bytes that are reserved for the last line, which says how many findings were left out.
const CLOSING: usize = 100;

/// Writes a line with a command for each finding, and a line with the summary.
pub(super) fn write(report: &Report, sources: &Sources, out: &mut dyn io::Write) -> io::Result<()> {
    annotations(report, sources, out)?;
    writeln!(out, "{}", text::summary(report))
}

/// Writes a line with a command for each finding.
pub(super) fn annotations(
    report: &Report,
    sources: &Sources,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    for finding in &report.diagnostics {
        writeln!(out, "{}", command(finding, report, sources))?;
    }
    Ok(())
}

fn command(finding: &Diagnostic, report: &Report, sources: &Sources) -> String {
    let name = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let properties: Vec<String> = properties(finding, report, sources)
        .into_iter()
        .map(|(key, value)| format!("{key}={}", escape_property(&value)))
        .collect();
    let mut words = vec![text::line(&finding.message)];
    words.extend(text::remarks(finding, report, sources));
    format!(
        "::{name} {}::{}",
        properties.join(","),
        escape(&words.join(
            "
"
        ))
    )
}

fn properties(
    finding: &Diagnostic,
    report: &Report,
    sources: &Sources,
) -> Vec<(&'static str, String)> {
    let at = place::to_change(finding, sources);
    let mut all = Vec::new();
    if !at.file.is_empty() {
        all.push(("file", text::line(&report.base.path(&at.file))));
    }
    if place::is_exact(finding) {
        all.push(("line", at.line.to_string()));
        // GitHub refuses columns for a range of several lines.
        if at.end_line == at.line {
            all.push(("col", at.column.to_string()));
        }
        all.push(("endLine", at.end_line.to_string()));
        if at.end_line == at.line {
            all.push(("endColumn", at.end_column.to_string()));
        }
    }
    all.push(("title", finding.code.as_str().to_owned()));
    all
}

/// Escapes the text of a command.
fn escape(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes the value of a command's property.
fn escape_property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}

/// A summary of `report` in GitHub's Markdown, of at most `most` bytes: a heading with the counts, and a
/// table with a row for each finding, errors first. If there are too many, the last row says how many were
/// left out. The summary is empty if not even the heading fits. Text from files can't be interpreted as
/// Markdown or HTML.
pub fn step_summary(report: &Report, sources: &Sources, most: usize) -> String {
    let mut summary = format!("### gatewayctl validate\n\n{}\n", text::summary(report));
    if summary.len() + 2 * CLOSING > most {
        return String::new();
    }
    if report.diagnostics.is_empty() {
        return summary;
    }
    summary.push_str("\n| | place | finding |\n|---|---|---|\n");
    let mut findings: Vec<&Diagnostic> = report.diagnostics.iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut left = findings.len();
    for finding in findings {
        let row = row(finding, report, sources);
        if summary.len() + row.len() + CLOSING > most {
            break;
        }
        summary.push_str(&row);
        left -= 1;
    }
    if left > 0 {
        summary.push_str(&format!("| … | | {left} more, listed in the log |\n"));
    }
    summary
}

fn row(finding: &Diagnostic, report: &Report, sources: &Sources) -> String {
    let at = place::to_change(finding, sources);
    let path = text::line(&report.base.path(&at.file));
    let place = match (path.is_empty(), place::is_exact(finding)) {
        (true, _) => String::new(),
        (false, true) => code(&format!("{path}:{}:{}", at.line, at.column)),
        (false, false) => code(&path),
    };
    let among = text::clusters(finding).map(|(name, among)| format!("{name}: {among}"));
    let more = [("", &among), ("", &finding.why), ("help: ", &finding.help)];
    let more = more.map(|(word, text)| match text {
        Some(text) => format!("<br>{word}{}", prose(text)),
        None => String::new(),
    });
    format!(
        "| {} | {place} | {}<br>{}{} |\n",
        finding.severity.as_str(),
        code(finding.code.as_str()),
        prose(&finding.message),
        more.concat()
    )
}

/// Formats text for a table cell; text between backticks becomes code.
fn prose(words: &str) -> String {
    let words = text::line(&words.replace('\n', " "));
    let parts: Vec<&str> = words.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return literal(&words);
    }
    let parts = parts.iter().enumerate().map(|(at, part)| match at % 2 {
        0 => literal(part),
        _ => code(part),
    });
    parts.collect()
}

fn code(text: &str) -> String {
    match text {
        "" => String::new(),
        text => format!("<code>{}</code>", literal(text)),
    }
}

/// Escapes text so that it is neither Markdown nor HTML. A character reference is never markup (CommonMark
/// 0.31, 2.5), nor does it separate table cells.
fn literal(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() && !".,-/;()'".contains(c) {
            safe.push_str(&format!("&#{};", u32::from(c)));
        } else {
            safe.push(c);
        }
    }
    safe
}
