//! The code of a finding, with its severity and its page.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// For information.
    Note,
    /// It may break traffic or the delivery of manifests.
    Warning,
    /// It breaks traffic or the delivery of manifests, or the input can't be read.
    Error,
}

impl Severity {
    /// The word that reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// A kind of finding: its name (`group/kebab-case`), severity, summary and page.
/// A code is never renamed, and its meaning never changes, because users select and ignore findings by their codes.
/// Codes are declared with [`codes!`](crate::codes!) in the crate that reports the findings. Codes with the same name
/// are equal.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    name: &'static str,
    severity: Severity,
    summary: &'static str,
    page: &'static str,
}

impl Code {
    /// Creates a code. `name` is `group/kebab-case`; `page` is the Markdown text that `explain` shows.
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

    /// The name, such as `schema/type`.
    pub fn as_str(self) -> &'static str {
        self.name
    }

    /// The part before the slash.
    pub fn group(self) -> &'static str {
        self.name
            .split_once('/')
            .map_or(self.name, |(group, _)| group)
    }

    /// A summary in one line.
    pub fn summary(self) -> &'static str {
        self.summary
    }

    /// The default severity. A finding may have a different one.
    pub fn severity(self) -> Severity {
        self.severity
    }

    /// The page that `explain` shows: the meaning of the code, a wrong example and a right example.
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

/// Declares codes: a constant for each, and their list `DECLARED`. The page of the code `group/name` is the file
/// `pages/group-name.md` in the folder of the file that declares it.
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
