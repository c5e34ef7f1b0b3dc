//! The room on real folders.

mod classes;
mod crash;
mod failure;
mod killed;
mod said;
mod support;
