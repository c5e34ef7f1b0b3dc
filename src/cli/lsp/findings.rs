//! Findings as the protocol has them, by file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gen_lsp_types as lsp;

use super::analysis::Analysis;
use super::documents::range;
use crate::editor::lines::Lines;
use manifest::diagnostic::{Diagnostic, Severity, SourceId, Span};

/// The findings of a check, by file. A finding in a rendered file is at the line of `cluster.toml` to change.
pub(super) fn by_file(
    analysis: &Analysis,
    root: &Path,
    uri_of: &dyn Fn(&Path) -> String,
) -> BTreeMap<PathBuf, Vec<lsp::Diagnostic>> {
    let mut places = Places {
        analysis,
        root,
        lines: BTreeMap::new(),
    };
    let mut found: BTreeMap<PathBuf, Vec<lsp::Diagnostic>> = BTreeMap::new();
    for finding in &analysis.findings {
        let (path, shown) = places.shown(finding, uri_of);
        let of_file = found.entry(path).or_default();
        // Several clusters may have the same finding.
        if !of_file.contains(&shown) {
            of_file.push(shown);
        }
    }
    for of_file in found.values_mut() {
        of_file.sort_by_key(|it| (it.range.start, it.range.end));
    }
    found
}

struct Places<'a> {
    analysis: &'a Analysis,
    root: &'a Path,
    lines: BTreeMap<SourceId, Lines<'a>>,
}

impl<'a> Places<'a> {
    fn range(&mut self, span: Span) -> lsp::Range {
        let sources = &self.analysis.sources;
        let lines = self.lines.entry(span.source);
        let lines = lines.or_insert_with(|| Lines::new(sources.get(span.source).text()));
        range(lines, &span.range())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn shown(
        &mut self,
        finding: &Diagnostic,
        uri_of: &dyn Fn(&Path) -> String,
    ) -> (PathBuf, lsp::Diagnostic) {
        let sources = &self.analysis.sources;
        let name = |span: Span| sources.get(span.source).name();
        let at = finding.origin.or(finding.span);
        let path = match (at, &finding.file) {
            (Some(at), _) => self.path(name(at)),
            (None, Some(file)) => self.path(file),
            (None, None) => self.path(self.analysis.config.as_deref().unwrap_or_default()),
        };
        let range = at.map(|at| self.range(at)).unwrap_or_default();
        let rendered = finding.span.filter(|_| finding.origin.is_some());
        let rendered = rendered.map(|span| (span, "the rendered value".to_owned()));
        let related = finding.related.iter();
        let related = related
            .map(|it| (it.span, it.label.clone()))
            .chain(rendered);
        let mut told = Vec::new();
        for (span, message) in related {
            let path = self.path(name(span));
            if path.is_file() {
                let uri = lsp::Uri(uri_of(&path));
                let range = self.range(span);
                let location = lsp::Location { uri, range };
                told.push(lsp::DiagnosticRelatedInformation { location, message });
            }
        }
        let shown = lsp::Diagnostic {
            range,
            severity: Some(match finding.severity {
                Severity::Error => lsp::DiagnosticSeverity::Error,
                Severity::Warning => lsp::DiagnosticSeverity::Warning,
                Severity::Note => lsp::DiagnosticSeverity::Information,
            }),
            code: Some(finding.code.as_str().to_owned().into()),
            code_description: None,
            source: Some("gatewayctl".to_owned()),
            message: message(finding).into(),
            tags: None,
            related_information: (!told.is_empty()).then_some(told),
            data: None,
        };
        (path, shown)
    }
}

/// What is wrong, why it matters and what to do, as `validate` says it.
fn message(finding: &Diagnostic) -> String {
    let mut text = finding.message.clone();
    if !finding.clusters.is_empty() {
        text.push_str(&format!(" (in {})", finding.clusters.join(", ")));
    }
    if let Some(why) = &finding.why {
        text.push_str(&format!("\n{why}"));
    }
    if let Some(help) = &finding.help {
        text.push_str(&format!("\nhelp: {help}"));
    }
    text
}
