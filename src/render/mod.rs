//! Renders the model to files with templates.
//! Each template produces one object. A value is never pasted into YAML text: the formatter prints a mark,
//! the text around it is parsed, and the mark in the parsed tree is replaced by the value, with its position
//! in `cluster.toml` ([`engine`]). If a value is missing, its key is left out. Then the object's `spec` table
//! is merged over it, and the tree is written as YAML ([`files`]).
//! - [`templates`]: the built-in templates, and the user's templates that replace them.
//! - [`engine`]: renders a template with values to a tree. [`context`] is what the template sees, [`marks`]
//!   replaces the marks in its output, [`lua`] writes values in scripts.
//! - [`dialect`]: restricts what a user's template may contain, so that its work is limited; [`bounds`] has
//!   the limits.
//! - [`objects`]: the table of objects and their templates.
//! - [`overlay`]: merges the `spec` table and similar tables over an object.
//! - [`files`]: writes objects to files, folder by folder; `kustomizations` lists them; [`comment`] writes the comments above
//!   them.
//! - `delivery`: what brings the chart and the folders into the cluster.
//! - [`shared`]: kustomizations that contain other people's entries too; [`index`] adds and removes entries
//!   in them.

pub mod bounds;
pub mod codes;
pub mod comment;
pub mod context;
mod delivery;
pub mod dialect;
pub mod engine;
pub mod files;
pub mod index;
mod kustomizations;
mod locations;
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
