#![doc = include_str!("../README.md")]
//!
//! - [`mod@read`]: parses the text of a file into [`Document`]s, as Kubernetes reads YAML.
//! - [`mod@write`]: writes a tree as YAML in a common style.
//! - `kustomize`: kustomize's YAML parser, and the differences to other parsers.
//! - [`meaning`]: whether two manifests have the same meaning.
//! - [`Object`]: a document with an identity.
//! - [`value`]: the tree of values; [`diagnostic`]: findings, sources and spans.
#![cfg_attr(not(test), warn(unreachable_pub))]

pub mod codes;
mod compose;
pub mod diagnostic;
mod differences;
mod finding;
mod kustomize;
pub mod meaning;
pub mod object;
mod plain;
pub mod read;
mod root;
pub mod scalar;
mod tree;
pub mod value;
pub mod write;

pub use finding::{finding, finding_on_key};
pub use object::{Identity, Object, items};
pub use read::{Document, Reader, read, read_as};
pub use root::Root;
