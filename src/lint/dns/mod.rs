//! DNS records: the annotations that external-dns reads, and who publishes which name.

pub(crate) mod annotation_on_gateway;
pub(crate) mod annotation_prefix;
pub(crate) mod annotations;
pub(crate) mod endpoint_elsewhere;
pub(crate) mod hostname_outside_listener;
pub(crate) mod idle_publisher;
pub(crate) mod private_proxied;
pub(crate) mod published;
pub(crate) mod shared_owner;
pub(crate) mod target_on_route;
pub(crate) mod tunnel_configs;
pub(crate) mod tunnel_elsewhere;
pub(crate) mod tunnel_rules;
pub(crate) mod two_targets;
pub(crate) mod unfiltered_publisher;
pub(crate) mod unpublished;
