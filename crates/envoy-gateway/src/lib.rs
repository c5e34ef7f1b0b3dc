#![doc = include_str!("../README.md")]
//!
//! [`resolve`] takes objects and returns the [`Resolved`] view. It follows the Gateway API translator of Envoy
//! Gateway 1.9.0, in the same order:
//!
//! 1. [`class`], [`infra`]: which gateways belong to the controller, and the EnvoyProxy of each;
//! 2. [`listener`], [`listener_set`], [`tls`], [`gateway_tls`], [`conflict`], [`overlap`]: the listeners of
//!    Gateways and ListenerSets, each by itself, then compared with each other;
//! 3. [`attachment`], [`hostname`]: which listeners allow a route, and for which hostnames;
//! 4. [`rules`], [`filters`], [`modify`], [`backend_ref`], [`backend`], [`backend_tls`]: what the rules of routes
//!    do and refer to, and whether they may ([`grant`]);
//! 5. [`policy`]: what each policy targets, and which of several policies wins;
//! 6. [`route_overlap`]: routes that match exactly the same requests.
//!
//! [`controller`] finds out from the controller's chart what the objects don't say: which features are enabled, in which
//! namespace it runs, and which EnvoyProxy applies to all gateways. [`helm_routes`] finds the routes that charts create
//! from the values of HelmReleases. [`declared`] is what somebody states about things that are managed elsewhere. [`address`] says which addresses a gateway requests. [`written`] compares the view with what the
//! controllers of a live cluster wrote. [`exposure`] lists who can reach what.
//!
//! [`Knowledge`] says how much of the cluster is given: a repository in Git doesn't have the Secrets that
//! cert-manager creates, for example. What depends on missing objects is then `Unknown`, never refused.
#![cfg_attr(not(test), warn(unreachable_pub))]

pub mod address;
pub mod attachment;
pub mod backend;
pub mod backend_ref;
pub mod backend_tls;
pub mod certificate;
pub mod class;
pub mod condition;
pub mod conflict;
pub mod controller;
pub mod declared;
pub mod envoy_config;
pub mod exposure;
pub mod fault;
pub mod filters;
pub mod gateway_tls;
pub mod grant;
pub mod helm_routes;
pub mod hostname;
pub mod index;
pub mod infra;
pub mod listener;
pub mod listener_set;
pub mod modify;
pub mod overlap;
pub mod policy;
pub mod proxies;
pub mod read;
pub mod route_overlap;
pub mod rules;
pub mod selector;
pub mod settings;
pub mod telemetry;
#[cfg(test)]
mod tests;
pub mod tls;
pub mod verdict;
pub mod view;
pub mod written;

pub use condition::{Condition, Conditions, Status};
pub use settings::{Features, Knowledge, Order, Settings};
pub use verdict::{ConditionSubject, ObjectCondition};
pub use view::{
    Attachment, GatewayId, Listener, ListenerId, Parent, PolicyId, Resolved, Route, RouteId,
    RouteKind, SetId, Target,
};

use grant::Grants;
use index::Index;
use manifest::Object;

/// Resolves objects. Their namespaces must be those that they will have in the cluster.
pub fn resolve<'a>(
    objects: impl IntoIterator<Item = &'a Object>,
    settings: &Settings,
) -> Resolved<'a> {
    let index = Index::new(objects, settings);
    let grants = Grants::new(&index);
    let mut resolver = Resolver {
        index,
        grants,
        settings,
        hosts: attachment::Hosts::default(),
        view: Resolved::default(),
    };
    resolver.classes();
    resolver.listeners();
    resolver.backends();
    resolver.routes();
    resolver.policies();
    resolver.view.declared.clone_from(&settings.declared);
    resolver.route_overlaps();
    resolver.backend_tls_conflicts();
    resolver.view
}

/// The state while objects are resolved.
pub(crate) struct Resolver<'a, 's> {
    index: Index<'a>,
    grants: Grants<'a>,
    settings: &'s Settings,
    /// Which listeners have each hostname.
    hosts: attachment::Hosts<'a>,
    view: Resolved<'a>,
}
