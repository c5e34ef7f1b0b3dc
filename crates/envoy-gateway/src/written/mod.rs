//! Compares the `status` that the controllers of a cluster wrote with the computed one.
//!
//! - [`read`] reads the conditions and addresses of a live object.
//! - [`compare`] compares them with the [`ObjectCondition`](super::ObjectCondition)s of the same objects. Fetching the live objects is the
//!   caller's task.

pub mod compare;
pub mod read;
#[cfg(test)]
mod tests;

pub use compare::{
    Addresses, ComparedCondition, LiveObject, NoLiveCondition, Relation, addresses, asked, rows,
};
pub use read::{LiveCondition, LiveStatus, LiveSubject};
