#![doc = include_str!("../README.md")]

pub mod codes;
pub mod diagnostic;
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
pub use read::{Document, read};
pub use root::Root;
