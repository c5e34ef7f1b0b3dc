//! Reads files and runs programs within limits: no special file and no other program can make this program
//! wait forever or use all memory.
//! - [`file`]: reads whole files and streams.
//! - [`program`]: runs other programs to their end.

pub mod file;
pub mod program;
pub mod unsaved;
