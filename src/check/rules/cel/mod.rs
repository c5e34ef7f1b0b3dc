//! The Common Expression Language as the API server implements it (cel-go, with the libraries that Kubernetes 1.34
//! provides for CRDs).
//!
//! It is implemented here instead of using a crate for four reasons. Parsing a rule takes microseconds, because a CRD
//! has up to a hundred rules and a command has only milliseconds. A value that Flux fills in later is unknown, and
//! everything that doesn't depend on it must be decided nevertheless. Evaluation must stop after a limited amount of
//! work. And no input may cause a panic.
//!
//! Types are checked during evaluation, not before: a rule in a CRD that the API server accepted is well typed.
//!
//! These parts are missing: the authorizer, which CRDs can't use; time zones other than UTC in `getHours` and similar
//! functions; the unordered comparison of lists with type `set` or `map`, which only matters for transition rules.
//!
//! - [`lex`], [`parse`]: from text to an [`Expr`](expr::Expr). Macros are nodes of their own.
//! - [`value`]: the values of expressions; [`eval`]: the evaluation.
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
