//! What is read from outside, within bounds: nothing that stands in the place of a file, and no program that is run,
//! makes this one wait for ever or takes all the memory that there is.
//!
//! - [`file`]: files and streams, read whole.
//! - [`program`]: other programs, run to their end.

pub mod file;
pub mod program;
