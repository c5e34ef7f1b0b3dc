//! The tests that run the whole program, or compare a part of it with another program. They are one binary with a module
//! for each subject, because every further binary would link the whole program again.
//!
//! `cargo test --test it NAME::` runs one module. Only `tests/growth.rs` is a binary of its own, because it counts all
//! allocations of its process.

#[macro_use]
mod common;
mod trees;

mod across;
mod action;
mod bad_input;
mod beside;
mod browser;
mod charts;
mod clusters;
mod conformance;
mod contributing;
mod controller;
mod controller_requests;
mod controller_status;
mod delivery;
mod durability;
mod edits;
mod envsubst;
mod evidence;
mod explain;
mod exposure_changes;
mod front_door;
mod fuzz;
// Kubeconfigs are among the inputs.
#[cfg(feature = "live")]
mod fuzz_seeds;
mod hostile;
mod import;
mod init;
mod inputs;
mod intents;
mod kube_cel;
mod kubernetes_kinds;
#[cfg(feature = "live")]
mod live;
mod lsp;
mod luajit;
mod mcp;
mod oracle;
mod own_schemas;
mod ownership;
mod pipes;
mod properties;
mod public_api;
mod readme;
mod real_trees;
mod release;
mod reports;
mod repository;
mod repository_kinds;
mod request_tests;
mod resolve_scale;
mod revisions;
mod rules;
mod scripts;
mod snapshots;
mod templates_of_others;
mod terminal;
mod third_party;
mod trace;
mod upgrade;
mod validate_settings;
mod watch;
mod words;
mod yaml_1_1;
mod yaml_readers;
