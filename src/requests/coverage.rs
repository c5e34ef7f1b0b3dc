//! Which listeners and routes no test touches.

use std::collections::BTreeSet;

use super::seen::Seen;
use envoy_gateway::exposure::build::listener_name;
use envoy_gateway::{ListenerId, Resolved, RouteId};

/// The listeners and the rules of routes that requests of tests get to.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    listeners: BTreeSet<ListenerId>,
    rules: BTreeSet<(RouteId, usize)>,
}

/// How much of a cluster is tested.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The number of listeners that are configured in Envoy.
    pub listeners: usize,
    /// Those that no test touches, each as `gateway: listener`.
    pub untouched_listeners: Vec<String>,
    /// The number of rules of routes that are attached to a listener.
    pub rules: usize,
    /// Those that no test touches, each as `kind namespace/name`, with the index of the rule if there are several.
    pub untouched_rules: Vec<String>,
}

impl Touched {
    pub(super) fn add(&mut self, seen: &Seen<'_, '_, '_>) {
        self.listeners.extend(seen.way.listener);
        self.rules.extend(seen.way.rule);
    }

    /// Adds what other requests touch.
    pub fn merge(&mut self, other: Touched) {
        self.listeners.extend(other.listeners);
        self.rules.extend(other.rules);
    }

    /// The coverage of a cluster by these tests.
    pub fn coverage(&self, resolved: &Resolved<'_>) -> Coverage {
        let mut coverage = Coverage::default();
        for (at, listener) in resolved.listeners().iter().enumerate() {
            if !listener.is_ready() {
                continue;
            }
            coverage.listeners += 1;
            if !self.listeners.contains(&ListenerId(at)) {
                let gateway = resolved.gateway(listener.gateway);
                let gateway = gateway.map_or_else(String::new, |it| it.key().to_string());
                let name = listener_name(resolved, listener);
                coverage
                    .untouched_listeners
                    .push(format!("{gateway}: {name}"));
            }
        }
        for (at, route) in resolved.routes().iter().enumerate() {
            if route
                .parents
                .iter()
                .all(|parent| parent.attachments.is_empty())
            {
                continue;
            }
            let rules = route.rules.len().max(1);
            for rule in 0..rules {
                coverage.rules += 1;
                if self.rules.contains(&(RouteId(at), rule)) {
                    continue;
                }
                let name = format!("{} {}", route.kind.as_str(), route.key());
                coverage.untouched_rules.push(match rules {
                    1 => name,
                    _ => format!("{name}, rule {rule}"),
                });
            }
        }
        coverage
    }
}
