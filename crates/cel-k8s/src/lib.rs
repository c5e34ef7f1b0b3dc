#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(unreachable_pub))]

pub(crate) mod eval;
pub mod expr;
pub(crate) mod functions;
pub mod lex;
pub mod list;
pub mod parse;
pub mod value;

mod fold;
mod operators;

#[cfg(test)]
mod tests;

pub use eval::{Fault, Run};
/// Kubernetes' quantities.
pub mod quantity {
    pub use crate::functions::quantity::Quantity;
}

pub use parse::parse;
pub use value::Value;
