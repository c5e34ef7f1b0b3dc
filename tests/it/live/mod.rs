//! Tests against a real API server: etcd and a kube-apiserver that is built from its Go module (`tests/apiserver`),
//! both on the loopback interface. One test, the life of a cluster, uses the empty cluster that
//! `GATEWAYCTL_E2E_KUBECONFIG` names instead (kind, k3d), if it is set.
//!
//! If neither is available, the tests are skipped, and say so. Failures are simulated by a small server of the tests
//! ([`fake`]).

mod access;
mod agreement;
mod apiserver;
mod credentials;
mod definitions;
mod failures;
mod fake;
mod gateways;
mod life;
mod made;
mod mutated_kinds;
mod scale;
mod status;
mod talk;
mod updates;
