//! What an editor asks about a text that somebody is typing: what is at a position, what may be written there, and where a
//! name is defined and used. A text that can't be parsed yet gives the same answers as far as it is written.
//! - [`lines`]: positions as the language server protocol counts them.
//! - [`outline`]: keys and values of a text by their pointers; [`yaml`] and [`toml`] read them.
//! - [`fields`]: what may be written in a manifest; [`keys`]: what may be written in `cluster.toml`.
//! - [`spec_tables`]: the objects that the tables of `cluster.toml` become.
//! - [`links`]: names in manifests that refer to other objects.
//! - [`index`]: the objects of a repository by file, and who refers to whom.
//! - [`rename`]: the places where the name of a gateway is written.
//! - [`replacement`]: the text that a finding tells to write instead.

pub mod candidate;
pub mod fields;
pub mod index;
pub mod keys;
pub mod lines;
pub mod links;
pub mod outline;
pub mod rename;
pub mod replacement;
pub mod spec_tables;
pub mod toml;
pub mod yaml;

pub use candidate::{Candidate, CandidateKind};
pub use index::Index;
pub use outline::{Cursor, Outline};
