//! What the controller accepts, but Envoy refuses or silently does otherwise. The facts are in
//! [`envoy_config`](envoy_gateway::envoy_config); the rules of [`attachment`](super::attachment) call this for each cluster.

mod filter_chains;
pub(crate) mod filter_order;
pub(crate) mod idle_compressor;
pub(crate) mod idle_script;
pub(crate) mod ip_family;
pub(crate) mod joined_path;
pub(crate) mod limit_below_request;
pub(crate) mod literal_wildcard;
pub(crate) mod mirrored_redirect;
pub(crate) mod no_weight;
pub(crate) mod out_of_bounds;
pub(crate) mod overlapping_hostnames;
pub(crate) mod passthrough_without_route;
pub(crate) mod patch_operation;
pub(crate) mod same_names;
pub(crate) mod shared_certificate;
#[cfg(test)]
pub(super) mod support;
pub(crate) mod try_timeout;
pub(crate) mod undeclared_protocol;
pub(crate) mod unknown_alpn;
pub(crate) mod unknown_container;
pub(crate) mod unknown_operator;
pub(crate) mod unmerged_gateway;
pub(crate) mod unusable_bootstrap;
pub(crate) mod unused_status_codes;
pub(crate) mod without_quic;

use std::collections::BTreeSet;

use crate::lint::LintContext;
use envoy_gateway::envoy_config::http2::without_http2;
use envoy_gateway::envoy_config::http3::without_http3;
use envoy_gateway::envoy_config::ip_family::unanswered_addresses;
use envoy_gateway::index::{GATEWAY_API, Key};
use envoy_gateway::read::list;
use envoy_gateway::{Listener, Resolved, RouteKind};
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::value::{Node, Pointer};

/// What Envoy would refuse, or do otherwise than written, in one cluster. Each finding comes with its object.
pub(super) fn check<'a>(
    context: &LintContext<'_>,
    resolved: &Resolved<'a>,
) -> Vec<(&'a Object, Diagnostic)> {
    let without_http2 = without_http2(resolved);
    let without_http3 = without_http3(resolved);
    let unanswered = unanswered_addresses(resolved);
    // Listeners with one certificate, or with one policy, have one mistake.
    let mut told = BTreeSet::new();
    let http2 = without_http2.iter().filter(|it| {
        let listener = resolved.listener(it.listener);
        let place = listener.map(|it| (Key::of(it.object), it.port));
        let listeners = without_http2.iter().filter(|other| {
            let other_listener = resolved.listener(other.listener);
            let gateway = |it: Option<&Listener<'_>>| it.map(|it| (it.gateway, it.port));
            gateway(other_listener) == gateway(listener) && other.shared == it.shared
        });
        // Merged gateways that share a wildcard certificate are kept apart on purpose.
        listeners.count() > 1 && told.insert((place, it.shared.as_ref()))
    });
    let mut policies = BTreeSet::new();
    let http3 = without_http3.iter().filter(|it| policies.insert(it.policy));
    let addresses = unanswered.iter();
    let mut found = filter_chains::check(resolved);
    found.extend(overlapping_hostnames::check(resolved));
    found.extend(http2.filter_map(|it| shared_certificate::report(resolved, it)));
    found.extend(http3.filter_map(|it| without_quic::report(resolved, it)));
    found.extend(
        addresses.filter_map(|it| ip_family::report(resolved, it, context.model.is_some())),
    );
    found
}

/// Calls `with` for each rule of each given route, with its place, and collects what it returns, without duplicates.
fn route_rules(
    context: &LintContext<'_>,
    with: impl Fn(&Object, &Node, &Pointer) -> Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    let kinds = RouteKind::ALL.into_iter().map(RouteKind::as_str);
    for route in kinds.flat_map(|kind| context.of_kind(GATEWAY_API, kind)) {
        let rules = list(&route.object.node, &["spec", "rules"]).iter();
        for (at, rule) in rules.enumerate() {
            let place = Pointer::root().key("spec").key("rules").index(at);
            for one in with(route.object, rule, &place) {
                if !found.contains(&one) {
                    found.push(one);
                }
            }
        }
    }
    found
}
