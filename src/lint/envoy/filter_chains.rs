//! What two filter chains are made of that Envoy can't tell apart.

use super::{passthrough_without_route, same_names};
use envoy_gateway::envoy_config::filter_chains::{Clash, FilterChain, Source, clashes};
use envoy_gateway::index::Key;
use envoy_gateway::{Listener, Resolved};
use manifest::Object;
use manifest::diagnostic::Diagnostic;

/// Finds the ports whose configuration Envoy would refuse.
pub(super) fn check<'a>(resolved: &Resolved<'a>) -> Vec<(&'a Object, Diagnostic)> {
    let report = |clash: &Clash| match (clash.first.source, clash.second.source) {
        (_, Source::Empty) => {
            passthrough_without_route::report(resolved, &clash.second, &clash.first)
        }
        (Source::Empty, _) => {
            passthrough_without_route::report(resolved, &clash.first, &clash.second)
        }
        _ => same_names::report(resolved, clash),
    };
    clashes(resolved).iter().filter_map(report).collect()
}

/// What happens to a port whose configuration Envoy refuses.
pub(super) fn refused_port(port: i64) -> String {
    format!(
        "Envoy refuses the whole configuration of port {port}, and each later change of it: the port stays closed, \
         or keeps what it had until the proxy restarts; the Gateway's status doesn't show it"
    )
}

/// The listener or route that a filter chain is for.
pub(super) fn source(resolved: &Resolved<'_>, chain: &FilterChain) -> Option<String> {
    Some(match chain.source {
        Source::Route(route) => {
            let route = resolved.route(route)?;
            format!("{} {}", route.kind.as_str(), route.key())
        }
        _ => shown(resolved.listener(chain.listener)?),
    })
}

/// A listener as messages name it.
pub(super) fn shown(listener: &Listener<'_>) -> String {
    format!(
        "listener `{}` of {}",
        listener.name,
        Key::of(listener.object)
    )
}
