//! Passes over objects, one file a pass. Each says what is wrong with an object, where, and what to do.
//!
//! - [`across`]: whether objects fit each other, the network and the versions in force.
//! - [`lua`]: whether scripts parse.
//! - [`upgrade`]: what another version would find, compared with what this one does.

pub mod across;
pub mod lua;
pub mod upgrade;
