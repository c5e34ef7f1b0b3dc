//! Autoscalers of the proxies and of the controller.

pub(crate) mod autoscalers;
pub(crate) mod cooldown_without_zero;
pub(crate) mod duplicate_trigger;
pub(crate) mod fixed_replicas;
pub(crate) mod minimum_above_maximum;
pub(crate) mod shared_metric;
pub(crate) mod two_autoscalers;
pub(crate) mod unknown_authentication;
pub(crate) mod unknown_deployment;
pub(crate) mod unknown_trigger;
pub(crate) mod unreadable_setting;
pub(crate) mod unusable_fallback;
pub(crate) mod zero_by_own_metric;

use std::collections::{BTreeSet, HashSet};

use super::LintContext;
use manifest::Object;
use manifest::diagnostic::Diagnostic;

/// The names of the Deployments of all gateways.
fn gateway_workloads(context: &LintContext<'_>) -> BTreeSet<String> {
    let fronts = context.fronts().iter();
    fronts
        .map(|front| match front.workload() {
            Some(workload) => workload.name,
            // In GatewayNamespace mode, it has the name of the gateway.
            None => front.gateway.object.name().to_owned(),
        })
        .collect()
}

/// Without the findings whose place in `cluster.toml` has the same finding already, because one setting there is for the
/// ScaledObjects of several gateways.
fn once_for_each_setting(found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut told = HashSet::new();
    let mut is_new = |one: &Diagnostic| {
        one.origin
            .is_none_or(|origin| told.insert((one.code, origin)))
    };
    found.into_iter().filter(|one| is_new(one)).collect()
}

/// Whether an annotation keeps KEDA from scaling.
fn is_paused(object: &Object) -> bool {
    let annotations = object.node.path(&["metadata", "annotations"]);
    annotations.is_some_and(|map| {
        map.get("autoscaling.keda.sh/paused").is_some()
            || map.get("autoscaling.keda.sh/paused-replicas").is_some()
    })
}
