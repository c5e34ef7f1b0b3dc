//! The Common Expression Language, as the API server has it (cel-go, with the libraries that Kubernetes 1.34
//! gives to CRDs).
//!
//! Written here and not taken from a crate for four reasons: rules of one run are parsed in microseconds each
//! (a CRD has up to a hundred, and a command has milliseconds); a value that Flux fills in later is unknown,
//! and what doesn't depend on it must be decided all the same; evaluation must stop after a bounded amount of
//! work; and nothing that an input holds may panic.
//!
//! Types are found while evaluating, not before: a rule that the API server took in a CRD is well typed.
//!
//! Left out: the authorizer, which CRDs don't have; zones of time other than UTC in `getHours` and the like; the
//! unordered comparison of lists of the types `set` and `map`, which matters to rules on changes.
//!
//! - [`lex`], [`parse`]: text to an [`Expr`](expr::Expr); macros are nodes of their own.
//! - [`value`]: what expressions yield; [`eval`]: how.
//! - [`functions`]: the libraries, one file each, all in one table.

pub mod eval;
pub mod expr;
pub mod functions;
pub mod lex;
pub mod parse;
pub mod value;

mod fold;
mod operators;

#[cfg(test)]
mod tests;

pub use eval::{Fault, Run};
pub use parse::parse;
pub use value::Value;
