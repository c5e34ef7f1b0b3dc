#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(unreachable_pub))]

mod builtin;
pub mod codes;
pub mod kind;
pub(crate) mod metadata;
mod passes;
pub mod rules;
pub mod schema;
pub mod structure;

pub use passes::{Passes, Request};
