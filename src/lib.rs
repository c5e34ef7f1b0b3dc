//! `gatewayctl` compiles one `cluster.toml` to the Flux tree for Envoy Gateway in a cluster, and checks it as the API
//! server would. Start with [`compile::compile`]: it is the whole way, as one pure function.
//!
//! **Configuration.** [`config`] reads `cluster.toml` into types, one file for each table, and each value keeps its place
//! ([`manifest::diagnostic::Span`]). All mistakes of form are reported at once. [`model`] interprets the configuration: it
//! applies defaults, makes names, and compares addresses and ports. It knows no TOML and no YAML.
//!
//! **Rendering.** [`render`] makes files from the model with one template for each object. Values are never pasted into a
//! template; each is written as a YAML scalar, and keeps the place that it came from. Then the `spec` tables are merged over
//! the objects. Values are [`manifest::value::Node`]s, whether they come from TOML, YAML or a template.
//!
//! **Checking.** The rendered files are parsed again. [`crd_validate`] says what the API server would say of each object, by
//! a catalogue of CRDs that is part of the program. [`lint`] has the rules that look at all objects together. What they find
//! is a [`manifest::diagnostic::Diagnostic`]: a code (declared where the finding is made, and listed in [`codes`]), a message,
//! the place in the rendered file and the place in `cluster.toml`. [`report`] prints findings for people and for programs.
//!
//! **What a cluster makes of it.** [`flux_repo`] follows kustomize and Flux, [`envoy_gateway`] follows the controller: which
//! listeners are valid, which routes attach where, which policies apply, and who can reach what. [`envoy_simulate`] follows
//! one request through the result, [`requests`] tests what it finds, and [`graph`] draws it. [`page`] is the frame of all HTML
//! pages.
//!
//! **The way back.** [`import`] reads an existing tree and writes the `cluster.toml` that renders it again. It proves this by
//! rendering that file in memory.
//!
//! **While somebody types.** [`editor`] reads texts that are not finished: where the cursor is, what may be written there, and
//! where names are defined and used. The language server (`gatewayctl lsp`) is its edge.
//!
//! **The edges.** [`mod@diff`] compares objects with those that were there before. [`tree`] plans what has to be written, and
//! writes it so that no edit is lost and no file is left half-written. [`cli`] has one file for each command. `cluster`, behind
//! the feature `live`, asks an API server: it uses dry runs, and writes only the CustomResourceDefinitions with which a new
//! cluster begins. Only `tree` and `cli` use the disk, and they read through [`bounds`]; only `cluster` uses the network.
//! Everything else gives the same output for the same input.
#![warn(missing_docs)]
// Without `live`, parts of what the commands share are used by nobody.
#![cfg_attr(all(not(test), feature = "live"), warn(unreachable_pub))]

pub mod bounds;

pub mod cli;
#[cfg(feature = "live")]
pub mod cluster;
/// Without the feature `live`, only the codes remain, because `explain` knows all codes.
#[cfg(not(feature = "live"))]
pub mod cluster {
    pub mod codes;
}
pub mod codes;
pub mod compile;
pub mod config;
pub mod diff;
pub mod editor;
pub mod graph;
pub mod import;
pub mod lint;
pub mod model;
pub mod page;
pub mod render;
pub mod report;
pub mod requests;
pub mod tree;
