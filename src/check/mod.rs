//! Checks objects: one file a pass. Each finding says what is wrong with an object, where, and what to do about it.
//!
//! - [`across`]: cross rules, on objects that don't fit each other, the network or the versions in force.
//! - [`lua`]: whether scripts can be parsed.
//! - [`upgrade`]: what another version would report that this one doesn't.

pub mod across;
pub mod lua;
pub mod upgrade;
