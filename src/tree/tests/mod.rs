//! The room on real folders.

mod classes;
mod crash;
mod failure;
mod said;
mod support;
