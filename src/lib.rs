//! `gatewayctl` compiles one `cluster.toml` to the Flux tree of a cluster's front door.
pub mod check;
pub mod cli;
pub mod compile;
pub mod config;
pub mod diagnostic;
pub mod diff;
pub mod manifest;
pub mod model;
pub mod render;
pub mod report;
pub mod schema;
pub mod tree;
pub mod value;
