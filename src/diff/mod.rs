//! Objects against objects, field by field. Pure: it is given both sides and touches nothing.
//!
//! Objects are the same where their [`Identity`](manifest::Identity) is; one without a name (a
//! kustomization) only within its file. The order of a map and the style of a string are no difference.
//! Entries of lists are matched by key where they have keys ([`lists`]), and what is secret is never shown
//! ([`secret`]).
//!
//! - [`model`]: what a difference is.
//! - [`objects`], [`fields`], [`lists`], [`text`]: how it is found, from the outside in.
//! - [`terminal`], [`markdown`], [`json`]: how it is shown; one file a format.

pub mod fields;
pub mod json;
pub mod lists;
pub mod markdown;
pub mod model;
pub mod objects;
pub mod secret;
mod shown;
pub mod terminal;
#[cfg(test)]
mod tests;
pub mod text;

pub use fields::ListKeys;
pub use model::{
    Change, Content, Diff, FieldChange, FieldDiff, File, FileChange, FileDiff, ObjectDiff, Summary,
    Value,
};
pub use objects::diff;
