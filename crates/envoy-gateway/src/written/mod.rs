//! What the controllers of a cluster wrote into `status`, beside what is computed here.
//!
//! - [`read`]: the conditions and addresses of a live object, as values.
//! - [`compare`]: those beside the [`Verdict`](super::Verdict)s of the same objects. Who fetched the live objects, and how, is no
//!   matter of this room.

pub mod compare;
pub mod read;
#[cfg(test)]
mod tests;

pub use compare::{Addresses, Answer, Relation, Row, Silence, addresses, asked, rows};
pub use read::{Place, Said, Written};
