//! The codes of findings, with their severities and pages.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Information only.
    Note,
    /// Traffic or delivery may fail.
    Warning,
    /// Traffic or delivery fails, or an input can't be read.
    Error,
}

impl Severity {
    /// The word that reports use for the severity.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// The name of a kind of finding, `group/kebab-case`, with what is known of the kind.
///
/// A code is never renamed and never gets another meaning: people select and ignore findings by it. Codes are declared
/// with [`codes!`](crate::codes!) or [`code!`](crate::code!) where the findings are made, and two codes with one name are
/// the same code.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    name: &'static str,
    severity: Severity,
    summary: &'static str,
    page: &'static str,
}

impl Code {
    /// A code. `name` is `group/kebab-case`; `page` is Markdown, what `explain` shows.
    pub const fn new(
        name: &'static str,
        severity: Severity,
        summary: &'static str,
        page: &'static str,
    ) -> Self {
        Code {
            name,
            severity,
            summary,
            page,
        }
    }

    /// The code as it appears in reports: `group/name`.
    pub fn as_str(self) -> &'static str {
        self.name
    }

    /// The group, which is the part before the slash.
    pub fn group(self) -> &'static str {
        self.name
            .split_once('/')
            .map_or(self.name, |(group, _)| group)
    }

    /// A summary of the code in one sentence.
    pub fn summary(self) -> &'static str {
        self.summary
    }

    /// The severity, unless a finding sets another one.
    pub fn severity(self) -> Severity {
        self.severity
    }

    /// The page that `explain` shows: the meaning, a wrong example and a right one.
    pub fn page(self) -> &'static str {
        self.page
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Code {}

impl PartialOrd for Code {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Code {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name.cmp(other.name)
    }
}

impl Hash for Code {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Declares the single code of a file that is named after it, as the constant `CODE`: its name, severity, summary, and the
/// text of its page below the title. The text begins and ends with a line break.
#[macro_export]
macro_rules! code {
    ($group:literal / $name:literal, $severity:ident, $summary:literal, $page:literal $(,)?) => {
        #[doc = $summary]
        pub const CODE: $crate::diagnostic::Code = $crate::diagnostic::Code::new(
            concat!($group, "/", $name),
            $crate::diagnostic::Severity::$severity,
            $summary,
            concat!("# ", $group, "/", $name, "\n", $page),
        );
    };
}

/// Declares the codes of a crate or module: a constant each, and `DECLARED`, the list of them. The page of `group/name` is
/// the file `pages/group-name.md` beside the file that declares it.
#[macro_export]
macro_rules! codes {
    ($($constant:ident = $group:literal / $name:literal, $severity:ident, $summary:literal;)*) => {
        $(
            #[doc = $summary]
            pub const $constant: $crate::diagnostic::Code = $crate::diagnostic::Code::new(
                concat!($group, "/", $name),
                $crate::diagnostic::Severity::$severity,
                $summary,
                include_str!(concat!("pages/", $group, "-", $name, ".md")),
            );
        )*

        /// The codes that are declared here.
        pub const DECLARED: &[$crate::diagnostic::Code] = &[$($constant),*];
    };
}
