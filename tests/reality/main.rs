//! Compares gatewayctl with the real Envoy Gateway and the real Envoy: the files that it renders are given to both, real
//! requests are sent, and what happens must be what `validate` and `trace` say of the same files.
//!
//! Envoy Gateway is built from its Go module (`tests/envoygateway`) and reads files; it starts Envoy, which comes from
//! PyPI. What only a cluster has, the tests provide ([`surroundings`]): certificates, namespaces, and a backend behind
//! every Service, which tells who it is and what it received ([`echo`]). Every gateway runs in a network namespace of
//! its own ([`namespace`]), so that ports and addresses are free, and no packet leaves the machine.
//!
//! Where a program or the right to make a namespace is missing, the tests are skipped, and say so; in CI that is a
//! failure.

// It uses only a part of what the other tests share.
#[allow(dead_code, unused_imports, unused_macros)]
#[path = "../it/common/mod.rs"]
mod common;

mod applied;
mod cases;
mod cluster;
mod compared;
mod conditions;
mod echo;
mod envoy;
mod envoy_from_files;
mod envoy_gateway;
mod flux;
mod foretold;
mod front_door;
mod generator;
mod http2;
mod namespace;
mod request;
mod services;
mod surroundings;
mod table;
mod tools;
mod translation;
