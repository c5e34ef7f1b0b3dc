//! The tree of values that TOML, YAML and templates share.
//! A [`Node`] is a JSON value that keeps the order of its keys, and every node can have the source
//! [`Span`](crate::diagnostic::Span) that it came from. A node from `cluster.toml` knows its position there.
//! It keeps the position in the model, in templates and in merges, until it is part of a manifest. In this
//! way, a finding on a rendered object knows its line in `cluster.toml` (the *origin*).
//! - [`node`], [`mod@map`]: the tree.
//! - [`path`]: paths of files, joined and compared without using the disk.
//! - [`merge`]: merges an overlay over a tree, such as a `spec` table.
//! - [`mod@pointer`]: JSON pointers (RFC 6901) into a tree; [`mod@trail`] is a faster pointer for
//!   traversals.
//! - [`variable`]: Flux variables in strings; [`substituted`] puts known values in their place.
//! - [`de`], [`ser`]: serde from and to trees, including spans.

pub mod de;
#[cfg(feature = "schemars")]
mod json_schema;
pub mod map;
pub mod merge;
pub mod node;
pub mod path;
pub mod placeholder;
pub mod pointer;
pub mod ser;
pub mod substituted;
pub mod trail;
pub mod variable;

pub use map::{Entry, Map};
pub use node::{Kind, Node};
pub use pointer::Pointer;
