//! Routes and policies that attach to nothing, and what the controller would refuse: those of its conditions that the
//! user needs to know about. Also settings that it accepts, but that can't be intended.

pub mod cluster;
pub mod listener_conflict;
mod listeners;
pub mod no_gateway;
pub mod no_hostname;
pub mod no_listener;
pub mod no_redirect;
pub mod no_target;
pub mod not_allowed;
mod policies;
pub mod policy_conflict;
pub mod redirect_loop;
pub mod refused;
mod routes;
pub mod selector_reach;
#[cfg(test)]
pub mod support;
