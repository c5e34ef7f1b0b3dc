//! Addresses, address pools, announcements, certificates and trusted networks.

pub mod address_outside_pools;
pub mod address_requests;
pub mod certificate_names;
pub mod duplicate_address;
pub mod invalid_cidr;
pub mod l2_policies;
pub mod local_policy;
pub mod not_announced;
pub mod pool_holds_router;
pub mod pool_overlap;
pub mod pool_selector;
pub mod pools;
pub mod trusted_cidr;
