//! One file a command: its arguments, the calls, the printing, the exit code.

pub mod schemas;
