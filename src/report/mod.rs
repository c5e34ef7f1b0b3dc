//! How findings are printed: one file a format.
//!
//! - [`Report`]: the findings of one run, in order, each once, and what was looked at.
//! - [`Filter`]: `--select` and `--ignore`.
//! - [`Format`]: `human` for people, `json` for programs; what each key means stands in [`json`]; `sarif`,
//!   `github` and `junit` for the services that show findings beside the code.
//! - [`Base`]: what makes a file's name a path in the repository, as those services know it.
//!
//! Every format gets a sorted report and only writes: a new one is a file with a `write` function, a
//! variant of [`Format`] and a line in [`Format::write`].

mod base;
mod excerpt;
mod filter;
pub mod github;
mod human;
pub mod json;
mod junit;
mod place;
mod sarif;
mod text;

use std::io;
use std::str::FromStr;

use rayon::prelude::*;

use manifest::diagnostic::{Diagnostic, Severity, Sources};

pub use base::Base;
pub use filter::{Filter, Selector, UnknownCode};

/// What one run found, and in what.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The findings: each once, by file, line, column and code of the place at fault.
    pub diagnostics: Vec<Diagnostic>,
    /// How many files were looked at.
    pub files: usize,
    /// How many Kubernetes objects were looked at.
    pub objects: usize,
    /// What the files' names count from.
    pub base: Base,
}

/// How many findings there are of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Findings that make the run fail.
    pub errors: usize,
    /// Findings that may break something.
    pub warnings: usize,
    /// Findings worth knowing.
    pub notes: usize,
}

impl Report {
    /// A report of `diagnostics` in their order, identical ones once.
    pub fn new(
        mut diagnostics: Vec<Diagnostic>,
        files: usize,
        objects: usize,
        sources: &Sources,
    ) -> Self {
        diagnostics.par_sort_by_cached_key(|finding| {
            (
                place::at_fault(finding, sources),
                finding.code.as_str(),
                finding.message.clone(),
                finding.object.clone(),
                finding.pointer.clone(),
            )
        });
        diagnostics.dedup();
        Report {
            diagnostics,
            files,
            objects,
            base: Base::default(),
        }
    }

    /// The same report of files whose names count from `base`.
    #[must_use]
    pub fn based(self, base: Base) -> Self {
        Report { base, ..self }
    }

    /// How many findings there are of each severity.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for finding in &self.diagnostics {
            match finding.severity {
                Severity::Error => counts.errors += 1,
                Severity::Warning => counts.warnings += 1,
                Severity::Note => counts.notes += 1,
            }
        }
        counts
    }

    /// Writes the findings for people, as a part of something that is no report by itself.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn write_part(
        &self,
        sources: &Sources,
        terminal: Terminal,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        human::findings(self, sources, terminal, out)
    }

    /// Whether the run fails: it does where one finding is an error.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// How the terminal, or whatever stands in for one, wants the `human` format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Whether to colour.
    pub color: bool,
    /// Columns; source lines are cut to it, prose is left to the terminal.
    pub width: usize,
}

impl Default for Terminal {
    /// No colour, 140 columns: rustc's width where there is no terminal.
    fn default() -> Self {
        Terminal {
            color: false,
            width: 140,
        }
    }
}

/// The forms in which a report can be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people: each finding with its line and a mark under it, then a line that sums up.
    #[default]
    Human,
    /// For programs: `gatewayctl/report/v1`, see [`json`].
    Json,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// For GitHub Actions: annotations; [`github::step_summary`] goes with it.
    Github,
    /// For test dashboards: JUnit's XML.
    Junit,
}

impl Format {
    /// Every format, in the order in which help lists them.
    pub const ALL: &'static [Format] = &[
        Format::Human,
        Format::Json,
        Format::Sarif,
        Format::Github,
        Format::Junit,
    ];

    /// The name that `--format` takes.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Human => "human",
            Format::Json => "json",
            Format::Sarif => "sarif",
            Format::Github => "github",
            Format::Junit => "junit",
        }
    }

    /// Writes `report`, whose places count in `sources`, to `out`.
    ///
    /// # Errors
    ///
    /// What `out` answers; nothing else can fail.
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

/// A name that no [`Format`] has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no format is called `{0}`; there are {names}", names = Format::ALL.iter().map(|format| format.as_str()).collect::<Vec<_>>().join(", "))]
pub struct UnknownFormat(String);

#[cfg(test)]
mod tests;
