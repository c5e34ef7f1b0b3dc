//! Routes and policies that attach to nothing, and what the controller would refuse: those of its conditions that the
//! user needs to know about. Also settings that it accepts, but that can't be intended.

mod absent_target;
pub(crate) mod cluster;
mod grants;
pub(crate) mod listener_conflict;
mod listener_sets;
mod listeners;
pub(crate) mod no_gateway;
pub(crate) mod no_hostname;
pub(crate) mod no_listener;
pub(crate) mod no_parent;
pub(crate) mod no_redirect;
pub(crate) mod no_target;
pub(crate) mod not_allowed;
mod objects;
pub(crate) mod oidc_callback;
mod other_parents;
mod policies;
pub(crate) mod policy_conflict;
pub(crate) mod redirect_loop;
pub(crate) mod refused;
pub(crate) mod replaced_protection;
mod routes;
pub(crate) mod same_match;
pub(crate) mod selector_reach;
pub(crate) mod shared_stream;
#[cfg(test)]
pub mod support;
