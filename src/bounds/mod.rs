//! Reads files and runs programs within limits: no special file and no other program can make this program
//! wait forever or use all memory.
//! - [`file`]: reads whole files and streams.
//! - [`program`]: runs other programs to their end.
//! - [`unsaved`]: texts that stand in place of files.

pub mod file;
pub mod program;
pub mod unsaved;
