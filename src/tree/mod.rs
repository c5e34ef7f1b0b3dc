//! Compares rendered files with the disk, and writes them without losing anybody's edits.
//!
//! [`plan()`] only reads; [`apply()`] carries out a plan. The [`Lock`] is a file in the root that lists what was
//! written, with its SHA-256. It distinguishes a file that somebody edited from one that is only out of date.
//!
//! A change survives a crash as follows. First the lock is replaced by one that also contains what is about to happen
//! (its *pending* section). Then each file is replaced as a whole: a temporary file in the same folder is written,
//! flushed and renamed. Then the lock is replaced again, without that section. Whenever this stops, every file is the
//! old one or the new one, and the next plan recognizes both as its own.
//!
//! - [`path`]: paths that can't leave the root; `reach`: opens them folder by folder, without following links.
//! - [`disk`]: the few disk operations, so that tests can make each of them fail.
//! - [`lock`]: the lock file, in the format of `wire`; [`locks`]: one lock for each configuration.
//! - [`abandoned`](mod@abandoned): the locks of clusters that a configuration doesn't describe any more.
//! - [`classify`]: which files are ours, edited, or somebody else's.
//! - [`plan`](mod@plan), [`apply`](mod@apply): the two steps; `replace`: replaces a single file.
//! - [`plain`]: writes files that have no lock, by the same rules.
//! - [`finding`]: turns a plan into diagnostics.

pub mod abandoned;
pub mod apply;
pub mod classify;
pub mod codes;
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
pub use classify::FileClass;
pub use error::Error;
pub use file::{File, Options, Ownership};
pub use lock::{LOCK_FILE, Lock};
pub use locks::{Configuration, Locks};
pub use path::TreePath;
pub use plan::{Entry, Plan, plan};
