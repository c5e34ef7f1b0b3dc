//! Addresses, address pools, announcements, certificates and trusted networks.

pub(crate) mod acme_solver;
pub(crate) mod address_annotation;
pub(crate) mod address_beside_pool;
pub(crate) mod address_outside_pools;
pub(crate) mod address_requests;
pub(crate) mod bgp_family;
pub(crate) mod certificate_names;
pub(crate) mod duplicate_address;
pub(crate) mod forged_client;
pub(crate) mod invalid_cidr;
pub(crate) mod l2_policies;
pub(crate) mod local_policy;
pub(crate) mod no_solver;
pub(crate) mod not_advertised;
pub(crate) mod not_announced;
pub(crate) mod pool_holds_router;
pub(crate) mod pool_in_cluster;
pub(crate) mod pool_overlap;
pub(crate) mod pool_selector;
pub(crate) mod pools;
pub(crate) mod shared_address;
pub(crate) mod trusted_cidr;
pub(crate) mod wildcard_challenge;
