//! What the tool has to say: one type of finding, one list of codes, and the places they point at.
//!
//! This room depends on nothing. Every other room makes [`Diagnostic`]s; [`report`](crate::report)
//! prints them.

pub mod code;
pub mod printable;
pub mod source;
pub mod span;
pub mod suggest;

pub use code::{Code, Severity};
pub use source::{Location, Source, Sources};
pub use span::{SourceId, Span, Spanned};

/// The object that a finding is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// `group/version`, or `version` of the core group.
    pub api_version: String,
    /// The kind.
    pub kind: String,
    /// The namespace as the manifest gives it; empty where it gives none.
    pub namespace: String,
    /// The name; empty where the manifest gives none.
    pub name: String,
}

/// A further place that a finding involves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Related {
    /// The place.
    pub span: Span,
    /// What is there.
    pub label: String,
}

/// One finding.
///
/// `message` says what is wrong, `why` what follows from it in the cluster, `help` what to do. `span` is
/// the place in the file at fault, `origin` the place in `cluster.toml` that it was rendered from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// Which finding this is.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// Why it matters.
    pub why: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// The place in the file at fault.
    pub span: Option<Span>,
    /// The file at fault where there is no place in it: a path as shown.
    pub file: Option<String>,
    /// The place in `cluster.toml` that it was rendered from.
    pub origin: Option<Span>,
    /// Further places.
    pub related: Vec<Related>,
    /// The object that it is about.
    pub object: Option<ObjectRef>,
    /// The path inside the object (inside `cluster.toml`, where there is none), as RFC 6901 has it.
    pub pointer: Option<String>,
}

impl Diagnostic {
    /// A finding with its code's own severity.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Diagnostic {
            code,
            severity: code.severity(),
            message: message.into(),
            why: None,
            help: None,
            span: None,
            file: None,
            origin: None,
            related: Vec::new(),
            object: None,
            pointer: None,
        }
    }

    /// The place in the file at fault.
    #[must_use]
    pub fn at(mut self, span: impl Into<Option<Span>>) -> Self {
        self.span = span.into().or(self.span);
        self
    }

    /// The file at fault, where no place in it is known.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Why it matters.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// What to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// A further place.
    #[must_use]
    pub fn related(mut self, span: impl Into<Option<Span>>, label: impl Into<String>) -> Self {
        if let Some(span) = span.into() {
            let label = label.into();
            self.related.push(Related { span, label });
        }
        self
    }

    /// The path that it is about, as RFC 6901 has it: inside the object, or inside `cluster.toml`.
    #[must_use]
    pub fn with_pointer(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// Another severity than the code's own.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Whether it makes the run fail.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
