//! Compares the objects of two sides field by field. These functions are pure: they get both sides and read
//! nothing.
//! Two objects are the same object if their [`Identity`](manifest::Identity) is equal. An object
//! without a name (a kustomization) is only matched within its file. The order of maps and the style of
//! strings don't matter. Entries of lists are matched by their keys, if they have keys ([`lists`]). Secrets
//! are never shown ([`secret`]).
//! - [`model`]: the types of a diff.
//! - [`objects`], [`fields`], [`lists`], [`text`]: the comparison, from whole objects down to texts.
//! - [`terminal`], [`markdown`], [`json`], [`html`]: the output formats, one file for each.

pub mod fields;
pub mod html;
pub mod json;
pub mod lists;
pub mod markdown;
pub mod model;
pub mod objects;
mod picture;
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
