//! Texts that `cluster.toml` names.

pub mod lua;
