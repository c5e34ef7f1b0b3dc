//! The tokens that the scanner finds, and its errors.

use std::borrow::Cow;

/// A token with its byte range.
#[derive(Clone, Debug)]
pub(super) struct LocatedToken<'a> {
    pub(super) token: Token<'a>,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The style of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    StreamEnd,
    /// `%YAML 1.1`.
    Version(u8, u8),
    /// `%TAG !e! tag:example.com:`.
    TagPrefix(&'a str, String),
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(&'a str),
    Anchor(&'a str),
    /// A handle (`!!`) and a suffix (`str`).
    Tag(&'a str, String),
    Scalar(Cow<'a, str>, Style),
}

/// An error of kustomize's parser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// A description of the error.
    pub(crate) message: Cow<'static, str>,
    /// The byte position of the error.
    pub(crate) at: usize,
    /// Whether it is an error only in Kubernetes objects. Other files, such as dashboards in JSON, are read
    /// by other programs.
    pub(crate) only_in_objects: bool,
}

pub(super) fn fault<T>(message: impl Into<Cow<'static, str>>, at: usize) -> Result<T, Fault> {
    Err(Fault {
        message: message.into(),
        at,
        only_in_objects: false,
    })
}

pub(super) fn fault_in_object<T>(message: &'static str, at: usize) -> Result<T, Fault> {
    Err(Fault {
        message: message.into(),
        at,
        only_in_objects: true,
    })
}
