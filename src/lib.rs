//! `gatewayctl` compiles one `cluster.toml` to the Flux tree of a cluster's front door, and checks it as the API
//! server would. Start with [`compile::compile`]: it is the whole way, as one pure function.
//!
//! **What was written.** [`config`] reads `cluster.toml` into types, one file a table, each value with its place
//! ([`manifest::diagnostic::Span`]); every mistake of form is reported at once. [`model`] says what it means: defaults are
//! applied, names made, addresses and ports compared. It knows no TOML and no YAML.
//!
//! **What is rendered.** [`render`] makes files of the model: one template an object, into which values are set,
//! never pasted, each still with the place that it came from; then the `spec` tables are laid over. Trees of values
//! are [`manifest::value::Node`]s, from TOML, YAML and templates alike; [`manifest`] reads and writes them as YAML that means
//! the same to every reader, and tells objects apart.
//!
//! **What is wrong with it.** The files are read back and go through the passes of [`check`], which look each kind up
//! in [`crd_validate`]: the catalogue of CRDs by project and version, compiled and embedded. A finding is a
//! [`manifest::diagnostic::Diagnostic`]: a code, a message, the place in the rendered file and the place in `cluster.toml`.
//! [`report`] prints findings for people and for programs.
//!
//! **What it makes of the front door.** [`envoy_gateway`] follows Envoy Gateway: which listeners are valid, which routes attach
//! where, which policies hold. [`envoy_gateway::exposure`] tables who can reach what, and [`graph`] draws it.
//!
//! **The way back.** [`import`] reads a tree that exists and writes the `cluster.toml` that renders it again; it proves
//! that by going the whole way once more, in memory.
//!
//! **What becomes of it.** [`mod@diff`] compares objects with those that were there before; [`tree`] plans what has to
//! be written, and writes it so that no edit is lost and no crash leaves half a file. These and [`cli`], one file a
//! command, are the edges: `tree` and `cli` touch the disk, through [`bounds`] where they read, and everything else is the same output for the same input,
//! always.
//!
//! **What lives there.** `cluster`, behind the feature `live`, is the only room that touches the network: it asks an
//! API server what it would make of our objects, by dry runs, and writes there but for one thing: the
//! CustomResourceDefinitions that a new cluster starts with.
#![warn(missing_docs)]

pub mod bounds;
pub mod check;
pub mod cli;
#[cfg(feature = "live")]
pub mod cluster;
pub mod codes;
pub mod compile;
pub mod config;
pub mod diff;
pub mod graph;
pub mod import;
pub mod model;
pub mod render;
pub mod report;
pub mod tree;
