//! YAML and JSON to objects with places, and back.
//!
//! - [`mod@read`]: a file's text to [`Document`]s, as Kubernetes reads YAML.
//! - [`mod@write`]: a tree to YAML as a careful person writes it.
//! - `kustomize`: the reader of kustomize, and where others read something else.
//! - [`meaning`]: whether two manifests say the same.
//! - [`Object`]: a document with an identity.
//! - [`base64`]: bytes that stand in a field.

pub mod base64;
mod kustomize;
pub mod meaning;
pub mod object;
mod plain;
pub mod read;
mod root;
pub mod scalar;
mod tree;
pub mod write;

pub use object::{Identity, Object, items};
pub use read::{Document, read};
pub use root::Root;
