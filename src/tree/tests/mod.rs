//! Tests of the tree in real folders.

mod classes;
mod crash;
mod failure;
#[cfg(unix)]
mod race;
mod said;
mod support;
