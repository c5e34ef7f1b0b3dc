#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(unreachable_pub))]

pub mod base64;
pub mod email;
pub mod format;
pub mod names;
pub mod pattern;
pub mod time;
pub mod uri;
