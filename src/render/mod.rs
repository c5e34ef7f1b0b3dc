//! The model to files, through templates.
//!
//! One template makes one object. A value in it is never pasted into YAML text: the formatter leaves a
//! mark, the text around it is parsed, and the value takes the mark's place in the parsed tree, with the
//! place in `cluster.toml` that it came from ([`engine`]). What was not given takes its key with it. Then
//! the object's `spec` table is laid over it, and the tree is written as YAML ([`files`]).
//!
//! - [`templates`]: the built-in templates, and those that replace them.
//! - [`engine`]: a template and values to a tree: [`context`] is what the template sees, [`marks`] what it
//!   leaves behind; [`lua`] is how values stand in scripts.
//! - [`dialect`]: what a template of the user's own may say, so that running it is bounded; [`bounds`]: by how much.
//! - [`objects`]: the table of what is rendered from which template.
//! - [`overlay`]: the `spec` table and its like, laid over the object.
//! - [`files`]: objects to files, folder by folder; [`comment`]: what stands above them.
//! - [`shared`]: kustomizations that hold other people's entries too; [`index`]: how an entry is added or taken out.

pub mod bounds;
pub mod comment;
pub mod context;
pub mod dialect;
pub mod engine;
pub mod files;
pub mod index;
pub mod lua;
pub mod marks;
pub mod objects;
pub mod overlay;
pub mod shared;
pub mod templates;

#[cfg(test)]
mod tests;

pub use files::{File, Kind, render};
pub use shared::{Shared, could_render};
pub use templates::Templates;
