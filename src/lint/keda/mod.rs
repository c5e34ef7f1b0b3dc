//! Autoscalers of the proxies and of the controller.

pub mod autoscalers;
pub mod fixed_replicas;
pub mod minimum_above_maximum;
pub mod two_autoscalers;
pub mod unknown_deployment;
