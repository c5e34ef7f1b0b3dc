//! Something that may be written at a position.

/// Something that may be written at a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The text to write.
    pub label: String,
    /// What it stands for.
    pub kind: CandidateKind,
    /// A few words about it, such as its type.
    pub detail: Option<String>,
    /// Its documentation.
    pub documentation: Option<String>,
}

/// What a [`Candidate`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CandidateKind {
    /// The key of a map.
    Key,
    /// One of a closed set of values.
    Value,
    /// The name of something in the repository.
    Name,
}

impl Candidate {
    /// A candidate without details.
    pub fn new(label: impl Into<String>, kind: CandidateKind) -> Self {
        Candidate {
            label: label.into(),
            kind,
            detail: None,
            documentation: None,
        }
    }

    /// Adds a few words.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds documentation.
    #[must_use]
    pub fn documentation(mut self, text: impl Into<String>) -> Self {
        self.documentation = Some(text.into());
        self
    }
}
