//! The tree of values that TOML, YAML and templates share.
//!
//! A [`Node`] is what JSON can say, in the order in which it was written, and every node may carry
//! the [`Span`](crate::diagnostic::Span) that it came from. A node read from `cluster.toml` knows its
//! bytes there, and keeps them through the model, a template and a merge, until it stands in a
//! manifest: that is how a finding on an object finds its line in `cluster.toml` (an *origin*).
//!
//! - [`node`], [`mod@map`]: the tree itself.
//! - [`merge`]: an overlay laid over a tree, as `spec` tables do.
//! - [`mod@pointer`]: JSON pointers (RFC 6901) into a tree; [`mod@trail`], the pointer of a walk.
//! - [`names`], [`variable`]: what texts may be: the forms of Kubernetes' names, Flux's variables.
//! - [`path`]: paths of files, joined and compared without a disk.
//! - [`de`], [`ser`]: serde from and to trees, spans included.

pub mod de;
pub mod map;
pub mod merge;
pub mod names;
pub mod node;
pub mod path;
pub mod pointer;
pub mod ser;
pub mod trail;
pub mod variable;

pub use map::{Entry, Map};
pub use node::{Kind, Node};
pub use pointer::Pointer;
