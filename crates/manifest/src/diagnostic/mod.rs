//! Findings: the type for one finding, their codes, and the source positions that they refer to.
//! This module depends on no other. Whoever finds a mistake creates a [`Diagnostic`]; the caller prints it.

pub mod code;
pub mod printable;
pub mod source;
pub mod span;
pub mod suggest;

pub use code::{Code, Severity};
pub use source::{Location, Source, Sources};
pub use span::{SourceId, Span, Spanned};

/// The Kubernetes object that a finding is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// `group/version`, or only `version` for the core group.
    pub api_version: String,
    /// The kind, such as `Gateway`.
    pub kind: String,
    /// The namespace in the manifest; empty if it has none.
    pub namespace: String,
    /// The name in the manifest; empty if it has none.
    pub name: String,
}

/// Another source position that is relevant for a finding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Related {
    /// The position.
    pub span: Span,
    /// A description of what is there.
    pub label: String,
}

/// One finding.
///
/// `message` says what is wrong, `why` describes the consequences in the cluster, and `help` says what to do.
/// `span` is the position of the mistake. If that file was rendered, `origin` is the position in
/// `cluster.toml` that it was rendered from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// The code, which names the kind of finding.
    pub code: Code,
    /// How serious the finding is.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// The consequences in the cluster.
    pub why: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// The position of the mistake.
    pub span: Option<Span>,
    /// The path of the file with the mistake, if the position in it is unknown.
    pub file: Option<String>,
    /// The position in `cluster.toml` that the mistake was rendered from.
    pub origin: Option<Span>,
    /// Other relevant positions.
    pub related: Vec<Related>,
    /// The object that the finding is about.
    pub object: Option<ObjectRef>,
    /// The JSON pointer (RFC 6901) of the field inside the object or, if there is no object, inside
    /// `cluster.toml`.
    pub pointer: Option<String>,
    /// The clusters in which this is found, if the repository is for several.
    pub clusters: Vec<String>,
    /// The code of a finding that says more about the same mistake: if the object has one, this one is left out.
    pub covered_by: Option<String>,
}

impl Diagnostic {
    /// Creates a finding with the default severity of its code.
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
            clusters: Vec::new(),
            covered_by: None,
        }
    }

    /// Sets the position of the mistake. `None` keeps the previous one.
    #[must_use]
    pub fn at(mut self, span: impl Into<Option<Span>>) -> Self {
        self.span = span.into().or(self.span);
        self
    }

    /// Sets the file with the mistake, if the position in it is unknown.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Sets the consequences in the cluster.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// Sets what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds another relevant position. Nothing is added if the position is `None`.
    #[must_use]
    pub fn related(mut self, span: impl Into<Option<Span>>, label: impl Into<String>) -> Self {
        if let Some(span) = span.into() {
            let label = label.into();
            self.related.push(Related { span, label });
        }
        self
    }

    /// Sets the JSON pointer (RFC 6901) of the field inside the object, or inside `cluster.toml`.
    #[must_use]
    pub fn with_pointer(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// Sets another severity than the default of the code.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Whether the finding makes the run fail.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
