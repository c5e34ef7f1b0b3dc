//! Against a real API server: etcd and a kube-apiserver that is built from its Go module (`tests/apiserver`), both on
//! loopback. One test, the life of a cluster, takes the one that `GATEWAYCTL_E2E_KUBECONFIG` names instead (kind, k3d): an
//! empty one.
//!
//! Where neither is at hand the tests say so and pass. What can go wrong between here and a server is played by a small
//! server of the tests' own ([`fake`]).

#[path = "../common/mod.rs"]
mod common;

mod access;
mod apiserver;
mod credentials;
mod definitions;
mod failures;
mod fake;
mod life;
mod made;
mod oracle;
mod scale;
mod status;
mod talk;
