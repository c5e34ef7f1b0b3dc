//! The report for people, which looks like rustc's, and a summary line at the end.
//! If a finding was rendered from `cluster.toml`, it shows the line there, because that is the line to
//! change, and the position in the rendered tree. All other findings show the file with the mistake.

use std::{fmt, io};

use annotate_snippets::renderer::{
    DEFAULT_ERROR_STYLE, DEFAULT_HELP_STYLE, DEFAULT_NOTE_STYLE, DEFAULT_WARNING_STYLE,
};
use annotate_snippets::{Group, Level, Message, Origin, Padding, Renderer};

use super::excerpt::{self, Mark};
use super::{Report, Terminal, place, text};
use manifest::diagnostic::{Diagnostic, Severity, Sources};

/// The limits of the width to which source lines are cut. With less, nothing would be visible; with more, the
/// renderer's arithmetic may overflow.
const NARROWEST: usize = 40;
const WIDEST: usize = 1000;

/// The maximum number of findings that are drawn. Nobody reads more, and a broken file can have a finding on
/// each line.
const MOST_DRAWN: usize = 200;

/// Writes all findings, with an empty line after each, and the summary.
pub(super) fn write(
    report: &Report,
    sources: &Sources,
    terminal: Terminal,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    findings(report, sources, terminal, out)?;
    writeln!(out, "{}", summary(report, terminal.color))
}

/// Writes all findings, with an empty line after each.
pub(super) fn findings(
    report: &Report,
    sources: &Sources,
    terminal: Terminal,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let renderer = if terminal.color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let width = terminal.width.clamp(NARROWEST, WIDEST);
    let renderer = renderer.term_width(width);
    let mut findings: Vec<&Diagnostic> = report.diagnostics.iter().collect();
    // The report is sorted by the position of the mistake. Findings with an origin are shown at another
    // position, so sort by that.
    if findings.iter().any(|finding| finding.origin.is_some()) {
        findings.sort_by_cached_key(|finding| place::to_change(finding, sources));
    }
    let left_out = findings.len().saturating_sub(MOST_DRAWN);
    for finding in findings.into_iter().take(MOST_DRAWN) {
        writeln!(out, "{}\n", draw(finding, sources, &renderer, width))?;
    }
    if left_out > 0 {
        writeln!(
            out,
            "… and {left_out} more; `validate --format json` lists more\n"
        )?;
    }
    Ok(())
}

/// Draws one finding, without a line end.
fn draw(finding: &Diagnostic, sources: &Sources, renderer: &Renderer, width: usize) -> String {
    let title = level(finding.severity)
        .primary_title(text::line(&finding.message))
        .id(finding.code.as_str());
    let remarks = remarks(finding, sources);
    let mut group = Group::with_title(title);
    let mut headers = Vec::new();
    for excerpt in excerpt::excerpts(marks(finding, sources), sources, width) {
        headers.push(excerpt.header);
        group = group.element(excerpt.snippet);
    }
    if let (true, Some(file)) = (headers.is_empty(), &finding.file) {
        group = group.element(Origin::path(text::line(file)));
        if !remarks.is_empty() {
            group = group.element(Padding);
        }
    }
    let drawn = renderer.render(&[group.elements(remarks)]);
    excerpt::fill(&drawn, &headers)
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    }
}

/// Marks for the position to change and for the related positions.
fn marks(finding: &Diagnostic, sources: &Sources) -> Vec<Mark> {
    let primary = finding.origin.or(finding.span);
    let related = finding.related.iter().map(|related| {
        let label = text::line(&related.label);
        Mark::new(related.span, Some(label), sources)
    });
    primary
        .map(|span| Mark::new(span, None, sources))
        .into_iter()
        .chain(related)
        .collect()
}

/// The lines below the excerpts: `= cluster: …`, `= object: …`, `= rendered to: …`, `= note: …`, `= help: …`.
fn remarks(finding: &Diagnostic, sources: &Sources) -> Vec<Message<'static>> {
    let rendered = rendered_to(finding, sources);
    let pointer = finding.pointer.as_deref().filter(|text| !text.is_empty());
    let object = finding.object.as_ref().map(text::object);
    let with_pointer = |text: String| match pointer {
        Some(pointer) => format!("{text}, {pointer}"),
        None => text,
    };
    let (object, rendered) = match rendered {
        Some(rendered) => (object, Some(with_pointer(rendered))),
        None => (object.map(with_pointer), None),
    };
    let named = |name: &'static str| Level::NOTE.with_name(name);
    let (clusters, among) = text::clusters(finding).unzip();
    [
        (
            named(clusters.unwrap_or_default()),
            among.as_deref().map(text::line),
        ),
        (named("object"), object.as_deref().map(text::line)),
        (named("rendered to"), rendered.as_deref().map(text::line)),
        (Level::NOTE, finding.why.as_deref().map(text::lines)),
        (Level::HELP, finding.help.as_deref().map(text::lines)),
    ]
    .into_iter()
    .filter_map(|(level, text)| Some(level.message(text?)))
    .collect()
}

/// The rendered position as `file:line:column`, if another position is shown first.
fn rendered_to(finding: &Diagnostic, sources: &Sources) -> Option<String> {
    let origin = finding.origin?;
    match (finding.span, &finding.file) {
        (Some(span), _) if span == origin => None,
        (Some(span), _) => {
            let place = sources.locate(span);
            Some(format!("{}:{}:{}", place.file, place.line, place.column))
        }
        (None, file) => file.clone(),
    }
}

/// The summary line, in the colours of the severities.
fn summary(report: &Report, color: bool) -> String {
    text::summary_with(report, |severity, words| {
        let style = match severity {
            None => DEFAULT_HELP_STYLE,
            Some(Severity::Error) => DEFAULT_ERROR_STYLE,
            Some(Severity::Warning) => DEFAULT_WARNING_STYLE,
            Some(Severity::Note) => DEFAULT_NOTE_STYLE,
        };
        paint(color, style, words)
    })
}

fn paint(color: bool, style: impl fmt::Display, text: String) -> String {
    match color {
        true => format!("{style}{text}{style:#}"),
        false => text,
    }
}
