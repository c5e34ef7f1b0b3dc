#![doc = include_str!("../README.md")]

pub mod base64;
pub mod format;
pub mod names;
pub mod pattern;
pub mod time;
