//! Output formats for findings, one file for each format.
//! - [`Report`]: the sorted findings of a run without duplicates, and how much was checked.
//! - [`Format`]: `human` for people, `json` for programs (its keys are documented in [`json`]), `sarif`,
//!   `github` and `junit` for services that show findings beside the code, and `evidence` for programs that review changes
//!   (see [`mod@evidence`]).
//! - [`Base`]: converts file names to paths in the repository for those services.
//!
//! Every format gets a sorted report and only writes it. To add a format, add a file with a `write`
//! function, a variant of [`Format`] and a line in [`Format::write`].

mod base;
pub mod evidence;
mod excerpt;
pub mod github;
mod human;
pub mod json;
mod junit;
mod place;
mod sarif;
mod text;
mod unchecked;

use std::io;
use std::str::FromStr;

use rayon::prelude::*;

use manifest::diagnostic::{Diagnostic, Severity, Sources};

pub use base::Base;
pub use junit::escape as escape_xml;

/// The findings of a run, and how much was checked.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The findings without duplicates, sorted by the file, line and column of the mistake and by code.
    pub diagnostics: Vec<Diagnostic>,
    /// The number of files that were checked.
    pub files: usize,
    /// The number of Kubernetes objects that were checked.
    pub objects: usize,
    /// The base for file names.
    pub base: Base,
    /// How much was checked and found in each cluster, if `cluster.toml` describes several.
    pub clusters: Vec<ClusterSummary>,
    /// What the format `evidence` says besides the findings.
    pub record: evidence::Record,
}

/// How much was checked and found in a cluster that `cluster.toml` describes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterSummary {
    /// The name of the cluster.
    pub name: String,
    /// The number of files that were checked.
    pub files: usize,
    /// The number of objects that were checked.
    pub objects: usize,
    /// The number of findings. What several clusters have in common counts in each.
    pub counts: Counts,
}

/// The number of findings of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The number of findings that make the run fail.
    pub errors: usize,
    /// The number of findings that may break something.
    pub warnings: usize,
    /// The number of findings that are only information.
    pub notes: usize,
}

impl Counts {
    /// Counts findings.
    pub fn of(findings: &[Diagnostic]) -> Self {
        let mut counts = Counts::default();
        for finding in findings {
            match finding.severity {
                Severity::Error => counts.errors += 1,
                Severity::Warning => counts.warnings += 1,
                Severity::Note => counts.notes += 1,
            }
        }
        counts
    }
}

impl Report {
    /// Creates a report: sorts `diagnostics`, removes duplicates, and tells objects of unknown kinds in one note.
    pub fn new(
        mut diagnostics: Vec<Diagnostic>,
        files: usize,
        objects: usize,
        sources: &Sources,
    ) -> Self {
        unchecked::merge(&mut diagnostics);
        diagnostics.par_sort_by_cached_key(|finding| {
            (
                place::at_fault(finding, sources),
                finding.code.as_str(),
                finding.message.clone(),
                finding.object.clone(),
                finding.pointer.clone(),
            )
        });
        diagnostics.dedup_by(|later, first| {
            let is_same = is_same_mistake(later, first);
            if is_same {
                let clusters = later.clusters.iter();
                let new = clusters.filter(|name| !first.clusters.contains(name));
                let new: Vec<String> = new.cloned().collect();
                first.clusters.extend(new);
            }
            is_same
        });
        Report {
            diagnostics,
            files,
            objects,
            base: Base::default(),
            clusters: Vec::new(),
            record: evidence::Record::default(),
        }
    }

    /// The same report with another base for file names.
    #[must_use]
    pub fn based(self, base: Base) -> Self {
        Report { base, ..self }
    }

    /// The number of findings of each severity.
    pub fn counts(&self) -> Counts {
        Counts::of(&self.diagnostics)
    }

    /// Writes only the findings, in the format for people, as a part of other output.
    /// # Errors
    /// Fails if writing fails.
    pub fn write_part(
        &self,
        sources: &Sources,
        terminal: Terminal,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        human::findings(self, sources, terminal, out)
    }

    /// Writes only the findings, as commands for GitHub Actions.
    /// # Errors
    /// Fails if writing fails.
    pub fn write_annotations(&self, sources: &Sources, out: &mut dyn io::Write) -> io::Result<()> {
        github::annotations(self, sources, out)
    }

    /// Whether the run fails, because there is an error among the findings.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// The properties of the terminal for the `human` format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Whether to use colours.
    pub color: bool,
    /// The width in columns. Source lines are cut to it; text is wrapped by the terminal.
    pub width: usize,
}

impl Default for Terminal {
    /// No colours, and 140 columns, which is also rustc's width without a terminal.
    fn default() -> Self {
        Terminal {
            color: false,
            width: 140,
        }
    }
}

/// The output formats of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people: each finding with its source line and a mark under it, and a summary line.
    #[default]
    Human,
    /// For programs: `gatewayctl/report/v1`; see [`json`].
    Json,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// For GitHub Actions: annotations; see also [`github::step_summary`].
    Github,
    /// For test dashboards: JUnit XML.
    Junit,
    /// For programs that review changes: a statement of in-toto; see [`mod@evidence`].
    Evidence,
}

impl Format {
    /// All formats, in the order in which the help lists them.
    pub const ALL: &'static [Format] = &[
        Format::Human,
        Format::Json,
        Format::Sarif,
        Format::Github,
        Format::Junit,
        Format::Evidence,
    ];

    /// The name of the format for `--format`.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Human => "human",
            Format::Json => "json",
            Format::Sarif => "sarif",
            Format::Github => "github",
            Format::Junit => "junit",
            Format::Evidence => "evidence",
        }
    }

    /// Writes `report` to `out`. `sources` are the texts that its positions refer to.
    /// # Errors
    /// Fails if writing to `out` fails.
    pub fn write(
        self,
        report: &Report,
        sources: &Sources,
        terminal: Terminal,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        match self {
            Format::Human => human::write(report, sources, terminal, out),
            Format::Json => json::write(report, sources, out),
            Format::Sarif => sarif::write(report, sources, out),
            Format::Github => github::write(report, sources, out),
            Format::Junit => junit::write(report, sources, out),
            Format::Evidence => evidence::write(report, sources, out),
        }
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        Format::ALL
            .iter()
            .copied()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

/// The error for an unknown name of a [`Format`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no format is called `{0}`; the formats are {names}", names = Format::ALL.iter().map(|format| format.as_str()).collect::<Vec<_>>().join(", "))]
pub struct UnknownFormat(String);

/// Whether two findings tell of the same place in the same words. A patch is one mistake, although it makes the same
/// mistake in many objects, and so is a line of `cluster.toml` from which several objects are rendered.
fn is_same_mistake(later: &Diagnostic, first: &Diagnostic) -> bool {
    let is_same_place = match (first.origin, first.span) {
        (Some(origin), _) => later.origin == Some(origin),
        (None, Some(span)) => later.span == Some(span) && later.origin.is_none(),
        (None, None) => later == first,
    };
    is_same_place && later.code == first.code && later.message == first.message
}

#[cfg(test)]
mod tests;
