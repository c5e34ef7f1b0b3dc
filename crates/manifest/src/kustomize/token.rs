//! What the scanner finds in a text: tokens, and why there are no more.

use std::borrow::Cow;

/// A token, and the bytes that it stands for.
#[derive(Clone, Debug)]
pub(super) struct Placed<'a> {
    pub(super) token: Token<'a>,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// How a scalar is written.
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

/// Why kustomize's reader stops at a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// What is wrong.
    pub(crate) message: Cow<'static, str>,
    /// The byte at which it is.
    pub(crate) at: usize,
    /// Whether it matters in an object only: another file, a dashboard in JSON for one, is for other readers.
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
