//! Checks the settings of BackendTrafficPolicies.

use super::Content;
use super::units::{check_durations, check_http2_windows, check_quantity};
use crate::Resolver;
use crate::fault::{Fault, Faults};
use crate::read::{has, int, list, text};
use crate::rules::is_pattern;
use manifest::value::Node;

const DURATIONS: &[&[&str]] = &[
    &["timeout", "tcp", "connectTimeout"],
    &["timeout", "http", "connectionIdleTimeout"],
    &["timeout", "http", "maxConnectionDuration"],
    &["timeout", "http", "requestTimeout"],
    &["timeout", "http", "maxStreamDuration"],
    &["timeout", "http", "streamIdleTimeout"],
    &["tcpKeepalive", "idleTime"],
    &["tcpKeepalive", "interval"],
    &["http2", "connectionKeepalive", "interval"],
    &["http2", "connectionKeepalive", "timeout"],
    &["http2", "connectionKeepalive", "idleInterval"],
];

const BREAKERS: &[&str] = &[
    "maxConnections",
    "maxParallelRequests",
    "maxPendingRequests",
    "maxParallelRetries",
    "maxRequestsPerConnection",
];

const MOST: i128 = u32::MAX as i128;

pub(crate) fn check(
    resolver: &mut Resolver<'_, '_>,
    content: &Content<'_, '_>,
    faults: &mut Faults,
) {
    let spec = content.spec;
    check_durations(spec, DURATIONS, faults);
    check_quantity(spec, &["connection", "bufferLimit"], 0, MOST, faults);
    check_quantity(spec, &["requestBuffer", "limit"], 0, MOST, faults);
    check_http2_windows(spec, faults);
    for key in BREAKERS {
        if let Some(value) = int(spec, &["circuitBreaker", key])
            && !(0..=i64::from(u32::MAX)).contains(&value)
        {
            faults.push(Fault::invalid(format!(
                "`circuitBreaker.{key}` can't be {value}"
            )));
        }
    }
    if has(spec, &["requestBuffer"]) && !list(spec, &["httpUpgrade"]).is_empty() {
        faults.push(Fault::invalid(
            "`requestBuffer` and `httpUpgrade` can't be combined: an upgraded request has no end",
        ));
    }
    if let Some(limit) = spec.get("rateLimit") {
        check_rate_limit(limit, faults);
    }
    for body in list(spec, &["responseOverride"]) {
        let owner = content.owner(&["responseOverride"]);
        faults.keep(resolver.check_body(body.path(&["response", "body"]), owner.namespace()));
    }
}

fn seconds(unit: &str) -> u64 {
    match unit {
        "Second" => 1,
        "Minute" => 60,
        "Hour" => 3600,
        "Day" => 86_400,
        "Month" => 30 * 86_400,
        "Year" => 365 * 86_400,
        _ => 0,
    }
}

fn check_rate_limit(limit: &Node, faults: &mut Faults) {
    let kind = text(limit, &["type"]);
    for (name, key) in [("Global", "global"), ("Local", "local")] {
        if kind == Some(name) && !has(limit, &[key]) {
            faults.push(Fault::invalid(format!(
                "`rateLimit` of type {name} has no `{key}`"
            )));
        }
    }
    let rules = list(limit, &["local", "rules"]);
    let is_open = |rule: &&Node| list(rule, &["clientSelectors"]).is_empty();
    let open: Vec<&Node> = rules.iter().filter(is_open).collect();
    if open.len() > 1 {
        faults.push(Fault::invalid("`rateLimit.local` has two rules without `clientSelectors`; only one is allowed, the limit for all clients"));
    }
    let unit = |rule: &Node| seconds(text(rule, &["limit", "unit"]).unwrap_or_default());
    let base = open.first().map_or(1, |rule| unit(rule));
    if rules.iter().any(|rule| base == 0 || unit(rule) % base != 0) {
        faults.push(Fault::invalid("`rateLimit.local`: the unit of a rule must be a multiple of that of the rule without `clientSelectors`"));
    }
    let all = rules.iter().chain(list(limit, &["global", "rules"]));
    for by in all.flat_map(|rule| list(rule, &["clientSelectors"])) {
        let headers = list(by, &["headers"])
            .iter()
            .chain(list(by, &["queryParams"]));
        let patterns = headers
            .chain(by.get("path"))
            .filter(|it| text(it, &["type"]) == Some("RegularExpression"));
        for pattern in patterns.filter_map(|it| text(it, &["value"])) {
            if !is_pattern(pattern) {
                faults.push(Fault::invalid(format!(
                    "`rateLimit`: `{pattern}` is not a valid regular expression"
                )));
            }
        }
        let source = by.get("sourceCIDR");
        let cidrs = source.into_iter().flat_map(|it| {
            text(it, &["value"])
                .into_iter()
                .chain(list(it, &["cidrs"]).iter().filter_map(Node::as_str))
        });
        for cidr in cidrs {
            if !is_cidr(cidr) {
                faults.push(Fault::invalid(format!(
                    "`rateLimit`: `{cidr}` is not a CIDR"
                )));
            }
        }
    }
}

/// Whether a string is a CIDR. Host bits and Flux variables are allowed.
pub(super) fn is_cidr(text: &str) -> bool {
    text.parse::<ipnet::IpNet>().is_ok() || manifest::value::variable::in_text(text)
}
