//! Autoscalers of the proxies and of the controller.

pub(crate) mod autoscalers;
pub(crate) mod fixed_replicas;
pub(crate) mod minimum_above_maximum;
pub(crate) mod two_autoscalers;
pub(crate) mod unknown_deployment;
