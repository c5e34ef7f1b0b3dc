//! Rendered files against the disk: what would change, and the change itself. Nobody's edit is lost.
//!
//! [`plan()`] looks and changes nothing; [`apply()`] does what the plan says. Between them stands the
//! [`Lock`], a file at the root that lists what was written here with its SHA-256: that is how a file that
//! somebody edited differs from one that is merely out of date.
//!
//! How a change survives a crash: first the lock is replaced by one that also holds what is about to
//! happen (its *pending* section), then each file is replaced whole (a temporary file in the same folder,
//! flushed, renamed), then the lock is replaced again, without the section. Stopped anywhere, every file is
//! the old one or the new one, and the next plan knows both for its own.
//!
//! - [`path`]: paths that can't leave the root; [`reach`]: the way to them, folder by folder, without links.
//! - [`disk`]: the few operations on a disk, so that tests can make each of them fail.
//! - [`lock`]: the lock file, as [`wire`] reads it; [`locks`]: one a configuration.
//! - [`classify`]: what a file on disk is to us.
//! - [`plan`](mod@plan), [`apply`](mod@apply): the two steps; [`replace`]: one file in the place of another.
//! - [`plain`]: files that have no lock, written by the same rules.
//! - [`finding`]: what the plan has to say, as diagnostics.

pub mod apply;
pub mod classify;
pub mod disk;
pub mod error;
pub mod file;
pub mod finding;
mod guard;
mod intent;
pub mod lock;
pub mod locks;
pub mod path;
pub mod plain;
pub mod plan;
mod reach;
mod replace;
#[cfg(test)]
mod tests;
mod wire;

pub use apply::{Applied, apply};
pub use classify::Class;
pub use error::Error;
pub use file::{File, Options, Ownership};
pub use lock::{LOCK_FILE, Lock};
pub use locks::{Configuration, Locks};
pub use path::TreePath;
pub use plan::{Entry, Plan, plan};
