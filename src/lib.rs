//! `gatewayctl` compiles one `cluster.toml` to the Flux tree of a cluster's front door.
pub mod check;
pub mod cli;
pub mod diagnostic;
pub mod manifest;
pub mod schema;
pub mod value;
